package scalr_test

import (
	"net/http"
	"strings"
	"testing"

	"carillon/test/conformance"
)

// token makes a token with one role somewhere in the account.
func (p *platform) token(t *testing.T, role, project, workspace string) string {
	t.Helper()
	var made struct {
		Token string `json:"token"`
	}
	grant := object{"organization": "mainiacp", "role": role}
	if project != "" {
		grant["project"] = project
	}
	if workspace != "" {
		grant["workspace"] = workspace
	}
	p.Want(t, 201, "POST", "/v1/tokens", object{"name": role + project + workspace, "grants": []object{grant}}, &made)
	return made.Token
}

// TestRights is §7: what one may not do is not there.
func TestRights(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	one, two := p.environment(t, "one"), p.environment(t, "two")
	w := p.workspace(t, one, "w")
	ofOne, ofAll := p.endpoint(t, one, "https://one.example/secret-path", nil).ID, p.endpoint(t, "", "https://all.example/secret-path", nil).ID
	ofTwo := p.endpoint(t, two, "https://two.example", nil).ID
	hook := p.hook(t, ofOne, "", w)
	shared := p.integration(t, "https://shared.example/secret-path", object{"is-shared": true, "headers": []object{{"name": "X-A", "value": "plain"}}})
	account, reader := p.token(t, "admin", "", ""), p.token(t, "reader", "", "")
	environment, workspace := p.token(t, "admin", "one", ""), p.token(t, "admin", "one", "w")
	stranger := func() string {
		var made struct {
			Token string `json:"token"`
		}
		p.Want(t, 201, "POST", "/v1/organizations", object{"name": "other"}, nil)
		p.Want(t, 201, "POST", "/v1/tokens", object{"name": "s", "grants": []object{{"organization": "other", "role": "owner"}}}, &made)
		return made.Token
	}()
	integration := func(environments ...string) object {
		return document("webhook-integrations", object{"name": "n", "url": "https://a.example"}, rels{"account": fileAccount, "environments": environments})
	}
	webhook := func(relations rels) object { return document("webhooks", object{"name": "n"}, relations) }
	endpoint := func(environment string) object {
		return document("endpoints", object{"name": "n", "url": "https://a.example"}, rels{"account": fileAccount, "environment": environment})
	}
	rename := func(kind string) object { return document(kind, object{"name": "renamed"}, nil) }
	for _, tc := range []struct {
		what         string
		method, path string
		body         any
		status       [5]int // account, environment, workspace, reader, stranger
	}{
		{"read a shared webhook", "GET", "/integrations/webhooks/" + shared.ID, nil, [5]int{200, 404, 404, 200, 404}},
		{"read a workspace's", "GET", "/webhooks/" + hook.ID, nil, [5]int{200, 200, 200, 200, 404}},
		{"change a shared webhook", "PATCH", "/integrations/webhooks/" + shared.ID, rename("webhook-integrations"), [5]int{200, 404, 404, 404, 404}},
		{"change a workspace's", "PATCH", "/webhooks/" + hook.ID, rename("webhooks"), [5]int{200, 200, 200, 404, 404}},
		{"take its endpoint away", "PATCH", "/integrations/webhooks/" + hook.ID, document("webhook-integrations", object{"is-shared": true}, nil), [5]int{0, 404, 404, 404, 404}},
		{"make one for the account", "POST", "/integrations/webhooks", integration(), [5]int{201, 404, 404, 404, 404}},
		{"make one for the environment", "POST", "/integrations/webhooks", integration(one), [5]int{201, 201, 404, 404, 404}},
		{"make one for both", "POST", "/integrations/webhooks", integration(one, two), [5]int{201, 404, 404, 404, 404}},
		{"make one with an endpoint in the workspace", "POST", "/webhooks", webhook(rels{"account": fileAccount, "endpoint": ofOne, "workspace": w}), [5]int{201, 201, 201, 404, 404}},
		{"with an endpoint of the account", "POST", "/webhooks", webhook(rels{"account": fileAccount, "endpoint": ofAll, "workspace": w}), [5]int{201, 201, 201, 404, 404}},
		{"with an endpoint of elsewhere", "POST", "/webhooks", webhook(rels{"account": fileAccount, "endpoint": ofTwo, "workspace": w}), [5]int{422, 404, 404, 422, 404}},
		{"in the environment", "POST", "/webhooks", webhook(rels{"account": fileAccount, "endpoint": ofOne, "environment": one}), [5]int{201, 201, 404, 404, 404}},
		{"make an endpoint", "POST", "/endpoints", endpoint(one), [5]int{201, 201, 404, 404, 404}},
		{"make an endpoint of the account", "POST", "/endpoints", endpoint(""), [5]int{201, 404, 404, 404, 404}},
		{"change an endpoint", "PATCH", "/endpoints/" + ofOne, rename("endpoints"), [5]int{200, 200, 404, 404, 404}},
		{"delete an endpoint", "DELETE", "/endpoints/" + ofTwo, nil, [5]int{0, 404, 404, 404, 404}},
		{"make an environment", "POST", "/environments", document("environments", object{"name": "n"}, rels{"account": fileAccount}), [5]int{201, 404, 404, 404, 404}},
		{"change an environment", "PATCH", "/environments/" + two, rename("environments"), [5]int{200, 404, 404, 404, 404}},
		{"make a workspace", "POST", "/workspaces", document("workspaces", object{"name": "n"}, rels{"environment": one}), [5]int{201, 422, 404, 404, 404}},
		{"delete a webhook", "DELETE", "/integrations/webhooks/" + shared.ID, nil, [5]int{0, 404, 404, 404, 404}},
		{"read the account", "GET", "/accounts/" + fileAccount, nil, [5]int{200, 200, 200, 200, 404}},
	} {
		for i, token := range []string{account, environment, workspace, reader, stranger} {
			if tc.status[i] == 0 {
				continue
			}
			if got := p.As(t, token, tc.method, base+tc.path, tc.body); got.Status != tc.status[i] {
				t.Errorf("%s, as number %d: %d, want %d: %s", tc.what, i, got.Status, tc.status[i], got.Body)
			}
		}
	}
	// Readers see neither secrets nor whole addresses, and lists hold what one may see.
	for _, path := range []string{"/endpoints/" + ofOne, "/endpoints", "/integrations/webhooks/" + shared.ID, "/integrations/webhooks", "/webhooks"} {
		got := p.As(t, reader, "GET", base+path, nil)
		if body := string(got.Body); got.Status != 200 || strings.Contains(body, secret) || strings.Contains(body, "secret-path") || strings.Contains(body, `"value":"plain"`) || strings.Contains(body, `"webhook-endpoints:update":true`) {
			t.Errorf("%s: %d, %s", path, got.Status, got.Body)
		}
	}
	if got := p.As(t, stranger, "GET", base+"/integrations/webhooks?filter%5Baccount%5D="+fileAccount, nil); got.Status != 200 || !strings.Contains(string(got.Body), `"data":[]`) {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
	// Whoever manages a workspace alone is not shown the secret of its environment's endpoint, whichever client asks.
	r, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+base+"/integrations/webhooks/"+hook.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{workspace: "", environment: secret} {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("User-Agent", "terraform-provider-scalr/1.13.0")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, response.Body).Attributes["secret-key"]; got != want {
			t.Errorf("the secret is %v, want %q", got, want)
		}
		_ = response.Body.Close()
	}
}

