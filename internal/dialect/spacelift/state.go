package spacelift

import (
	"slices"
	"strings"

	"carillon/internal/event"
)

// States of a run (§4.2).
const (
	stateQueued        = "QUEUED"
	stateInitializing  = "INITIALIZING"
	statePlanning      = "PLANNING"
	stateUnconfirmed   = "UNCONFIRMED"
	stateConfirmed     = "CONFIRMED"
	stateApplying      = "APPLYING"
	statePerforming    = "PERFORMING"
	stateDestroying    = "DESTROYING"
	statePendingReview = "PENDING_REVIEW"
	stateFinished      = "FINISHED"
	stateFailed        = "FAILED"
	stateCanceled      = "CANCELED"
	stateDiscarded     = "DISCARDED"
	stateStopped       = "STOPPED"
	stateSkipped       = "SKIPPED"
)

// states lists every word of the platform (§4.2), the deprecated one last.
var states = []string{
	stateQueued, "READY", "PREPARING", stateInitializing, statePlanning, stateUnconfirmed, stateConfirmed, "PREPARING_APPLY",
	stateApplying, statePerforming, stateDestroying, "REPLAN_REQUESTED", "PREPARING_REPLAN", statePendingReview,
	stateFinished, stateFailed, stateCanceled, stateDiscarded, stateStopped, stateSkipped, "PENDING",
}

// step is how far a run is: the state's word and its number (§4.3).
type step struct {
	word   string
	number int64
}

// stepOf returns the step that an event is, with an empty word for an event that is no step here. The platform's own
// number stays; of any other run the engine counted the states when it accepted the event.
func stepOf(e *event.Event) step {
	r := e.Run
	if own(e) && r.Sequenced {
		return step{stateOf(r, true, ""), r.Sequence}
	}
	if counted, ok := r.Steps[Name]; ok {
		if counted.Repeats {
			return step{}
		}
		return step{counted.Word, counted.Number}
	}
	// An example that was never accepted.
	return step{stateOf(r, own(e), ""), r.Sequence}
}

// own reports whether the event came from the platform itself; then its words count (§4.3).
func own(e *event.Event) bool { return e.Source.Dialect == Name }

// Step says which state a run is in, given the state before: the engine counts where it changes, because several neutral
// statuses are one state here (§4.3). The empty word is no statement.
func (*Dialect) Step(e *event.Event, before string) string { return stateOf(e.Run, own(e), before) }

// stateOf is the table of §4.3. The state before tells a run that was canceled in the queue from one that was stopped.
func stateOf(r *event.Run, native bool, before string) string {
	if native && r.NativeStatus != "" {
		return r.NativeStatus
	}
	switch r.Status {
	case event.StatusPending, event.StatusFetching, event.StatusPrePlanRunning, event.StatusPrePlanCompleted, event.StatusPlanQueued:
		return stateQueued
	case event.StatusPlanning:
		if r.Operation == event.OperationTask {
			return statePerforming
		}
		return statePlanning
	case event.StatusPolicyOverride:
		return waiting(r)
	case event.StatusPlanned, event.StatusPostPlanRunning, event.StatusPostPlanCompleted, event.StatusCostEstimating,
		event.StatusCostEstimated, event.StatusPolicyChecking, event.StatusPolicyChecked:
		return awaitingOr(r, "")
	case event.StatusConfirmed:
		return stateConfirmed
	case event.StatusApplyQueued, event.StatusPreApplyRunning, event.StatusPreApplyCompleted:
		return ""
	case event.StatusApplying, event.StatusPostApplyRunning, event.StatusPostApplyCompleted:
		return applying(r)
	case event.StatusPlannedAndSaved:
		return awaitingOr(r, stateFinished)
	case event.StatusApplied, event.StatusPlannedAndFinished:
		return stateFinished
	case event.StatusErrored, event.StatusPolicySoftFailed:
		return stateFailed
	case event.StatusCanceled, event.StatusForceCanceled:
		return canceled(r, before)
	case event.StatusDiscarded:
		return stateDiscarded
	case event.StatusSkipped:
		return stateSkipped
	}
	// A source may use a word that only this platform has; others are no state of it.
	if word := strings.ToUpper(string(r.Status)); slices.Contains(states, word) {
		return word
	}
	return ""
}

// waiting is the state in which a person must act.
func waiting(r *event.Run) string {
	if typeOf(r) == typeProposed {
		return statePendingReview
	}
	return stateUnconfirmed
}

func awaitingOr(r *event.Run, otherwise string) string {
	if r.Awaiting {
		return waiting(r)
	}
	return otherwise
}

func applying(r *event.Run) string {
	switch typeOf(r) {
	case typeTask:
		return statePerforming
	case typeDestroy:
		return stateDestroying
	}
	return stateApplying
}

// canceled tells whether the run had begun. The source's phase says so, else the state before.
func canceled(r *event.Run, before string) string {
	if r.Phase != "" || (before != "" && before != stateQueued) {
		return stateStopped
	}
	return stateCanceled
}

// Run types (§4.1).
const (
	typeProposed = "PROPOSED"
	typeTracked  = "TRACKED"
	typeTask     = "TASK"
	typeTesting  = "TESTING"
	typeDestroy  = "DESTROY"
)

// typeOf is the right half of §4.3's table.
func typeOf(r *event.Run) string {
	switch {
	case r.Drift || r.Operation == event.OperationPlan:
		return typeProposed
	case r.Operation == event.OperationDestroy:
		return typeDestroy
	case r.Operation == event.OperationTask:
		return typeTask
	case r.Operation == event.OperationTest:
		return typeTesting
	}
	return typeTracked
}

// runType is the run's type as the body has it: the platform's own word, or that of the table; modules only test (§3.2).
func runType(e *event.Event) string {
	switch {
	case own(e) && e.Run.NativeType != "":
		return e.Run.NativeType
	case e.Workspace.Module:
		return typeTesting
	}
	return typeOf(e.Run)
}
