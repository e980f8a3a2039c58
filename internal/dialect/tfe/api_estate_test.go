package tfe

import (
	"strings"
	"testing"
)

func holds(t *testing.T, body []byte, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s\nlacks %s", body, want)
		}
	}
}

func TestOrganizations(t *testing.T) {
	t.Parallel()
	s := newService(t)
	w := s.as("site", "POST", "/api/v2/organizations", `{"data":{"type":"organizations","attributes":{"name":"new-org","email":"a@example.com","session-timeout":20}}}`)
	if w.Code != 201 {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	holds(t, w.Body.Bytes(), `"id":"new-org"`, `"session-timeout":20`, `"default-project":{"data":{"id":"prj-`, `"external-id":"org-`)
	w = s.as("site", "POST", "/api/v2/organizations", `{"data":{"attributes":{"name":"new-org"}}}`)
	wantProblem(t, w.Body.Bytes(), "Name has already been taken", "/data/attributes/name")
	w = s.as("site", "POST", "/api/v2/organizations", `{"data":{"attributes":{"email":7}}}`)
	holds(t, w.Body.Bytes(), "Name can't be blank", "Email is invalid")
	holds(t, s.as("site", "GET", "/api/v2/organizations?page[size]=1", "").Body.Bytes(), `"total-count":2`, `"next-page":2`)

	holds(t, s.want(t, 200, "PATCH", "/organizations/acme-org", `{"data":{"attributes":{"name":"renamed","user-tokens-enabled":false}}}`), `"id":"renamed"`, `"user-tokens-enabled":false`)
	s.want(t, 404, "GET", "/organizations/acme-org", "")
	s.want(t, 404, "PATCH", "/organizations/acme-org", "{}")
	s.want(t, 204, "DELETE", "/organizations/renamed", "")
	for _, path := range []string{"/organizations/renamed", "/organizations/renamed/entitlement-set", "/organizations/renamed/teams", "/organizations/renamed/stacks"} {
		s.want(t, 404, "GET", path, "")
	}
}

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	s := newService(t)
	const all, one = "/organizations/acme-org/workspaces", "/organizations/acme-org/workspaces/second"
	body := s.want(t, 201, "POST", all, `{"data":{"type":"workspaces","attributes":{"name":"second","auto-apply":true,"description":"d","execution-mode":"agent",
		"vcs-repo":{"identifier":"acme/infra","branch":"main","oauth-token-id":"ot-1"},"queue-all-runs":false,"terraform-version":null},
		"relationships":{"project":{"data":{"type":"projects","id":"`+fileProject+`"}}}}}`)
	holds(t, body, `"auto-apply":true`, `"execution-mode":"agent"`, `"identifier":"acme/infra"`, `"queue-all-runs":false`, fileProject, `"terraform-version":"1.11.4"`, `"operations":true`)
	if w := s.workspaces.items[1]; w.Repository != "acme/infra" || w.Branch != "main" || w.ProjectID != s.project {
		t.Errorf("got %+v", w)
	}
	holds(t, s.want(t, 200, "PATCH", one, `{"data":{"attributes":{"operations":false,"description":null,"vcs-repo":null}}}`), `"execution-mode":"local"`, `"description":""`, `"operations":false`, `"vcs-repo":null`, `"auto-apply":true`)
	holds(t, s.want(t, 200, "PATCH", one, `{"data":{"attributes":{"operations":true,"name":"second"}}}`), `"execution-mode":"remote"`)
	wantProblem(t, s.want(t, 422, "PATCH", one, `{"data":{"attributes":{"execution-mode":"cloud"}}}`), "Execution mode is not included in the list", "/data/attributes/execution-mode")
	wantProblem(t, s.want(t, 422, "PATCH", one, `{"data":{"attributes":{"auto-apply":"yes"}}}`), "Auto apply is invalid", "/data/attributes/auto-apply")
	wantProblem(t, s.want(t, 422, "PATCH", one, `{"data":{"attributes":{"vcs-repo":7}}}`), "Vcs repo is invalid", "/data/attributes/vcs-repo")
	wantProblem(t, s.want(t, 422, "PATCH", one, `{"data":{"attributes":{"name":"my-workspace"}}}`), "Name has already been taken", "/data/attributes/name")
	wantProblem(t, s.want(t, 422, "POST", all, `{"data":{"attributes":{"name":"my-workspace"},"relationships":{"project":{"data":{"type":"projects","id":"`+fileProject+`"}}}}}`), "Name has already been taken", "/data/attributes/name")
	s.want(t, 404, "POST", all, `{"data":{"attributes":{"name":"third"},"relationships":{"project":{"data":{"type":"projects","id":"prj-1"}}}}}`)
	s.want(t, 422, "POST", all, `{"data":{"attributes":{"name":"third"},"relationships":{"project":{"data":[]}}}}`)
	holds(t, s.want(t, 200, "GET", all+"?page[size]=500&page[number]=x", ""), `"page-size":100`, `"current-page":1`, `"total-count":2`)
	s.want(t, 204, "POST", one+"/actions/safe-delete", "")
	s.want(t, 404, "GET", one, "")
	s.want(t, 204, "DELETE", "/workspaces/"+fileWorkspace, "")
	s.want(t, 404, "GET", configurationsPath, "")
	s.want(t, 404, "GET", "/workspaces/"+fileWorkspace+"/effective-tag-bindings", "")
}