// TestDeletingPlaces is §6: an environment's endpoints and their webhooks go with it, webhook integrations are unlinked.
func TestDeletingPlaces(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env, kept := p.environment(t, "goes"), p.environment(t, "stays")
	w := p.workspace(t, env, "w")
	ep, wide := p.endpoint(t, env, "https://a.example", nil), p.endpoint(t, "", "https://b.example", nil)
	inWorkspace, inEnvironment := p.hook(t, ep.ID, "", w), p.hook(t, wide.ID, env, "")
	both, alone := p.integration(t, "https://c.example", nil, env, kept), p.integration(t, "https://d.example", nil, env)
	p.refuse(t, 409, "DELETE", "/environments/"+env, nil)
	p.Want(t, 204, "DELETE", base+"/workspaces/"+w, nil, nil)
	p.refuse(t, 404, "GET", "/webhooks/"+inWorkspace.ID, nil)
	p.Want(t, 204, "DELETE", base+"/environments/"+env, nil, nil)
	for _, path := range []string{"/environments/" + env, "/endpoints/" + ep.ID, "/webhooks/" + inEnvironment.ID} {
		p.refuse(t, 404, "GET", path, nil)
	}
	p.one(t, 200, "GET", "/endpoints/"+wide.ID, nil)
	if got := p.one(t, 200, "GET", "/integrations/webhooks/"+both.ID, nil).rel("environments"); got != kept {
		t.Errorf("got %s", got)
	}
	if got := p.one(t, 200, "GET", "/integrations/webhooks/"+alone.ID, nil); got.rel("environments") != "" || got.Attributes["is-shared"] != false {
		t.Errorf("got %+v", got)
	}
}

// TestOverHTTPS: one of the clients ignores discovery and speaks https alone (§7).
func TestOverHTTPS(t *testing.T) {
	t.Parallel()
	s := conformance.StartTLS(t)
	p := &platform{s}
	p.Want(t, 201, "POST", "/v1/organizations", object{"name": "mainiacp", "external_ids": object{"scalr": fileAccount}}, nil)
	if !strings.HasPrefix(p.URL, "https://") {
		t.Fatal(p.URL)
	}
	env := p.environment(t, "one")
	in := p.integration(t, "https://example.com", nil, env)
	if got := p.one(t, 200, "GET", "/integrations/webhooks/"+in.ID, nil); got.rel("environments") != env {
		t.Errorf("got %+v", got)
	}
	if got := p.As(t, "", "GET", "/.well-known/terraform.json", nil); got.Status != 200 || !strings.Contains(string(got.Body), `"iacp.v3":"/api/iacp/v3/"`) {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
}
