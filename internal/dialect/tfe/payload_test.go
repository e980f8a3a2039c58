package tfe

import (
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// payloadCase is a file of testdata/payloads and what it is rendered from.
type payloadCase struct {
	file string
	site dialect.Site
	e    *event.Event
	s    *subscription.Subscription
}

func (c payloadCase) run(t *testing.T) {
	t.Run(c.file, func(t *testing.T) {
		t.Parallel()
		_, body := render(t, c.site, c.e, c.s)
		sameBytes(t, body, file(t, "payloads/"+c.file))
	})
}

func TestCapturedRunPayloads(t *testing.T) {
	t.Parallel()
	const first, second = "run-vnWnJSpBcUFUTaVJ", "run-3WF8C6WwgvF8LsCL"
	const queued, destroy = "Queued manually in Terraform Enterprise", "Queued manually to destroy infrastructure"
	const firstAt, secondAt = "2020-09-09T07:40:15Z", "2020-09-09T07:43:26Z"
	s := configuration("nc-ygBmbbQWJZAWMse7", subscription.LevelWorkspace,
		runCreated, runPlanning, runNeedsAttention, runApplying, runCompleted, runErrored)
	site := siteAt("https://tfe.example")
	for _, c := range []payloadCase{
		{"generic/seen/run_created.json", site, capturedRun(first, queued, firstAt, "pending", false, firstAt, "sample"), s},
		{"generic/seen/run_planning.json", site, capturedRun(first, queued, firstAt, "planning", false, "2020-09-09T07:40:17Z", ""), s},
		{"generic/seen/run_completed.json", site, capturedRun(first, queued, firstAt, "planned_and_finished", false, "2020-09-09T07:40:42Z", ""), s},
		{"generic/seen/run_needs_attention.json", site, capturedRun(second, destroy, secondAt, "planned", true, "2020-09-09T07:43:52Z", ""), s},
		{"generic/seen/run_applying.json", site, capturedRun(second, destroy, secondAt, "applying", false, "2020-09-09T07:44:06Z", ""), s},
	} {
		c.run(t)
	}
}

func TestDocumentedPayloads(t *testing.T) {
	t.Parallel()
	site := siteAt("https://app.terraform.io")
	for _, c := range []payloadCase{
		{"generic/doc/run_canceled_workspace_scope.json", site, sampleRun("canceled", false), configuration("nc-AeUQ2zfKZzW9TiGZ", subscription.LevelWorkspace, runErrored)},
		{"generic/doc/run_canceled_project_scope.json", site, sampleRun("canceled", false), configuration("nc-AeUQ2zfKZzW9TiGZ", subscription.LevelProject, runErrored)},
		{"generic/doc/assessment_drifted.json", site, driftedEvent(), configuration("nc-SZ3V3cLFxK6sqLKn", subscription.LevelWorkspace, assessmentDrifted)},
		{"generic/doc/auto_destroy_reminder.json", site, autoDestroyEvent("auto_destroy_reminder", event.AutoDestroy{At: at("2025-01-01T00:00:00Z")}), configuration("nc-SZ3V3cLFxK6sqLKn", subscription.LevelWorkspace, autoDestroyReminder)},
	} {
		c.run(t)
	}
}

func autoDestroyEvent(action string, a event.AutoDestroy) *event.Event {
	e := sample(event.KindWorkspace, "acme-org", "learned-english-dog", "")
	e.Action, e.AutoDestroy = action, &a
	return e
}

// TestAutoDestroyResultsNameTheSubscribableTrigger covers the samples that differ from ours in the trigger alone (O8).
func TestAutoDestroyResultsNameTheSubscribableTrigger(t *testing.T) {
	t.Parallel()
	s := configuration("nc-SZ3V3cLFxK6sqLKn", subscription.LevelWorkspace, autoDestroyRunResults)
	for name, a := range map[string]event.AutoDestroy{
		"auto_destroy_results":               {RunCreatedAt: at("2022-06-09T05:22:51Z"), RunStatus: "applied", RunSourceID: "run-vRVQxpqq64EA9V5a"},
		"auto_destroy_results_create_failed": {RunError: "Configuration version is missing"},
	} {
		trigger, body := render(t, siteAt("https://app.terraform.io"), autoDestroyEvent("auto_destroy_results", a), s)
		if trigger != autoDestroyRunResults {
			t.Errorf("%s: trigger %s", name, trigger)
		}
		want := string(file(t, "payloads/generic/doc/"+name+".json"))
		sameBytes(t, replaced(body, autoDestroyRunResults, autoDestroyResultsWire), []byte(want))
	}
}

func TestOurPayloads(t *testing.T) {
	t.Parallel()
	const id = "nc-AeUQ2zfKZzW9TiGZ"
	pending := sampleRun("planned", true)
	pending.Run.Message = "Merge pull request #7\n\nuse <b> & \"q\" é世"
	pending.Run.CreatedAt = at("2025-03-04T05:06:07Z")
	pending.OccurredAt, pending.Actor = at("2025-03-04T05:07:09.123Z"), nil

	failure := sample(event.KindAssessment, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	failure.Assessment = &event.Assessment{New: event.AssessmentResult{
		SourceID: "asmtres-8F5JFydVYAmtTjET", Succeeded: true, ResourcesUndrifted: 59, ChecksPassed: 31, ChecksFailed: 2, CreatedAt: at("2025-03-04T05:06:07Z"),
	}, Prior: &event.AssessmentResult{
		SourceID: "asmtres-UG5rE9L1373hMYMA", Succeeded: true, AllChecksSucceeded: true, ResourcesUndrifted: 59, ChecksPassed: 33, CreatedAt: at("2025-03-03T05:06:07Z"),
	}}
	failed := sample(event.KindAssessment, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	failed.Assessment = &event.Assessment{New: event.AssessmentResult{SourceID: "asmtres-8F5JFydVYAmtTjET", CreatedAt: at("2025-03-04T05:06:07Z")}}
	deleted := sample(event.KindWorkspace, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	deleted.Action, deleted.OccurredAt, deleted.Actor = "deleted", at("2025-03-04T05:06:07Z"), &event.Actor{Name: "sample-user"}
	results := autoDestroyEvent("auto_destroy_results", event.AutoDestroy{RunCreatedAt: at("2022-06-09T05:22:51Z"), RunStatus: "applied", RunSourceID: "run-vRVQxpqq64EA9V5a"})

	workspace := func(triggers ...string) *subscription.Subscription {
		return configuration(id, subscription.LevelWorkspace, triggers...)
	}
	for _, c := range []payloadCase{
		{"generic/ours/run_pending_apply_approval_workspace_scope.json", sampleSite, pending, workspace(runPendingApproval)},
		{"generic/ours/run_pending_apply_approval_project_scope.json", sampleSite, pending, configuration(id, subscription.LevelProject, runPendingApproval)},
		{"generic/ours/assessment_check_failure.json", sampleSite, failure, workspace(assessmentCheckFailure)},
		{"generic/ours/assessment_failed_no_prior.json", sampleSite, failed, workspace(assessmentFailed)},
		{"generic/ours/workspace_deleted.json", sampleSite, deleted, workspace(workspaceDeleted)},
		{"generic/ours/auto_destroy_run_results.json", sampleSite, results, workspace(autoDestroyRunResults)},
		{"generic/ours/change_request_created.json", sampleSite, changeRequestEvent(), configuration(id, subscription.LevelTeam, changeRequestCreated)},
	} {
		c.run(t)
	}
}

func TestChatAndMailPayloads(t *testing.T) {
	t.Parallel()
	on := func(channel subscription.Channel, level subscription.Level, trigger string) *subscription.Subscription {
		s := configuration("nc-AeUQ2zfKZzW9TiGZ", level, trigger)
		s.Channel = channel
		return s
	}
	const workspace, team = subscription.LevelWorkspace, subscription.LevelTeam
	const slack, teams, mail = subscription.ChannelSlack, subscription.ChannelTeams, subscription.ChannelEmail
	for _, c := range []payloadCase{
		{"slack/run_completed.json", sampleSite, sampleRun("applied", false), on(slack, workspace, runCompleted)},
		{"slack/run_errored.json", sampleSite, sampleRun("errored", false), on(slack, workspace, runErrored)},
		{"slack/run_needs_attention.json", sampleSite, sampleRun("planned", true), on(slack, workspace, runNeedsAttention)},
		{"slack/assessment_drifted.json", sampleSite, driftedEvent(), on(slack, workspace, assessmentDrifted)},
		{"slack/change_request_created.json", sampleSite, changeRequestEvent(), on(slack, team, changeRequestCreated)},
		{"teams/run_planning.json", sampleSite, sampleRun("planning", false), on(teams, workspace, runPlanning)},
		{"teams/run_needs_attention.json", sampleSite, sampleRun("planned", true), on(teams, workspace, runNeedsAttention)},
		{"teams/assessment_drifted.json", sampleSite, driftedEvent(), on(teams, workspace, assessmentDrifted)},
		{"teams/change_request_created.json", sampleSite, changeRequestEvent(), on(teams, team, changeRequestCreated)},
		{"email/run_completed.txt", sampleSite, sampleRun("applied", false), on(mail, workspace, runCompleted)},
		{"email/run_needs_attention.txt", sampleSite, sampleRun("planned", true), on(mail, workspace, runNeedsAttention)},
	} {
		c.run(t)
	}
}
