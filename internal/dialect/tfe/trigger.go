package tfe

import (
	"slices"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// Values that a configuration may name (§4.1).
const (
	runCreated        = "run:created"
	runPlanning       = "run:planning"
	runNeedsAttention = "run:needs_attention"
	runApplying       = "run:applying"
	runCompleted      = "run:completed"
	runErrored        = "run:errored"

	runPendingApproval  = "run:pending_apply_approval"
	runCostEstimated    = "run:cost_estimated"
	runPolicyOverride   = "run:policy_override_required"
	runPoliciesChecked  = "run:policies_checked"
	runRunErrored       = "run:run_errored"
	runRunCanceled      = "run:run_canceled"
	runPolicySoftFailed = "run:policy_soft_failed"

	assessmentDrifted      = "assessment:drifted"
	assessmentCheckFailure = "assessment:check_failure"
	assessmentFailed       = "assessment:failed"

	autoDestroyReminder   = "workspace:auto_destroy_reminder"
	autoDestroyRunResults = "workspace:auto_destroy_run_results"
	workspaceDeleted      = "workspace:deleted"

	changeRequestCreated = "change_request:created"
)

// Values that are never subscribed to by these names.
const (
	triggerVerification    = "verification"
	autoDestroyResultsWire = "workspace:auto_destroy_results" // what the platform's samples print (O8)
	changeRequestAlias     = "team:change_request"            // an old table's spelling of change_request:created
)

// trigger is a row of §4.1. Granular values name one stage of a deprecated family.
type trigger struct {
	value      string
	title      string
	group      string
	deprecated bool
	granular   bool
	team       bool
}

// triggers lists every value in the order of the platform's form.
var triggers = []trigger{
	{value: runCreated, title: "Created", group: "Runs"},
	{value: runPlanning, title: "Planning", group: "Runs"},
	{value: runNeedsAttention, title: "Needs Attention", group: "Runs", deprecated: true},
	{value: runApplying, title: "Applying", group: "Runs"},
	{value: runCompleted, title: "Completed", group: "Runs"},
	{value: runErrored, title: "Errored", group: "Runs", deprecated: true},
	{value: runPendingApproval, title: "Pending apply approval", group: "Runs", granular: true},
	{value: runCostEstimated, title: "Cost estimated", group: "Runs", granular: true},
	{value: runPolicyOverride, title: "Policy override required", group: "Runs", granular: true},
	{value: runPoliciesChecked, title: "Policies checked", group: "Runs", granular: true},
	{value: runRunErrored, title: "Run errored", group: "Runs", granular: true},
	{value: runRunCanceled, title: "Run canceled", group: "Runs", granular: true},
	{value: runPolicySoftFailed, title: "Policy soft failed", group: "Runs", granular: true},
	{value: assessmentDrifted, title: "Drifted", group: "Health assessments"},
	{value: assessmentCheckFailure, title: "Checks Failed", group: "Health assessments"},
	{value: assessmentFailed, title: "Health Assessment Failed", group: "Health assessments"},
	{value: autoDestroyReminder, title: "Auto Destroy Reminder", group: "Workspace"},
	{value: autoDestroyRunResults, title: "Auto Destroy Results", group: "Workspace"},
	{value: workspaceDeleted, title: "Workspace Deleted", group: "Workspace"},
	{value: changeRequestCreated, title: "Change Request", group: "Change requests", team: true},
}

// Triggers lists what a configuration of a workspace, project or team may name. The platform has no configurations of
// organizations.
func (*Dialect) Triggers(level subscription.Level) []dialect.Trigger {
	var list []dialect.Trigger
	for _, t := range triggers {
		if t.openTo(level) {
			list = append(list, dialect.Trigger{Value: t.value, Title: t.title, Group: t.group, Deprecated: t.deprecated})
		}
	}
	return list
}

func (t trigger) openTo(level subscription.Level) bool {
	switch level {
	case subscription.LevelWorkspace, subscription.LevelProject:
		return !t.team
	case subscription.LevelTeam:
		return t.team
	}
	return false
}

// offered reports whether a configuration of the level may name the value.
func offered(value string, level subscription.Level) bool {
	return slices.ContainsFunc(triggers, func(t trigger) bool { return t.value == value && t.openTo(level) })
}

// isDeprecated reports whether the value is accepted but no longer offered.
func isDeprecated(value string) bool {
	return slices.ContainsFunc(triggers, func(t trigger) bool { return t.value == value && t.deprecated })
}

// isGranular reports whether the value names one stage of a deprecated family.
func isGranular(value string) bool {
	return slices.ContainsFunc(triggers, func(t trigger) bool { return t.value == value && t.granular })
}
