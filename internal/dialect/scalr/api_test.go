package scalr

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// sent is a resource as tests look at it.
type sent struct {
	ID            string         `json:"id"`
	Type          string         `json:"type"`
	Attributes    map[string]any `json:"attributes"`
	Relationships map[string]any `json:"relationships"`
}

// want sends a request as the account's admin and returns the resource of the answer.
func (s *service) want(t *testing.T, status int, method, path, body string) sent {
	t.Helper()
	w := s.as("admin", method, path, body)
	if w.Code != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	var doc struct {
		Data sent `json:"data"`
	}
	if w.Body.Len() > 0 {
		_ = json.Unmarshal(w.Body.Bytes(), &doc) // lists and problems have no single resource
	}
	return doc.Data
}

// TestRequests takes every captured request body and gives back what it said.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ids := s.withEndpoint(t)
	other := estate.Project{Common: s.common("Research-Development", "env-u0b83rvjmsjk123", "2020-11-01T10:00:00Z"), OrganizationID: s.account.ID}
	s.projects.items = append(s.projects.items, other)
	send := func(status int, method, path, name string) sent {
		body := strings.NewReplacer(ids...).Replace(string(file(t, "api/requests/"+name+".json")))
		got := s.want(t, status, method, path, body)
		var doc struct {
			Data sent `json:"data"`
		}
		if err := json.Unmarshal([]byte(body), &doc); err != nil {
			t.Fatal(err)
		}
		for attribute, value := range doc.Data.Attributes {
			switch {
			case attribute == "secret-key" && got.Type == integrationType:
				value = "" // shown where it was made alone
			case attribute == "hooks":
				value = nil
			case attribute == "headers":
				for _, h := range value.([]any) {
					if header := h.(map[string]any); header["sensitive"] == true {
						header["value"] = ""
					}
				}
			}
			if !reflect.DeepEqual(got.Attributes[attribute], value) {
				t.Errorf("%s: %s is %v, want %v", name, attribute, got.Attributes[attribute], value)
			}
		}
		for relation, value := range doc.Data.Relationships {
			sameJSON(t, encoded(t, got.Relationships[relation]), encoded(t, value))
		}
		return got
	}
	send(201, "POST", "/environments", "environments.create.provider-1.13")
	send(201, "POST", "/environments", "environments.create.goscalr")
	env := send(201, "POST", "/environments", "environments.create.provider-3.19")
	send(200, "PATCH", "/environments/"+env.ID, "environments.update.provider-3.19")
	s.want(t, 204, "DELETE", "/environments/"+env.ID, "")
	send(201, "POST", "/workspaces", "workspaces.create.provider-1.13")
	w := send(201, "POST", "/workspaces", "workspaces.create.provider-3.19")
	send(200, "PATCH", "/workspaces/"+w.ID, "workspaces.update.provider-3.19")
	s.want(t, 409, "DELETE", "/environments/env-sfuari395m7sck1", "")
	s.want(t, 204, "DELETE", "/workspaces/"+w.ID, "")
	for _, name := range []string{"endpoints.create.provider-1.13", "endpoints.create.provider-1.13-defaults", "endpoints.create.provider-1.13-secret"} {
		e := send(201, "POST", "/endpoints", name)
		send(200, "PATCH", "/endpoints/"+e.ID, "endpoints.update.provider-1.13")
		s.want(t, 204, "DELETE", "/endpoints/"+e.ID, "")
	}
	hook := send(201, "POST", "/webhooks", "webhooks.create.provider-1.13")
	send(200, "PATCH", "/webhooks/"+hook.ID, "webhooks.update.provider-1.13")
	for _, name := range []string{"goscalr-minimal", "goscalr-shared", "goscalr-v2", "provider-3.19-unlinked", "provider-3.19-linked"} {
		i := send(201, "POST", "/integrations/webhooks", "integrations-webhooks.create."+name)
		for _, change := range []string{"provider-3.19-to-shared", "provider-3.19-disable-newsecret", "goscalr-events-empty"} {
			send(200, "PATCH", "/integrations/webhooks/"+i.ID, "integrations-webhooks.update."+change)
		}
		s.want(t, 204, "DELETE", "/integrations/webhooks/"+i.ID, "")
	}
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestLeavingTheEndpoint is the part of §5.5 that changes what a webhook is.
func TestLeavingTheEndpoint(t *testing.T) {
	t.Parallel()
	patch := func(attributes string) string {
		return `{"data":{"attributes":{` + attributes + `},"relationships":{"environments":{"data":[{"type":"environments","id":"env-sfuari395m7sck1"}]}}}}`
	}
	for name, tc := range map[string]struct {
		attributes string
		follows    bool
		url        string
	}{
		"as it is shown":   {`"url":"https://example.com/webhook","timeout":15,"max-attempts":3,"secret-key":"","headers":[],"is-shared":false`, true, "https://example.com/webhook"},
		"the same secret":  {`"secret-key":"auphee1ieshaeQu8"`, true, "https://example.com/webhook"},
		"its own":          {`"name":"n","enabled":true`, true, "https://example.com/webhook"},
		"another address":  {`"url":"https://example.com/other"`, false, "https://example.com/other"},
		"another secret":   {`"secret-key":"other"`, false, "https://example.com/webhook"},
		"another timeout":  {`"timeout":0`, false, "https://example.com/webhook"},
		"another number":   {`"max-attempts":4`, false, "https://example.com/webhook"},
		"a header":         {`"headers":[{"name":"X-A","value":"b"}]`, false, "https://example.com/webhook"},
		"shared, not left": {`"is-shared":true`, true, "https://example.com/webhook"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.withEndpoint(t)
			s.withOldHook()
			got := s.want(t, 200, "PATCH", "/integrations/webhooks/wh-t6v0g1l0dlqhh58", patch(tc.attributes))
			sub := s.subscriptions.items[0]
			if (sub.EndpointID != 0) != tc.follows || got.Attributes["url"] != tc.url {
				t.Errorf("follows %v, shows %v", sub.EndpointID, got.Attributes)
			}
			if linked := settingsOf(&sub).Linked; linked != strings.Contains(tc.attributes, `"is-shared":true`) {
				t.Errorf("it stands in the account: %v", linked)
			}
		})
	}
}

