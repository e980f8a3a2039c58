package scalr_test

import (
	"net/http"
	"strings"
	"testing"

	"carillon/test/conformance"
)

// TestOneObjectTwoViews is §5.5: what is made through one generation of the API is read, changed and deleted through the
// other.
func TestOneObjectTwoViews(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	ws := p.workspace(t, env, "w")
	ep := p.endpoint(t, env, "https://example.com/webhook", object{"timeout": 20, "max-attempts": 5})
	hook := p.hook(t, ep.ID, "", ws) // a workspace brings its environment with it
	if hook.rel("environment") != env || hook.rel("workspace") != ws || hook.rel("endpoint") != ep.ID || hook.Attributes["enabled"] != true {
		t.Errorf("got %+v", hook)
	}
	view := p.one(t, 200, "GET", "/integrations/webhooks/"+hook.ID, nil)
	a := view.Attributes
	if a["url"] != "https://example.com/webhook" || a["timeout"] != float64(20) || a["max-attempts"] != float64(5) || a["secret-key"] != "" ||
		a["is-shared"] != false || view.rel("environments") != env || view.rel("account") != fileAccount || len(a["headers"].([]any)) != 0 {
		t.Errorf("got %+v", view)
	}
	wide := p.endpoint(t, "", "https://example.com/wide", nil)
	everywhere := p.hook(t, wide.ID, "", "")
	if view := p.one(t, 200, "GET", "/integrations/webhooks/"+everywhere.ID, nil); view.Attributes["is-shared"] != true || view.rel("environments") != "" {
		t.Errorf("of the account: %+v", view)
	}
	integration := p.integration(t, "https://example.com/own", nil, env)
	old := p.one(t, 200, "GET", "/webhooks/"+integration.ID, nil)
	if old.rel("endpoint")+old.rel("workspace")+old.rel("environment") != "nullnullnull" || old.rel("events") != integration.rel("events") {
		t.Errorf("got %+v", old)
	}
	for _, path := range []string{"/webhooks", "/integrations/webhooks"} {
		if got := p.list(t, path); len(got.Data) != 3 || got.Data[0].ID != integration.ID {
			t.Errorf("%s: %s", path, got.names())
		}
	}
	// The endpoint's changes are the webhook's, at once.
	p.one(t, 200, "PATCH", "/endpoints/"+ep.ID, document("endpoints", object{"url": "https://example.com/moved", "timeout": 0}, nil))
	if a := p.one(t, 200, "GET", "/integrations/webhooks/"+hook.ID, nil).Attributes; a["url"] != "https://example.com/moved" || a["timeout"] != float64(0) {
		t.Errorf("got %v", a)
	}
	// A change of what is the webhook's own leaves it where it is.
	p.one(t, 200, "PATCH", "/integrations/webhooks/"+hook.ID, document("webhook-integrations",
		object{"name": "renamed", "enabled": false, "is-shared": false, "url": "https://example.com/moved", "timeout": 0, "headers": []object{}},
		rels{"environments": []string{env}, "events": []string{"run:errored"}}))
	got := p.one(t, 200, "GET", "/webhooks/"+hook.ID, nil)
	if got.rel("endpoint") != ep.ID || got.rel("workspace") != ws || got.Attributes["name"] != "renamed" || got.Attributes["enabled"] != false || got.rel("events") != "run:errored" {
		t.Errorf("got %+v", got)
	}
	// One of what is the endpoint's makes it a webhook integration with a copy of the endpoint's values.
	p.one(t, 200, "PATCH", "/integrations/webhooks/"+hook.ID, document("webhook-integrations", object{"max-attempts": 7}, nil))
	got, a = p.one(t, 200, "GET", "/webhooks/"+hook.ID, nil), p.one(t, 200, "GET", "/integrations/webhooks/"+hook.ID, nil).Attributes
	if got.rel("endpoint") != "null" || a["url"] != "https://example.com/moved" || a["max-attempts"] != float64(7) || a["timeout"] != float64(0) {
		t.Errorf("got %+v, %v", got, a)
	}
	p.one(t, 200, "PATCH", "/endpoints/"+ep.ID, document("endpoints", object{"url": "https://example.com/again"}, nil))
	if a := p.one(t, 200, "GET", "/integrations/webhooks/"+hook.ID, nil).Attributes; a["url"] != "https://example.com/moved" {
		t.Errorf("it still follows: %v", a["url"])
	}
	// Sharing moves it to the account; the endpoint stays.
	p.one(t, 200, "PATCH", "/integrations/webhooks/"+everywhere.ID, document("webhook-integrations", object{"is-shared": false}, rels{"environments": []string{env}}))
	got, view = p.one(t, 200, "GET", "/webhooks/"+everywhere.ID, nil), p.one(t, 200, "GET", "/integrations/webhooks/"+everywhere.ID, nil)
	if got.rel("endpoint") != wide.ID || got.rel("environment") != "null" || view.rel("environments") != env {
		t.Errorf("got %+v, %+v", got, view)
	}
	// The other way round.
	p.one(t, 200, "PATCH", "/webhooks/"+integration.ID, document("webhooks", object{"name": "by the old route"}, rels{"endpoint": nil, "events": []string{}}))
	if got := p.one(t, 200, "GET", "/integrations/webhooks/"+integration.ID, nil); got.Attributes["name"] != "by the old route" || got.rel("events") != "" {
		t.Errorf("got %+v", got)
	}
	title, _, pointer := p.refuse(t, 422, "PATCH", "/webhooks/"+integration.ID, document("webhooks", object{}, rels{"endpoint": wide.ID}))
	if title != "Invalid Relationship" || pointer != "/data/relationships/endpoint" {
		t.Errorf("got %s at %s", title, pointer)
	}
	for path, id := range map[string]string{"/webhooks/": integration.ID, "/integrations/webhooks/": everywhere.ID} {
		if got := p.Do(t, "DELETE", base+path+id, nil); got.Status != 204 || len(got.Body) != 0 {
			t.Errorf("got %d, %s", got.Status, got.Body)
		}
		for _, path := range []string{"/webhooks/", "/integrations/webhooks/"} {
			if title, detail, pointer := p.refuse(t, 404, "DELETE", path+id, nil); title != "Webhook with ID '"+id+"' not found or user unauthorized." || detail+pointer != "" {
				t.Errorf("got %s, %s, %s", title, detail, pointer)
			}
		}
	}
}

