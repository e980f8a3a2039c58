package scalr_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestReplay sends every captured request body to the running program, and expects back what was sent.
func TestReplay(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env, other := p.environment(t, "my-development"), p.environment(t, "Research-Development")
	ws, ep := p.workspace(t, env, "my-example"), p.endpoint(t, env, "https://example.com/webhook", nil)
	// The files name objects of another installation.
	local := strings.NewReplacer(fileEnvironment, env, fileOther, other, fileWorkspace, ws, fileEndpoint, ep.ID)
	send := func(status int, method, path, name string) resource {
		body := local.Replace(string(file(t, "api/requests/"+name+".json")))
		got := p.one(t, status, method, path, body)
		echoes(t, name, got, body)
		return got
	}
	send(201, "POST", "/environments", "environments.create.provider-1.13")
	send(201, "POST", "/environments", "environments.create.goscalr")
	made := send(201, "POST", "/environments", "environments.create.provider-3.19")
	changed := send(200, "PATCH", "/environments/"+made.ID, "environments.update.provider-3.19")
	if changed.Attributes["remote-backend-overridable"] != true {
		t.Errorf("what was not sent changed: %v", changed.Attributes)
	}
	send(201, "POST", "/workspaces", "workspaces.create.provider-1.13")
	w := send(201, "POST", "/workspaces", "workspaces.create.provider-3.19")
	send(200, "PATCH", "/workspaces/"+w.ID, "workspaces.update.provider-3.19")

	for _, name := range []string{"endpoints.create.provider-1.13-defaults", "endpoints.create.provider-1.13-secret", "endpoints.create.provider-1.13"} {
		e := send(201, "POST", "/endpoints", name)
		if e.Attributes["max-attempts"] != float64(3) || len(e.Attributes["secret-key"].(string)) < 32 {
			t.Errorf("%s: got %v", name, e.Attributes)
		}
		send(200, "PATCH", "/endpoints/"+e.ID, "endpoints.update.provider-1.13")
	}
	hook := send(201, "POST", "/webhooks", "webhooks.create.provider-1.13")
	send(200, "PATCH", "/webhooks/"+hook.ID, "webhooks.update.provider-1.13")

	for _, name := range []string{
		"integrations-webhooks.create.goscalr-minimal", "integrations-webhooks.create.goscalr-shared", "integrations-webhooks.create.goscalr-v2",
		"integrations-webhooks.create.provider-3.19-unlinked", "integrations-webhooks.create.provider-3.19-linked",
	} {
		i := send(201, "POST", "/integrations/webhooks", name)
		for _, change := range []string{
			"integrations-webhooks.update.provider-3.19-to-shared", "integrations-webhooks.update.provider-3.19-disable-newsecret",
			"integrations-webhooks.update.goscalr-events-empty",
		} {
			send(200, "PATCH", "/integrations/webhooks/"+i.ID, change)
		}
	}
}

