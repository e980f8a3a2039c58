package spacelift

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/fault"
)

// house is the API over a world, with a token of the administrator's.
type house struct {
	*world
	mux   *http.ServeMux
	token string
}

func newHouse(t testing.TB, d *Dialect) *house {
	t.Helper()
	h := &house{world: newWorld(), mux: http.NewServeMux()}
	d.Mount(h.mux, h.services())
	got := h.ask(t, "", `mutation{apiKeyUser(id:"`+ulid(tokenID)+`",secret:"admin"){jwt}}`, nil)
	h.token = got.Data["apiKeyUser"].(map[string]any)["jwt"].(string)
	return h
}

type answer struct {
	status int
	header http.Header
	raw    []byte
	Data   map[string]any
	Errors []struct{ Message string }
}

func (h *house) ask(t testing.TB, token, text string, variables map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return h.post(t, token, string(body))
}

func (h *house) post(t testing.TB, token, body string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if err := json.Unmarshal(a.raw, &a); err != nil {
		t.Fatalf("%d, %s: %v", a.status, a.raw, err)
	}
	return a
}

// operation is one entry of operations.json.
type operation struct {
	Names     []string `json:"header_values"`
	Query     string
	Variables map[string]any
	Response  json.RawMessage
}

// TestOperations replays operations in an order in which they make sense; every answer is the file's, field by field.
func TestOperations(t *testing.T) {
	t.Parallel()
	h := newHouse(t, New())
	var all []operation
	if err := json.Unmarshal(file(t, "operations.json"), &all); err != nil {
		t.Fatal(err)
	}
	actual := map[string]string{}
	here := func(text string) string {
		for sample, own := range actual {
			text = strings.ReplaceAll(text, sample, own)
		}
		return text
	}
	for _, step := range []struct{ name, learns string }{
		{"AccountDetails", ""}, {"CreateSpace", "dev-01M80EWHJ8M01WFGBK47E2R2ZP"}, {"SpaceRead", ""}, {"SpacesRead", ""}, {"StackCreate", ""},
		{"WebhookCreate", "01M80EWHM5MP5JGZQ8SYSS763N"}, {"StackRead", ""}, {"WebhookUpdate", ""}, {"ModuleCreate", ""}, {"NamedWebhookCreate", ""},
		{"NamedWebhookSecretHeaderSet", ""}, {"GetNamedWebhook", ""}, {"NamedWebhookUpdate", ""}, {"NamedWebhookSecretHeaderDelete", ""},
		{"NamedWebhookDelete", ""}, {"AuditTrailWebhookCreate", ""}, {"AuditTrailWebhookRead", ""}, {"ModuleDelete", ""},
	} {
		i := slices.IndexFunc(all, func(o operation) bool { return slices.Contains(o.Names, step.name) })
		o := all[i]
		variables, err := json.Marshal(o.Variables)
		if err != nil {
			t.Fatal(err)
		}
		var given map[string]any
		if err := json.Unmarshal([]byte(here(string(variables))), &given); err != nil {
			t.Fatal(err)
		}
		got := h.ask(t, h.token, o.Query, given)
		if step.learns != "" {
			found := regexp.MustCompile(`"id":"([^"]+)"`).FindSubmatch(got.raw)
			actual[step.learns] = string(found[1])
		}
		var have, want any
		if json.Unmarshal(got.raw, &have) != nil || json.Unmarshal([]byte(here(string(o.Response))), &want) != nil || !reflect.DeepEqual(have, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got.raw, here(string(o.Response)))
		}
	}
	if len(h.events) != 12 || len(h.subscriptions.sent) != 1 {
		t.Errorf("%d records, %d test requests", len(h.events), len(h.subscriptions.sent))
	}
}

// TestNothingExecutedIsAnsweredWithAnErrorStatus is trap 2: a client repeats mutations on 5xx.
func TestNothingExecutedIsAnsweredWithAnErrorStatus(t *testing.T) {
	t.Parallel()
	const query = `{stacks{id}}`
	h := newHouse(t, New())
	h.workspaces.panics = true
	if got := h.ask(t, h.token, query, nil); got.status != 200 || len(got.Errors) != 1 || got.Errors[0].Message != "internal error" {
		t.Errorf("a panic: got %d, %s", got.status, got.raw)
	}
	h.workspaces.panics = false
	made := h.ask(t, h.token, `mutation{stackCreate(manageState:true,input:{administrative:false,branch:"b",name:"a",repository:"r"}){id}}`, nil)
	if made.status != 200 || len(made.Errors) != 0 {
		t.Errorf("got %s", made.raw)
	}
}

// TestStorageFailures: before anything ran 503 is safe, afterwards nothing but 200 is.
func TestStorageFailures(t *testing.T) {
	t.Parallel()
	h := newHouse(t, New())
	h.broken = errors.New("disk full at /var/lib")
	got := h.ask(t, h.token, `{stacks{id}}`, nil)
	if got.status != 503 || got.header.Get("Retry-After") == "" || strings.Contains(string(got.raw), "disk") {
		t.Errorf("got %d, %s", got.status, got.raw)
	}
	h.broken = fault.New(fault.Unavailable, "Try again.")
	if got := h.ask(t, h.token, `{stacks{id}}`, nil); got.status != 503 {
		t.Errorf("got %d, %s", got.status, got.raw)
	}
	c := &call{api: &api{Services: h.services()}}
	if err := c.public(t.Context(), errors.New("disk full")); err != errInternal {
		t.Errorf("got %v", err)
	}
}

