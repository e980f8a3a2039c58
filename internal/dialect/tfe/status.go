package tfe

import "carillon/internal/event"

// tone is the colour in which a message shows (§3.5).
type tone string

const (
	toneProgress  tone = "#5C4EE5"
	toneAttention tone = "#E3A008"
	toneSuccess   tone = "#2EB039"
	toneFailure   tone = "#C73445"
)

// transition is a row of §4.2: what a run's step into a status fires and says.
type transition struct {
	// base is the value that fires, "" where only the granular values do; family is what project scope prints (§4.3).
	base     string
	family   string
	granular []string
	message  string
	tone     tone
	stop     bool // a person must act
}

// statusRule gives the transitions into a status. Most do not depend on whether a person must act.
type statusRule struct {
	waiting *transition
	moving  *transition
}

// same is the rule of a status that is either always or never a stop.
func same(t transition) statusRule { return statusRule{waiting: &t, moving: &t} }

// stop is a transition of the needs-attention family.
func stop(message string, granular ...string) *transition {
	return &transition{
		base: runNeedsAttention, family: runNeedsAttention, granular: granular, message: message + " - Needs Confirmation",
		tone: toneAttention, stop: true,
	}
}

// passing is a stage of the needs-attention family at which nobody has to act: only its own value fires (O6).
func passing(message, granular string) *transition {
	return &transition{family: runNeedsAttention, granular: []string{granular}, message: message, tone: toneProgress}
}

// failure is a transition of the errored family.
func failure(message, granular string) statusRule {
	return same(transition{base: runErrored, family: runErrored, granular: []string{granular}, message: message, tone: toneFailure})
}

// plain is a transition with one value.
func plain(value, message string, t tone) statusRule {
	return same(transition{base: value, family: value, message: message, tone: t})
}

// statuses is the table of §4.2. Statuses that are missing fire nothing.
var statuses = map[event.Status]statusRule{
	event.StatusPending:            plain(runCreated, "Run Created", toneProgress),
	event.StatusPlanning:           plain(runPlanning, "Run Planning", toneProgress),
	event.StatusPlanned:            {waiting: stop("Run Planned", runPendingApproval)},
	event.StatusCostEstimated:      {waiting: stop("Run Cost Estimated", runPendingApproval, runCostEstimated), moving: passing("Run Cost Estimated", runCostEstimated)},
	event.StatusPolicyOverride:     same(*stop("Run Policy Override", runPolicyOverride)),
	event.StatusPolicyChecked:      {waiting: stop("Run Policy Checked", runPendingApproval, runPoliciesChecked), moving: passing("Run Policy Checked", runPoliciesChecked)},
	event.StatusPlannedAndSaved:    same(*stop("Run Planned and Saved", runPendingApproval)),
	event.StatusApplying:           plain(runApplying, "Run Applying", toneProgress),
	event.StatusApplied:            plain(runCompleted, "Run Applied", toneSuccess),
	event.StatusPlannedAndFinished: plain(runCompleted, "Run Planned and Finished", toneSuccess),
	event.StatusErrored:            failure("Run Errored", runRunErrored),
	event.StatusCanceled:           failure("Run Canceled", runRunCanceled),
	event.StatusForceCanceled:      failure("Run Force Canceled", runRunCanceled),
	event.StatusPolicySoftFailed:   failure("Run Policy Soft Failed", runPolicySoftFailed),
}

// silent lists the platform's statuses that fire nothing. A status that is neither here nor in the table is unknown.
var silent = map[event.Status]bool{
	"fetching": true, "fetching_completed": true, "pre_plan_running": true, "pre_plan_completed": true, "queuing": true,
	"plan_queued": true, "cost_estimating": true, "policy_checking": true, "confirmed": true, "post_plan_running": true,
	"post_plan_awaiting_decision": true, "post_plan_completed": true, "queuing_apply": true, "apply_queued": true,
	"pre_apply_running": true, "pre_apply_completed": true, "post_apply_running": true, "post_apply_completed": true,
	"discarded": true,
}

// known reports whether the platform has the status.
func known(s event.Status) bool {
	_, fires := statuses[s]
	return fires || silent[s]
}

// transitionOf returns what a run's event fires, nil for nothing.
func transitionOf(e *event.Event) *transition {
	if e.Run == nil {
		return nil
	}
	rule := statuses[e.Run.Status]
	if waiting(e) {
		return rule.waiting
	}
	return rule.moving
}

// waiting reports whether a person must act before the run goes on. The event says so; where its source speaks no such
// language, it follows from what the run will change (§4.2). Wrappers and other platforms always say.
func waiting(e *event.Event) bool {
	r := e.Run
	if r.Awaiting || e.Source.Kind == "cli" || e.Source.Dialect != "" {
		return r.Awaiting
	}
	switch r.Status {
	case event.StatusPlanned, event.StatusCostEstimated, event.StatusPolicyChecked:
		return r.HasChanges != nil && *r.HasChanges && r.AutoApply != nil && !*r.AutoApply
	}
	return false
}
