// Package scalr_test drives the program with the requests that the platform's clients were seen to send, and checks what
// arrives at receivers with the public webhook package. Section numbers are those of docs/dialects/scalr.md.
package scalr_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/test/conformance"
	"carillon/webhook"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// Identifiers of the sample files.
const (
	fileAccount     = "acc-svrcncgh453bi8g"
	fileEnvironment = "env-sfuari395m7sck1"
	fileOther       = "env-u0b83rvjmsjk123"
	fileWorkspace   = "ws-t5hft7e7v366rd0"
	fileEndpoint    = "ep-t6v0fk8lq3e1g20"
)

const base = "/api/iacp/v3"

// object is a decoded JSON value on the way to one of its parts.
type object map[string]any

// platform is a running program with the account that the clients' fixtures name.
type platform struct {
	*conformance.Server
}

func newPlatform(t *testing.T, args ...string) *platform {
	t.Helper()
	p := &platform{conformance.Start(t, args...)}
	p.Want(t, 201, "POST", "/v1/organizations", object{"name": "mainiacp", "external_ids": object{"scalr": fileAccount}}, nil)
	return p
}

// resource is one object of a document.
type resource struct {
	ID            string         `json:"id"`
	Type          string         `json:"type"`
	Attributes    object         `json:"attributes"`
	Relationships map[string]any `json:"relationships"`
	Links         object         `json:"links"`
}

// rel returns the identifiers that a relationship points at, joined by blanks; "null" for none.
func (r resource) rel(name string) string {
	relation, _ := r.Relationships[name].(map[string]any)
	switch data := relation["data"].(type) {
	case map[string]any:
		return fmt.Sprint(data["id"])
	case []any:
		var ids []string
		for _, each := range data {
			ids = append(ids, fmt.Sprint(each.(map[string]any)["id"]))
		}
		return strings.Join(ids, " ")
	}
	return "null"
}

// one sends a request as the administrator and decodes the resource of the answer.
func (p *platform) one(t *testing.T, status int, method, path string, body any) resource {
	t.Helper()
	var doc struct {
		Data resource `json:"data"`
	}
	got := p.Want(t, status, method, base+path, body, &doc)
	if media := got.Header.Get("Content-Type"); media != "application/vnd.api+json" {
		t.Errorf("%s %s: Content-Type %s", method, path, media)
	}
	return doc.Data
}

// page is a list's answer.
type page struct {
	Data     []resource `json:"data"`
	Included []resource `json:"included"`
	Links    object     `json:"links"`
	Meta     struct {
		Pagination object `json:"pagination"`
	} `json:"meta"`
}

func (p *platform) list(t *testing.T, path string, query ...string) page {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		values.Set(query[i], query[i+1])
	}
	var got page
	p.Want(t, 200, "GET", base+path+"?"+values.Encode(), nil, &got)
	return got
}

// names lists the names of a page's objects.
func (p page) names() string {
	var names []string
	for _, r := range p.Data {
		names = append(names, fmt.Sprint(r.Attributes["name"]))
	}
	return strings.Join(names, " ")
}

// refuse sends a request that must fail and returns the first problem.
func (p *platform) refuse(t *testing.T, status int, method, path string, body any) (title, detail, pointer string) {
	t.Helper()
	return p.refuseAs(t, conformance.AdminToken, status, method, path, body)
}

func (p *platform) refuseAs(t *testing.T, token string, status int, method, path string, body any) (title, detail, pointer string) {
	t.Helper()
	got := p.As(t, token, method, base+path, body)
	var doc struct {
		Errors []struct {
			Status, Title, Detail string
			Source                struct{ Pointer, Parameter string }
		} `json:"errors"`
	}
	if err := json.Unmarshal(got.Body, &doc); err != nil || len(doc.Errors) == 0 {
		t.Fatalf("%s %s: %d, %s", method, path, got.Status, got.Body)
	}
	first := doc.Errors[0]
	if got.Status != status || first.Status != fmt.Sprint(status) {
		t.Errorf("%s %s: %d, want %d: %s", method, path, got.Status, status, got.Body)
	}
	return first.Title, first.Detail, first.Source.Pointer + first.Source.Parameter
}

// Fixtures.

