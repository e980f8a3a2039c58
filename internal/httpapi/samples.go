package httpapi

import (
	"time"

	"carillon/internal/event"
)

// sample is an event that shows what a subscription would send.
type sample struct {
	name string
	make func(e *event.Event)
}

// samples lists the sample events, the ones that most subscriptions ask for first.
func samples() []sample {
	return []sample{
		{"run_needs_confirmation", func(e *event.Event) { sampleRun(e, event.StatusPlanned); e.Run.Awaiting = true }},
		{"run_applied", func(e *event.Event) { sampleRun(e, event.StatusApplied) }},
		{"run_errored", func(e *event.Event) {
			sampleRun(e, event.StatusErrored)
			e.Run.Phase, e.Run.Error = event.PhaseApply, "Error: creating the example: the name is taken already"
		}},
		{"run_pending", func(e *event.Event) { sampleRun(e, event.StatusPending); e.Run.HasChanges, e.Run.Changes = nil, nil }},
		{"run_planning", func(e *event.Event) { sampleRun(e, event.StatusPlanning); e.Run.HasChanges, e.Run.Changes = nil, nil }},
		{"run_applying", func(e *event.Event) { sampleRun(e, event.StatusApplying) }},
		{"run_planned_and_finished", func(e *event.Event) { sampleRun(e, event.StatusPlannedAndFinished) }},
		{"run_policy_override", func(e *event.Event) { sampleRun(e, event.StatusPolicyOverride); e.Run.Awaiting = true }},
		{"run_discarded", func(e *event.Event) { sampleRun(e, event.StatusDiscarded) }},
		{"run_canceled", func(e *event.Event) { sampleRun(e, event.StatusCanceled) }},
		{"drift", func(e *event.Event) { sampleAssessment(e, true, 0) }},
		{"check_failed", func(e *event.Event) { sampleAssessment(e, false, 1) }},
		{"workspace_created", func(e *event.Event) { e.Kind, e.Action = event.KindWorkspace, "created" }},
		{"workspace_deleted", func(e *event.Event) { e.Kind, e.Action = event.KindWorkspace, "deleted" }},
		{"change_request", func(e *event.Event) {
			e.Kind, e.Action = event.KindChangeRequest, "created"
			e.ChangeRequest = &event.ChangeRequest{
				SourceID: "example", Subject: "Please upgrade", Message: "A newer version is available.",
				CreatedAt: e.OccurredAt, CreatedBy: sampleActor(),
			}
		}},
		{"policy_violated", func(e *event.Event) {
			e.Kind = event.KindPolicy
			e.Policy = &event.Policy{Blocking: true, Violations: []event.Violation{{Policy: "example", Message: "Not like this.", Severity: "high"}}}
		}},
		{"notifier_failing", func(e *event.Event) {
			e.Kind, e.Action = event.KindNotifier, "failing"
			e.Notifier = &event.Notifier{SubscriptionName: "example", Destination: "https://hooks.example.com", Reason: "HTTP 503", Attempts: 3}
		}},
	}
}

func sampleNames() []string {
	var names []string
	for _, s := range samples() {
		names = append(names, s.name)
	}
	return names
}

func sampleActor() *event.Actor {
	return &event.Actor{ID: "example", Name: "example", FullName: "Example Person", Email: "example@example.com"}
}

func sampleRun(e *event.Event, status event.Status) {
	yes, no := true, false
	e.Kind, e.Actor = event.KindRun, sampleActor()
	e.Run = &event.Run{
		SourceID: "example", Number: 1, Message: "An example run", Operation: event.OperationApply, Status: status,
		CreatedAt: e.OccurredAt.Add(-2 * time.Minute), CreatedBy: sampleActor(), Origin: "api", Branch: "main",
		Commit:     &event.Commit{Hash: "0123456789abcdef0123456789abcdef01234567", Message: "An example commit", AuthorName: "Example Person"},
		HasChanges: &yes, AutoApply: &no, Changes: &event.Changes{Add: 2, Change: 1, Total: 12},
	}
}

func sampleAssessment(e *event.Event, drifted bool, failed int64) {
	e.Kind = event.KindAssessment
	result := event.AssessmentResult{
		SourceID: "example", Succeeded: true, Drifted: drifted, AllChecksSucceeded: failed == 0, ResourcesUndrifted: 11,
		ChecksPassed: 4, ChecksFailed: failed, CreatedAt: e.OccurredAt,
	}
	prior := result
	prior.Drifted, prior.AllChecksSucceeded, prior.ChecksFailed = false, true, 0
	prior.CreatedAt = e.OccurredAt.Add(-24 * time.Hour)
	if drifted {
		result.ResourcesDrifted = 1
	}
	e.Assessment = &event.Assessment{New: result, Prior: &prior}
}
