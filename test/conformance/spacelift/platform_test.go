// Package spacelift_test drives the program as Spacelift's clients do: with the requests that they send, from outside.
package spacelift_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"carillon/test/conformance"
)

func TestMain(m *testing.M) { conformance.Main(m) }

type object = map[string]any

// platform is a running program with an account "acme" and an API key that manages it.
type platform struct {
	*conformance.Server
	account string // the organization's identifier
	key     apiKey
	jwt     string
}

// apiKey is a token of ours as the platform's clients use it.
type apiKey struct{ ID, Secret string }

func newPlatform(t *testing.T, args ...string) *platform {
	t.Helper()
	p := &platform{Server: conformance.Start(t, args...)}
	var organization struct{ ID string }
	p.Want(t, 201, "POST", "/v1/organizations", object{"name": "acme"}, &organization)
	p.account = organization.ID
	p.key = p.apiKey(t, "admin")
	p.jwt = p.exchange(t, p.key)
	return p
}

// apiKey makes a token with a role in the account.
func (p *platform) apiKey(t *testing.T, role string, more ...object) apiKey {
	t.Helper()
	var made struct{ ID, Token string }
	grants := append([]object{{"organization": "acme", "role": role}}, more...)
	p.Want(t, 201, "POST", "/v1/tokens", object{"name": role + " key", "grants": grants}, &made)
	return apiKey{made.ID, made.Token}
}

// exchange signs in as the platform's clients do.
func (p *platform) exchange(t *testing.T, key apiKey) string {
	t.Helper()
	got := p.ask(t, "", `mutation($id:ID!$secret:String!){apiKeyUser(id: $id, secret: $secret){jwt,validUntil}}`, object{"id": key.ID, "secret": key.Secret})
	user, _ := got.data(t)["apiKeyUser"].(object)
	jwt, _ := user["jwt"].(string)
	if jwt == "" {
		t.Fatalf("the key is not taken: %s", got.raw)
	}
	return jwt
}

// answer is what a query was answered with.
type answer struct {
	status int
	header http.Header
	raw    []byte
	Data   object
	Errors []struct {
		Message string
		Path    []any
	}
}

// data returns the data of an answer without errors.
func (a answer) data(t *testing.T) object {
	t.Helper()
	if a.status != 200 || len(a.Errors) > 0 || a.Data == nil {
		t.Fatalf("got %d, %s", a.status, a.raw)
	}
	return a.Data
}

// message returns the first error's message.
func (a answer) message() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return a.Errors[0].Message
}

// ask sends a query with a token, or without one.
func (p *platform) ask(t *testing.T, token, query string, variables object) answer {
	t.Helper()
	body := object{"query": query}
	if variables != nil {
		body["variables"] = variables
	}
	return read(t, p.As(t, token, "POST", "/graphql", body))
}

func read(t *testing.T, got conformance.Answer) answer {
	t.Helper()
	a := answer{status: got.Status, header: got.Header, raw: got.Body}
	if err := json.Unmarshal(got.Body, &a); err != nil {
		t.Fatalf("%d, %s: %v", got.Status, got.Body, err)
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("the answer is %q", kind)
	}
	return a
}

// run sends a query as the administrator and returns what its only root field gives.
func (p *platform) run(t *testing.T, query string, variables object) any {
	t.Helper()
	data := p.ask(t, p.jwt, query, variables).data(t)
	for _, value := range data {
		return value
	}
	return nil
}

// wantMessage sends a query as the administrator that must fail with a message.
func (p *platform) wantMessage(t *testing.T, want, query string, variables object) {
	t.Helper()
	if got := p.ask(t, p.jwt, query, variables); got.status != 200 || got.message() != want {
		t.Errorf("got %d, %s, want %s", got.status, got.raw, want)
	}
}

// Fixtures.

func (p *platform) stack(t *testing.T, name string) string {
	t.Helper()
	made := p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true){id}}`, object{"input": stackInput(name)})
	return made.(object)["id"].(string)
}

func stackInput(name string) object {
	return object{"administrative": false, "branch": "main", "name": name, "repository": "infra", "namespace": "octo", "provider": "GITHUB"}
}

func (p *platform) webhook(t *testing.T, stack, endpoint, secret string, retry any) string {
	t.Helper()
	made := p.run(t, createWebhook, object{"stack": stack, "input": object{
		"enabled": true, "endpoint": endpoint, "secret": secret, "retryOnFailure": retry,
	}})
	return made.(object)["id"].(string)
}

// Queries as the platform's provider sends them.
const (
	createWebhook = `mutation($input:WebhooksIntegrationInput!$stack:ID!){webhooksIntegrationCreate(stack: $stack, input: $input){id,enabled}}`
	updateWebhook = `mutation($input:WebhooksIntegrationInput!$stack:ID!$webhook:ID!){webhooksIntegrationUpdate(stack: $stack, id: $webhook, input: $input){id,enabled}}`
	deleteWebhook = `mutation($stack:ID!$webhook:ID!){webhooksIntegrationDelete(stack: $stack, id: $webhook){id}}`
	readWebhooks  = `query($id:ID!){stack(id: $id){integrations{webhooks{id,enabled,endpoint,secret,retryOnFailure}}}}`
	setAudit      = `mutation($input:AuditTrailWebhookInput!){auditTrailSetWebhook(input: $input){enabled,endpoint,includeRuns,secret,retryOnFailure}}`
	createNamed   = `mutation($input:NamedWebhooksIntegrationInput!){namedWebhooksIntegrationCreate(input: $input){id,enabled}}`
	createPolicy  = `mutation($input:PolicyCreateInput!){policyCreatev2(input: $input){id,labels,name,body,type,space,description,engineType}}`
	createSpace   = `mutation($input:SpaceInput!){spaceCreate(input: $input){id,description,name,inheritEntities,parentSpace,labels}}`
)

// webhooks reads the webhooks of a stack.
func (p *platform) webhooks(t *testing.T, stack string) []object {
	t.Helper()
	found := p.run(t, readWebhooks, object{"id": stack}).(object)["integrations"].(object)["webhooks"].([]any)
	list := make([]object, len(found))
	for i, w := range found {
		list[i] = w.(object)
	}
	return list
}

// event is a step of a run of another source.
func event(workspace, run, status string, more object) object {
	r := object{"source_id": run, "status": status, "operation": "apply"}
	for name, value := range more {
		r[name] = value
	}
	return object{"kind": "run", "organization": object{"name": "acme"}, "workspace": object{"name": workspace}, "run": r}
}

// file reads a file of the dialect's own testdata, which both test suites share.
func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "internal", "dialect", "spacelift", "testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// same compares JSON values; numbers are compared as they are written.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := normal(t, got), normal(t, want); !reflect.DeepEqual(g, w) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, spell(t, g), spell(t, w))
	}
}

func normal(t *testing.T, v any) any {
	t.Helper()
	raw, ok := v.([]byte)
	if !ok {
		raw = []byte(spell(t, v))
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var out any
	if err := decoder.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func spell(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// headers turns a received request's header lines into a header.
func headers(r conformance.Request) http.Header {
	h := http.Header{}
	for _, line := range r.Header {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.TrimSpace(value))
	}
	return h
}

// states spells the run bodies that arrived: each state with its number.
func states(t *testing.T, requests []conformance.Request) string {
	t.Helper()
	var list []string
	for _, r := range requests {
		var body struct {
			State        string
			StateVersion int64
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%s %d", body.State, body.StateVersion))
	}
	return strings.Join(list, ", ")
}