func (p *platform) environment(t *testing.T, name string) string {
	t.Helper()
	return p.one(t, 201, "POST", "/environments", document("environments", object{"name": name}, rels{"account": fileAccount})).ID
}

func (p *platform) workspace(t *testing.T, environment, name string) string {
	t.Helper()
	return p.one(t, 201, "POST", "/workspaces", document("workspaces", object{"name": name}, rels{"environment": environment})).ID
}

func (p *platform) endpoint(t *testing.T, environment, address string, more object) resource {
	t.Helper()
	attributes := object{"name": "endpoint", "url": address, "secret-key": secret}
	for name, value := range more {
		attributes[name] = value
	}
	return p.one(t, 201, "POST", "/endpoints", document("endpoints", attributes, rels{"account": fileAccount, "environment": environment}))
}

// hook is a webhook of the first generation; an empty environment or workspace is none.
func (p *platform) hook(t *testing.T, endpoint, environment, workspace string) resource {
	t.Helper()
	return p.one(t, 201, "POST", "/webhooks", document("webhooks", object{"name": "hook"},
		rels{"account": fileAccount, "endpoint": endpoint, "environment": environment, "workspace": workspace, "events": allEvents}))
}

// integration is a webhook of the second generation.
func (p *platform) integration(t *testing.T, address string, more object, environments ...string) resource {
	t.Helper()
	attributes := object{"name": "integration", "url": address, "secret-key": secret}
	for name, value := range more {
		attributes[name] = value
	}
	return p.one(t, 201, "POST", "/integrations/webhooks", document("webhook-integrations", attributes,
		rels{"account": fileAccount, "environments": environments, "events": allEvents}))
}

const secret = "auphee1ieshaeQu8"

var allEvents = []string{"run:completed", "run:errored", "run:needs_attention"}

// rels are relationships by name: one identifier, or a list of them.
type rels map[string]any

var types = map[string]string{
	"account": "accounts", "environment": "environments", "environments": "environments", "workspace": "workspaces",
	"endpoint": "endpoints", "events": "event-definitions",
}

// document spells a request as the clients do.
func document(kind string, attributes object, relations rels) object {
	related := object{}
	for name, value := range relations {
		switch v := value.(type) {
		case string:
			if v != "" {
				related[name] = object{"data": object{"type": types[name], "id": v}}
			}
		case []string:
			list := []object{}
			for _, id := range v {
				list = append(list, object{"type": types[name], "id": id})
			}
			related[name] = object{"data": list}
		case nil:
			related[name] = object{"data": nil}
		}
	}
	return object{"data": object{"type": kind, "attributes": attributes, "relationships": related}}
}

// run is an event of a run in a workspace of the account.
func run(id, status, environment, workspace string, more object) object {
	r := object{
		"source_id": id, "status": status, "message": "Update variables.tf", "origin": "ui", "created_at": "2020-11-25T00:42:15Z",
		"created_by": object{"id": "user-stp8qjcvjljlo1o", "name": "me@example.com", "email": "me@example.com"},
	}
	for name, value := range more {
		r[name] = value
	}
	return object{
		"kind": "run", "occurred_at": "2020-11-25T00:43:38Z", "organization": object{"name": "mainiacp"},
		"project": object{"name": environment}, "workspace": object{"name": workspace}, "run": r,
	}
}

func (p *platform) send(t *testing.T, events ...object) {
	t.Helper()
	for _, e := range events {
		p.Want(t, 202, "POST", "/v1/events", e, nil)
	}
}

// verified checks a received request with the public package and parses it.
func verified(t *testing.T, r conformance.Request) *webhook.ScalrPayload {
	t.Helper()
	h := http.Header{}
	for _, line := range r.Header {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	if err := webhook.Verify(webhook.Scalr, h, r.Body, secret); err != nil {
		t.Errorf("%v: %v", err, r.Header)
	}
	p, err := webhook.ParseScalr(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// file reads a file of the dialect's own testdata, which both test suites share.
func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "internal", "dialect", "scalr", "testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// moment reads a time of the API, which has one form (§8).
func moment(t *testing.T, value any) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05Z", fmt.Sprint(value))
	if err != nil {
		t.Error(err)
	}
	return at
}
