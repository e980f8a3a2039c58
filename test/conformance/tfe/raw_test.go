package tfe_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

// schemas are those of the platform's subset.
func schemas(t *testing.T) openapi3.Schemas {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(file(t, "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

func follows(t *testing.T, schema *openapi3.SchemaRef, body []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if err := schema.Value.VisitJSON(v); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
}

// shape reduces a document to its keys and the kinds of its values, so that two answers can be compared whose values
// differ. Keys in optional are left out.
func shape(v any, optional ...string) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			if !contains(optional, key) {
				out[key] = shape(value, optional...)
			}
		}
		return out
	case []any:
		if len(v) == 0 {
			return []any{}
		}
		return []any{shape(v[0], optional...)}
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "bool"
	}
	return v
}

func contains(list []string, key string) bool {
	for _, each := range list {
		if each == key {
			return true
		}
	}
	return false
}

func sameShape(t *testing.T, name string, got, want []byte, optional ...string) {
	t.Helper()
	g, err := json.MarshalIndent(shape(map[string]any(decode(t, got)), optional...), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.MarshalIndent(shape(map[string]any(decode(t, want)), optional...), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, g, w)
	}
}

// TestReplay sends every captured request body to the running program.
func TestReplay(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w, project, team := p.workspace(t, "w"), p.project(t, "p"), p.team(t, "t")
	first, second := p.member(t, "first@example.com"), p.member(t, "second@example.com")
	sink := conformance.NewSink(t)
	// The files name objects of another installation.
	local := strings.NewReplacer(
		"ws-XdeUVMWShTesDMME", w.ID, "prj-ny19cRJJos5F5FQ5", project.ID, "user-obrgLWCwAHTnN1DY", first.User.ID,
		"user-UNQrNr5RdaQmfXNB", second.User.ID, "ou-QM33ZshfmiDRqJNo", first.ID,
		"http://127.0.0.1:21080/hook", sink.URL, "https://example.com/hook", sink.URL,
	)
	body := func(name string) string { return local.Replace(string(file(t, "requests/"+name+".json"))) }
	const api = "/api/v2"
	ofWorkspace, ofProject, ofTeam := api+"/workspaces/"+w.ID+"/notification-configurations", api+"/projects/"+project.ID+"/notification-configurations", api+"/teams/"+team.ID+"/notification-configurations"
	webhook := path(p.configuration(t, w.ID, generic("webhook", sink.URL)))
	mail := path(p.configuration(t, w.ID, email("mail")))
	teamOptions := generic("team", sink.URL)
	teamOptions.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Team: team}
	teamHook := path(p.configuration(t, team.ID, teamOptions))
	members := api + "/teams/" + team.ID + "/relationships/organization-memberships"
	if err := p.client.Organizations.Delete(t.Context(), "nowhere"); err == nil {
		t.Error("an organization that is not there was deleted")
	}

	documents := schemas(t)["NotificationConfigurationDocument"]
	for _, tc := range []struct {
		method, path, file string
		status             int
		schema             *openapi3.SchemaRef
		response           string
	}{
		{"POST", ofWorkspace, "seen/create_generic_gotfe_v1", 201, documents, ""},
		{"POST", ofWorkspace, "seen/create_generic_provider_079", 201, documents, ""},
		{"POST", ofProject, "seen/create_generic_provider_080", 201, documents, ""},
		{"POST", ofProject, "seen/create_email_gotfe_v1", 201, documents, ""},
		{"POST", ofWorkspace, "seen/create_email_provider_080", 201, documents, ""},
		{"POST", ofWorkspace, "doc/create_singular_type", 201, documents, ""},
		{"PATCH", webhook, "seen/patch_gotfe_v1", 200, documents, "notification_configuration"},
		{"PATCH", webhook, "seen/patch_nothing_gotfe_v1", 200, documents, ""},
		{"PATCH", webhook, "seen/patch_generic_provider_080", 200, documents, ""},
		{"PATCH", mail, "seen/patch_email_provider_079", 200, documents, ""},
		{"PATCH", mail, "seen/patch_users_gotfe_v1", 200, documents, ""},
		{"PATCH", teamHook, "seen/patch_team_provider_080", 200, documents, ""},
		{"PATCH", api + "/organizations/acme-org", "seen/organization_patch_provider", 200, nil, "organization"},
		{"POST", api + "/organizations/acme-org/workspaces", "seen/workspace_create_provider", 201, nil, "workspace"},
		{"POST", api + "/organizations/acme-org/projects", "seen/project_create_provider", 201, nil, "project"},
		{"POST", api + "/organizations/acme-org/teams", "seen/team_create_provider", 201, nil, ""},
		{"POST", api + "/organizations/acme-org/organization-memberships", "seen/membership_create", 201, nil, "organization_membership"},
		{"POST", members, "seen/team_members_add", 204, nil, ""},
		{"DELETE", members, "seen/team_members_add", 204, nil, ""},
		{"POST", api + "/admin/organizations/acme-org/subscription", "seen/subscription_create", 200, nil, "subscription"},
	} {
		got := p.Do(t, tc.method, tc.path, body(tc.file))
		if got.Status != tc.status {
			t.Errorf("%s: %d, want %d: %s", tc.file, got.Status, tc.status, got.Body)
			continue
		}
		if tc.schema != nil {
			follows(t, tc.schema, got.Body)
		}
		if tc.response != "" {
			sameShape(t, tc.file, got.Body, file(t, "responses/"+tc.response+".json"), "enforce-hyok", "max-ttl-enabled", "triggers", "headers")
		}
	}
	follows(t, schemas(t)["NotificationConfigurationList"], p.Do(t, "GET", ofWorkspace+"?page[size]=2", nil).Body)
	follows(t, schemas(t)["NotificationConfigurationList"], p.Do(t, "GET", ofTeam, nil).Body)
	if got := p.Do(t, "GET", ofWorkspace+"?SubscribableChoice="+strings.Repeat("x", 8000), nil); got.Status != 200 || strings.Contains(string(got.Body), `"meta"`) {
		t.Errorf("a long query: %d", got.Status)
	}
}

