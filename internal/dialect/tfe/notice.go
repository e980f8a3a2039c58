package tfe

import (
	"strings"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// Levels of the platform's notices: workspaces and projects hear of runs and workspaces, teams of change requests (§4.4).
var (
	workspaceLevels = []subscription.Level{subscription.LevelWorkspace, subscription.LevelProject}
	teamLevels      = []subscription.Level{subscription.LevelTeam}
)

// Notices returns what the platform says of an event (§4). Every payload names a workspace, so an event without one says
// nothing.
func (*Dialect) Notices(e *event.Event) []subscription.Notice {
	if e.Workspace == nil {
		return nil
	}
	switch e.Kind {
	case event.KindRun:
		return runNotices(e)
	case event.KindAssessment:
		return namedNotices(assessmentTriggers(e), workspaceLevels)
	case event.KindWorkspace:
		return namedNotices(workspaceTriggers(e), workspaceLevels)
	case event.KindChangeRequest:
		if e.ChangeRequest != nil && e.Environment == nil && e.Action == "created" {
			return namedNotices([]string{changeRequestCreated}, teamLevels)
		}
	}
	return nil
}

// runNotices gives one notice with all values that a transition fires: a configuration that names several of them is
// told once (§4.3). Their order is the order of precedence.
func runNotices(e *event.Event) []subscription.Notice {
	t := transitionOf(e)
	if t == nil {
		return nil
	}
	return []subscription.Notice{{Name: t.name(), Triggers: t.triggers(), Levels: workspaceLevels}}
}

func (t *transition) name() string { return t.triggers()[0] }

func (t *transition) triggers() []string {
	var values []string
	if t.base != "" {
		values = append(values, t.base)
	}
	return append(values, t.granular...)
}

// namedNotices gives one notice for each value.
func namedNotices(values []string, levels []subscription.Level) []subscription.Notice {
	var notices []subscription.Notice
	for _, value := range values {
		notices = append(notices, subscription.Notice{Name: value, Triggers: []string{value}, Levels: levels})
	}
	return notices
}

// assessmentTriggers decides what an assessment fires (§4.4). What came from the platform itself was decided there: it
// sends one webhook for each value.
func assessmentTriggers(e *event.Event) []string {
	if e.Assessment == nil {
		return nil
	}
	if e.Native != nil && e.Native.Dialect == Name && strings.HasPrefix(e.Native.Trigger, "assessment:") {
		return []string{e.Native.Trigger}
	}
	a := e.Assessment
	if !a.New.Succeeded {
		return []string{assessmentFailed}
	}
	var values []string
	if a.New.Drifted && driftIsNew(a) {
		values = append(values, assessmentDrifted)
	}
	if !a.New.AllChecksSucceeded && checksAreNew(a) {
		values = append(values, assessmentCheckFailure)
	}
	return values
}

// driftIsNew reports whether the drift was not there before, or was another one.
func driftIsNew(a *event.Assessment) bool {
	return a.Prior == nil || !a.Prior.Drifted || a.Prior.ResourcesDrifted != a.New.ResourcesDrifted ||
		(a.DriftChanged != nil && *a.DriftChanged)
}

// checksAreNew reports whether the checks were fine before, or failed otherwise.
func checksAreNew(a *event.Assessment) bool {
	p, n := a.Prior, a.New
	return p == nil || p.AllChecksSucceeded || p.ChecksPassed != n.ChecksPassed || p.ChecksFailed != n.ChecksFailed ||
		p.ChecksErrored != n.ChecksErrored || p.ChecksUnknown != n.ChecksUnknown
}

func workspaceTriggers(e *event.Event) []string {
	switch {
	case e.Action == "auto_destroy_reminder" && e.AutoDestroy != nil:
		return []string{autoDestroyReminder}
	case e.Action == "auto_destroy_results" && e.AutoDestroy != nil:
		return []string{autoDestroyRunResults}
	case e.Action == "deleted":
		return []string{workspaceDeleted}
	}
	return nil
}