// TestEndpoints is §5.3.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env, other := p.environment(t, "one"), p.environment(t, "two")
	made := p.one(t, 201, "POST", "/endpoints", document("endpoints", object{"name": "  spaced ", "url": "HTTP://127.0.0.1:9/x?y=%20z#f", "secret-key": nil}, rels{"environment": env}))
	key, _ := made.Attributes["secret-key"].(string)
	if len(key) != 32 || strings.ToLower(key) == key || strings.ToUpper(key) == key || !strings.ContainsAny(key, "0123456789") {
		t.Errorf("the secret is %q", key)
	}
	if made.Attributes["name"] != "  spaced " || made.Attributes["url"] != "HTTP://127.0.0.1:9/x?y=%20z#f" || made.rel("account") != fileAccount {
		t.Errorf("something was normalized: %v", made.Attributes)
	}
	kept := p.one(t, 200, "PATCH", "/endpoints/"+made.ID, document("endpoints", object{"secret-key": "", "timeout": nil, "max-attempts": 9, "unknown": 1}, rels{"environment": other}))
	if kept.Attributes["secret-key"] != key || kept.Attributes["timeout"] != float64(15) || kept.Attributes["max-attempts"] != float64(9) || kept.rel("environment") != env {
		t.Errorf("got %+v", kept)
	}
	p.endpoint(t, other, "https://b.example/", object{"name": "b"})
	p.endpoint(t, other, "https://a.example/", object{"name": "a b"})
	for query, want := range map[string]string{
		"query=B": "a b b", "sort=name": "  spaced  a b b", "sort=-url": "b a b   spaced ", "filter[environment]=" + other: "a b b",
		"filter[account]=" + fileAccount: "a b b   spaced ", "filter[account]=acc-unknown": "", "query=b": "b a b", "filter[environment]=env-x": "",
	} {
		name, value, _ := strings.Cut(query, "=")
		if got := p.list(t, "/endpoints", name, value).names(); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	hook := p.hook(t, made.ID, env, "")
	if title, detail, _ := p.refuse(t, 409, "DELETE", "/endpoints/"+made.ID, nil); title != "Conflict" || detail != "Endpoint '"+made.ID+"' is used by webhooks: "+hook.ID+"." {
		t.Errorf("got %s: %s", title, detail)
	}
	p.refuse(t, 422, "POST", "/webhooks", document("webhooks", object{"name": "x"}, rels{"environment": other, "endpoint": made.ID}))
	p.refuse(t, 422, "POST", "/webhooks", document("webhooks", object{"name": "x"}, rels{"endpoint": made.ID}))
	p.Want(t, 204, "DELETE", base+"/webhooks/"+hook.ID, nil, nil)
	p.Want(t, 204, "DELETE", base+"/endpoints/"+made.ID, nil, nil)
	if title, _, _ := p.refuse(t, 404, "GET", "/endpoints/"+made.ID, nil); title != "Endpoint with ID '"+made.ID+"' not found or user unauthorized." {
		t.Errorf("got %s", title)
	}
}

