package tfe

import (
	"slices"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// choice is what a run's payload prints: the trigger, and in project scope the granular value beside it (§4.3).
type choice struct {
	trigger string
	kind    string // trigger_type, "" where the key is left out
}

// choose picks the values that a configuration is shown for a transition. The two scopes follow two revisions of the
// platform's documents: a workspace's prints what was subscribed to, a project's the family and the granular value.
func choose(t *transition, s *subscription.Subscription, level subscription.Level) choice {
	matched := matchedValues(t.triggers(), s)
	if level != subscription.LevelProject {
		return choice{trigger: first(matched, t.triggers())}
	}
	if len(t.granular) == 0 {
		return choice{trigger: t.family}
	}
	matched = slices.DeleteFunc(matched, func(v string) bool { return !isGranular(v) })
	return choice{trigger: t.family, kind: first(matched, t.granular)}
}

// matchedValues lists which of the values the subscription names, in their order. One that takes everything names those
// that are not deprecated.
func matchedValues(values []string, s *subscription.Subscription) []string {
	var matched []string
	for _, value := range values {
		if slices.Contains(s.Triggers, value) || (s.All && !isDeprecated(value)) {
			matched = append(matched, value)
		}
	}
	return matched
}

// first returns the first of the preferred values, or of the others.
func first(preferred, others []string) string {
	if len(preferred) > 0 {
		return preferred[0]
	}
	return others[0]
}

// levelFor returns the level at which an event reaches a subscription: the narrowest of its scopes that the event lies
// in. The platform's own configurations have one scope.
func levelFor(s *subscription.Subscription, e *event.Event) subscription.Level {
	for _, place := range subscription.Places(e) {
		if slices.Contains(s.Scopes, place) {
			return place.Level
		}
	}
	return s.Scope().Level
}
