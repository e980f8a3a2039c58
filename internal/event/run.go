package event

import (
	"time"

	"carillon/internal/ident"
)

// Status is a run's neutral status: the words that most platforms share, in lower case. A dialect maps them by a
// table of its own; statuses that are not listed here are kept as they come.
type Status string

// The statuses that the wrapper and the neutral API use. See Final and Waiting for what they mean together.
const (
	StatusPending            Status = "pending"
	StatusFetching           Status = "fetching"
	StatusPrePlanRunning     Status = "pre_plan_running"
	StatusPrePlanCompleted   Status = "pre_plan_completed"
	StatusPlanQueued         Status = "plan_queued"
	StatusPlanning           Status = "planning"
	StatusPlanned            Status = "planned"
	StatusPostPlanRunning    Status = "post_plan_running"
	StatusPostPlanCompleted  Status = "post_plan_completed"
	StatusCostEstimating     Status = "cost_estimating"
	StatusCostEstimated      Status = "cost_estimated"
	StatusPolicyChecking     Status = "policy_checking"
	StatusPolicyOverride     Status = "policy_override"
	StatusPolicySoftFailed   Status = "policy_soft_failed"
	StatusPolicyChecked      Status = "policy_checked"
	StatusConfirmed          Status = "confirmed"
	StatusApplyQueued        Status = "apply_queued"
	StatusPreApplyRunning    Status = "pre_apply_running"
	StatusPreApplyCompleted  Status = "pre_apply_completed"
	StatusApplying           Status = "applying"
	StatusPostApplyRunning   Status = "post_apply_running"
	StatusPostApplyCompleted Status = "post_apply_completed"
	StatusApplied            Status = "applied"
	StatusPlannedAndFinished Status = "planned_and_finished"
	StatusPlannedAndSaved    Status = "planned_and_saved"
	StatusDiscarded          Status = "discarded"
	StatusErrored            Status = "errored"
	StatusCanceled           Status = "canceled"
	StatusForceCanceled      Status = "force_canceled"
	StatusSkipped            Status = "skipped"
)

// Statuses lists every neutral status in the order in which a run passes them.
func Statuses() []Status {
	return []Status{
		StatusPending, StatusFetching, StatusPrePlanRunning, StatusPrePlanCompleted, StatusPlanQueued, StatusPlanning,
		StatusPlanned, StatusPostPlanRunning, StatusPostPlanCompleted, StatusCostEstimating, StatusCostEstimated,
		StatusPolicyChecking, StatusPolicyOverride, StatusPolicySoftFailed, StatusPolicyChecked, StatusConfirmed,
		StatusApplyQueued, StatusPreApplyRunning, StatusPreApplyCompleted, StatusApplying, StatusPostApplyRunning,
		StatusPostApplyCompleted, StatusApplied, StatusPlannedAndFinished, StatusPlannedAndSaved, StatusDiscarded,
		StatusErrored, StatusCanceled, StatusForceCanceled, StatusSkipped,
	}
}

// Final reports whether a run with the status is over.
func (s Status) Final() bool {
	switch s {
	case StatusApplied, StatusPlannedAndFinished, StatusPlannedAndSaved, StatusDiscarded, StatusErrored,
		StatusCanceled, StatusForceCanceled, StatusPolicySoftFailed, StatusSkipped:
		return true
	}
	return false
}

// Operation is what a run does.
type Operation string

// The operations.
const (
	OperationApply   Operation = "apply"   // plan, then apply
	OperationPlan    Operation = "plan"    // plan only, speculative, preview
	OperationDestroy Operation = "destroy" // plan, then destroy
	OperationRefresh Operation = "refresh" // refresh only
	OperationImport  Operation = "import"
	OperationTask    Operation = "task" // one command
	OperationTest    Operation = "test" // a module's test case
)

// Phase is the part of a run in which it ended badly.
type Phase string

// The phases; the empty phase is unknown.
const (
	PhasePlan  Phase = "plan"
	PhaseApply Phase = "apply"
)

