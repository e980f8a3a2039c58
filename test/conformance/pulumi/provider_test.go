package pulumi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"testing"

	"carillon/test/conformance"
)

// TestProviderOldFamily sends what the resource pulumiservice:index:Webhook sends (§6.2), and reads as it reads: a refresh
// must find nothing that differs from what was asked for, lists in their order included.
func TestProviderOldFamily(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	for base, identity := range map[string]map[string]any{
		organizationHooks: {"organizationName": "acme"},
		stackHooks:        {"organizationName": "acme", "projectName": "website", "stackName": "prod"},
		environmentHooks:  {"organizationName": "acme", "projectName": "website", "envName": "prod"},
	} {
		lists := map[string]any{"groups": []any{"deployments", "stacks"}}
		if base == environmentHooks {
			lists = map[string]any{"groups": []any{"environments"}}
		}
		inputs := with(identity, lists, map[string]any{"displayName": "one", "payloadUrl": sink.URL, "active": true, "format": "raw"})
		made := p.document(t, http.StatusCreated, "POST", base, with(inputs, map[string]any{"secret": "s3cret"}))
		name := base + "/" + made["name"].(string)
		agree(t, p.document(t, http.StatusOK, "GET", name, nil), inputs)
		ciphertext := made["secretCiphertext"]
		// A changed title: the secret's input is the same and sent again, the ciphertext must not move.
		inputs["displayName"] = "two"
		p.document(t, http.StatusOK, "PATCH", name, with(inputs, map[string]any{"secret": "s3cret"}))
		read := p.document(t, http.StatusOK, "GET", name, nil)
		if agree(t, read, inputs); read["secretCiphertext"] != ciphertext {
			t.Errorf("%s: the ciphertext moved", base)
		}
		// Another secret moves it; a secret that is not sent is kept.
		p.document(t, http.StatusOK, "PATCH", name, with(inputs, map[string]any{"secret": "other"}))
		if read = p.document(t, http.StatusOK, "GET", name, nil); read["secretCiphertext"] == ciphertext || read["hasSecret"] != true {
			t.Errorf("%s: the secret was not changed: %v", base, read)
		}
		// Filters in the place of groups: what is not sent any more is gone.
		delete(inputs, "groups")
		inputs["filters"] = []any{"update_failed", "drift_detected", "preview_failed"}
		if base == environmentHooks {
			inputs["filters"] = []any{"environment_tag_updated", "environment_revision_created"}
		}
		p.document(t, http.StatusOK, "PATCH", name, inputs)
		read = p.document(t, http.StatusOK, "GET", name, nil)
		if agree(t, read, inputs); read["groups"] != nil || read["hasSecret"] != true {
			t.Errorf("%s: after the change: %v", base, read)
		}
		if got := p.Do(t, "DELETE", name, nil); got.Status != http.StatusNoContent {
			t.Errorf("%s: deleting gives %d", base, got.Status)
		}
		if got := p.Do(t, "GET", name, nil); got.Status != http.StatusNotFound {
			t.Errorf("%s: what was deleted gives %d", base, got.Status)
		}
	}
}

// TestProviderNewFamily sends what the generated resources pulumiservice:api:… send: they read after every write, send no
// format that the user did not give, and lay the state that they read over what they change.
func TestProviderNewFamily(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	inputs := map[string]any{
		"organizationName": "acme", "name": "by-hand", "displayName": "one", "payloadUrl": sink.URL, "active": true, "filters": []any{"update_failed"},
	}
	p.document(t, http.StatusCreated, "POST", organizationHooks, inputs)
	state := p.document(t, http.StatusOK, "GET", organizationHooks+"/by-hand", nil)
	if agree(t, state, inputs); state["format"] != "raw" {
		t.Errorf("the format is %v", state["format"])
	}
	// The user switches to groups: the merged document still has the filters, which a group covers.
	changed := with(state, map[string]any{"groups": []any{"stacks"}})
	p.document(t, http.StatusOK, "PATCH", organizationHooks+"/by-hand", changed)
	agree(t, p.document(t, http.StatusOK, "GET", organizationHooks+"/by-hand", nil), changed)
	for range 2 {
		if got := p.document(t, http.StatusOK, "GET", organizationHooks+"/by-hand", nil); !reflect.DeepEqual(got, with(changed)) {
			t.Errorf("a refresh finds %v, want %v", got, changed)
		}
	}
}

// document sends a request and returns the object that answers it.
func (p *platform) document(t *testing.T, status int, method, path string, body any) map[string]any {
	t.Helper()
	var got map[string]any
	p.Want(t, status, method, path, body, &got)
	if _, shown := got["secret"]; shown {
		t.Errorf("%s %s shows the secret: %v", method, path, got)
	}
	return got
}

// with lays objects over one another, as JSON reads them.
func with(objects ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, each := range objects {
		maps.Copy(all, each)
	}
	var read map[string]any
	body, _ := json.Marshal(all)
	_ = json.Unmarshal(body, &read)
	return read
}

// agree checks that what was asked for is what is there.
func agree(t *testing.T, state, inputs map[string]any) {
	t.Helper()
	for name, want := range with(inputs) {
		if !reflect.DeepEqual(state[name], want) {
			t.Errorf("%s is %v, was asked for as %v", name, state[name], want)
		}
	}
}
