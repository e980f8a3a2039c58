package scalr

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

// Identifiers of the estate that the sample events lie in.
const (
	sampleOrganization = ident.ID(11 << 13)
	sampleProject      = ident.ID(12 << 13)
	sampleWorkspace    = ident.ID(13 << 13)
	sampleEndpoint     = ident.ID(14 << 13)
)

var sampleSite = dialect.Site{BaseURL: "https://carillon.example.com", Product: "Carillon", Version: "1.2.3"}

func external(id string) map[string]string { return map[string]string{Name: id} }

var sampleUser = event.Actor{ID: "user-stp8qjcvjljlo1o", Name: "me@example.com", Email: "me@example.com"}

// oldRun is the run of the first generation's files.
func oldRun(status event.Status, awaiting bool, updated string) *event.Event {
	const links = "https://my.scalr.io/#/"
	return &event.Event{
		ID: 77 << 13, Kind: event.KindRun, OccurredAt: at(updated),
		Organization: event.Organization{ID: sampleOrganization, Name: "mainiacp"},
		Project: &event.Project{
			ID: sampleProject, Name: "my-development", URL: links + "15986/17348/dashboard", ExternalIDs: external("env-sfuari395m7sck1"),
		},
		Workspace: &event.Workspace{
			ID: sampleWorkspace, Name: "my-example", URL: links + "workspaces/dashboard?workspaceId=ws-t5hft7e7v366rd0",
			ExternalIDs: external("ws-t5hft7e7v366rd0"),
		},
		Run: &event.Run{
			ID: 55 << 13, SourceID: "run-t6v0g8prd9qi2h0", ExternalIDs: external("run-t6v0g8prd9qi2h0"), Status: status, Awaiting: awaiting,
			URL: links + "workspaces/runs/dashboard?runId=run-t6v0g8prd9qi2h0", CreatedAt: at("2020-11-25T00:42:15Z"), CreatedBy: &sampleUser,
		},
	}
}

// newRun is the run of the second generation's files.
func newRun(status event.Status, updated string) *event.Event {
	const environment = "https://example.scalr.io/v2/e/env-u0b83rvjmsjk123/"
	e := oldRun(status, false, updated)
	e.Project.Name, e.Project.URL, e.Project.ExternalIDs = "Research-Development", environment, external("env-u0b83rvjmsjk123")
	e.Workspace.URL, e.Workspace.ExternalIDs = environment+"workspaces/ws-v0ofgj8d3p1a2kq", external("ws-v0ofgj8d3p1a2kq")
	e.Run.URL, e.Run.ExternalIDs = e.Workspace.URL+"/runs/run-v0ofgk1l7m2ck3p", external("run-v0ofgk1l7m2ck3p")
	e.Run.Origin, e.Run.CreatedAt = "ui", at("2024-07-03T16:25:44Z")
	return e
}

// webhook is a webhook of the environment; one of the first generation has an endpoint.
func webhook(id string, endpoint ident.ID) *subscription.Subscription {
	return &subscription.Subscription{
		ID: 99 << 13, Version: 1, OrganizationID: sampleOrganization, Dialect: Name, Channel: subscription.ChannelWebhook,
		Name: "Data Platform", Enabled: true, EndpointID: endpoint,
		Scopes:   []subscription.Scope{{Level: subscription.LevelProject, ID: sampleProject}},
		Triggers: []string{runCompleted, runErrored, runNeedsAttention}, ExternalIDs: external(id),
	}
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
