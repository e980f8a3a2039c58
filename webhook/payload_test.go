package webhook_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/webhook"
)

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(found), err)
	}
	for i := range found {
		found[i] = strings.TrimPrefix(filepath.ToSlash(found[i]), "testdata/")
	}
	return found
}

func tfe(t *testing.T, path string) *webhook.TFEPayload {
	t.Helper()
	p, err := webhook.ParseTFE(read(t, "tfe/payloads/generic/"+path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

func TestParseTFERun(t *testing.T) {
	t.Parallel()
	p := tfe(t, "seen/run_needs_attention.json")
	run, n := p.Run, p.Run.Notifications[0]
	if p.Version != 1 || p.ConfigurationID != "nc-ygBmbbQWJZAWMse7" || p.Verification() || p.Trigger() != "run:needs_attention" {
		t.Errorf("%+v", p)
	}
	if run.ID != "run-3WF8C6WwgvF8LsCL" || run.OrganizationName != "org1" || run.WorkspaceName != "tf-aws-simple" || run.CreatedBy != "sample" ||
		!run.CreatedAt.Equal(time.Date(2020, 9, 9, 7, 43, 26, 0, time.UTC)) {
		t.Errorf("%+v", run)
	}
	if n.Message != "Run Planned - Needs Confirmation" || n.RunStatus != "planned" || n.RunUpdatedBy != "" ||
		!n.RunUpdatedAt.Equal(time.Date(2020, 9, 9, 7, 43, 52, 0, time.UTC)) {
		t.Errorf("%+v", n)
	}
	if n := tfe(t, "doc/run_canceled_project_scope.json").Run.Notifications[0]; n.TriggerType != "run:run_canceled" {
		t.Errorf("%+v", n)
	}
	if message := tfe(t, "ours/run_pending_apply_approval_project_scope.json").Run.Message; message != "Merge pull request #7\n\nuse <b> & \"q\" é世" {
		t.Errorf("%q", message)
	}
	if p := tfe(t, "seen/verification.json"); !p.Verification() || p.Run.ID != "" || !p.Run.CreatedAt.IsZero() {
		t.Errorf("%+v", p)
	}
}

func TestParseTFEWorkspace(t *testing.T) {
	t.Parallel()
	p := tfe(t, "doc/assessment_drifted.json")
	d := p.Workspace.Details
	if p.Version != 2 || p.Workspace.Scope != "assessment" || p.Trigger() != "assessment:drifted" || d.WorkspaceID == "" ||
		d.NewResult.ResourcesDrifted != 4 || !d.NewResult.Drifted || d.PriorResult.ID != "asmtres-A6zEbpGArqP74fdL" {
		t.Errorf("%+v", p.Workspace)
	}
	if d := tfe(t, "ours/assessment_failed_no_prior.json").Workspace.Details; d.PriorResult != nil || d.NewResult.Succeeded {
		t.Errorf("%+v", d)
	}
	if d := tfe(t, "doc/auto_destroy_reminder.json").Workspace.Details; d.TriggerType != "reminder" || d.AutoDestroyAt.Year() != 2025 || !d.RunCreatedAt.IsZero() {
		t.Errorf("%+v", d)
	}
	if d := tfe(t, "doc/auto_destroy_results_create_failed.json").Workspace.Details; d.RunCreateError != "Configuration version is missing" {
		t.Errorf("%+v", d)
	}
	if d := tfe(t, "ours/workspace_deleted.json").Workspace.Details; d.DeletedBy != "sample-user" {
		t.Errorf("%+v", d)
	}
	c := tfe(t, "ours/change_request_created.json")
	if c.Trigger() != "change_request:created" || c.ChangeRequest.Subject != "[Action Required] Github Actions Pinning (SEC-090)" || c.Verification() {
		t.Errorf("%+v", c.ChangeRequest)
	}
}

func TestParseScalr(t *testing.T) {
	t.Parallel()
	for _, path := range files(t, "scalr/gen*.json") {
		p, err := webhook.ParseScalr(read(t, path))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		word := strings.TrimSuffix(path[strings.LastIndexAny(path, "-")+1:], ".json")
		if word == "minimal" {
			word = "completed"
		}
		if p.Event != "run:"+word || p.Version != 1 || p.Run.ID == "" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	old, err := webhook.ParseScalr(read(t, "scalr/gen1-needs_attention.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !old.Run.CreatedAt.Equal(time.Date(2020, 11, 25, 0, 42, 15, 0, time.UTC)) || old.Variables["foo"] != "bar" || old.Environment.Name == "" {
		t.Errorf("%+v", old)
	}
	recent, err := webhook.ParseScalr(read(t, "scalr/gen2-completed.json"))
	if err != nil {
		t.Fatal(err)
	}
	if recent.Run.CreatedBy.Email != "me@example.com" || recent.Run.Status != "applied" || recent.Webhook.Name != "Data Platform" ||
		!recent.Run.UpdatedAt.Equal(time.Date(2024, 7, 3, 16, 27, 10, 0, time.UTC)) {
		t.Errorf("%+v", recent)
	}
}

func TestParseScalrKeepsNamesOfVariables(t *testing.T) {
	t.Parallel()
	p, err := webhook.ParseScalr([]byte(`{"event-name":"run:new","event_name":"run:completed","run":{"id":"r","created-at":null},
		"variables":{"my-var":"a-b","n":1.50,"o":{ "x-y" : [1, 2] },"nothing":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Event != "run:completed" || p.Variables["my-var"] != "a-b" || p.Variables["n"] != "1.50" || p.Variables["o"] != `{"x-y":[1,2]}` {
		t.Errorf("%+v", p)
	}
}

func TestParseSpacelift(t *testing.T) {
	t.Parallel()
	kinds := map[webhook.SpaceliftKind]int{}
	for _, path := range files(t, "spacelift/payloads/*") {
		p, err := webhook.ParseSpacelift(read(t, path))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		kinds[p.Kind]++
	}
	if kinds["run"] != 7 || kinds["audit"] != 3 || kinds["internal_error"] != 1 || kinds["module_version"] != 1 || kinds["custom"] != 1 {
		t.Errorf("%v", kinds)
	}
	p, err := webhook.ParseSpacelift(read(t, "spacelift/payloads/run-tracked-finished.json"))
	if err != nil {
		t.Fatal(err)
	}
	e := p.Run
	if e.Account != "acme" || e.State != "FINISHED" || e.StateVersion != 5 || e.Run.Type != "TRACKED" || e.Run.Delta == nil ||
		e.Stack.Labels[0] != "node" || !e.WorkerPool.Public || !e.At().Equal(time.UnixMilli(1745599888383)) || e.Run.Commit.AuthorLogin != "octo" {
		t.Errorf("%+v", e)
	}
	older, err := webhook.ParseSpacelift(read(t, "spacelift/payloads/run-seed.json"))
	if err != nil || !older.Run.At().Equal(time.Unix(1596979684, 0)) {
		t.Errorf("%+v, %v", older, err)
	}
	audit, err := webhook.ParseSpacelift(read(t, "spacelift/payloads/audit-stack-create.json"))
	if err != nil || audit.Audit.Action != "stack.create" || audit.Audit.ActorRoles[0] != "space-admin" || !audit.Audit.At().Equal(time.UnixMilli(1745600900555)) {
		t.Errorf("%+v, %v", audit, err)
	}
}

func TestParsePulumi(t *testing.T) {
	t.Parallel()
	for _, path := range files(t, "pulumi/payloads/*.json") {
		name, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ".")
		p, err := webhook.ParsePulumi(name, read(t, path))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if p.Kind != name {
			t.Errorf("%s: kind %q", path, p.Kind)
		}
		want := name
		if name == "slack" || name == "teams" {
			want = ""
		}
		if p, err := webhook.ParsePulumi("", read(t, path)); err != nil || p.Kind != want {
			t.Errorf("%s: guessed %q, %v", path, p.Kind, err)
		}
	}
	p, err := webhook.ParsePulumi("stack_update", read(t, "pulumi/payloads/stack_update.captured.json"))
	if err != nil {
		t.Fatal(err)
	}
	if p.Organization.Login != "example" || p.User.Name != "Jane Doe" || p.UpdateKind != "update" || p.Result != "failed" || p.ResourceChanges["same"] != 28 {
		t.Errorf("%+v", p)
	}
}

func TestUnreadablePayloads(t *testing.T) {
	t.Parallel()
	parsers := map[string]func([]byte) error{
		"tfe":    func(b []byte) error { _, err := webhook.ParseTFE(b); return err },
		"scalr":  func(b []byte) error { _, err := webhook.ParseScalr(b); return err },
		"pulumi": func(b []byte) error { _, err := webhook.ParsePulumi("", b); return err },
	}
	for name, parse := range parsers {
		for _, body := range []string{
			"", "null", "[]", `"x"`, "1", "{", `{}x`, "{}{}", `{"notifications":1,"run":1,"organization":1}`,
			`{"notifications":[{"run_updated_at":"never"}],"event_name":"x","run":{"id":"r","created_at":5},"version":"x"}`,
		} {
			if err := parse([]byte(body)); !errors.Is(err, webhook.ErrPayload) {
				t.Errorf("%s: %s: %v", name, body, err)
			}
		}
	}
	for body, want := range map[string]string{
		`{"run":{"id":"r"}}`: "event_name", `{"event_name":"x"}`: "run.id", `{"event_name":"x","run":{"id":"r"},"variables":[]}`: "not an object",
	} {
		if err := parsers["scalr"]([]byte(body)); !errors.Is(err, webhook.ErrPayload) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{`{"payload_version":1}`, `{"payload_version":"two","trigger_scope":"x"}`, `{"trigger_scope":"x","details":[]}`, `{"change_request_url":"x","change_request_subject":1}`} {
		if err := parsers["tfe"]([]byte(body)); !errors.Is(err, webhook.ErrPayload) {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{`{"action":1}`, `{"run":1,"state":1}`, `{"module":1,"version":1}`, `{"title":1,"body":1,"error":1,"severity":1,"account":1}`} {
		if _, err := webhook.ParseSpacelift([]byte(body)); !errors.Is(err, webhook.ErrPayload) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2020, 11, 25, 0, 42, 15, 0, time.UTC)
	for _, text := range []string{
		`"2020-11-25T00:42:15"`, `"2020-11-25T00:42:15Z"`, `"2020-11-25T00:42:15.000Z"`, `"2020-11-25T01:42:15+01:00"`,
		`"2020-11-25T01:42:15+0100"`, `"2020-11-25 00:42:15 UTC"`, `"2020-11-25 00:42:15"`, `" 2020-11-25T00:42:15Z "`,
	} {
		var got webhook.Time
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != `"2020-11-25T00:42:15Z"` {
			t.Errorf("%s: %s, %v", text, again, err)
		}
	}
	var zero webhook.Time
	if again, err := json.Marshal(zero); err != nil || string(again) != "null" {
		t.Errorf("%s, %v", again, err)
	}
}

// TestDetectByBody knows every sample without its headers.
func TestDetectByBody(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]webhook.Dialect{
		"tfe/payloads/generic/*/*.json": webhook.TFE, "scalr/gen*.json": webhook.Scalr, "spacelift/payloads/*.json": webhook.Spacelift,
	} {
		for _, path := range files(t, pattern) {
			if d, ok := webhook.Detect(nil, read(t, path)); !ok || d != want {
				t.Errorf("%s: %q", path, d)
			}
		}
	}
	for _, path := range files(t, "pulumi/payloads/*.json") {
		d, ok := webhook.Detect(nil, read(t, path))
		if anonymous := strings.Contains(path, "ping") || strings.Contains(path, "slack") || strings.Contains(path, "teams"); ok == anonymous || (ok && d != webhook.Pulumi) {
			t.Errorf("%s: %q", path, d)
		}
	}
	for h, want := range map[string]webhook.Dialect{
		"Pulumi-Webhook-Kind": webhook.Pulumi, "X-TFE-Notification-Signature": webhook.TFE, "x-scalr-delivery-id": webhook.Scalr, "WEBHOOK-SIGNATURE": webhook.Standard,
	} {
		if d, ok := webhook.Detect(http.Header{h: {""}}, nil); !ok || d != want {
			t.Errorf("%s: %q", h, d)
		}
	}
}
