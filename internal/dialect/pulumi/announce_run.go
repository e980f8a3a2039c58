package pulumi

import (
	"carillon/internal/event"
)

// announceRun is the table of §4.3: what happened to the stack, and what happened to the job that did it.
func announceRun(e *event.Event) []announcement {
	r := e.Run
	if r == nil || r.Operation == event.OperationTask || r.Operation == event.OperationTest {
		return nil
	}
	list := announceUpdate(e)
	if r.Drift {
		list = announceDriftRun(e)
	}
	if !r.Service {
		return list
	}
	return append(list, announceJob(r)...)
}

// announceUpdate says how a plan or an apply ended.
func announceUpdate(e *event.Event) []announcement {
	r := e.Run
	word := updateWord(r.Operation)
	switch {
	case planned(e):
		return preview(word, statusSucceeded)
	case completed(r) && planOnly(r):
		return preview(word, statusSucceeded)
	case completed(r):
		return update(word, statusSucceeded)
	case failed(r) && inPlan(r):
		return preview(word, statusFailed)
	case failed(r):
		return update(word, statusFailed)
	}
	return nil
}

func preview(word, result string) []announcement {
	return one(announcement{kind: kindPreview, operation: word, outcome: result}, "preview_"+result)
}

func update(word, result string) []announcement {
	return one(announcement{kind: kindUpdate, operation: word, outcome: result}, word+"_"+result)
}

// announceDriftRun says how a run ended that looks for drift, or mends it.
func announceDriftRun(e *event.Event) []announcement {
	r := e.Run
	switch {
	case completed(r) && !planOnly(r) && drifted(r):
		return remediation(statusSucceeded)
	case completed(r), planned(e):
		return detection(statusSucceeded, drifted(r))
	case failed(r) && r.Phase == event.PhaseApply:
		return remediation(statusFailed)
	case failed(r):
		return detection(statusFailed, false)
	}
	return nil
}

func detection(status string, drifted bool) []announcement {
	list := one(announcement{kind: kindDrift, outcome: status, drifted: drifted}, "drift_detection_"+status)
	if drifted && len(list) == 1 {
		list[0].filters = append([]string{"drift_detected"}, list[0].filters...)
	}
	return list
}

func remediation(status string) []announcement {
	return one(announcement{kind: kindRemediation, outcome: status}, "drift_remediation_"+status)
}

// announceJob says where a run stands that a service executes.
func announceJob(r *event.Run) []announcement {
	switch {
	case r.Status == event.StatusPending:
		return job(deploymentWord(r), statusQueued)
	case r.Status == event.StatusPlanning:
		return job(deploymentWord(r), statusRunning)
	case completed(r):
		return job(deploymentWord(r), statusSucceeded)
	case failed(r), r.Status == event.StatusDiscarded:
		return job(deploymentWord(r), statusFailed)
	}
	return nil
}

func job(operation, status string) []announcement {
	return one(announcement{kind: kindDeployment, operation: operation, outcome: status}, "deployment_"+deploymentStep(status))
}

// planned reports whether the plan of a run that will go on is there. A webhook of a platform that reports only the
// stages at which somebody must act says so with the first of them (§4.3).
func planned(e *event.Event) bool {
	if planOnly(e.Run) {
		return false
	}
	switch e.Run.Status {
	case event.StatusPlanned, event.StatusPlannedAndSaved:
		return true
	case event.StatusCostEstimated, event.StatusPolicyChecked:
		return e.Run.Awaiting && e.Source.Kind == "webhook"
	}
	return false
}

func planOnly(r *event.Run) bool { return r.Operation == event.OperationPlan }

func completed(r *event.Run) bool {
	return r.Status == event.StatusApplied || r.Status == event.StatusPlannedAndFinished
}

func failed(r *event.Run) bool {
	switch r.Status {
	case event.StatusErrored, event.StatusCanceled, event.StatusForceCanceled, event.StatusPolicySoftFailed:
		return true
	}
	return false
}

// inPlan reports whether a run ended before anything was applied, as far as that is known.
func inPlan(r *event.Run) bool {
	return r.Phase == event.PhasePlan || planOnly(r) || r.Status == event.StatusPolicySoftFailed
}

// drifted reports whether a run that looks for drift found some.
func drifted(r *event.Run) bool {
	if r.HasChanges != nil {
		return *r.HasChanges
	}
	for name, n := range changesOf(r.Changes) {
		if name != "same" && n > 0 {
			return true
		}
	}
	return false
}

// updateWord is the platform's word for what a run does, or would do, to its stack.
func updateWord(o event.Operation) string {
	switch o {
	case event.OperationDestroy:
		return "destroy"
	case event.OperationRefresh:
		return "refresh"
	case event.OperationImport:
		return "import"
	}
	return "update"
}

// deploymentWord is the platform's word for what a job does. It has none for importing.
func deploymentWord(r *event.Run) string {
	switch {
	case r.Drift && planOnly(r):
		return "detect-drift"
	case r.Drift:
		return "remediate-drift"
	}
	return operationWord(r.Operation)
}

func operationWord(o event.Operation) string {
	switch o {
	case event.OperationPlan:
		return "preview"
	case event.OperationDestroy:
		return "destroy"
	case event.OperationRefresh:
		return "refresh"
	}
	return "update"
}
