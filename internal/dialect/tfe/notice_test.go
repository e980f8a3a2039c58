package tfe

import (
	"encoding/json"
	"slices"
	"testing"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// TestWhichValueIsPrinted is the table of §4.3.
func TestWhichValueIsPrinted(t *testing.T) {
	t.Parallel()
	const workspace, project = subscription.LevelWorkspace, subscription.LevelProject
	for _, tc := range []struct {
		name          string
		level         subscription.Level
		triggers      []string
		e             *event.Event
		trigger, kind string
	}{
		{"deprecated", workspace, []string{runErrored}, sampleRun("canceled", false), runErrored, ""},
		{"deprecated in a project", project, []string{runErrored}, sampleRun("canceled", false), runErrored, runRunCanceled},
		{"granular", workspace, []string{runRunCanceled}, sampleRun("canceled", false), runRunCanceled, ""},
		{"granular in a project", project, []string{runRunCanceled}, sampleRun("canceled", false), runErrored, runRunCanceled},
		{"both", workspace, []string{runRunCanceled, runErrored}, sampleRun("canceled", false), runErrored, ""},
		{"both in a project", project, []string{runRunCanceled, runErrored}, sampleRun("canceled", false), runErrored, runRunCanceled},
		{"two granular", workspace, []string{runCostEstimated, runPendingApproval}, sampleRun("cost_estimated", true), runPendingApproval, ""},
		{"two granular in a project", project, []string{runCostEstimated, runPendingApproval}, sampleRun("cost_estimated", true), runNeedsAttention, runPendingApproval},
		{"the stage alone in a project", project, []string{runCostEstimated}, sampleRun("cost_estimated", true), runNeedsAttention, runCostEstimated},
		{"a stage without a base", workspace, []string{runCostEstimated}, sampleRun("cost_estimated", false), runCostEstimated, ""},
		{"a stage without a base in a project", project, []string{runCostEstimated}, sampleRun("cost_estimated", false), runNeedsAttention, runCostEstimated},
		{"plain", workspace, []string{runCreated}, sampleRun("pending", false), runCreated, ""},
		{"plain in a project", project, []string{runCreated}, sampleRun("pending", false), runCreated, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			notices := New().Notices(tc.e)
			if len(notices) != 1 {
				t.Fatalf("%d notices, want one delivery", len(notices))
			}
			trigger, body := render(t, sampleSite, tc.e, configuration("nc-AeUQ2zfKZzW9TiGZ", tc.level, tc.triggers...))
			var payload runPayload
			if err := json.Unmarshal(body, &payload); err != nil {
				t.Fatal(err)
			}
			if n := payload.Notifications[0]; trigger != tc.trigger || n.Trigger != tc.trigger || n.TriggerType != tc.kind {
				t.Errorf("got %s %s + %q, want %s + %q", trigger, n.Trigger, n.TriggerType, tc.trigger, tc.kind)
			}
		})
	}
}

func TestASubscriptionToEverythingIsToldTheCurrentValue(t *testing.T) {
	t.Parallel()
	s := configuration("nc-AeUQ2zfKZzW9TiGZ", subscription.LevelWorkspace)
	s.All = true
	if trigger, _ := render(t, sampleSite, sampleRun("errored", false), s); trigger != runRunErrored {
		t.Errorf("got %s", trigger)
	}
	if trigger, _ := render(t, sampleSite, sampleRun("applied", false), s); trigger != runCompleted {
		t.Errorf("got %s", trigger)
	}
}

// TestTheNarrowestScopeDecides covers subscriptions of several scopes, which only our own API makes.
func TestTheNarrowestScopeDecides(t *testing.T) {
	t.Parallel()
	s := configuration("nc-AeUQ2zfKZzW9TiGZ", subscription.LevelProject, runErrored)
	s.Scopes = append(s.Scopes, subscription.Scope{Level: subscription.LevelWorkspace, ID: sampleWorkspace})
	if got := levelFor(s, sampleRun("errored", false)); got != subscription.LevelWorkspace {
		t.Errorf("got %s", got)
	}
	elsewhere := sampleRun("errored", false)
	elsewhere.Workspace.ID, elsewhere.Project.ID = 1, 2
	if got := levelFor(s, elsewhere); got != subscription.LevelProject {
		t.Errorf("got %s", got)
	}
}

