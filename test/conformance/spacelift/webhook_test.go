package spacelift_test

import (
	"strings"
	"testing"

	"carillon/test/conformance"
)

// TestWebhookInputs is section 5.4 for stack webhooks, seen in what is shown and in what is signed.
func TestWebhookInputs(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	stack := p.stack(t, "Network")
	id := p.webhook(t, stack, sink.URL, "first", nil)
	if len(id) != 26 || strings.Contains(id, "/") {
		t.Errorf("the identifier is %q", id)
	}
	n := 0
	signed := func(secret string) {
		t.Helper()
		n++
		p.Want(t, 202, "POST", "/v1/events", event("Network", "r-"+string(rune('a'+n)), "pending", nil), nil)
		verified(t, sink.Wait(t, n)[n-1], secret)
	}
	signed("first")
	for _, c := range []struct {
		what  string
		input object
		shown object
		key   string
	}{
		{"an empty secret stays", object{"enabled": true, "endpoint": sink.URL, "secret": "", "retryOnFailure": true}, object{"retryOnFailure": true}, "first"},
		{"null stays", object{"enabled": true, "endpoint": sink.URL, "secret": nil, "retryOnFailure": false}, object{"retryOnFailure": false}, "first"},
		{"none stays", object{"enabled": true, "endpoint": sink.URL}, object{"retryOnFailure": nil}, "first"},
		{"another replaces", object{"enabled": true, "endpoint": sink.URL, "secret": "second"}, object{"retryOnFailure": nil}, "second"},
	} {
		p.run(t, updateWebhook, object{"stack": stack, "webhook": id, "input": c.input})
		want := object{"id": id, "enabled": true, "endpoint": sink.URL, "secret": "", "retryOnFailure": c.shown["retryOnFailure"]}
		same(t, c.what, p.webhooks(t, stack), []object{want})
		signed(c.key)
	}
	// A6: off and on again keeps the webhook and its secret.
	p.run(t, updateWebhook, object{"stack": stack, "webhook": id, "input": object{"enabled": false, "endpoint": sink.URL}})
	p.Want(t, 202, "POST", "/v1/events", event("Network", "off", "pending", nil), nil)
	p.run(t, updateWebhook, object{"stack": stack, "webhook": id, "input": object{"enabled": true, "endpoint": sink.URL}})
	signed("second")
	same(t, "the deleted one", p.run(t, deleteWebhook, object{"stack": stack, "webhook": id}), object{"id": id})
	same(t, "what is left", p.webhooks(t, stack), []object{})
}

// TestWebhookRules is section 5.5 for stack webhooks.
func TestWebhookRules(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	stack := p.stack(t, "Network")
	p.stack(t, "Other")
	first := p.webhook(t, stack, "https://hooks.example.test/1", "s", nil)
	second := p.webhook(t, stack, "https://hooks.example.test/2", "s", nil)
	p.webhook(t, "other", "https://hooks.example.test/1", "s", nil) // unique within its stack only
	create := func(stack, endpoint string) object {
		return object{"stack": stack, "input": object{"enabled": true, "endpoint": endpoint}}
	}
	const valid, taken = "endpoint must be a valid URL", "a webhook with this endpoint already exists on this stack"
	for endpoint, want := range map[string]string{
		"": valid, "hooks.example.test": valid, "/hook": valid, "ftp://a.example.test": valid, "https:/invalidendpoint.com/": valid,
		"https://": valid, "https://a.example.test/" + strings.Repeat("x", 2048): valid, "mailto:a@example.test": valid, "https://a.example.test/\n": valid,
		"https://hooks.example.test/1": taken,
	} {
		p.wantMessage(t, want, createWebhook, create(stack, endpoint))
	}
	p.wantMessage(t, `stack or module "absent" does not exist`, createWebhook, create("absent", "https://hooks.example.test/"))
	update := func(id, endpoint string) object {
		return object{"stack": stack, "webhook": id, "input": object{"enabled": true, "endpoint": endpoint}}
	}
	p.wantMessage(t, taken, updateWebhook, update(second, "https://hooks.example.test/1"))
	p.wantMessage(t, `webhook "absent" does not exist`, updateWebhook, update("absent", "https://hooks.example.test/3"))
	p.wantMessage(t, `webhook "absent" does not exist`, deleteWebhook, object{"stack": stack, "webhook": "absent"})
	p.wantMessage(t, `webhook "`+first+`" does not exist`, deleteWebhook, object{"stack": "other", "webhook": first})
	p.wantMessage(t, `stack or module "absent" does not exist`, deleteWebhook, object{"stack": "absent", "webhook": first})
	// Endpoints are exact strings; a disabled webhook keeps its own, and no address is contacted or refused when saving.
	p.run(t, updateWebhook, object{"stack": stack, "webhook": first, "input": object{"enabled": false, "endpoint": "https://hooks.example.test/1"}})
	p.wantMessage(t, taken, createWebhook, create(stack, "https://hooks.example.test/1"))
	for _, endpoint := range []string{"https://hooks.example.test/1?", "https://HOOKS.example.test/1", "http://10.0.0.1/", "http://127.0.0.1:1/x", "http://169.254.169.254/latest"} {
		p.run(t, createWebhook, create(stack, endpoint))
	}
	if got := p.webhooks(t, stack); len(got) != 7 || got[0]["id"] != first {
		t.Errorf("got %v", got)
	}
}

