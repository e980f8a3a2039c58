package scalr

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// service is the API over the estate of the sample files.
type service struct {
	*world
	mux         *http.ServeMux
	account     estate.Organization
	environment estate.Project
	workspace   estate.Workspace
	endpoint    ident.ID
}

func (w *world) common(name, external, made string) estate.Common {
	return estate.Common{ID: w.id(), Name: name, ExternalIDs: map[string]string{Name: external}, CreatedAt: at(made)}
}

func newService(t *testing.T) *service {
	t.Helper()
	w := newWorld()
	s := &service{world: w, mux: http.NewServeMux()}
	s.account = estate.Organization{Common: w.common("mainiacp", "acc-svrcncgh453bi8g", "2020-01-01T00:00:00Z")}
	user := estate.User{Common: w.common("me@example.com", "user-stp8qjcvjljlo1o", "2020-01-01T00:00:00Z"), Email: "me@example.com", FullName: "Me"}
	s.environment = estate.Project{Common: w.common("my-development", "env-sfuari395m7sck1", "2020-11-01T10:00:00Z"), OrganizationID: s.account.ID}
	s.workspace = estate.Workspace{Common: w.common("my-example", "ws-t5hft7e7v366rd0", "2020-11-01T10:05:00Z"), OrganizationID: s.account.ID, ProjectID: s.environment.ID}
	for _, o := range []*estate.Common{&s.environment.Common, &s.workspace.Common} {
		if err := madeBy(o, estate.Principal{UserID: user.ID}); err != nil {
			t.Fatal(err)
		}
	}
	w.organizations.items, w.users.items = []estate.Organization{s.account}, []estate.User{user}
	w.projects.items, w.workspaces.items = []estate.Project{s.environment}, []estate.Workspace{s.workspace}
	grants := func(role estate.Role) []estate.Grant {
		return []estate.Grant{{OrganizationID: s.account.ID, Role: role}}
	}
	w.tokens["admin"] = estate.Principal{TokenID: 1, UserID: user.ID, Name: "admin", Grants: grants(estate.RoleAdmin)}
	w.tokens["reader"] = estate.Principal{TokenID: 2, Name: "reader", Grants: grants(estate.RoleReader)}
	New().Mount(s.mux, w.services())
	return s
}

