package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ingest"
)

// counting is a dialect for which planning and everything after it until the end is one state.
type counting struct{ plain }

func (counting) Step(e *event.Event, before string) string {
	switch s := e.Run.Status; {
	case s == event.StatusPending:
		return "NEW"
	case s == event.StatusPlanning, s == event.StatusApplying:
		return "BUSY"
	case s == event.StatusCanceled && before == "NEW":
		return "WITHDRAWN"
	case s.Final():
		return "OVER"
	}
	return ""
}

func withCounting(d *ingest.Deps) {
	d.Dialects = []dialect.Dialect{counting{plain{name: "gamma"}}, plain{name: "alpha"}}
}

// steps spells what the stored events say: the word, its number, and a star where nothing changed.
func (h *house) steps(t *testing.T) string {
	t.Helper()
	var parts []string
	for _, stored := range h.ledger.events {
		e, err := event.Decode(stored.Body)
		if err != nil {
			t.Fatal(err)
		}
		part := "-"
		if s, ok := e.Run.Steps["gamma"]; ok {
			part = fmt.Sprintf("%s %d", s.Word, s.Number)
			if s.Repeats {
				part += "*"
			}
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

func TestStatesAreCountedInADialectsOwnWords(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		statuses []event.Status
		want     string
	}{
		"several statuses are one state": {
			[]event.Status{"pending", "planning", "planned", "applying", "applied"}, "NEW 0, BUSY 1, BUSY 1*, BUSY 1*, OVER 2",
		},
		"nothing is said at first":  {[]event.Status{"fetching", "pending", "applied"}, "-, NEW 0, OVER 1"},
		"the state before decides":  {[]event.Status{"pending", "canceled"}, "NEW 0, WITHDRAWN 1"},
		"twice the same is dropped": {[]event.Status{"pending", "pending", "planning"}, "NEW 0, BUSY 1"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, withCounting)
			for _, status := range c.statuses {
				e := step(status)
				e.Run.Steps = map[string]event.Step{"gamma": {Word: "FORGED", Number: 9}}
				h.accept(t, e)
			}
			if got := h.steps(t); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestCountingGoesOnAfterARestart lets a second node that knows nothing go on with the run, with a repeated event in between.
func TestCountingGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	first := newHouse(t, withCounting)
	first.accept(t, step("pending", withKey("a")), step("planning", withKey("b")))
	second := newHouse(t, withCounting, func(d *ingest.Deps) {
		d.Committer, d.Ledger, d.IDs = first.ledger, first.ledger, generator(t, 2)
	})
	second.accept(t, step("planning", withKey("b")))
	second.accept(t, step("planned", withKey("c")))
	second.accept(t, step("applied", withKey("d")))
	if got, want := first.steps(t), "NEW 0, BUSY 1, BUSY 1*, OVER 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRunsThatTheSourceCounts have a count of their own too: several of the source's steps may be one state. A step that
// arrives late leaves the state as it is.
func TestRunsThatTheSourceCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, withCounting)
	h.accept(t, step("pending", counted(0)), step("planning", counted(3)), step("planned", counted(4)), step("pending", counted(1)), step("applied", counted(7)))
	if got, want := h.steps(t), "NEW 0, BUSY 1, BUSY 1*, BUSY 1*, OVER 2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if last := h.last(t); last.Run.Sequence != 7 {
		t.Errorf("got %+v", last.Run)
	}
}