func TestProjects(t *testing.T) {
	t.Parallel()
	s := newService(t)
	body := s.want(t, 201, "POST", "/organizations/acme-org/projects", `{"data":{"type":"projects","attributes":{"name":"third","description":"d"}}}`)
	id := read(t, body).Data.ID
	holds(t, body, `"description":"d"`)
	holds(t, s.want(t, 200, "PATCH", "/projects/"+id, `{"data":{"attributes":{"description":"e","auto-destroy-activity-duration":"14d"}}}`), `"description":"e"`, `"auto-destroy-activity-duration":"14d"`, `"name":"third"`)
	holds(t, s.want(t, 200, "GET", "/organizations/acme-org/projects", ""), `"total-count":3`)
	wantProblem(t, s.want(t, 422, "POST", "/organizations/acme-org/projects", `{"data":{"attributes":{"name":"third"}}}`), "Name has already been taken", "/data/attributes/name")
	s.want(t, 204, "DELETE", "/projects/"+id, "")
	s.want(t, 404, "GET", "/projects/"+id, "")
	s.want(t, 404, "GET", "/projects/"+id+"/effective-tag-bindings", "")
	holds(t, s.want(t, 422, "DELETE", "/projects/"+fileDefault, ""), "Project can't be deleted while it has workspaces", "default project")
	holds(t, s.want(t, 201, "POST", "/projects/"+fileProject+"/notification-configurations", `{"data":{"attributes":{"name":"n","destination-type":"email"}}}`), `"type":"projects"`)
	holds(t, s.want(t, 200, "GET", "/projects/"+fileProject+"/notification-configurations", ""), `"name":"n"`)
}

func TestTeamsAndMemberships(t *testing.T) {
	t.Parallel()
	s := newService(t)
	body := s.want(t, 201, "POST", "/organizations/acme-org/teams", `{"data":{"type":"teams","attributes":{"name":"ops","visibility":"organization","organization-access":{"manage-workspaces":true}}}}`)
	holds(t, body, `"visibility":"organization"`, `"manage-workspaces":true`, `"read-workspaces":false`, `"users":{"data":[]}`, `"users-count":0`)
	team := "/teams/" + read(t, body).Data.ID
	holds(t, s.want(t, 200, "PATCH", team, `{"data":{"attributes":{"name":"ops2"}}}`), `"name":"ops2"`, `"manage-workspaces":true`)

	invited := s.want(t, 201, "POST", "/organizations/acme-org/organization-memberships",
		`{"data":{"attributes":{"email":"new@example.com"},"relationships":{"teams":{"data":[{"type":"teams","id":"`+read(t, body).Data.ID+`"}]}}}}`)
	holds(t, invited, `"status":"invited"`, `"email":"new@example.com"`, `"username":"new"`, `"teams":{"data":[{"id":"team-`)
	id := read(t, invited).Data.ID
	holds(t, s.want(t, 200, "GET", team+"?include=organization_memberships,users", ""), `"included":[{"id":"`+id, `"username":"new"`)
	members := `{"data":[{"type":"organization-memberships","id":"` + id + `"},{"type":"organization-memberships","id":"` + fileMembership + `"}]}`
	s.want(t, 204, "POST", team+"/relationships/organization-memberships", members)
	s.want(t, 204, "POST", team+"/relationships/organization-memberships", members)
	holds(t, s.want(t, 200, "GET", team, ""), `"users-count":2`)
	s.want(t, 204, "DELETE", team+"/relationships/organization-memberships", members)
	holds(t, s.want(t, 200, "GET", team+"/relationships/organization-memberships", ""), `"data":[]`)
	s.want(t, 404, "POST", team+"/relationships/organization-memberships", `{"data":[{"type":"organization-memberships","id":"ou-1"}]}`)

	for attributes, detail := range map[string]string{`{}`: "Email can't be blank", `{"email":"x"}`: "Email is invalid", `{"email":7}`: "Email is invalid"} {
		wantProblem(t, s.want(t, 422, "POST", "/organizations/acme-org/organization-memberships", `{"data":{"attributes":`+attributes+`}}`), detail, "/data/attributes/email")
	}
	s.want(t, 404, "POST", "/organizations/acme-org/organization-memberships", `{"data":{"attributes":{"email":"b@example.com"},"relationships":{"teams":{"data":[{"type":"teams","id":"x"}]}}}}`)
	holds(t, s.want(t, 200, "GET", "/organizations/acme-org/organization-memberships", ""), `"total-count":3`)
	s.want(t, 204, "DELETE", "/organization-memberships/"+id, "")
	s.want(t, 404, "GET", "/organization-memberships/"+id, "")
	holds(t, s.want(t, 200, "GET", "/organizations/acme-org/teams", ""), `"total-count":2`)
	s.want(t, 204, "DELETE", team, "")
	s.want(t, 404, "GET", team, "")
	s.want(t, 404, "GET", team+"/notification-configurations", "")
}

func TestAccountOfATokenWithoutAUser(t *testing.T) {
	t.Parallel()
	s := newService(t)
	holds(t, s.as("site", "GET", "/api/v2/account/details", "").Body.Bytes(), `"username":"root"`, `"is-service-account":true`, `"id":"user-`)
}

func TestPing(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.want(t, 204, "GET", "/ping", "")
	if w := s.as("", "GET", "/api/v2/ping", ""); w.Code != 401 || w.Header().Get("TFP-AppName") == "" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	for key, path := range New().Discovery() {
		if path != "/api/v2/" || !strings.HasPrefix(key, "tfe.v2") {
			t.Errorf("%s: %v", key, path)
		}
	}
	if len(New().Discovery()) != 3 {
		t.Error("there are three keys")
	}
}
