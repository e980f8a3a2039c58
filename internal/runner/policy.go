package runner

import (
	"slices"
	"strconv"
	"time"

	"carillon/internal/event"
)

// violated notes a violated policy. One that the plan violated is violated again when it is applied, and told once.
func (t *Track) violated(o Observation) {
	if o.Violation == nil || len(t.known) >= event.MaxItems {
		return
	}
	v := fitViolation(*o.Violation)
	if v.Policy == "" || slices.Contains(t.known, v) {
		return
	}
	t.known = append(t.known, v)
	t.violations = append(t.violations, violation{v, o.Blocking})
}

// fitViolation makes what a policy says of itself acceptable: an odd name must not cost the event.
func fitViolation(v event.Violation) event.Violation {
	return event.Violation{
		Pack: fitName(v.Pack), PackVersion: fitName(v.PackVersion), Policy: fitName(v.Policy), Severity: fitName(v.Severity),
		Message: cut(v.Message, messageLimit), Resource: cut(v.Resource, event.MaxURL),
	}
}

// policyEvents returns the events of the violations that are not told yet: one for those that stop the run, and one for
// the others.
func (t *Track) policyEvents(at time.Time) []event.Event {
	var events []event.Event
	for _, blocking := range []bool{true, false} {
		policy := event.Policy{Blocking: blocking, RunURL: t.run.URL}
		for _, v := range t.violations {
			if v.blocking == blocking {
				policy.Violations = append(policy.Violations, v.Violation)
			}
		}
		if len(policy.Violations) > 0 {
			events = append(events, t.policyEvent(policy, at))
		}
	}
	t.violations = nil
	return events
}

func (t *Track) policyEvent(policy event.Policy, at time.Time) event.Event {
	e := t.snapshot(t.run.Status, at)
	e.Kind, e.Action, e.Policy, e.Actor = event.KindPolicy, "violated", &policy, t.facts.Actor
	e.Key = "cli:" + t.run.SourceID + ":policy:" + strconv.Itoa(t.policies)
	t.policies++
	return e
}
