package event

import (
	"iter"
	"time"
)

// time checks that a time can be written again in the same form, whatever zone it is moved to.
func (c *checker) time(pointer string, at time.Time) {
	if !at.IsZero() && (at.Year() < 1970 || at.Year() > 9000) {
		c.add(pointer, "Is outside the years 1970 to 9000.")
	}
}

// times visits every time of an event with its pointer.
func (e *Event) times() iter.Seq2[*time.Time, string] {
	return func(yield func(*time.Time, string) bool) {
		ok := yield(&e.OccurredAt, "/occurred_at") && yield(&e.AcceptedAt, "/accepted_at")
		if r := e.Run; ok && r != nil {
			ok = yield(&r.CreatedAt, "/run/created_at") && (r.Commit == nil || yield(&r.Commit.At, "/run/commit/at"))
		}
		if a := e.Assessment; ok && a != nil {
			ok = yield(&a.New.CreatedAt, "/assessment/new/created_at") &&
				(a.Prior == nil || yield(&a.Prior.CreatedAt, "/assessment/prior/created_at"))
		}
		if a := e.AutoDestroy; ok && a != nil {
			ok = yield(&a.At, "/auto_destroy/at") && yield(&a.RunCreatedAt, "/auto_destroy/run_created_at")
		}
		if r := e.ChangeRequest; ok && r != nil {
			ok = yield(&r.CreatedAt, "/change_request/created_at")
		}
		if v := e.ModuleVersion; ok && v != nil {
			ok = yield(&v.CreatedAt, "/module_version/created_at") &&
				(v.Commit == nil || yield(&v.Commit.At, "/module_version/commit/at"))
			for i := 0; ok && i < len(v.TestRuns); i++ {
				ok = yield(&v.TestRuns[i].CreatedAt, "/module_version/test_runs") &&
					yield(&v.TestRuns[i].UpdatedAt, "/module_version/test_runs")
			}
		}
	}
}

// normalize moves every time to UTC, the form in which events are stored and compared.
func (e *Event) normalize() {
	for at := range e.times() {
		*at = at.UTC()
	}
}