// TestDisabledAtCreation is trap 6: the truth is answered.
func TestDisabledAtCreation(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	stack := p.stack(t, "Network")
	input := object{"stack": stack, "input": object{"enabled": false, "endpoint": "https://hooks.example.test/", "secret": "s"}}
	if made := p.run(t, createWebhook, input).(object); made["enabled"] != false {
		t.Errorf("got %v", made)
	}
	p.wantMessage(t, "a webhook with this endpoint already exists on this stack", createWebhook, input)
}

// TestSecretRotation is trap 5: a client deletes before it creates, so the endpoint is free.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	stack := p.stack(t, "Network")
	id := p.webhook(t, stack, "https://hooks.example.test/", "one", nil)
	p.run(t, deleteWebhook, object{"stack": stack, "webhook": id})
	if again := p.webhook(t, stack, "https://hooks.example.test/", "two", nil); again == id {
		t.Error("the identifier came back")
	}
}

// TestWhoMayDoWhat is section 5.2 and A4.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	stack := p.stack(t, "Network")
	hook := p.webhook(t, stack, "https://hooks.example.test/", secret, nil)
	p.run(t, createNamed, object{"input": namedInput("alerts", "legacy")})
	for _, role := range []string{"reader", "writer"} {
		jwt := p.exchange(t, p.apiKey(t, role))
		shown := p.ask(t, jwt, readWebhooks, object{"id": stack}).data(t)
		same(t, role, shown, object{"stack": object{"integrations": object{"webhooks": []object{
			{"id": hook, "enabled": true, "endpoint": "https://hooks.example.test/", "secret": "", "retryOnFailure": nil},
		}}}})
		for _, mutation := range []string{
			`mutation{stackDelete(id:"network"){id}}`, `mutation{webhooksIntegrationDelete(stack:"network",id:"` + hook + `"){id}}`,
			`mutation{namedWebhooksIntegrationDelete(id:"alerts"){id}}`, `mutation{spaceCreate(input:{name:"a",description:"",inheritEntities:true,parentSpace:"root"}){id}}`,
			`mutation{auditTrailSetWebhook(input:{enabled:false,endpoint:"https://a.example.test",includeRuns:true,secret:""}){enabled}}`,
			`mutation{policyCreatev2(input:{name:"a",body:"package spacelift",type:NOTIFICATION}){id}}`,
			`mutation{webhooksIntegrationCreate(stack:"network",input:{enabled:true,endpoint:"https://b.example.test"}){id}}`,
		} {
			if got := p.ask(t, jwt, mutation, nil); got.status != 200 || !strings.HasPrefix(got.message(), "unauthorized") {
				t.Errorf("%s, %s: got %d, %s", role, mutation, got.status, got.raw)
			}
		}
	}
	// Who has rights on one workspace only.
	var spaces struct{ Items []struct{ ID, Name string } }
	p.Want(t, 200, "GET", "/v1/workspaces?organization=acme", nil, &spaces)
	p.stack(t, "Hidden")
	var made struct{ ID, Token string }
	p.Want(t, 201, "POST", "/v1/tokens", object{"name": "one", "grants": []object{{"organization": "acme", "workspace": "Network", "role": "admin"}}}, &made)
	jwt := p.exchange(t, apiKey{made.ID, made.Token})
	same(t, "what it sees", p.ask(t, jwt, `{hidden:stack(id:"hidden"){id} network:stack(id:"network"){id} stacks{id}}`, nil).data(t), object{
		"hidden": nil, "network": object{"id": "network"}, "stacks": []object{{"id": "network"}},
	})
	p.ask(t, jwt, createWebhook, object{"stack": "network", "input": object{"enabled": true, "endpoint": "https://c.example.test/"}}).data(t)
	if got := p.ask(t, jwt, createWebhook, object{"stack": "hidden", "input": object{"enabled": true, "endpoint": "https://c.example.test/"}}); got.message() != `stack or module "hidden" does not exist` {
		t.Errorf("got %s", got.raw)
	}
}

func namedInput(name, space string) object {
	return object{"enabled": true, "endpoint": "https://hooks.example.test/" + name, "space": space, "name": name}
}
