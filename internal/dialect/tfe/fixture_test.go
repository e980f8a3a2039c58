package tfe

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// file reads a file of testdata.
func file(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// at reads a moment in RFC 3339.
func at(text string) time.Time {
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return moment
}

func ref[T any](v T) *T { return &v }

// Identifiers of the estate that the sample events lie in.
const (
	sampleOrganization = ident.ID(11 << 13)
	sampleProject      = ident.ID(12 << 13)
	sampleWorkspace    = ident.ID(13 << 13)
	sampleTeam         = ident.ID(14 << 13)
)

var sampleSite = dialect.Site{BaseURL: "https://tfe.example.com", Product: "PRODUCT", Version: "1.2.3"}

func siteAt(base string) dialect.Site {
	site := sampleSite
	site.BaseURL = base
	return site
}

// configuration is a configuration with one scope and the triggers.
func configuration(id string, level subscription.Level, triggers ...string) *subscription.Subscription {
	scope := map[subscription.Level]ident.ID{
		subscription.LevelWorkspace: sampleWorkspace, subscription.LevelProject: sampleProject, subscription.LevelTeam: sampleTeam,
	}[level]
	return &subscription.Subscription{
		ID: 99 << 13, Version: 1, OrganizationID: sampleOrganization, Dialect: Name, Channel: subscription.ChannelWebhook,
		Name: "Webhook server test", Enabled: true, Scopes: []subscription.Scope{{Level: level, ID: scope}}, Triggers: triggers,
		ExternalIDs: map[string]string{Name: id},
	}
}

// sample is an event of the kind in the sample estate.
func sample(kind event.Kind, organization, workspace, workspaceID string) *event.Event {
	e := &event.Event{
		ID: 77 << 13, Kind: kind,
		Organization: event.Organization{ID: sampleOrganization, Name: organization},
		Project:      &event.Project{ID: sampleProject, Name: "Default Project"},
		Workspace:    &event.Workspace{ID: sampleWorkspace, Name: workspace},
	}
	if workspaceID != "" {
		e.Workspace.ExternalIDs = map[string]string{Name: workspaceID}
	}
	return e
}

// sampleRun is a run's event in acme-org/my-workspace, as most files have it.
func sampleRun(status event.Status, awaiting bool) *event.Event {
	e := sample(event.KindRun, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	e.OccurredAt = at("2019-01-25T18:37:04Z")
	e.Actor = &event.Actor{Name: "sample-user"}
	e.Run = &event.Run{
		ID: 55 << 13, SourceID: "17", ExternalIDs: map[string]string{Name: "run-FwnENkvDnrpyFC7M"}, Message: "Add five new queue workers", Status: status, Awaiting: awaiting,
		CreatedAt: at("2019-01-25T18:34:00Z"), CreatedBy: &event.Actor{Name: "sample-user"},
	}
	return e
}

// capturedRun is a run's event of the captured payloads.
func capturedRun(run, message, created string, status event.Status, awaiting bool, updated, by string) *event.Event {
	e := sample(event.KindRun, "org1", "tf-aws-simple", "ws-FzMaNjmQxjb7W2Ve")
	e.OccurredAt = at(updated)
	if by != "" {
		e.Actor = &event.Actor{Name: by}
	}
	e.Run = &event.Run{
		ID: 56 << 13, SourceID: run, ExternalIDs: map[string]string{Name: run}, Message: message, Status: status, Awaiting: awaiting,
		CreatedAt: at(created), CreatedBy: &event.Actor{Name: "sample"},
	}
	return e
}

// driftedEvent is the assessment of the platform's own sample.
func driftedEvent() *event.Event {
	e := sample(event.KindAssessment, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	e.OccurredAt = at("2022-06-09T05:23:10Z")
	result := event.AssessmentResult{
		SourceID: "asmtres-vRVQxpqq64EA9V5a", Succeeded: true, Drifted: true, AllChecksSucceeded: true, ResourcesDrifted: 4,
		ResourcesUndrifted: 55, ChecksPassed: 33, CreatedAt: at("2022-06-09T05:23:10Z"),
	}
	prior := result
	prior.SourceID, prior.CreatedAt = "asmtres-A6zEbpGArqP74fdL", at("2022-06-09T05:22:51Z")
	e.Assessment = &event.Assessment{New: result, Prior: &prior, DriftChanged: ref(true)}
	return e
}

func changeRequestEvent() *event.Event {
	e := sample(event.KindChangeRequest, "acme-org", "my-workspace", "ws-XdeUVMWShTesDMME")
	e.Action = "created"
	e.OccurredAt = at("2024-06-12T21:45:11.594Z")
	e.Teams = []event.Team{{ID: sampleTeam, Name: "platform"}}
	e.ChangeRequest = &event.ChangeRequest{
		SourceID: "wscr-yjLcKUMFTs6kr9iC", Subject: "[Action Required] Github Actions Pinning (SEC-090)",
		Message: "Some long description here", CreatedAt: e.OccurredAt, CreatedBy: &event.Actor{Name: "sample-user"},
	}
	return e
}

// render renders the event for the subscription as the engine would: its first notice that the subscription gets.
func render(t *testing.T, site dialect.Site, e *event.Event, s *subscription.Subscription) (trigger string, body []byte) {
	t.Helper()
	for _, n := range New().Notices(e) {
		if subscription.Judge(s, n, subscription.Places(e)) != subscription.Matches {
			continue
		}
		msg, err := New().Render(dialect.Input{Event: e, Notice: n, Subscription: s, Site: site, Recipients: []string{"a@example.com"}})
		if err != nil {
			t.Fatal(err)
		}
		if msg.Mail != nil {
			return msg.Trigger, []byte("Subject: " + msg.Mail.Subject + "\n\n" + msg.Mail.Text)
		}
		return msg.Trigger, msg.Body
	}
	t.Fatal("the subscription gets no notice of the event")
	return "", nil
}

func sameBytes(t *testing.T, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// sameJSON compares two documents without regard to white space and the order of keys.
func sameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	if g, w := normalized(t, got), normalized(t, want); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

func normalized(t *testing.T, body []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
