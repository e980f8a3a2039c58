package spacelift_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// claims reads a token as the platform's clients do: without verifying it.
func claims(t *testing.T, jwt string) object {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a JWT", jwt)
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c object
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSigningIn is section 7.
func TestSigningIn(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	ops := newOperations(t)
	for _, o := range ops[:2] {
		got := p.ask(t, "", o.Query, object{"id": p.key.ID, "secret": p.key.Secret}).data(t)["apiKeyUser"].(object)
		jwt := got["jwt"].(string)
		c := claims(t, jwt)
		if c["aud"] != p.URL || c["iss"] != "api-key" || !strings.HasPrefix(c["sub"].(string), "api::") || len(c["sub"].(string)) != 31 {
			t.Errorf("got %v", c)
		}
		if life := c["exp"].(float64) - c["iat"].(float64); life != (10 * time.Hour).Seconds() {
			t.Errorf("the token lives %v s", life)
		}
		if until, asked := got["validUntil"]; asked && until != c["exp"] {
			t.Errorf("validUntil is %v, exp is %v", until, c["exp"])
		}
		viewer := p.ask(t, jwt, "{viewer{id,name,login,admin}}", nil).data(t)["viewer"].(object)
		same(t, "viewer", viewer, object{"id": c["sub"], "login": c["sub"], "name": "admin key", "admin": true})
	}
	// The identifier in the platform's spelling, and with the account behind it.
	ulid := strings.TrimPrefix(claims(t, p.jwt)["sub"].(string), "api::")
	for _, id := range []string{ulid, strings.ToLower(ulid), ulid + "@acme", p.key.ID + "@acme"} {
		p.exchange(t, apiKey{id, p.key.Secret})
	}
	for _, wrong := range []object{
		{"id": p.key.ID, "secret": "wrong"}, {"id": ulid[:25] + "0", "secret": p.key.Secret}, {"id": "", "secret": ""},
	} {
		same(t, "a wrong key", p.ask(t, "", ops[0].Query, wrong).raw, ops[0].Other[0].Response)
	}
	if got := p.ask(t, "", ops[0].Query, object{"id": ulid + "@other", "secret": p.key.Secret}); !strings.Contains(got.message(), `"other"`) {
		t.Errorf("got %s", got.raw)
	}
}

// TestSeveralAccounts: a key that reaches several names the one that it means.
func TestSeveralAccounts(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	var other struct{ ID string }
	p.Want(t, 201, "POST", "/v1/organizations", object{"name": "other"}, &other)
	both := p.apiKey(t, "admin", object{"organization": "other", "role": "reader"})
	query := newOperations(t)[0].Query
	if got := p.ask(t, "", query, object{"id": both.ID, "secret": both.Secret}); !strings.Contains(got.message(), "<key ID>@<account>") {
		t.Errorf("got %s", got.raw)
	}
	for _, account := range []string{"acme", "other"} {
		jwt := p.exchange(t, apiKey{both.ID + "@" + account, both.Secret})
		same(t, "the account", p.ask(t, jwt, "{name}", nil).data(t), object{"name": account})
	}
	jwt := p.exchange(t, apiKey{both.ID + "@other", both.Secret})
	if got := p.ask(t, jwt, createSpace, object{"input": spaceInput("x", "root")}); !strings.HasPrefix(got.message(), "unauthorized") {
		t.Errorf("a reader made a space: %s", got.raw)
	}
	// The account's own objects only.
	p.stack(t, "mine")
	same(t, "stacks of another account", p.ask(t, jwt, "{stacks{id}}", nil).data(t), object{"stacks": []any{}})
}

// TestWithoutAToken: everything but the exchange, viewer and oauthUser begins its message with "unauthorized".
func TestWithoutAToken(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	revoked := p.apiKey(t, "admin")
	jwt := p.exchange(t, revoked)
	p.Want(t, 204, "DELETE", "/v1/tokens/"+revoked.ID, nil, nil)
	forged := p.jwt[:len(p.jwt)-4] + "AAAA"
	for _, token := range []string{"", "nonsense", forged, jwt, strings.Replace(p.jwt, ".", "..", 1)} {
		for _, query := range []string{
			"{name}", "{stack(id:\"a\"){id}}", "{stacks{id}}", "{debugInfo{selfHostedVersion}}", "mutation{stackDelete(id:\"a\"){id}}",
			"mutation{auditTrailDeleteWebhook{enabled}}",
		} {
			if got := p.ask(t, token, query, nil); got.status != 200 || !strings.HasPrefix(got.message(), "unauthorized") {
				t.Errorf("%s: got %d, %s", query, got.status, got.raw)
			}
		}
		same(t, "viewer", p.ask(t, token, "{viewer{id}}", nil).data(t), object{"viewer": nil})
		if got := p.ask(t, token, "{__schema{types{name}}}", nil); strings.Contains(string(got.raw), "Stack") {
			t.Errorf("the schema is shown: %s", got.raw)
		}
	}
	same(t, "oauthUser", p.ask(t, "", `mutation{oauthUser(token:"a"){id}}`, nil).data(t), object{"oauthUser": nil})
}

// TestWrongKeysAreLimited: 20 failures in a minute from one address; what succeeds is never limited.
func TestWrongKeysAreLimited(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	query := newOperations(t)[0].Query
	for range 25 {
		p.exchange(t, p.key)
	}
	for range 20 {
		p.ask(t, "", query, object{"id": "x", "secret": "y"}).data(t)
	}
	got := p.ask(t, "", query, object{"id": p.key.ID, "secret": p.key.Secret})
	if got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("got %d, %v", got.status, got.header)
	}
	p.ask(t, p.jwt, "{name}", nil).data(t)
}

func newOperations(t *testing.T) []operation {
	t.Helper()
	var all []operation
	if err := json.Unmarshal(file(t, "operations.json"), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func spaceInput(name, parent string) object {
	return object{"name": name, "description": "", "inheritEntities": true, "parentSpace": parent}
}