// TestRecordsThatCanNotBeStored do not fail what was done: the client would do it again.
func TestRecordsThatCanNotBeStored(t *testing.T) {
	t.Parallel()
	h := newHouse(t, New())
	h.refuses = errors.New("disk full")
	got := h.ask(t, h.token, `mutation{stackCreate(manageState:true,input:{administrative:false,branch:"b",name:"a",repository:"r"}){id}}`, nil)
	if got.status != 200 || len(got.Errors) != 0 || len(h.events) != 0 {
		t.Errorf("got %s", got.raw)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	h := newHouse(t, New())
	if got := h.ask(t, h.token, "{name}", nil); len(got.Errors) != 0 {
		t.Fatalf("got %s", got.raw)
	}
	parts := strings.Split(h.token, ".")
	none := "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
	for name, token := range map[string]string{
		"no signature": parts[0] + "." + parts[1] + ".", "no algorithm": none + "." + parts[1] + ".", "another header": none + "." + parts[1] + "." + parts[2],
		"one part": parts[1], "empty": "..", "cut": h.token[:len(h.token)-2],
	} {
		if got := h.ask(t, token, "{name}", nil); got.status != 200 || !strings.HasPrefix(got.Errors[0].Message, "unauthorized") {
			t.Errorf("%s: got %s", name, got.raw)
		}
	}
	h.now = h.now.Add(tokenLife - time.Second)
	if got := h.ask(t, h.token, "{name}", nil); len(got.Errors) != 0 {
		t.Errorf("it is over too early: %s", got.raw)
	}
	h.now = h.now.Add(time.Second)
	if got := h.ask(t, h.token, "{name}", nil); len(got.Errors) == 0 {
		t.Error("it does not end")
	}
}

func TestTokensOfAnotherAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t, New())
	a := &api{Services: h.services()}
	for name, change := range map[string]func(*claims){
		"audience": func(c *claims) { c.Audience = "https://elsewhere.example.test" }, "issuer": func(c *claims) { c.Issuer = "spacelift" },
		"subject": func(c *claims) { c.Subject = "api::x" }, "account": func(c *claims) { c.Account = 1 }, "time": func(c *claims) { c.Expires = 1 },
	} {
		c := claims{Audience: sampleSite.BaseURL, Issuer: issuerAPIKey, Subject: subjectPrefix + ulid(tokenID), Expires: h.now.Unix() + 60, Account: sampleOrganization}
		change(&c)
		token, err := a.issue(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.ask(t, token, "{name}", nil); len(got.Errors) == 0 {
			t.Errorf("another %s is taken", name)
		}
	}
}

func TestWrongKeysAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t, &Dialect{FailedSignInsPerMinute: 2})
	const wrong = `mutation{apiKeyUser(id:"x",secret:"y"){jwt}}`
	for i, want := range []int{200, 200, 429} {
		if got := h.ask(t, "", wrong, nil); got.status != want {
			t.Errorf("%d: got %d", i, got.status)
		}
	}
	h.now = h.now.Add(time.Minute)
	if got := h.ask(t, "", wrong, nil); got.status != 200 {
		t.Errorf("got %d", got.status)
	}
	f := newFailures(-1, func() time.Time { return h.now })
	for range addressesKnown + 5 {
		f.add(h.id().String())
	}
	if f.check("x") != nil || len(f.at) > addressesKnown {
		t.Errorf("%d addresses are kept", len(f.at))
	}
}

// FuzzQuery sends queries: whatever they are, they are answered with JSON, a status below 500, and nothing internal.
func FuzzQuery(f *testing.F) {
	var all []operation
	if err := json.Unmarshal(file(f, "operations.json"), &all); err != nil {
		f.Fatal(err)
	}
	for _, o := range all {
		variables, err := json.Marshal(o.Variables)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(o.Query, string(variables))
	}
	f.Add("{spaces(){id}}", "{}")
	f.Add("query($a:ID!$b:ID!){stack(id:$a){id} module(id:$b){id}}", `{"a":"1"}`)
	f.Add("{__schema{types{name}}}", "null")
	f.Add("query{...a} fragment a on Query{...a}", "[]")
	h := newHouse(f, New())
	f.Fuzz(func(t *testing.T, text, variables string) {
		q, err := json.Marshal(text)
		if err != nil {
			return
		}
		got := h.post(t, h.token, `{"query":`+string(q)+`,"variables":`+variables+`}`)
		if got.status >= 500 || strings.Contains(string(got.raw), "panic") {
			t.Errorf("%s, %s: got %d, %s", text, variables, got.status, got.raw)
		}
		for _, e := range got.Errors {
			if e.Message == string(errInternal) {
				t.Errorf("%s, %s: got %s", text, variables, got.raw)
			}
		}
	})
}