// echoes checks that an answer holds what the request said. Secrets are shown where they were made alone, values of
// sensitive headers nowhere (§5.4).
func echoes(t *testing.T, name string, got resource, body string) {
	t.Helper()
	var doc struct {
		Data resource `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	sent := doc.Data
	if got.Type != sent.Type {
		t.Errorf("%s: the type is %s", name, got.Type)
	}
	for attribute, value := range sent.Attributes {
		switch attribute {
		case "secret-key":
			if sent.Type == "webhook-integrations" {
				value = ""
			}
		case "headers":
			for _, h := range value.([]any) {
				if header := h.(map[string]any); header["sensitive"] == true {
					header["value"] = ""
				}
			}
		case "hooks":
			value = nil // an empty object is shown as none (§6)
		}
		if !reflect.DeepEqual(got.Attributes[attribute], value) {
			t.Errorf("%s: %s is %v, want %v", name, attribute, got.Attributes[attribute], value)
		}
	}
	for relation := range sent.Relationships {
		if g, w := got.rel(relation), sent.rel(relation); g != w {
			t.Errorf("%s: %s is %s, want %s", name, relation, g, w)
		}
	}
}

// TestAnswersHaveTheShapeOfTheFiles compares the keys and kinds of values of each answer with the sample.
func TestAnswersHaveTheShapeOfTheFiles(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "my-development")
	ws := p.workspace(t, env, "my-example")
	ep := p.endpoint(t, env, "https://example.com/webhook", nil)
	hook := p.hook(t, ep.ID, env, ws)
	shared := p.integration(t, "https://hooks.example.com/services/58320402", object{"is-shared": true})
	headers := []object{{"name": "X-Team", "value": "platform"}, {"name": "X-Api-Key", "value": "k", "sensitive": true}}
	linked := p.integration(t, "https://hooks.example.com/services/58320402", object{"headers": headers}, env)
	for _, tc := range []struct{ file, path string }{
		{"accounts.read", "/accounts/" + fileAccount},
		{"accounts.list", "/accounts?page[number]=1"},
		{"environments.read", "/environments/" + env + "?include=created-by"},
		{"environments.list", "/environments?filter[name]=my-development"},
		{"workspaces.read", "/workspaces/" + ws + "?include=created-by"},
		{"workspaces.list", "/workspaces?filter[environment]=" + env},
		{"endpoints.read", "/endpoints/" + ep.ID},
		{"endpoints.list", "/endpoints"},
		{"event-definitions.list", "/event-definitions"},
		{"webhooks.read.workspace-scope", "/webhooks/" + hook.ID},
		{"webhooks.read.of-gen2-webhook", "/webhooks/" + shared.ID},
		{"integrations-webhooks.read", "/integrations/webhooks/" + linked.ID},
		{"integrations-webhooks.read.of-gen1-webhook", "/integrations/webhooks/" + hook.ID},
		{"integrations-webhooks.read.statistics", "/integrations/webhooks/" + linked.ID + "?fields[webhook-integrations]=statistics"},
		{"empty-list", "/environments/" + env + "/relationships/federated-environments"},
		{"empty-list", "/workspaces/" + ws + "/provider-configuration-links?include=provider-configuration"},
		{"empty-list", "/workspaces/" + ws + "/relationships/remote-state-consumers?page[size]=100"},
	} {
		got := p.Want(t, 200, "GET", base+strings.NewReplacer("[", "%5B", "]", "%5D").Replace(tc.path), nil, nil).Body
		sameShape(t, tc.file, got, file(t, "api/responses/"+tc.file+".json"))
	}
	// The definitions are the platform's own words.
	got := p.list(t, "/event-definitions")
	var want page
	if err := json.Unmarshal(file(t, "api/responses/event-definitions.list.json"), &want); err != nil || !reflect.DeepEqual(got.Data, want.Data) {
		t.Errorf("got %v", got.Data)
	}
	var discovery object
	for _, token := range []string{"", "nonsense"} {
		a := p.As(t, token, "GET", "/.well-known/terraform.json", nil)
		if err := json.Unmarshal(a.Body, &discovery); err != nil || discovery["iacp.v3"] != "/api/iacp/v3/" || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s, %v", a.Body, a.Header)
		}
	}
}

// sameShape compares two documents by their keys and the kinds of their values. Who made an object is not known here, and
// times of what did not happen yet are null.
func sameShape(t *testing.T, name string, got, want []byte) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("%s: %v: %s", name, err, got)
	}
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if a, b := shape("", g), shape("", w); !reflect.DeepEqual(a, b) {
		x, _ := json.MarshalIndent(a, "", " ")
		y, _ := json.MarshalIndent(b, "", " ")
		t.Errorf("%s: got\n%s\nwant\n%s", name, x, y)
	}
}

func shape(key string, v any) any {
	switch key {
	case "created-by", "included", "last-triggered-at", "prev", "next", "prev-page", "next-page", "triggered-by":
		return "any"
	}
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, value := range v {
			out[name] = shape(name, value)
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		if key == "data" || key == "headers" {
			return []any{shape("", v[0])}
		}
		return fmt.Sprint(len(v))
	}
	return fmt.Sprintf("%T", v)
}
