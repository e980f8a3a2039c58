package runner

import (
	"fmt"
	"strconv"
	"time"

	"carillon/internal/event"
)

// Track turns what is seen of one command into the events of its run. It is pure: it has no clock and starts nothing.
//
// A run goes pending, planning, planned, confirmed, applying, applied; a step that the command skips is skipped here too,
// and none is ever taken back. How the run ends is decided by the command's exit alone: output may be worded differently
// in another release, the exit code is not.
type Track struct {
	inv   Invocation
	facts Facts
	run   event.Run
	stage stage

	failure     string // the error that was printed; it counts only once the command has failed
	approved    bool
	declined    bool
	interrupted bool
	unstarted   bool // the command ended before its plan

	violations []violation // not told yet
	known      []event.Violation
	policies   int // policy events so far
}

// violation is a violated policy that is to be told.
type violation struct {
	event.Violation
	blocking bool
}

// stage orders the statuses that a run passes.
type stage int

const (
	fresh stage = iota
	pending
	planning
	planned
	confirmed
	applying
	ended
)

// NewTrack returns the track of a run that has not begun.
func NewTrack(inv Invocation, facts Facts) *Track {
	return &Track{inv: inv, facts: facts, run: event.Run{
		SourceID:   facts.RunID,
		Message:    facts.Message,
		URL:        facts.URL,
		Operation:  inv.Operation,
		NativeType: inv.Command,
		CreatedBy:  facts.Actor,
		Trigger:    facts.Trigger,
		Origin:     "cli",
		Branch:     facts.Branch,
		Commit:     facts.Commit,
		AutoApply:  inv.AutoApply,
		Drift:      inv.Drift,
		Labels:     facts.Labels,
	}}
}

// Begin returns the events of a command that has just started.
func (t *Track) Begin(at time.Time) []event.Event {
	t.run.CreatedAt = at.UTC()
	events := t.enter(nil, pending, event.StatusPending, at)
	if t.inv.ApplyOnly {
		return t.enter(events, applying, event.StatusApplying, at)
	}
	return t.enter(events, planning, event.StatusPlanning, at)
}

// Observe returns the events that an observation causes, often none.
func (t *Track) Observe(o Observation, at time.Time) []event.Event {
	if t.stage == ended {
		return nil
	}
	switch o.Saw {
	case Planned:
		return append(t.policyEvents(at), t.planned(o, at)...)
	case Counted:
		t.counted(o)
		return t.policyEvents(at)
	case Violated:
		t.violated(o)
	case Unstarted:
		t.unstarted = true
	case Asking:
		return t.asking(at)
	case Approved:
		t.approved = true
		return t.enter(nil, confirmed, event.StatusConfirmed, at)
	case Applying:
		return t.apply(nil, at)
	case Completed:
		return t.completed(o, at)
	case Declined:
		t.declined = true
	case Interrupted:
		t.interrupted = true
	case Linked:
		t.run.URL = first(fitURL(o.Text), t.run.URL)
	case Failed:
		if t.failure == "" {
			t.failure = o.Text
		}
	}
	return nil
}

// planned notes the counts. Only when no question can follow is it an event of its own: while a question may come, the
// event waits for it, so that one pause is one event.
func (t *Track) planned(o Observation, at time.Time) []event.Event {
	if o.HasChanges != nil {
		t.run.HasChanges = o.HasChanges
	}
	if o.Changes != nil {
		t.run.Changes = o.Changes
	}
	goesOn := t.inv.AutoApply != nil && *t.inv.AutoApply && !t.unchanged()
	if t.inv.PlanOnly || !goesOn {
		return nil
	}
	return t.enter(nil, planned, event.StatusPlanned, at)
}

func (t *Track) asking(at time.Time) []event.Event {
	if t.stage >= planned {
		return nil
	}
	if t.run.HasChanges == nil {
		t.run.HasChanges = new(true)
	}
	t.run.Awaiting = true
	return t.enter(nil, planned, event.StatusPlanned, at)
}

func (t *Track) apply(events []event.Event, at time.Time) []event.Event {
	if t.inv.PlanOnly {
		return events
	}
	if !t.inv.ApplyOnly {
		events = t.enter(events, planned, event.StatusPlanned, at)
	}
	return t.enter(events, applying, event.StatusApplying, at)
}