// TestSearchingDeliveries covers filters and searches, also of what was not sent yet.
func TestSearchingDeliveries(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hook := s.withNewHook()
	s.deliver(hook, delivery.Delivered, 1, "2020-11-25T00:43:39Z", &delivery.Response{Status: 200})
	s.deliver(hook, delivery.Pending, 0, "", nil)
	foreign := hook.Clone()
	foreign.Dialect = "elsewhere"
	s.deliver(foreign, delivery.Pending, 0, "", nil)
	for query, want := range map[string]int{
		"": 2, "filter[status]=pending": 1, "filter[status]=in:pending,completed": 2, "filter[status]=odd": 0, "filter[event]=run:needs_attention": 2,
		"filter[event]=run:errored": 0, "filter[webhook]=wh-t6v0g1l0dlqhh58": 2, "filter[webhook]=wh-x": 0, "filter[environment]=env-sfuari395m7sck1": 2,
		"filter[environment]=env-x": 0, "filter[workspace]=ws-x": 0, "filter[run]=run-x": 0, "filter[account]=acc-x": 0, "query=HOOK": 2, "query=t6v0g8": 2,
		"query=zz": 0, "sort=attempts,-status": 2, "sort=last-handle-attempt-at": 2,
	} {
		w := s.as("admin", "GET", "/integrations/webhook-deliveries?"+query, "")
		var got struct{ Data []sent }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || len(got.Data) != want {
			t.Errorf("%s: %d, %d deliveries, want %d", query, w.Code, len(got.Data), want)
		}
	}
	s.want(t, 400, "GET", "/integrations/webhook-deliveries?sort=name", "")
	s.want(t, 404, "GET", "/integrations/webhook-deliveries/"+deliveryIDs.Encode(s.log.entries[2].summary.Delivery.ID), "")
}