// Run is one run as it stands at the event: the event's transition is to Status.
type Run struct {
	// ID is ours, derived from the workspace and SourceID when the event is accepted.
	ID ident.ID `json:"id,omitzero"`

	// SourceID is what the source calls the run; required in an event of KindRun.
	SourceID    string            `json:"source_id"`
	ExternalIDs map[string]string `json:"external_ids,omitempty"`

	Number  int64  `json:"number,omitempty"` // the source's own counter, 0 when it has none
	Message string `json:"message,omitempty"`
	URL     string `json:"url,omitempty"`

	Operation Operation `json:"operation,omitempty"`
	Status    Status    `json:"status"`

	// NativeStatus is the source's own word; NativeType its word for the operation.
	NativeStatus string `json:"native_status,omitempty"`
	NativeType   string `json:"native_type,omitempty"`

	// Awaiting says that a person must act before the run goes on.
	Awaiting bool `json:"awaiting,omitempty"`

	// Sequence counts the run's transitions from 0. It is given when the event is accepted, unless the source counts.
	Sequence int64 `json:"sequence"`

	// Sequenced says that Sequence came from the source and is to be kept.
	Sequenced bool `json:"sequenced,omitempty"`

	// Steps is, by dialect, how far the run is in the words of a platform that counts states of its own. It is given when
	// the event is accepted.
	Steps map[string]Step `json:"steps,omitempty"`

	Phase Phase `json:"phase,omitempty"` // where an errored or canceled run ended

	CreatedAt time.Time `json:"created_at,omitzero"`
	CreatedBy *Actor    `json:"created_by,omitempty"`

	// Trigger is what asked for the run in the source's words: a user, "api::…", a schedule; Origin is the channel it came
	// through: "cli", "api", "vcs", "ui", "configuration-version".
	Trigger string `json:"trigger,omitempty"`
	Origin  string `json:"origin,omitempty"`

	Branch  string  `json:"branch,omitempty"`
	Commit  *Commit `json:"commit,omitempty"`
	Command string  `json:"command,omitempty"` // of an OperationTask
	Note    string  `json:"note,omitempty"`    // what a person wrote when confirming or discarding

	HasChanges *bool    `json:"has_changes,omitempty"` // nil until a plan knows
	AutoApply  *bool    `json:"auto_apply,omitempty"`  // nil when unknown
	Changes    *Changes `json:"changes,omitempty"`
	Drift      bool     `json:"drift,omitempty"`   // a drift check
	Service    bool     `json:"service,omitempty"` // executed by a platform with a queue, not by a local command

	Labels    []string          `json:"labels,omitempty"`
	Variables map[string]string `json:"variables,omitempty"` // non-sensitive ones

	// Error is the useful excerpt of what went wrong, at most a few kilobytes.
	Error string `json:"error,omitempty"`

	// WorkerPool is the pool that executes the run, nil when unknown.
	WorkerPool *WorkerPool `json:"worker_pool,omitempty"`
}

// Step is one state of a run as a platform counts them: several neutral statuses may be one state there.
type Step struct {
	Word   string `json:"word"`
	Number int64  `json:"number"` // from 0, without gaps

	// Repeats says that the event left the state as it was.
	Repeats bool `json:"repeats,omitempty"`
}

// Commit is a version-control commit.
type Commit struct {
	Hash        string    `json:"hash,omitempty"`
	Message     string    `json:"message,omitempty"`
	AuthorName  string    `json:"author_name,omitempty"`
	AuthorLogin string    `json:"author_login,omitempty"`
	URL         string    `json:"url,omitempty"`
	At          time.Time `json:"at,omitzero"`
}

// Changes counts what a plan or an apply changes. Operations keeps a source's own counts per operation, unfiltered.
type Changes struct {
	Add        int64            `json:"add"`
	Change     int64            `json:"change"`
	Destroy    int64            `json:"destroy"`
	Import     int64            `json:"import,omitempty"`
	Replace    int64            `json:"replace,omitempty"`
	Total      int64            `json:"total,omitempty"` // all managed resources, 0 when unknown
	Operations map[string]int64 `json:"operations,omitempty"`
}

// WorkerPool names the pool of workers that executes a run.
type WorkerPool struct {
	Public bool     `json:"public"`
	ID     string   `json:"id,omitempty"`
	Name   string   `json:"name,omitempty"`
	Labels []string `json:"labels,omitempty"`
}