// completed takes the counts of what was really done. The plan's count of replacements stays: the tool's last line counts
// a replacement as one added and one destroyed.
func (t *Track) completed(o Observation, at time.Time) []event.Event {
	if t.unchanged() || t.inv.PlanOnly {
		return nil
	}
	if o.Changes != nil {
		counts := *o.Changes
		if t.run.Changes != nil {
			counts.Replace = t.run.Changes.Replace
		}
		t.run.Changes = &counts
		if t.run.HasChanges == nil {
			t.run.HasChanges = new(counts.Add+counts.Change+counts.Destroy+counts.Import > 0)
		}
	}
	return t.apply(nil, at)
}

func (t *Track) unchanged() bool { return t.run.HasChanges != nil && !*t.run.HasChanges }

// counted takes the counts of a step, however it ended.
func (t *Track) counted(o Observation) {
	if o.Changes != nil {
		t.run.Changes = o.Changes
	}
	if o.HasChanges != nil {
		t.run.HasChanges = o.HasChanges
	}
}

// End returns the last events of the run: the command has exited.
func (t *Track) End(exit Exit, at time.Time) []event.Event {
	if t.stage == ended || t.stage == fresh {
		return nil
	}
	return append(t.policyEvents(at), t.end(exit, at)...)
}

func (t *Track) end(exit Exit, at time.Time) []event.Event {
	if t.inv.ChangesCode != 0 && exit.Signal == 0 && exit.Code == t.inv.ChangesCode {
		t.run.HasChanges = new(true)
		exit.Code = 0
	}
	if exit.Code == 0 && exit.Signal == 0 {
		if t.inv.PlanOnly || (t.unchanged() && t.stage < applying) {
			return t.enter(nil, ended, event.StatusPlannedAndFinished, at)
		}
		return t.enter(nil, ended, event.StatusApplied, at)
	}
	t.run.Phase, t.run.Error = event.PhasePlan, t.failure
	if t.stage == applying {
		t.run.Phase = event.PhaseApply
	}
	if t.unstarted && !t.inv.PlanOnly {
		t.run.Phase = ""
	}
	switch {
	case t.declined:
		t.run.Phase, t.run.Error = "", ""
		return t.enter(nil, ended, event.StatusDiscarded, at)
	case t.interrupted || exit.Signal != 0:
		return t.enter(nil, ended, event.StatusCanceled, at)
	}
	if t.run.Error == "" {
		t.run.Error = fmt.Sprintf("%s %s ended with exit code %d.", t.inv.Tool, t.inv.Command, exit.Code)
	}
	return t.enter(nil, ended, event.StatusErrored, at)
}

// enter moves the run on to a later stage and appends the event of it.
func (t *Track) enter(events []event.Event, to stage, status event.Status, at time.Time) []event.Event {
	if to <= t.stage {
		return events
	}
	if to > planned {
		t.run.Awaiting = false
	}
	if t.stage != fresh {
		t.run.Sequence++
	}
	t.stage, t.run.Status, t.run.Sequenced = to, status, true
	return append(events, t.snapshot(status, at))
}

// snapshot copies what later steps change; the rest is never written again.
func (t *Track) snapshot(status event.Status, at time.Time) event.Event {
	run := t.run
	if run.Changes != nil {
		counts := *run.Changes
		run.Changes = &counts
	}
	if run.HasChanges != nil {
		run.HasChanges = new(*run.HasChanges)
	}
	e := t.facts.envelope(event.KindRun, at)
	e.Key = "cli:" + run.SourceID + ":" + strconv.FormatInt(run.Sequence, 10)
	e.Run = &run
	if t.byPerson(status) {
		e.Actor = t.facts.Actor
	}
	return e
}

// byPerson says whether the step is somebody's act rather than the command's progress.
func (t *Track) byPerson(status event.Status) bool {
	switch status {
	case event.StatusPending, event.StatusDiscarded, event.StatusCanceled:
		return true
	case event.StatusConfirmed:
		return t.approved
	}
	return false
}
