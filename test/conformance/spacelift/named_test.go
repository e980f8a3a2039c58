package spacelift_test

import (
	"strings"
	"testing"
)

const (
	readNamed     = `query($id:ID!){namedWebhooksIntegration(id: $id){id,enabled,endpoint,space{id},name,secret,secretHeaders,labels,retryOnFailure}}`
	updateNamed   = `mutation($id:ID!$input:NamedWebhooksIntegrationInput!){namedWebhooksIntegrationUpdate(id: $id, input: $input){id,name,labels,retryOnFailure,space{id},enabled}}`
	setHeaders    = `mutation($id:ID!$input:NamedWebhookHeaderInput!){namedWebhooksIntegrationSetHeaders(id: $id, input: $input){id}}`
	deleteHeaders = `mutation($headerKeys:[String!]!$id:ID!){namedWebhooksIntegrationDeleteHeaders(id: $id, headerKeys: $headerKeys){id}}`
)

func entries(pairs ...string) object {
	list := []object{}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, object{"key": pairs[i], "value": pairs[i+1]})
	}
	return object{"entries": list}
}

// TestNamedWebhooks is what section 5.4, 5.5 and 6 say of them.
func TestNamedWebhooks(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	create := func(change object) object {
		input := namedInput("Alerts (prod)", "root")
		for name, value := range change {
			input[name] = value
		}
		return object{"input": input}
	}
	same(t, "the first", p.run(t, createNamed, create(nil)), object{"id": "alerts-prod", "enabled": true})
	for _, c := range []struct {
		change object
		want   string
	}{
		{nil, `a named webhook with the ID "alerts-prod" already exists`},
		{object{"name": "ALERTS prod!"}, `a named webhook with the ID "alerts-prod" already exists`},
		{object{"name": "!!!"}, "name must contain at least one letter or digit"},
		{object{"name": strings.Repeat("a", 256)}, "name must contain at least one letter or digit"},
		{object{"endpoint": "nowhere"}, "endpoint must be a valid URL"},
		{object{"space": "absent"}, `space "absent" does not exist`},
	} {
		p.wantMessage(t, c.want, createNamed, create(c.change))
	}
	// Endpoints of named webhooks may repeat.
	p.run(t, createNamed, create(object{"name": "abc12", "enabled": false}))
	same(t, "abc12", p.run(t, readNamed, object{"id": "abc12"}).(object)["enabled"], false)

	// Renaming keeps the identifier; null labels are none; the webhook moves.
	same(t, "renamed", p.run(t, updateNamed, object{"id": "alerts-prod", "input": object{
		"enabled": true, "endpoint": "https://hooks.example.test/2", "space": "legacy", "name": "Renamed", "labels": nil, "retryOnFailure": false,
	}}), object{"id": "alerts-prod", "name": "Renamed", "labels": []string{}, "retryOnFailure": false, "space": object{"id": "legacy"}, "enabled": true})

	// Headers: an upsert of those named, names compared without case, values never shown, unknown ones ignored.
	p.run(t, setHeaders, object{"id": "alerts-prod", "input": entries("X-One", "1", "X-Two", "")})
	p.run(t, setHeaders, object{"id": "alerts-prod", "input": entries("x-ONE", "other", "X-Three", "3")})
	p.run(t, deleteHeaders, object{"id": "alerts-prod", "headerKeys": []string{"x-three", "X-Unknown"}})
	shown := p.run(t, readNamed, object{"id": "alerts-prod"}).(object)
	same(t, "headers", shown["secretHeaders"], []string{"X-Two", "x-ONE"})
	same(t, "the secret", shown["secret"], "")
	for key, want := range map[string]string{
		"X-Signature": `header "X-Signature" is not allowed`, "x-signature-256": `header "x-signature-256" is not allowed`,
		"Host": `header "Host" is not allowed`, "Content-Length": `header "Content-Length" is not allowed`,
		"transfer-encoding": `header "transfer-encoding" is not allowed`, "Connection": `header "Connection" is not allowed`,
		"two words": `header "two words" is not allowed`, "": `header "" is not allowed`,
	} {
		p.wantMessage(t, want, setHeaders, object{"id": "alerts-prod", "input": entries(key, "v")})
	}
	p.wantMessage(t, `invalid value for header "X-A"`, setHeaders, object{"id": "alerts-prod", "input": entries("X-A", "a\r\nb")})
	p.wantMessage(t, `webhook "absent" does not exist`, setHeaders, object{"id": "absent", "input": entries("X-A", "a")})
	p.wantMessage(t, `webhook "absent" does not exist`, `mutation{namedWebhooksIntegrationDelete(id:"absent"){id}}`, nil)
	p.wantMessage(t, `webhook "absent" does not exist`, updateNamed, object{"id": "absent", "input": namedInput("a", "root")})

	list := p.run(t, `{namedWebhooksIntegrations{id,createdAt}}`, nil).([]any)
	if len(list) != 2 || list[0].(object)["id"] != "abc12" || list[0].(object)["createdAt"].(float64) < 1e9 {
		t.Errorf("got %v", list)
	}
}

// TestValueWriteOnly is trap 7: the client's empty value is taken and kept.
func TestValueWriteOnly(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.run(t, createNamed, object{"input": namedInput("a", "root")})
	p.run(t, setHeaders, object{"id": "a", "input": entries("X-Api-Key", "")})
	same(t, "headers", p.run(t, readNamed, object{"id": "a"}).(object)["secretHeaders"], []string{"X-Api-Key"})
}
