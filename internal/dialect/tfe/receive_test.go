package tfe

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

const inboundSecret = "correct-horse-battery-staple"

var received = at("2024-12-31T00:10:00Z")

// signed is a request at a source of acme with a good signature.
func signed(body []byte) dialect.Inbound {
	h := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"TFE/1.0"}}
	h.Set(SignatureHeader, hex.EncodeToString(signature(inboundSecret, body)))
	return dialect.Inbound{
		Header: h, Body: body, Secrets: []string{"older", inboundSecret}, At: received,
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"}, Project: "infra",
	}
}

// receiveOne reads a body that holds one event.
func receiveOne(t *testing.T, body []byte) event.Event {
	t.Helper()
	got, err := New().Receive(signed(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != 1 || got.Verified {
		t.Fatalf("got %+v", got)
	}
	if err := got.Events[0].Validate(); err != nil {
		t.Fatal(err)
	}
	return got.Events[0]
}

func TestReceiveCapturedRun(t *testing.T) {
	t.Parallel()
	body := file(t, "payloads/generic/seen/run_needs_attention.json")
	got := receiveOne(t, body)
	want := event.Event{
		Kind: event.KindRun, Key: "tfe/run/run-3WF8C6WwgvF8LsCL/planned/2020-09-09T07:43:52.000Z",
		OccurredAt:   at("2020-09-09T07:43:52Z"),
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"}, Project: &event.Project{Name: "infra"},
		Workspace: &event.Workspace{Name: "tf-aws-simple", ExternalIDs: map[string]string{"tfe": "ws-FzMaNjmQxjb7W2Ve"}},
		Run: &event.Run{
			SourceID: "run-3WF8C6WwgvF8LsCL", ExternalIDs: map[string]string{"tfe": "run-3WF8C6WwgvF8LsCL"},
			Message: "Queued manually to destroy infrastructure", URL: "https://tfe.example/app/org1/tf-aws-simple/runs/run-3WF8C6WwgvF8LsCL",
			Status: "planned", NativeStatus: "planned", Awaiting: true, Service: true, CreatedAt: at("2020-09-09T07:43:26Z"),
			CreatedBy: &event.Actor{Name: "sample"},
		},
		Source: event.Source{Kind: "webhook", Dialect: "tfe", UserAgent: "TFE/1.0", Metadata: map[string]string{"organization_name": "org1"}},
		Native: &event.Native{Dialect: "tfe", Kind: "run", Trigger: "run:needs_attention", ContentType: "application/json", Body: body},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestReceiveTellsWhatEveryFileSays(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ file, kind, action, status, trigger, actor, occurred, key string }{
		{"seen/run_created", "run", "", "pending", "run:created", "sample", "2020-09-09T07:40:15Z", "tfe/run/run-vnWnJSpBcUFUTaVJ/pending/2020-09-09T07:40:15.000Z"},
		{"seen/run_planning", "run", "", "planning", "run:planning", "", "2020-09-09T07:40:17Z", "tfe/run/run-vnWnJSpBcUFUTaVJ/planning/2020-09-09T07:40:17.000Z"},
		{"seen/run_completed", "run", "", "planned_and_finished", "run:completed", "", "2020-09-09T07:40:42Z", "tfe/run/run-vnWnJSpBcUFUTaVJ/planned_and_finished/2020-09-09T07:40:42.000Z"},
		{"seen/run_applying", "run", "", "applying", "run:applying", "", "2020-09-09T07:44:06Z", "tfe/run/run-3WF8C6WwgvF8LsCL/applying/2020-09-09T07:44:06.000Z"},
		{"doc/run_canceled_workspace_scope", "run", "", "canceled", "run:errored", "sample-user", "2019-01-25T18:37:04Z", "tfe/run/run-FwnENkvDnrpyFC7M/canceled/2019-01-25T18:37:04.000Z"},
		{"doc/run_canceled_project_scope", "run", "", "canceled", "run:run_canceled", "sample-user", "2019-01-25T18:37:04Z", "tfe/run/run-FwnENkvDnrpyFC7M/canceled/2019-01-25T18:37:04.000Z"},
		{"ours/run_pending_apply_approval_project_scope", "run", "", "planned", "run:pending_apply_approval", "", "2025-03-04T05:07:09.123Z", "tfe/run/run-FwnENkvDnrpyFC7M/planned/2025-03-04T05:07:09.123Z"},
		{"doc/assessment_drifted", "assessment", "drifted", "", "assessment:drifted", "", "2022-06-09T05:23:10Z", "tfe/assessment/assessment:drifted/asmtres-vRVQxpqq64EA9V5a"},
		{"ours/assessment_check_failure", "assessment", "check_failure", "", "assessment:check_failure", "", "2025-03-04T05:06:07Z", "tfe/assessment/assessment:check_failure/asmtres-8F5JFydVYAmtTjET"},
		{"ours/assessment_failed_no_prior", "assessment", "failed", "", "assessment:failed", "", "2025-03-04T05:06:07Z", "tfe/assessment/assessment:failed/asmtres-8F5JFydVYAmtTjET"},
		{"doc/auto_destroy_reminder", "workspace", "auto_destroy_reminder", "", "workspace:auto_destroy_reminder", "", "2025-01-01T00:00:00Z", "tfe/auto_destroy_reminder/learned-english-dog/2025-01-01T00:00:00Z/2"},
		{"doc/auto_destroy_results", "workspace", "auto_destroy_results", "applied", "workspace:auto_destroy_results", "", "2022-06-09T05:22:51Z", "tfe/auto_destroy_results/learned-english-dog/run-vRVQxpqq64EA9V5a"},
		{"doc/auto_destroy_results_create_failed", "workspace", "auto_destroy_results", "", "workspace:auto_destroy_results", "", "2024-12-31T00:10:00Z", "tfe/auto_destroy_results/learned-english-dog/Configuration version is missing"},
		{"ours/auto_destroy_run_results", "workspace", "auto_destroy_results", "applied", "workspace:auto_destroy_run_results", "", "2022-06-09T05:22:51Z", "tfe/auto_destroy_results/learned-english-dog/run-vRVQxpqq64EA9V5a"},
		{"ours/workspace_deleted", "workspace", "deleted", "", "workspace:deleted", "sample-user", "2025-03-04T05:06:07Z", "tfe/workspace_deleted/ws-XdeUVMWShTesDMME/my-workspace"},
		{"ours/change_request_created", "change_request", "created", "", "change_request:created", "sample-user", "2024-06-12T21:45:11.594Z", "tfe/change_request/wscr-yjLcKUMFTs6kr9iC"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			e := receiveOne(t, file(t, "payloads/generic/"+tc.file+".json"))
			var status event.Status
			switch {
			case e.Run != nil:
				status = e.Run.Status
			case e.AutoDestroy != nil:
				status = e.AutoDestroy.RunStatus
			}
			got := []string{string(e.Kind), e.Action, string(status), e.Native.Trigger, actorName(e.Actor), e.OccurredAt.Format(time.RFC3339Nano), e.Key}
			want := []string{tc.kind, tc.action, tc.status, tc.trigger, tc.actor, tc.occurred, tc.key}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// TestWhatCameFromThePlatformLeavesAsItCame sends what was received back out: only the configuration and the base URL of
// the payload may differ.
func TestWhatCameFromThePlatformLeavesAsItCame(t *testing.T) {
	t.Parallel()
	for name, trigger := range map[string]string{
		"seen/run_created": runCreated, "seen/run_needs_attention": runNeedsAttention, "seen/run_completed": runCompleted,
		"doc/assessment_drifted": assessmentDrifted, "ours/assessment_check_failure": assessmentCheckFailure,
		"ours/assessment_failed_no_prior": assessmentFailed, "ours/workspace_deleted": workspaceDeleted,
		"doc/auto_destroy_reminder": autoDestroyReminder, "ours/auto_destroy_run_results": autoDestroyRunResults,
		"ours/change_request_created": changeRequestCreated,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := file(t, "payloads/generic/"+name+".json")
			in := signed(body)
			in.Organization = event.Organization{}
			got, err := New().Receive(in)
			if err != nil {
				t.Fatal(err)
			}
			e, id := &got.Events[0], string(body[strings.Index(string(body), "nc-"):][:19])
			e.Workspace.ID, e.Project.ID, e.Organization.ID = sampleWorkspace, sampleProject, sampleOrganization
			e.Teams = []event.Team{{ID: sampleTeam}}
			base := "https://" + strings.Split(strings.SplitN(string(body), "https://", 2)[len(strings.SplitN(string(body), "https://", 2))-1], "/")[0]
			level := map[bool]string{true: "team", false: "workspace"}[trigger == changeRequestCreated]
			_, out := render(t, siteAt(base), e, configuration(id, subscription.Level(level), trigger))
			sameBytes(t, out, body)
		})
	}
}

func TestRepeatsOfOneReportShareAKey(t *testing.T) {
	t.Parallel()
	body := file(t, "payloads/generic/doc/run_canceled_workspace_scope.json")
	other := replaced(replaced(body, "nc-AeUQ2zfKZzW9TiGZ", "nc-SZ3V3cLFxK6sqLKn"), "run:errored", "run:run_canceled")
	if a, b := receiveOne(t, body).Key, receiveOne(t, other).Key; a != b {
		t.Errorf("two configurations report one step as %s and %s", a, b)
	}
	reminder := signed(file(t, "payloads/generic/doc/auto_destroy_reminder.json"))
	reminder.At = at("2024-12-31T12:01:00Z")
	got, err := New().Receive(reminder)
	if err != nil || got.Events[0].Key != "tfe/auto_destroy_reminder/learned-english-dog/2025-01-01T00:00:00Z/1" {
		t.Errorf("the second reminder: %v, %v", got.Events[0].Key, err)
	}
}

func TestReceiveVerification(t *testing.T) {
	t.Parallel()
	got, err := New().Receive(signed(file(t, "payloads/generic/seen/verification.json")))
	if err != nil || !got.Verified || len(got.Events) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReceiveEveryElementIsAnEvent(t *testing.T) {
	t.Parallel()
	body := []byte(`{"payload_version":"1","run_id":"run-FwnENkvDnrpyFC7M","workspace_name":"w","notifications":[
		{"message":"","trigger":"run:planning","run_status":"planning","run_updated_at":"2019-01-08 21:34:37 UTC","run_updated_by":null},
		{"message":"Verification of x","trigger":"verification"},
		{"message":"","trigger":"run:applying","run_status":"applying","run_updated_at":"2019-01-08T23:34:38+02:00"}]}`)
	got, err := New().Receive(signed(body))
	if err != nil || !got.Verified || len(got.Events) != 2 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if a, b := got.Events[0].OccurredAt, got.Events[1].OccurredAt; !a.Equal(at("2019-01-08T21:34:37Z")) || b.Sub(a) != time.Second {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestSaysWaiting(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		trigger, message string
		want             bool
	}{
		{runNeedsAttention, "", true}, {runPendingApproval, "", true}, {runPolicyOverride, "", true}, {runApplying, "x Needs Confirmation", false},
		{runCostEstimated, "Run Cost Estimated", false}, {runCostEstimated, "Run Cost Estimated - Needs Confirmation", true},
		{runPoliciesChecked, "Run Policy Checked - Needs Confirmation", true}, {runPoliciesChecked, "", false},
	} {
		if got := saysWaiting(tc.trigger, tc.message); got != tc.want {
			t.Errorf("%s, %q: got %v", tc.trigger, tc.message, got)
		}
	}
}

func TestReceiveKeepsWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, body := range map[string]string{
		"another trigger":     `{"run_id":"run-1","workspace_name":"w","notifications":[{"trigger":"run:paused","run_status":"planned"}]}`,
		"another status":      `{"run_id":"run-1","workspace_name":"w","notifications":[{"trigger":"run:created","run_status":"paused"}]}`,
		"no run":              `{"workspace_name":"w","notifications":[{"trigger":"run:created","run_status":"pending"}]}`,
		"no workspace":        `{"run_id":"run-1","notifications":[{"trigger":"run:created","run_status":"pending"}]}`,
		"a long name":         `{"run_id":"` + long + `","workspace_name":"w","notifications":[{"trigger":"run:created","run_status":"pending"}]}`,
		"no notification":     `{"notifications":[]}`,
		"wrong types":         `{"run_id":7,"notifications":[{}]}`,
		"another family":      `{"hello":"world"}`,
		"not an object":       `[1,2]`,
		"a number":            `7`,
		"another scope":       `{"trigger_scope":"workspace","trigger":"workspace:renamed","details":{"workspace_name":"w"}}`,
		"a null result":       `{"trigger_scope":"assessment","trigger":"assessment:failed","details":{"workspace_name":"w","new_assessment_result":null}}`,
		"a null request":      `{"change_request_url":null}`,
		"details of a string": `{"trigger_scope":"assessment","trigger":"assessment:failed","details":"x"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := receiveOne(t, []byte(body))
			if e.Kind != event.KindOther || string(e.Native.Body) != body || !strings.HasPrefix(e.Key, "tfe/other/") {
				t.Errorf("got %+v", e)
			}
		})
	}
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	body := file(t, "payloads/generic/seen/run_created.json")
	for _, tc := range []struct {
		name   string
		change func(*dialect.Inbound)
		want   fault.Code
	}{
		{"no signature", func(in *dialect.Inbound) { in.Header.Del(SignatureHeader) }, fault.Unauthorized},
		{"an empty signature", func(in *dialect.Inbound) { in.Header.Set(SignatureHeader, "") }, fault.Unauthorized},
		{"not hexadecimal", func(in *dialect.Inbound) { in.Header.Set(SignatureHeader, "xyz") }, fault.Unauthorized},
		{"another secret", func(in *dialect.Inbound) { in.Secrets = []string{"wrong", ""} }, fault.Unauthorized},
		{"an empty key", func(in *dialect.Inbound) {
			in.Secrets = []string{""}
			in.Header.Set(SignatureHeader, hex.EncodeToString(signature("", in.Body)))
		}, fault.Unauthorized},
		{"a changed body", func(in *dialect.Inbound) { in.Body = append([]byte(" "), in.Body...) }, fault.Unauthorized},
		{"a signed source that is also unsigned", func(in *dialect.Inbound) { in.Unsigned = true; in.Header.Del(SignatureHeader) }, fault.Unauthorized},
		{"a source without a secret", func(in *dialect.Inbound) { in.Secrets = nil }, fault.Unauthorized},
		{"not JSON", func(in *dialect.Inbound) { *in = signed([]byte("{")) }, fault.Malformed},
		{"too large", func(in *dialect.Inbound) { *in = signed(make([]byte, inboundLimit+1)) }, fault.TooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := signed(body)
			tc.change(&in)
			if got, err := New().Receive(in); fault.CodeOf(err) != tc.want || len(got.Events) != 0 {
				t.Errorf("got %v, %v, want %s", got, err, tc.want)
			}
		})
	}
}

func TestReceiveAccepts(t *testing.T) {
	t.Parallel()
	body := file(t, "payloads/generic/seen/run_created.json")
	for name, change := range map[string]func(*dialect.Inbound){
		"upper case": func(in *dialect.Inbound) {
			in.Header.Set(SignatureHeader, strings.ToUpper(in.Header.Get(SignatureHeader)))
		},
		"the documented spelling": func(in *dialect.Inbound) {
			in.Header = http.Header{SignatureHeader: {in.Header.Get(SignatureHeader)}}
		},
		"an unsigned source": func(in *dialect.Inbound) { in.Secrets, in.Unsigned, in.Header = nil, true, http.Header{} },
	} {
		in := signed(body)
		change(&in)
		if got, err := New().Receive(in); err != nil || len(got.Events) != 1 {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

func TestLongKeysAreHashed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	if a, b := key("run", long), key("run", long+"y"); len(a) > event.MaxName || a == b || a != key("run", long) {
		t.Errorf("got %q and %q", a, b)
	}
}

// FuzzReceive looks for bodies that panic, or that make events which the engine would refuse.
func FuzzReceive(f *testing.F) {
	files, err := filepath.Glob("testdata/payloads/generic/*/*.json")
	if err != nil || len(files) < 15 {
		f.Fatal(len(files), err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in := signed(body)
		in.Organization.ID = ident.ID(1)
		got, err := New().Receive(in)
		if err != nil {
			if c := fault.CodeOf(err); c != fault.Malformed && c != fault.TooLarge {
				t.Fatalf("got %v", err)
			}
			return
		}
		for i := range got.Events {
			e := &got.Events[i]
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			for _, n := range New().Notices(e) {
				s := configuration("nc-AeUQ2zfKZzW9TiGZ", n.Levels[0], n.Triggers...)
				if _, err := New().Render(dialect.Input{Event: e, Notice: n, Subscription: s, Site: sampleSite}); err != nil {
					t.Fatal(fmt.Errorf("render %s: %w", n.Name, err))
				}
			}
		}
	})
}
