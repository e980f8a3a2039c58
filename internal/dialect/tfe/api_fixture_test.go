package tfe

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Identifiers of the sample files.
const (
	fileOrganization = "org-DkUBM7zPtrNUBEN9"
	fileDefault      = "prj-PKAvV8vzyfCqDhBe"
	fileProject      = "prj-ny19cRJJos5F5FQ5"
	fileWorkspace    = "ws-XdeUVMWShTesDMME"
	fileTeam         = "team-WNmk3jFYGV6Ui5z4"
	fileUser         = "user-obrgLWCwAHTnN1DY"
	fileSecondUser   = "user-UNQrNr5RdaQmfXNB"
	fileMembership   = "ou-QM33ZshfmiDRqJNo"
)

// service is the API over a world with the estate of the sample files.
type service struct {
	*world
	mux          *http.ServeMux
	organization ident.ID
	workspace    ident.ID
	project      ident.ID
	team         ident.ID
}

func common(w *world, name, external string) estate.Common {
	return estate.Common{ID: w.id(), Name: name, ExternalIDs: map[string]string{Name: external}, CreatedAt: w.now, UpdatedAt: w.now}
}

func newService(t *testing.T, change ...func(*Dialect)) *service {
	t.Helper()
	w := newWorld()
	o := estate.Organization{Common: common(w, "acme-org", fileOrganization), Email: "admin@example.com"}
	main := estate.Project{Common: common(w, "Default Project", fileDefault), OrganizationID: o.ID}
	o.DefaultProjectID = main.ID
	second := estate.Project{Common: common(w, "second", fileProject), OrganizationID: o.ID}
	ws := estate.Workspace{Common: common(w, "my-workspace", fileWorkspace), OrganizationID: o.ID, ProjectID: main.ID}
	user := estate.User{Common: common(w, "sample-user", fileUser), Email: "member@example.com"}
	other := estate.User{Common: common(w, "other", fileSecondUser), Email: "other@example.com"}
	stranger := estate.User{Common: common(w, "stranger", "user-strangerstranger1"), Email: "stranger@example.com"}
	member := estate.Membership{Common: common(w, "member@example.com", fileMembership), OrganizationID: o.ID, UserID: user.ID, Status: "invited"}
	second2 := estate.Membership{Common: common(w, "other@example.com", "ou-UNQrNr5RdaQmfXNB"), OrganizationID: o.ID, UserID: other.ID, Status: "active"}
	team := estate.Team{Common: common(w, "team-test", fileTeam), OrganizationID: o.ID, MemberIDs: []ident.ID{member.ID}}
	w.organizations.items = []estate.Organization{o}
	w.projects.items = []estate.Project{main, second}
	w.workspaces.items = []estate.Workspace{ws}
	w.users.items = []estate.User{user, other, stranger}
	w.memberships.items = []estate.Membership{member, second2}
	w.teams.items = []estate.Team{team}
	grant := func(role estate.Role) []estate.Grant { return []estate.Grant{{OrganizationID: o.ID, Role: role}} }
	w.tokens["site"] = estate.Principal{TokenID: 1, Name: "root", SiteAdmin: true}
	w.tokens["admin"] = estate.Principal{TokenID: 2, UserID: user.ID, Name: "admin", Grants: grant(estate.RoleOwner)}
	w.tokens["reader"] = estate.Principal{TokenID: 3, Name: "reader", Grants: grant(estate.RoleReader)}
	w.tokens["nobody"] = estate.Principal{TokenID: 4, Name: "nobody"}
	d := New()
	for _, each := range change {
		each(d)
	}
	s := &service{world: w, mux: http.NewServeMux(), organization: o.ID, workspace: ws.ID, project: second.ID, team: team.ID}
	d.Mount(s.mux, w.services())
	return s
}

// as sends a request with a token, without any header that clients may leave out.
func (s *service) as(token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return w
}

// do sends a request as the organization's owner.
func (s *service) do(method, path, body string) *httptest.ResponseRecorder {
	return s.as("admin", method, "/api/v2"+path, body)
}

// want sends a request and checks the status.
func (s *service) want(t *testing.T, status int, method, path, body string) []byte {
	t.Helper()
	w := s.do(method, path, body)
	if w.Code != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	return w.Body.Bytes()
}

// have puts a configuration there, with the identifier of the files.
func (s *service) have(id string, change func(*subscription.Subscription)) *subscription.Subscription {
	sub := subscription.Subscription{
		ID: s.id(), Version: 1, OrganizationID: s.organization, Dialect: Name, Channel: subscription.ChannelWebhook,
		Name: "Webhook server test", Scopes: []subscription.Scope{{Level: subscription.LevelWorkspace, ID: s.workspace}},
		Triggers:    []string{runApplying, runCompleted, runCreated, runErrored, runNeedsAttention, runPlanning},
		ExternalIDs: map[string]string{Name: id}, CreatedAt: at("2019-01-08T21:32:14.125Z"), UpdatedAt: at("2019-01-08T21:34:37.274Z"),
	}
	if change != nil {
		change(&sub)
	}
	s.subscriptions.items = append(s.subscriptions.items, sub)
	if sub.Channel != subscription.ChannelEmail {
		s.subscriptions.secrets[sub.ID] = subscription.Secrets{URL: "https://example.com/hook", Secret: "t0ken"}
	}
	return &s.subscriptions.items[len(s.subscriptions.items)-1]
}

const theID = "nc-AeUQ2zfKZzW9TiGZ"

const thePath = "/notification-configurations/" + theID
