package scalr_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func decode(t *testing.T, from io.Reader) resource {
	t.Helper()
	var doc struct {
		Data resource `json:"data"`
	}
	if err := json.NewDecoder(from).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc.Data
}

// TestProblems is §5.2, and what every route refuses.
func TestProblems(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env, other := p.environment(t, "one"), p.environment(t, "two")
	ws, elsewhere := p.workspace(t, env, "w"), p.workspace(t, other, "w")
	ep := p.endpoint(t, "", "https://example.com", nil)
	hook := p.hook(t, ep.ID, env, "")
	in := p.integration(t, "https://example.com", nil)
	const gone = "not found or user unauthorized."
	integration := func(attributes object, relations rels) object {
		all := object{"name": "n", "url": "https://example.com"}
		for name, value := range attributes {
			all[name] = value
		}
		return document("webhook-integrations", all, relations)
	}
	header := func(name, value string) object {
		return integration(object{"headers": []object{{"name": "X-Fine", "value": "v"}, {"name": name, "value": value}}}, nil)
	}
	webhook := func(relations rels) object { return document("webhooks", object{"name": "n"}, relations) }
	for _, tc := range []struct {
		method, path           string
		body                   any
		status                 int
		title, detail, pointer string
	}{
		{"GET", "/webhooks/notexisting", nil, 404, "Webhook with ID 'notexisting' " + gone, "", ""},
		{"GET", "/integrations/webhooks/wh-nonexisting", nil, 404, "Webhook with ID 'wh-nonexisting' " + gone, "", ""},
		{"GET", "/webhooks/" + env, nil, 404, "Webhook with ID '" + env + "' " + gone, "", ""},
		{"GET", "/webhooks/wh-a%25sb", nil, 404, "Webhook with ID 'wh-asb' " + gone, "", ""},
		{"GET", "/environments/x", nil, 404, "Environment with ID 'x' " + gone, "", ""},
		{"GET", "/workspaces/x", nil, 404, "Workspace with ID 'x' " + gone, "", ""},
		{"GET", "/accounts/x", nil, 404, "Account with ID 'x' " + gone, "", ""},
		{"GET", "/endpoints/x", nil, 404, "Endpoint with ID 'x' " + gone, "", ""},
		{"GET", "/integrations/webhook-deliveries/wd-x", nil, 404, "Delivery with ID 'wd-x' " + gone, "", ""},
		{"GET", "/integrations/slack", nil, 404, "Resource not found.", "", ""},
		{"POST", "/runs", "{}", 404, "Resource not found.", "", ""},
		{"PUT", "/webhooks", "{}", 405, "Method Not Allowed", "This resource takes GET, POST.", ""},
		{"POST", "/integrations/webhook-deliveries", "{}", 405, "Method Not Allowed", "This resource takes GET.", ""},
		{"POST", "/integrations/webhooks", integration(nil, rels{"environments": []string{env, "env-x"}}), 404, "Invalid Relationship", "Relationship 'environments' with ID 'env-x' " + gone, "/data/relationships/environments"},
		{"POST", "/integrations/webhooks", integration(nil, rels{"events": []string{"run:created"}}), 404, "Invalid Relationship", "Relationship 'events' with ID 'run:created' " + gone, "/data/relationships/events"},
		{"POST", "/integrations/webhooks", integration(nil, rels{"account": "acc-x"}), 404, "Invalid Relationship", "Account with ID 'acc-x' " + gone, "/data/relationships/account"},
		{"POST", "/webhooks", webhook(rels{"endpoint": ep.ID, "environment": "env-x"}), 404, "Invalid Relationship", "Environment with ID 'env-x' " + gone, "/data/relationships/environment"},
		{"POST", "/webhooks", webhook(rels{"endpoint": ep.ID, "workspace": "ws-x"}), 404, "Invalid Relationship", "Workspace with ID 'ws-x' " + gone, "/data/relationships/workspace"},
		{"POST", "/webhooks", webhook(rels{"endpoint": "ep-x"}), 404, "Invalid Relationship", "Endpoint with ID 'ep-x' " + gone, "/data/relationships/endpoint"},
		{"POST", "/webhooks", webhook(nil), 422, "Invalid Relationship", "Endpoint is required.", "/data/relationships/endpoint"},
		{"POST", "/webhooks", webhook(rels{"endpoint": ep.ID, "environment": env, "workspace": elsewhere}), 422, "Invalid Relationship", "The workspace is of another environment.", "/data/relationships/workspace"},
		{"PATCH", "/webhooks/" + hook.ID, document("webhooks", object{}, rels{"endpoint": nil}), 422, "Invalid Relationship", "Endpoint is required.", "/data/relationships/endpoint"},
		{"POST", "/webhooks", document("webhooks", object{"name": " \t"}, rels{"endpoint": ep.ID}), 422, "Invalid Attribute", "Name cannot be empty.", "/data/attributes/name"},
		{"POST", "/endpoints", document("endpoints", object{"url": "https://a.example"}, nil), 422, "Invalid Attribute", "Name cannot be empty.", "/data/attributes/name"},
		{"POST", "/endpoints", document("endpoints", object{"name": strings.Repeat("ä", 256), "url": "https://a.example"}, nil), 422, "Invalid Attribute", "Name is too long (maximum is 255 characters).", "/data/attributes/name"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n"}, nil), 422, "Invalid Attribute", "Url cannot be empty.", "/data/attributes/url"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "ftp://a.example"}, nil), 422, "Invalid Attribute", "", "/data/attributes/url"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https:///x"}, nil), 422, "Invalid Attribute", "", "/data/attributes/url"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https://a.example/" + strings.Repeat("x", 2048)}, nil), 422, "Invalid Attribute", "", "/data/attributes/url"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https://a.example", "timeout": -1}, nil), 422, "Invalid Attribute", "", "/data/attributes/timeout"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https://a.example", "timeout": "15"}, nil), 422, "Invalid Attribute", "", "/data/attributes/timeout"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https://a.example", "max-attempts": 0}, nil), 422, "Invalid Attribute", "", "/data/attributes/max-attempts"},
		{"POST", "/endpoints", document("endpoints", object{"name": "n", "url": "https://a.example", "secret-key": strings.Repeat("k", 513)}, nil), 422, "Invalid Attribute", "", "/data/attributes/secret-key"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhook-integrations", object{"name": nil}, nil), 422, "Invalid Attribute", "Name cannot be empty.", "/data/attributes/name"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhook-integrations", object{"url": nil}, nil), 422, "Invalid Attribute", "Url cannot be empty.", "/data/attributes/url"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhook-integrations", object{"enabled": nil}, nil), 422, "Invalid Attribute", "", "/data/attributes/enabled"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhook-integrations", object{"is-shared": nil}, nil), 422, "Invalid Attribute", "", "/data/attributes/is-shared"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhook-integrations", object{"enabled": "true"}, nil), 422, "Invalid Attribute", "", "/data/attributes/enabled"},
		{"POST", "/integrations/webhooks", header("Host", "x"), 422, "Invalid Attribute", "", "/data/attributes/headers/1"},
		{"POST", "/integrations/webhooks", header("x-signature", "x"), 422, "Invalid Attribute", "", "/data/attributes/headers/1"},
		{"POST", "/integrations/webhooks", header("CONTENT-type", "x"), 422, "Invalid Attribute", "", "/data/attributes/headers/1"},
		{"POST", "/integrations/webhooks", header("X Y", "x"), 422, "Invalid Attribute", "", "/data/attributes/headers/1"},
		{"POST", "/integrations/webhooks", header("X-Y", "a\r\nX-Z: b"), 422, "Invalid Attribute", "", "/data/attributes/headers/1"},
		{"POST", "/integrations/webhooks", integration(object{"headers": object{"X-A": "b"}}, nil), 422, "Invalid Attribute", "", "/data/attributes/headers"},
		{"POST", "/environments", document("environments", object{"name": "one"}, rels{"account": fileAccount}), 422, "Invalid Attribute", "Name has already been taken.", "/data/attributes/name"},
		{"POST", "/workspaces", document("workspaces", object{"name": "w"}, rels{"environment": env}), 422, "Invalid Attribute", "Name has already been taken.", "/data/attributes/name"},
		{"POST", "/workspaces", document("workspaces", object{"name": "a b"}, rels{"environment": env}), 422, "Invalid Attribute", "", "/data/attributes/name"},
		{"POST", "/workspaces", document("workspaces", object{"name": "v"}, nil), 422, "Invalid Relationship", "Environment is required.", "/data/relationships/environment"},
		{"DELETE", "/environments/" + env, nil, 409, "Conflict", "The environment has workspaces.", ""},
		{"POST", "/webhooks", document("webhook", object{"name": "n"}, nil), 409, "Conflict", "", "/data/type"},
		{"PATCH", "/integrations/webhooks/" + in.ID, document("webhooks", object{}, nil), 409, "Conflict", "", "/data/type"},
		{"POST", "/webhooks", "nonsense", 400, "Bad Request", "The body is not a JSON:API document.", ""},
		{"POST", "/webhooks", "", 400, "Bad Request", "", ""},
		{"POST", "/webhooks", "{}", 400, "Bad Request", "The document has no data.", ""},
		{"POST", "/webhooks", `{"data":{"type":"webhooks","attributes":{"name":"n"},"relationships":{"endpoint":{"data":[1]}}}}`, 400, "Bad Request", "", ""},
		{"POST", "/webhooks", `{"data":{"type":"webhooks","attributes":{"name":"` + strings.Repeat("x", 1<<20) + `"}}}`, 413, "Request too large", "", ""},
		{"GET", "/integrations/webhooks?filter%5Bfoo%5D=1", nil, 400, "Invalid Query Parameter", "Unknown filter.", "filter[foo]"},
		{"GET", "/integrations/webhooks?filter%5Bworkspace%5D=1", nil, 400, "Invalid Query Parameter", "Unknown filter.", "filter[workspace]"},
		{"GET", "/webhooks?filter%5Benabled%5D=yes", nil, 400, "Invalid Query Parameter", "", "filter[enabled]"},
		{"GET", "/webhooks?sort=url", nil, 400, "Invalid Query Parameter", "Unknown sort key.", "sort"},
		{"GET", "/webhooks?page%5Bnumber%5D=two", nil, 400, "Invalid Query Parameter", "", "page[number]"},
		{"GET", "/webhooks?page%5Bsize%5D=0", nil, 400, "Invalid Query Parameter", "", "page[size]"},
	} {
		title, detail, pointer := p.refuse(t, tc.status, tc.method, tc.path, tc.body)
		if title != tc.title || pointer != tc.pointer || (tc.detail != "" && detail != tc.detail) || strings.Contains(title+detail, "%") {
			t.Errorf("%s %s: got %q, %q, %q", tc.method, tc.path, title, detail, pointer)
		}
	}
	if title, _, _ := p.refuseAs(t, "", 401, "GET", "/webhooks", nil); title != "Unauthorized" {
		t.Errorf("got %s", title)
	}
	p.refuseAs(t, "wrong", 401, "GET", "/nowhere", nil)
	_ = ws
}

