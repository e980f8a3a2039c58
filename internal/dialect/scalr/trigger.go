package scalr

import (
	"slices"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// The events that a webhook may name (§4.1).
const (
	runCompleted      = "run:completed"
	runErrored        = "run:errored"
	runNeedsAttention = "run:needs_attention"
)

// definition is a row of the platform's list of events.
type definition struct {
	name        string
	title       string
	description string
}

// definitions lists the events in the platform's order.
var definitions = []definition{
	{runCompleted, "Completed", "The run completed successfully."},
	{runErrored, "Errored", "The run stopped because of an error in the code, a cancellation or a policy failure."},
	{runNeedsAttention, "Needs attention", "A person has to review the plan or override a policy."},
}

// Triggers lists what a webhook of an account, an environment or a workspace may name: the same everywhere.
func (*Dialect) Triggers(level subscription.Level) []dialect.Trigger {
	switch level {
	case subscription.LevelOrganization, subscription.LevelProject, subscription.LevelWorkspace:
	default:
		return nil
	}
	list := make([]dialect.Trigger, 0, len(definitions))
	for _, d := range definitions {
		list = append(list, dialect.Trigger{Value: d.name, Title: d.title, Group: "Runs"})
	}
	return list
}

// isEvent reports whether the platform has the event.
func isEvent(name string) bool {
	return slices.ContainsFunc(definitions, func(d definition) bool { return d.name == name })
}
