package scalr

import (
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// outcome is a row of §4.2: what a run's step into a status fires.
type outcome struct {
	name string

	// paused says that the status is passed through as well: it fires only where the source says that a person must act.
	paused bool
}

// outcomes is the table of §4.2. Statuses that are missing fire nothing.
var outcomes = map[event.Status]outcome{
	event.StatusApplied:            {name: runCompleted},
	event.StatusPlannedAndFinished: {name: runCompleted},
	event.StatusErrored:            {name: runErrored},
	event.StatusCanceled:           {name: runErrored},
	event.StatusForceCanceled:      {name: runErrored},
	event.StatusPlanned:            {name: runNeedsAttention, paused: true},
	event.StatusCostEstimated:      {name: runNeedsAttention, paused: true},
	event.StatusPolicyChecked:      {name: runNeedsAttention, paused: true},
	event.StatusPolicyOverride:     {name: runNeedsAttention},
	event.StatusPolicySoftFailed:   {name: runNeedsAttention},
	event.StatusPlannedAndSaved:    {name: runNeedsAttention},
}

// Notices returns what the platform says of an event: one of three things of a run, nothing of anything else (§4).
func (d *Dialect) Notices(e *event.Event) []subscription.Notice {
	if e.Kind != event.KindRun || e.Run == nil || e.Workspace == nil {
		return nil
	}
	name := d.eventOf(e)
	if name == "" {
		return nil
	}
	return []subscription.Notice{{Name: name, Triggers: []string{name}}}
}

// eventOf names the event that a run's step fires, "" for none. What the platform itself reported is taken at its word.
func (d *Dialect) eventOf(e *event.Event) string {
	if n := e.Native; n != nil && n.Dialect == Name && isEvent(n.Kind) {
		return n.Kind
	}
	if e.Run.Status == event.StatusDiscarded && d.DiscardedIsErrored {
		return runErrored
	}
	found := outcomes[e.Run.Status]
	if found.paused && !e.Run.Awaiting {
		return ""
	}
	return found.name
}

// shownStatus is the run's status in the platform's words: its own word where it reported the run, else ours (§4.3).
func shownStatus(e *event.Event) string {
	if n := e.Native; n != nil && n.Dialect == Name && e.Run.NativeStatus != "" {
		return e.Run.NativeStatus
	}
	if e.Run.Status == event.StatusForceCanceled {
		return string(event.StatusCanceled)
	}
	return string(e.Run.Status)
}