// TestIntegrationAttributes is the table of §5.4.
func TestIntegrationAttributes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	made := p.one(t, 201, "POST", "/integrations/webhooks", document("webhook-integrations", object{
		"name": "n", "url": "https://example.com", "headers": []object{
			{"name": "X-B", "value": "1"}, {"name": "X-A", "value": "k", "sensitive": true}, {"name": "X-B", "value": "2", "sensitive": false},
		},
	}, rels{"account": fileAccount}))
	key := made.Attributes["secret-key"].(string)
	if len(key) != 32 || made.Attributes["is-shared"] != false || made.rel("environments")+made.rel("events") != "" || made.Attributes["http-method"] != "POST" {
		t.Errorf("got %+v", made)
	}
	headers := func(r resource) string {
		var all []string
		for _, h := range r.Attributes["headers"].([]any) {
			header := h.(map[string]any)
			all = append(all, header["name"].(string)+"="+header["value"].(string))
		}
		return strings.Join(all, " ")
	}
	if got := headers(made); got != "X-B=1 X-A= X-B=2" {
		t.Errorf("headers %s", got)
	}
	path := "/integrations/webhooks/" + made.ID
	patch := func(attributes object, relations rels) resource {
		return p.one(t, 200, "PATCH", path, document("webhook-integrations", attributes, relations))
	}
	// Sent as shown, a sensitive header keeps its value; what is not sent stays.
	got := patch(object{"headers": []object{{"name": "X-A", "value": "", "sensitive": true}}, "is-shared": true}, rels{"environments": []string{env}})
	if headers(got) != "X-A=" || got.Attributes["is-shared"] != true || got.rel("environments") != "" {
		t.Errorf("got %+v", got)
	}
	got = patch(object{"headers": []object{{"name": "X-A", "value": "", "sensitive": false}}}, nil)
	if headers(got) != "X-A=" {
		t.Errorf("a value that was hidden is shown: %s", headers(got))
	}
	if got = patch(object{"headers": []object{}}, nil); headers(got) != "" {
		t.Errorf("got %s", headers(got))
	}
	got = patch(object{"is-shared": false, "timeout": 31536000, "max-attempts": nil}, rels{"environments": []string{env}, "events": []string{"run:needs_attention", "run:completed"}})
	if got.rel("environments") != env || got.Attributes["timeout"] != float64(31536000) || got.Attributes["max-attempts"] != float64(3) || got.rel("events") != "run:needs_attention run:completed" {
		t.Errorf("got %+v", got)
	}
	p.Want(t, 200, "PATCH", base+path, `{"data":{"type":"webhook-integrations","relationships":{}}}`, nil)
	p.Want(t, 200, "PATCH", base+path, `{"data":{}}`, nil)
	if got := patch(object{"is-shared": false}, rels{"environments": []string{}}); got.rel("environments") != "" {
		t.Errorf("got %+v", got)
	}
}

// TestRevealedSecrets is the one switch of §5.6.
func TestRevealedSecrets(t *testing.T) {
	t.Parallel()
	p, open := newPlatform(t), newPlatform(t, "--dialect-option", "scalr.reveal_secrets=true")
	shown := func(p *platform, agent string) any {
		made := p.integration(t, "https://example.com", nil)
		if made.Attributes["secret-key"] != secret {
			t.Errorf("at creation: %v", made.Attributes)
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+base+"/integrations/webhooks/"+made.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", agent)
		r.Header.Set("Prefer", "profile=preview")
		r.Header.Set("Authorization", "Bearer "+conformance.AdminToken)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.Header.Get("Preference-Applied") != "profile=preview" {
			t.Error("the preference is not acknowledged")
		}
		return decode(t, response.Body).Attributes["secret-key"]
	}
	for agent, want := range map[string]string{
		"terraform-provider-scalr/1.13.0": secret, "terraform-provider-scalr/v1.0.5": secret, "terraform-provider-scalr/3.19.0": "",
		"terraform-provider-scalr/dev": "", "go-scalr": "", "x terraform-provider-scalr/1.13.0": "",
	} {
		if got := shown(p, agent); got != want {
			t.Errorf("%s is shown %v", agent, got)
		}
		if got := shown(open, agent); got != secret {
			t.Errorf("with the setting %s is shown %v", agent, got)
		}
	}
}