func TestAssessmentTriggers(t *testing.T) {
	t.Parallel()
	type result = event.AssessmentResult
	fine := result{Succeeded: true, AllChecksSucceeded: true, ChecksPassed: 3}
	drifted := result{Succeeded: true, Drifted: true, AllChecksSucceeded: true, ResourcesDrifted: 2}
	failing := result{Succeeded: true, ChecksPassed: 2, ChecksFailed: 1}
	worse := result{Succeeded: true, ChecksPassed: 1, ChecksFailed: 2}
	both := result{Succeeded: true, Drifted: true, ResourcesDrifted: 1, ChecksFailed: 1}
	for _, tc := range []struct {
		name  string
		new   result
		prior *result
		moved *bool
		want  []string
	}{
		{"fine", fine, nil, nil, nil},
		{"first drift", drifted, nil, nil, []string{assessmentDrifted}},
		{"drift after a fine one", drifted, &fine, nil, []string{assessmentDrifted}},
		{"the same drift", drifted, &drifted, nil, nil},
		{"the same count, other drift", drifted, &drifted, ref(true), []string{assessmentDrifted}},
		{"more drift", drifted, &result{Succeeded: true, Drifted: true, ResourcesDrifted: 1}, ref(false), []string{assessmentDrifted}},
		{"checks fail", failing, &fine, nil, []string{assessmentCheckFailure}},
		{"checks fail first", failing, nil, nil, []string{assessmentCheckFailure}},
		{"checks fail as before", failing, &failing, nil, nil},
		{"checks fail worse", worse, &failing, nil, []string{assessmentCheckFailure}},
		{"both", both, &fine, nil, []string{assessmentDrifted, assessmentCheckFailure}},
		{"failed", result{}, &result{}, nil, []string{assessmentFailed}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := sample(event.KindAssessment, "acme-org", "my-workspace", "")
			e.Assessment = &event.Assessment{New: tc.new, Prior: tc.prior, DriftChanged: tc.moved}
			var got []string
			for _, n := range New().Notices(e) {
				got = append(got, n.Name)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func TestEventsThatSayNothing(t *testing.T) {
	t.Parallel()
	bare := sampleRun("applied", false)
	bare.Workspace = nil
	environment := changeRequestEvent()
	environment.Environment = &event.Environment{Name: "prod"}
	approved := changeRequestEvent()
	approved.Action = "approved"
	for name, e := range map[string]*event.Event{
		"without a workspace":       bare,
		"a configuration set":       environment,
		"another action":            approved,
		"a silent status":           sampleRun("discarded", false),
		"a foreign status":          sampleRun("skipped", false),
		"a created workspace":       {Kind: event.KindWorkspace, Action: "created", Workspace: &event.Workspace{}},
		"a reminder without detail": {Kind: event.KindWorkspace, Action: "auto_destroy_reminder", Workspace: &event.Workspace{}},
		"an empty assessment":       {Kind: event.KindAssessment, Workspace: &event.Workspace{}},
		"a deployment":              {Kind: event.KindDeployment, Workspace: &event.Workspace{}},
	} {
		if got := New().Notices(e); len(got) != 0 {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestTeamsHearOfChangeRequestsAlone(t *testing.T) {
	t.Parallel()
	n := New().Notices(changeRequestEvent())[0]
	if !n.OpenTo(subscription.LevelTeam) || n.OpenTo(subscription.LevelWorkspace) {
		t.Errorf("got %v", n.Levels)
	}
	n = New().Notices(sampleRun("applied", false))[0]
	if n.OpenTo(subscription.LevelTeam) || !n.OpenTo(subscription.LevelProject) || !n.OpenTo(subscription.LevelWorkspace) {
		t.Errorf("got %v", n.Levels)
	}
}

func TestSuppresses(t *testing.T) {
	t.Parallel()
	plan, local, request := sampleRun("planning", false), sampleRun("planning", false), changeRequestEvent()
	plan.Run.Operation = event.OperationPlan
	local.Workspace.ExecutionMode = "local"
	request.Workspace.ExecutionMode = "local"
	for name, tc := range map[string]struct {
		e    *event.Event
		want bool
	}{
		"a plan-only run": {plan, true}, "a local workspace": {local, true}, "a run": {sampleRun("planning", false), false},
		"a change request": {request, false},
	} {
		if got := New().Suppresses(tc.e); got != tc.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