// as sends a request with a token, without any header that clients may leave out.
func (s *service) as(token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, prefix+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// golden compares an answer with a file. Identifiers that only we can give, of endpoints and deliveries, are put into the
// file.
func (s *service) golden(t *testing.T, status int, method, path, body, name string, ids ...string) {
	t.Helper()
	w := s.as("admin", method, path, body)
	if w.Code != status || w.Header().Get("Content-Type") != mediaType {
		t.Fatalf("%s %s: %d, %v: %s", method, path, w.Code, w.Header(), w.Body)
	}
	sameJSON(t, w.Body.Bytes(), []byte(strings.NewReplacer(ids...).Replace(string(file(t, "api/responses/"+name+".json")))))
}

// withEndpoint adds the files' endpoint.
func (s *service) withEndpoint(t *testing.T) []string {
	t.Helper()
	body := `{"data":{"type":"endpoints","attributes":{"name":"test endpoint","url":"https://example.com/webhook","secret-key":"auphee1ieshaeQu8"},` +
		`"relationships":{"environment":{"data":{"type":"environments","id":"env-sfuari395m7sck1"}}}}}`
	if w := s.as("admin", "POST", "/endpoints", body); w.Code != http.StatusCreated {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for id := range s.documents.records {
		s.endpoint = id
	}
	return []string{"ep-t6v0fk8lq3e1g20", endpointIDs.Encode(s.endpoint)}
}

// add puts a webhook there, with the identifier of the files.
func (s *service) add(id string, change func(*subscription.Subscription)) *subscription.Subscription {
	sub := subscription.Subscription{
		ID: s.id(), Version: 1, OrganizationID: s.account.ID, Dialect: Name, Channel: subscription.ChannelWebhook, Enabled: true,
		Scopes: one(subscription.LevelProject, s.environment.ID), Triggers: []string{runCompleted, runErrored}, ExternalIDs: external(id),
	}
	change(&sub)
	s.subscriptions.items = append(s.subscriptions.items, sub)
	if _, there := s.subscriptions.secrets[sub.ID]; !there {
		s.subscriptions.secrets[sub.ID] = subscription.Secrets{
			URL: "https://hooks.example.com/services/58320402", Secret: "auphee1ieshaeQu8", Headers: map[string]string{"X-Team": "platform", "X-Api-Key": "hidden"},
		}
	}
	return &s.subscriptions.items[len(s.subscriptions.items)-1]
}

// withOldHook adds the files' webhook with an endpoint, in the workspace.
func (s *service) withOldHook() {
	s.add("wh-t6v0g1l0dlqhh58", func(sub *subscription.Subscription) {
		sub.Name, sub.Enabled, sub.EndpointID, sub.Scopes = "webhook-test", false, s.endpoint, one(subscription.LevelWorkspace, s.workspace.ID)
		s.subscriptions.secrets[sub.ID] = subscription.Secrets{URL: "https://example.com/webhook", Secret: "auphee1ieshaeQu8"}
	})
}

// withNewHook adds the files' webhook integration of the environment.
func (s *service) withNewHook() *subscription.Subscription {
	return s.add("wh-t6v0g1l0dlqhh58", func(sub *subscription.Subscription) {
		sub.Name, sub.Headers = "hook", []subscription.Header{{Name: "X-Team"}, {Name: "X-Api-Key", Sensitive: true}}
	})
}

func (s *service) withSharedHook() {
	s.add("wh-v0o90pc58r1t97e", func(sub *subscription.Subscription) {
		sub.Name, sub.Scopes = "hook-all", one(subscription.LevelOrganization, s.account.ID)
	})
}

// deliver logs a delivery of the documented event; the moment is that of the files.
func (s *service) deliver(hook *subscription.Subscription, state delivery.State, attempts int, ended string, r *delivery.Response) string {
	e := oldRun("policy_checked", true, "2020-11-25T00:43:38Z")
	e.Run.Message, e.Run.Origin, e.Run.Variables = "Update variables.tf", "ui", map[string]string{"foo": "bar"}
	id := ident.At(s.log.next())
	d := delivery.Delivery{ID: id, Event: e.ID, Organization: s.account.ID, Subscription: hook.ID, Run: e.Run.ID, Attempts: attempts}
	summary := store.Summary{Delivery: d, State: state}
	if attempts > 0 {
		started := at("2020-11-25T00:43:38Z")
		summary.Last = &delivery.Attempt{Delivery: d, Number: attempts, State: state, Trigger: runNeedsAttention, Result: delivery.Result{
			Class: delivery.ClassAnswered, Status: r.Status, StartedAt: started, Duration: at(ended).Sub(started), Response: r,
		}}
	}
	s.log.entries = append(s.log.entries, entry{summary: summary, e: e, s: hook})
	return deliveryIDs.Encode(id)
}

// firstDelivery is when the first delivery of a log was made; identifiers can not be older than 2024.
var firstDelivery = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// next is when the next delivery is made, within the same second.
func (d *deliveries) next() time.Time {
	return firstDelivery.Add(time.Duration(len(d.entries)) * time.Millisecond)
}

// moved lays the files' moment of delivery to that of the log.
var moved = []string{`"triggered-at": "2020-11-25T00:43:38Z"`, `"triggered-at": "2024-05-06T07:08:09Z"`, `"last-triggered-at": "2020-11-25T00:43:38Z"`, `"last-triggered-at": "2024-05-06T07:08:09Z"`}

func TestEstateDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for path, name := range map[string]string{
		"/accounts":                     "accounts.list",
		"/accounts/acc-svrcncgh453bi8g": "accounts.read",
		"/event-definitions":            "event-definitions.list",
		"/environments":                 "environments.list",
		"/environments/env-sfuari395m7sck1?include=created-by": "environments.read",
		"/workspaces": "workspaces.list",
		"/workspaces/ws-t5hft7e7v366rd0?include=created-by,nobody":               "workspaces.read",
		"/environments/env-sfuari395m7sck1/relationships/federated-environments": "empty-list",
	} {
		s.golden(t, http.StatusOK, "GET", path, "", name)
	}
}

func TestWebhookDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ids := s.withEndpoint(t)
	s.withOldHook()
	s.withSharedHook()
	for path, name := range map[string]string{
		"/endpoints": "endpoints.list", "/endpoints/" + ids[1]: "endpoints.read", "/webhooks": "webhooks.list",
		"/webhooks/wh-t6v0g1l0dlqhh58": "webhooks.read.workspace-scope", "/webhooks/wh-v0o90pc58r1t97e": "webhooks.read.of-gen2-webhook",
		"/integrations/webhooks/wh-t6v0g1l0dlqhh58": "integrations-webhooks.read.of-gen1-webhook",
	} {
		s.golden(t, http.StatusOK, "GET", path, "", name, ids...)
	}
	s.golden(t, http.StatusConflict, "DELETE", "/endpoints/"+ids[1], "", "error.409", ids...)
}

func TestIntegrationDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hook := s.withNewHook()
	s.deliver(hook, delivery.Delivered, 1, "2020-11-25T00:43:39Z", &delivery.Response{Status: 200})
	s.golden(t, http.StatusOK, "GET", "/integrations/webhooks/wh-t6v0g1l0dlqhh58", "", "integrations-webhooks.read", moved...)
	counts := strings.NewReplacer(`"delivered": 7`, `"delivered": 1`, `"failed": 1`, `"failed": 0`, `"total": 8`, `"total": 1`, `"delivered": 31`, `"delivered": 1`, `"failed": 2`, `"failed": 0`, `"total": 33`, `"total": 1`)
	w := s.as("admin", "GET", "/integrations/webhooks/wh-t6v0g1l0dlqhh58?fields[webhook-integrations]=statistics,name", "")
	sameJSON(t, w.Body.Bytes(), []byte(strings.NewReplacer(moved...).Replace(counts.Replace(string(file(t, "api/responses/integrations-webhooks.read.statistics.json"))))))
	s.withSharedHook()
	s.golden(t, http.StatusOK, "GET", "/integrations/webhooks?filter[account]=acc-svrcncgh453bi8g", "", "integrations-webhooks.list", moved...)

	// The answer that makes a webhook is the one that shows its secret.
	fresh := newService(t)
	body := `{"data":{"type":"webhook-integrations","attributes":{"name":"hook","url":"https://hooks.example.com/services/58320402","secret-key":"K7f2mQ9xT4bLw8ZpR1sVd5NhY3cJg6Ae",` +
		`"headers":[{"name":"X-Team","value":"platform","sensitive":false},{"name":"X-Api-Key","value":"hidden","sensitive":true}]},"relationships":{` +
		`"environments":{"data":[{"type":"environments","id":"env-sfuari395m7sck1"}]},"events":{"data":[{"type":"event-definitions","id":"run:completed"},{"type":"event-definitions","id":"run:errored"}]}}}}`
	made := fresh.as("admin", "POST", "/integrations/webhooks", body)
	id := webhookIDs.Encode(fresh.subscriptions.items[0].ID)
	sameJSON(t, made.Body.Bytes(), []byte(strings.ReplaceAll(string(file(t, "api/responses/integrations-webhooks.created.json")), "wh-t6v0g1l0dlqhh58", id)))
	if made.Code != http.StatusCreated {
		t.Errorf("got %d", made.Code)
	}
}

