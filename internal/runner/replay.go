package runner

import (
	"strconv"
	"time"

	"carillon/internal/event"
)

// Replay returns a recorded run event as if it happened at the time given, in the run and the place of the facts. Runs of
// one recording stay apart: their names are appended to the facts' run.
func Replay(recorded event.Event, f Facts, at time.Time) event.Event {
	e := f.envelope(event.KindRun, at)
	if recorded.Run == nil {
		return e
	}
	run := *recorded.Run
	if !run.CreatedAt.IsZero() && !recorded.OccurredAt.IsZero() {
		run.CreatedAt = at.UTC().Add(run.CreatedAt.Sub(recorded.OccurredAt))
	}
	run.SourceID = f.RunID + "-" + run.SourceID
	run.Message = first(f.Message, run.Message)
	run.CreatedBy = f.Actor
	e.Key = "cli:" + run.SourceID + ":" + strconv.FormatInt(run.Sequence, 10)
	e.Run = &run
	if recorded.Actor != nil {
		e.Actor = f.Actor
	}
	return e
}