// TestCreateOrganizationAsTheClientDoes replays the one body that needs an empty installation.
func TestCreateOrganizationAsTheClientDoes(t *testing.T) {
	t.Parallel()
	s := conformance.Start(t)
	got := s.Do(t, "POST", "/api/v2/organizations", file(t, "requests/seen/organization_create_gotfe_v1.json"))
	if got.Status != 201 {
		t.Fatalf("got %d, %s", got.Status, got.Body)
	}
	sameShape(t, "organization", got.Body, file(t, "responses/organization.json"))
}

// TestErrorsAndHeaders checks the answers that no client call shows in full.
func TestErrorsAndHeaders(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "w")
	sink := conformance.NewSink(t)
	nc := p.configuration(t, w.ID, generic("n", sink.URL))
	errors := schemas(t)["Errors"]
	same := func(name string, got conformance.Answer, status int) {
		t.Helper()
		follows(t, errors, got.Body)
		g, _ := json.Marshal(decode(t, got.Body))
		want, _ := json.Marshal(decode(t, file(t, "responses/errors/"+name+".json")))
		if got.Status != status || string(g) != string(want) {
			t.Errorf("%s: %d, %s, want %s", name, got.Status, g, want)
		}
		if h := got.Header; h.Get("Content-Type") != "application/vnd.api+json" || h.Get("TFP-API-Version") != "2.6" || h.Get("TFP-AppName") != "HCP Terraform" || h.Get("X-TFE-Version") != "" || h.Get("X-RateLimit-Limit") != "" {
			t.Errorf("%s: headers %v", name, h)
		}
	}
	same("401", p.As(t, "", "GET", path(nc), nil), http.StatusUnauthorized)
	same("404", p.Do(t, "GET", "/api/v2/notification-configurations/nonexisting", nil), http.StatusNotFound)
	same("404", p.Do(t, "PUT", path(nc), "{}"), http.StatusNotFound)
	same("422_body", p.Do(t, "POST", "/api/v2/workspaces/"+w.ID+"/notification-configurations", "{"), http.StatusUnprocessableEntity)
	same("422_name_blank", p.Do(t, "PATCH", path(nc), `{"data":{"attributes":{"name":" "}}}`), http.StatusUnprocessableEntity)
	for range 19 {
		p.configuration(t, w.ID, generic("n", sink.URL))
	}
	same("422_limit", p.Do(t, "POST", "/api/v2/workspaces/"+w.ID+"/notification-configurations",
		`{"data":{"attributes":{"name":"n","destination-type":"generic","url":"`+sink.URL+`"}}}`), http.StatusUnprocessableEntity)
	for range 10 {
		if got := p.Do(t, "POST", path(nc)+"/actions/verify", nil); got.Status != 200 {
			t.Fatalf("got %d, %s", got.Status, got.Body)
		}
	}
	limited := p.Do(t, "POST", path(nc)+"/actions/verify", nil)
	same("429", limited, http.StatusTooManyRequests)
	if reset := limited.Header.Get("X-RateLimit-Reset"); reset == "" || strings.Trim(reset, "0123456789.") != "" {
		t.Errorf("X-RateLimit-Reset: %q", reset)
	}
	if got := len(sink.Requests()); got != 10 {
		t.Errorf("%d verifications were sent", got)
	}
}