// TestReasons words why deliveries did not arrive (§5.8).
func TestReasons(t *testing.T) {
	t.Parallel()
	hook := webhook("wh-1", 0)
	for want, r := range map[string]delivery.Result{
		"HTTP 410 Gone":      {Class: delivery.ClassAnswered, Status: 410},
		"HTTP 599":           {Class: delivery.ClassAnswered, Status: 599},
		"timeout after 15 s": {Class: delivery.ClassTimeout},
		"timeout after 3 s":  {Class: delivery.ClassTimeout, Duration: 3_004_000_000},
		"webhook deleted":    {Class: delivery.ClassCancelled, Detail: "the subscription was deleted"},
		"no such host":       {Class: delivery.ClassDNS, Detail: "no such host"},
		"tls":                {Class: delivery.ClassTLS},
	} {
		l := &logged{s: hook}
		l.summary.State, l.summary.Last = delivery.Exhausted, &delivery.Attempt{Result: r}
		if got := New().errorOf(l); got == nil || *got != want {
			t.Errorf("got %v, want %s", got, want)
		}
		if l.summary.State = delivery.Delivered; New().errorOf(l) != nil {
			t.Error("an arrived delivery has an error")
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	d := New()
	if err := d.Configure(map[string]string{"reveal_secrets": "true", "discarded_is_errored": "1", "max_timeout": "120"}); err != nil || !d.RevealSecrets || !d.DiscardedIsErrored || d.MaxTimeout.Seconds() != 120 {
		t.Errorf("got %+v, %v", d, err)
	}
	for name, value := range map[string]string{"reveal_secrets": "perhaps", "max_timeout": "0", "unknown": "1"} {
		if err := New().Configure(map[string]string{name: value}); err == nil {
			t.Errorf("%s=%s is taken", name, value)
		}
	}
}

// TestValidate holds for every face that saves a webhook.
func TestValidate(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*subscription.Subscription)
		want   fault.Code
	}{
		"nothing special":      {func(*subscription.Subscription) {}, ""},
		"headers":              {func(s *subscription.Subscription) { s.Headers = []subscription.Header{{Name: "X-A"}, {Name: "x-a"}} }, ""},
		"a reserved one":       {func(s *subscription.Subscription) { s.Headers = []subscription.Header{{Name: "transfer-encoding"}} }, fault.Invalid},
		"a generation":         {func(s *subscription.Subscription) { s.Settings = settings{Generation: 1}.encoded() }, ""},
		"an unknown one":       {func(s *subscription.Subscription) { s.Settings = settings{Generation: 3}.encoded() }, fault.Invalid},
		"settings of no shape": {func(s *subscription.Subscription) { s.Settings = json.RawMessage(`[]`) }, ""},
	} {
		s := webhook("wh-1", 0)
		tc.change(s)
		if err := New().Validate(s, subscription.Secrets{}); fault.CodeOf(err) != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := New()
	if !d.StandardByDefault() || !d.ChecksAddressLate() || !d.RepeatsHeaders() {
		t.Error("a capability is off")
	}
	inWorkspace, linked := webhook("wh-1", 0), webhook("wh-1", sampleEndpoint)
	inWorkspace.Scopes, linked.Settings = one(subscription.LevelWorkspace, 1), settings{Linked: true}.encoded()
	for s, want := range map[*subscription.Subscription]bool{webhook("wh-1", 0): true, webhook("wh-1", sampleEndpoint): false, inWorkspace: false, linked: true} {
		if d.OutlivesScopes(s) != want {
			t.Errorf("%+v outlives its places: %v", s, !want)
		}
	}
}

// FuzzRequests watches that no document makes the API fail on its own account.
func FuzzRequests(f *testing.F) {
	for _, name := range []string{"webhooks.create.provider-1.13", "integrations-webhooks.create.provider-3.19-linked", "endpoints.create.provider-1.13-secret", "workspaces.create.provider-3.19"} {
		f.Add(file(f, "api/requests/"+name+".json"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := newService(t)
		s.withEndpoint(t)
		s.withOldHook()
		for _, path := range []string{"/endpoints", "/webhooks", "/integrations/webhooks", "/environments", "/workspaces"} {
			if w := s.as("admin", "POST", path, string(body)); w.Code >= 500 {
				t.Errorf("POST %s: %d, %s", path, w.Code, w.Body)
			}
		}
		for _, path := range []string{"/webhooks/wh-t6v0g1l0dlqhh58", "/integrations/webhooks/wh-t6v0g1l0dlqhh58", "/endpoints/" + endpointIDs.Encode(s.endpoint), "/workspaces/ws-t5hft7e7v366rd0"} {
			if w := s.as("admin", "PATCH", path, string(body)); w.Code >= 500 {
				t.Errorf("PATCH %s: %d, %s", path, w.Code, w.Body)
			}
		}
	})
}