// TestDeliveryDocuments matches the log's files. Their webhook is read with headers, which those of the first generation
// have not, and their bodies are of the first generation.
func TestDeliveryDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hook := s.withNewHook()
	hook.Name, hook.Settings = "Data Platform", settings{Generation: generationEndpoint}.encoded()
	first := s.deliver(hook, delivery.Delivered, 1, "2020-11-25T00:43:39Z", &delivery.Response{
		Status: 200, Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(`{"ok": true}`),
	})
	ids := append([]string{"wd-t6v0hrnn58vu4m0", first, `"name": "hook"`, `"name": "Data Platform"`}, moved...)
	s.golden(t, http.StatusOK, "GET", "/integrations/webhook-deliveries/"+first, "", "webhook-deliveries.read", ids...)
	s.golden(t, http.StatusOK, "GET", "/integrations/webhook-deliveries?include=event,webhook", "", "webhook-deliveries.list.included", ids...)

	failed := s.deliver(hook, delivery.Exhausted, 3, "2020-11-25T00:45:40Z", &delivery.Response{
		Status: 503, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte("try later"),
	})
	pending := s.deliver(hook, delivery.Pending, 0, "", nil)
	w := s.as("admin", "GET", "/integrations/webhook-deliveries", "")
	// The file gives every delivery the headers of the first.
	got := strings.NewReplacer(`"X-Scalr-Delivery-Id":"`+failed+`"`, `"X-Scalr-Delivery-Id":"`+first+`"`).Replace(w.Body.String())
	want := strings.NewReplacer(append([]string{"wd-t6v0hs1d0k3lq7g", failed, "wd-t6v0hs2qq8c1m0e", pending}, ids...)...).Replace(string(file(t, "api/responses/webhook-deliveries.list.json")))
	sameJSON(t, []byte(got), []byte(want))
}

func TestErrorDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.golden(t, http.StatusNotFound, "GET", "/webhooks/wh-nonexisting", "", "error.404")
	s.golden(t, http.StatusBadRequest, "GET", "/webhooks?filter[foo]=1", "", "error.400-parameter")
	s.golden(t, http.StatusUnprocessableEntity, "POST", "/endpoints", `{"data":{"type":"endpoints","attributes":{"name":"","url":"https://a.example"}}}`, "error.422")
	s.golden(t, http.StatusNotFound, "POST", "/integrations/webhooks", `{"data":{"attributes":{"name":"n","url":"https://a.example"},"relationships":{"environments":{"data":[{"type":"environments","id":"env-x"}]}}}}`, "error.404-relationship")
	w := s.as("", "GET", "/webhooks", "")
	if sameJSON(t, w.Body.Bytes(), file(t, "api/responses/error.401.json")); w.Code != http.StatusUnauthorized {
		t.Errorf("got %d", w.Code)
	}
	if got := New().Discovery()["iacp.v3"]; got != "/api/iacp/v3/" {
		t.Errorf("got %v", got)
	}
}

// TestLogsWithoutEvents covers deliveries whose event is not kept any more, or whose webhook is gone.
func TestLogsWithoutEvents(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hook := s.withNewHook()
	id := s.deliver(hook, delivery.Exhausted, 2, "2020-11-25T00:43:39Z", &delivery.Response{Status: 599, Body: []byte("{cut"), Truncated: true})
	s.log.entries[0].e = nil
	got := s.as("admin", "GET", "/integrations/webhook-deliveries/"+id+"?include=run,triggered-by", "").Body.String()
	for _, want := range []string{`"request-body":{}`, `"event":{"data":{"type":"event-definitions","id":"run:needs_attention"}}`, `"run":{"data":null}`, `"response-body":"{cut"`, `"error-message":"HTTP 599"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	s.log.entries[0].s = nil
	if w := s.as("admin", "GET", "/integrations/webhook-deliveries/"+id, ""); w.Code != http.StatusNotFound {
		t.Errorf("of an unknown dialect: %d", w.Code)
	}
}