// TestLists is what all lists have in common (§5.1).
func TestLists(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	for _, name := range []string{"b", "ab", "B", "c"} {
		p.integration(t, "https://"+strings.ToLower(name)+".example", object{"name": name})
	}
	for i := range 21 {
		p.integration(t, "https://many.example", object{"name": "many-" + string(rune('a'+i)), "enabled": i%2 == 0}, env)
	}
	first := p.list(t, "/integrations/webhooks")
	if m := first.Meta.Pagination; len(first.Data) != 20 || m["next-page"] != float64(2) || m["prev-page"] != nil || m["total-pages"] != float64(2) || m["total-count"] != float64(25) || m["page-size"] != float64(20) {
		t.Errorf("got %v", m)
	}
	if first.Data[0].Attributes["name"] != "many-u" {
		t.Errorf("the newest is not the first: %s", first.names())
	}
	last := p.list(t, "/integrations/webhooks", "page[number]", "2")
	if m := last.Meta.Pagination; len(last.Data) != 5 || m["next-page"] != nil || m["prev-page"] != float64(1) {
		t.Errorf("got %v", m)
	}
	if link, _ := last.Links["prev"].(string); link != base+"/integrations/webhooks?page%5Bnumber%5D=1&page%5Bsize%5D=20" {
		t.Errorf("got %v", last.Links)
	}
	if beyond := p.list(t, "/integrations/webhooks", "page[number]", "9", "page[size]", "500"); len(beyond.Data) != 0 || beyond.Meta.Pagination["page-size"] != float64(100) || beyond.Meta.Pagination["total-pages"] != float64(1) {
		t.Errorf("got %v", beyond.Meta)
	}
	if empty := p.list(t, "/integrations/webhooks", "filter[account]", "acc-unknown"); len(empty.Data) != 0 || empty.Meta.Pagination["total-pages"] != float64(1) || empty.Included == nil {
		t.Errorf("got %+v", empty)
	}
	for query, want := range map[string]string{"B": "B ab b", "b": "b B ab", "zz": ""} {
		if got := p.list(t, "/integrations/webhooks", "query", query, "filter[event]", "run:completed", "filter[enabled]", "true").names(); got != want {
			t.Errorf("query=%s: %s", query, got)
		}
	}
	if got := p.list(t, "/integrations/webhooks", "sort", "-url,name", "page[size]", "100", "filter[environment]", env, "filter[enabled]", "false").names(); got != "many-b many-d many-f many-h many-j many-l many-n many-p many-r many-t" {
		t.Errorf("got %s", got)
	}
	if got := p.list(t, "/webhooks", "filter[webhook][enabled]", "false", "page[size]", "100"); len(got.Data) != 10 {
		t.Errorf("got %s", got.names())
	}
	if got := p.list(t, "/integrations/webhooks", "include", "environments,account,unknown", "query", "many-a"); len(got.Included) != 2 {
		t.Errorf("included %+v", got.Included)
	}
	if got := p.list(t, "/event-definitions"); got.Meta.Pagination["total-count"] != float64(3) {
		t.Errorf("got %v", got.Meta)
	}
	if got := p.list(t, "/environments", "filter[name]", "in:one,two"); got.names() != "one" {
		t.Errorf("got %s", got.names())
	}
	if got := p.list(t, "/environments", "filter[name]", "like:N"); got.names() != "one" {
		t.Errorf("got %s", got.names())
	}
	if got := p.list(t, "/environments", "filter[tag]", "in:tag-1"); len(got.Data) != 0 {
		t.Errorf("got %s", got.names())
	}
}
