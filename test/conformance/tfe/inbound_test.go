package tfe_test

import (
	"net/http"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

// TestReceivedRun lets the platform's captured webhooks in, and finds their run through the platform's client.
func TestReceivedRun(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	sink := conformance.NewSink(t)
	var source struct {
		ID  string `json:"id"`
		URL string `json:"url"`
	}
	p.Want(t, 201, "POST", "/v1/sources", object{"organization": "acme-org", "name": "upstream", "dialect": "tfe", "secret": token}, &source)
	door := strings.TrimPrefix(source.URL, p.URL)
	post := func(name, secret string) int {
		body := file(t, "payloads/generic/"+name+".json")
		r, err := http.NewRequestWithContext(ctx, "POST", p.URL+door, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header["X-TFE-Notification-Signature"] = []string{hmacOf(secret, body)}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	if status := post("seen/run_created", "wrong"); status != 401 {
		t.Errorf("a wrong signature: %d", status)
	}
	if status := post("seen/verification", token); status != 200 {
		t.Errorf("the verification: %d", status)
	}
	project := generic("relay", sink.URL, tfe.NotificationTriggerNeedsAttention, tfe.NotificationTriggerApplying)
	project.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Project: p.organization.DefaultProject}
	project.Enabled = tfe.Bool(true)
	nc := p.configuration(t, p.organization.DefaultProject.ID, project)
	for _, name := range []string{"seen/run_needs_attention", "seen/run_applying", "seen/run_needs_attention"} {
		if status := post(name, token); status != 200 {
			t.Errorf("%s: %d", name, status)
		}
	}
	run, err := p.client.Runs.Read(ctx, "run-3WF8C6WwgvF8LsCL")
	if err != nil || run.Status != tfe.RunApplying || run.Message != "Queued manually to destroy infrastructure" {
		t.Fatalf("got %+v, %v", run, err)
	}
	requests := sink.Wait(t, 3)
	want := strings.NewReplacer(
		"nc-ygBmbbQWJZAWMse7", nc.ID, "ws-FzMaNjmQxjb7W2Ve", run.Workspace.ID, "https://tfe.example/app/org1/", p.URL+"/app/acme-org/", `"org1"`, `"acme-org"`,
	).Replace(string(file(t, "payloads/generic/seen/run_applying.json")))
	if string(requests[2].Body) != want {
		t.Errorf("got\n%s\nwant\n%s", requests[2].Body, want)
	}
	if workspace, err := p.client.Workspaces.Read(ctx, "acme-org", "tf-aws-simple"); err != nil || workspace.ID != run.Workspace.ID {
		t.Errorf("got %+v, %v", workspace, err)
	}
}
