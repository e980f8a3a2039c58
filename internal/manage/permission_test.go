package manage_test

import (
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// scene is an organization with something of everything, and another tenant.
type scene struct {
	*world
	acme, beta estate.Organization
	one, two   estate.Project
	net, dns   estate.Workspace // in one; net is what narrow principals have rights on
	team       estate.Team
	hook       subscription.Subscription // of net
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{world: newWorld(t)}
	s.acme, s.beta = s.organization("acme"), s.organization("beta")
	s.one, s.two = s.project(s.acme.ID, "one"), s.project(s.acme.ID, "two")
	s.net, s.dns = s.workspace(s.one, "net"), s.workspace(s.one, "dns")
	s.team = must[estate.Team](t)(s.Teams().Create(s.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: s.acme.ID}))
	s.hook = s.subscribe(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	return s
}

// TestPermissions tries every kind of act as every kind of principal. What one may not know of is not_found, what one
// knows of and may not do is forbidden.
func TestPermissions(t *testing.T) {
	t.Parallel()
	const ok, no, gone = fault.Code(""), fault.Forbidden, fault.NotFound
	who := []string{"site", "owner", "admin", "writer", "reader", "project admin", "workspace admin", "workspace reader", "stranger", "nobody"}
	principals := func(s *scene) map[string]estate.Principal {
		return map[string]estate.Principal{
			"site":             admin,
			"owner":            as(estate.RoleOwner, s.acme.ID, 0, 0),
			"admin":            as(estate.RoleAdmin, s.acme.ID, 0, 0),
			"writer":           as(estate.RoleWriter, s.acme.ID, 0, 0),
			"reader":           as(estate.RoleReader, s.acme.ID, 0, 0),
			"project admin":    as(estate.RoleAdmin, s.acme.ID, s.one.ID, 0),
			"workspace admin":  as(estate.RoleAdmin, s.acme.ID, s.one.ID, s.net.ID),
			"workspace reader": as(estate.RoleReader, s.acme.ID, s.one.ID, s.net.ID),
			"stranger":         as(estate.RoleOwner, s.beta.ID, 0, 0),
			"nobody":           {},
		}
	}
	cases := map[string]struct {
		want []fault.Code // in the order of who
		do   func(s *scene, p estate.Principal) error
	}{
		"make an organization": {
			[]fault.Code{ok, no, no, no, no, no, no, no, no, no},
			func(s *scene, p estate.Principal) error {
				_, err := s.Organizations().Create(s.ctx, p, estate.Organization{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}})
				return err
			},
		},
		"read the organization": {
			[]fault.Code{ok, ok, ok, ok, ok, ok, ok, ok, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Organizations().Get(s.ctx, p, estate.ByName(0, "acme"))
				return err
			},
		},
		"change the organization": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Organizations().Update(s.ctx, p, s.acme.ID, func(o *estate.Organization) error { o.DisplayName = "A"; return nil })
				return err
			},
		},
		"delete the organization": {
			[]fault.Code{ok, ok, no, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error { return s.Organizations().Delete(s.ctx, p, s.acme.ID) },
		},
		"make a project": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Projects().Create(s.ctx, p, estate.Project{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}, OrganizationID: s.acme.ID})
				return err
			},
		},
		"make a project in a project": {
			[]fault.Code{ok, ok, ok, no, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Projects().Create(s.ctx, p, estate.Project{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}, OrganizationID: s.acme.ID, ParentID: s.one.ID})
				return err
			},
		},
		"read another project": {
			[]fault.Code{ok, ok, ok, ok, ok, gone, gone, gone, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Projects().Get(s.ctx, p, estate.ByID(s.two.ID))
				return err
			},
		},
		"change the project": {
			[]fault.Code{ok, ok, ok, no, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Projects().Update(s.ctx, p, s.one.ID, func(o *estate.Project) error { o.Description = "x"; return nil })
				return err
			},
		},
		"move the project below another": {
			[]fault.Code{ok, ok, ok, no, no, gone, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Projects().Update(s.ctx, p, s.one.ID, func(o *estate.Project) error { o.ParentID = s.two.ID; return nil })
				return err
			},
		},
		"delete the project": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error { return s.Projects().Delete(s.ctx, p, s.one.ID) },
		},
		"make a workspace": {
			[]fault.Code{ok, ok, ok, no, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Workspaces().Create(s.ctx, p, estate.Workspace{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}, ProjectID: s.one.ID})
				return err
			},
		},
		"read another workspace": {
			[]fault.Code{ok, ok, ok, ok, ok, ok, gone, gone, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Workspaces().Get(s.ctx, p, estate.ByName(s.one.ID, "dns"))
				return err
			},
		},
		"change the workspace": {
			[]fault.Code{ok, ok, ok, no, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Workspaces().Update(s.ctx, p, s.net.ID, func(o *estate.Workspace) error { o.Description = "x"; return nil })
				return err
			},
		},
		"move the workspace to another project": {
			[]fault.Code{ok, ok, ok, no, no, gone, gone, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Workspaces().Update(s.ctx, p, s.net.ID, func(o *estate.Workspace) error { o.ProjectID = s.two.ID; return nil })
				return err
			},
		},
		"delete the workspace": {
			[]fault.Code{ok, ok, ok, no, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error { return s.Workspaces().Delete(s.ctx, p, s.net.ID) },
		},
		"make a team": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Teams().Create(s.ctx, p, estate.Team{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}, OrganizationID: s.acme.ID})
				return err
			},
		},
		"read the team": {
			[]fault.Code{ok, ok, ok, ok, ok, gone, gone, gone, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Teams().Get(s.ctx, p, estate.ByID(s.team.ID))
				return err
			},
		},
		"add a member": {
			[]fault.Code{ok, ok, no, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Memberships().Create(s.ctx, p, estate.Membership{Common: estate.Common{Name: strings.ReplaceAll(p.Name, " ", "") + "@x.org"}, OrganizationID: s.acme.ID})
				return err
			},
		},
		"make a user": {
			[]fault.Code{ok, no, no, no, no, no, no, no, no, no},
			func(s *scene, p estate.Principal) error {
				_, err := s.Users().Create(s.ctx, p, estate.User{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}})
				return err
			},
		},
		"read the subscription": {
			[]fault.Code{ok, ok, ok, ok, ok, ok, ok, ok, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Get(s.ctx, p, estate.ByID(s.hook.ID))
				return err
			},
		},
		"make a subscription": {
			[]fault.Code{ok, ok, ok, no, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Create(s.ctx, p, at(s.acme.ID, subscription.LevelWorkspace, s.net.ID), hookSecrets, dialect.SaveOptions{})
				return err
			},
		},
		"make one of the organization": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Create(s.ctx, p, at(s.acme.ID, subscription.LevelOrganization, s.acme.ID), hookSecrets, dialect.SaveOptions{})
				return err
			},
		},
		"widen a subscription": {
			[]fault.Code{ok, ok, ok, no, no, ok, gone, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Update(s.ctx, p, s.hook.ID, dialect.SaveOptions{}, func(x *subscription.Subscription, _ *subscription.Secrets) error {
					x.Scopes = append(x.Scopes, subscription.Scope{Level: subscription.LevelWorkspace, ID: s.dns.ID})
					return nil
				})
				return err
			},
		},
		"reveal the secrets": {
			[]fault.Code{ok, ok, ok, no, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Reveal(s.ctx, p, s.hook.ID)
				return err
			},
		},
		"ping": {
			[]fault.Code{ok, ok, ok, no, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Subscriptions().Verify(s.ctx, p, s.hook.ID)
				return err
			},
		},
		"delete the subscription": {
			[]fault.Code{ok, ok, ok, no, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error { return s.Subscriptions().Delete(s.ctx, p, s.hook.ID) },
		},
		"send an event": {
			[]fault.Code{ok, ok, ok, ok, no, ok, ok, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Events().Accept(s.ctx, p, []event.Event{{
					Kind: event.KindRun, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"},
				}})
				return err
			},
		},
		"send an event of a new workspace": {
			[]fault.Code{ok, ok, ok, ok, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Events().Accept(s.ctx, p, []event.Event{{
					Kind: event.KindRun, Organization: event.Organization{Name: "acme"}, Project: &event.Project{Name: "one"},
					Workspace: &event.Workspace{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")},
				}})
				return err
			},
		},
		"make a source": {
			[]fault.Code{ok, ok, ok, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, _, err := s.Sources().Create(s.ctx, p, estate.InboundSource{Common: estate.Common{Name: "new-" + strings.ReplaceAll(p.Name, " ", "-")}, OrganizationID: s.acme.ID, Dialect: "plain"}, "")
				return err
			},
		},
		"keep a document": {
			[]fault.Code{ok, ok, ok, no, no, ok, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Services().Documents.Put(s.ctx, p, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)})
				return err
			},
		},
		"read the audit log": {
			[]fault.Code{ok, ok, no, no, no, no, no, no, gone, gone},
			func(s *scene, p estate.Principal) error {
				_, err := s.Audit().List(s.ctx, p, s.acme.ID, store.Page{})
				return err
			},
		},
		"read the installation's audit log": {
			[]fault.Code{ok, no, no, no, no, no, no, no, no, no},
			func(s *scene, p estate.Principal) error {
				_, err := s.Audit().List(s.ctx, p, 0, store.Page{})
				return err
			},
		},
	}
	// What these did leaves nothing to do for the next.
	spent := map[string]bool{
		"delete the organization": true, "delete the project": true, "delete the workspace": true, "delete the subscription": true,
		"move the project below another": true, "move the workspace to another project": true, "widen a subscription": true,
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			for i, each := range who {
				s.engine.status = 200
				p := principals(s)[each]
				p.Name = each
				if err := c.do(s, p); fault.CodeOf(err) != c.want[i] {
					t.Errorf("%s: %v, want %q", each, err, c.want[i])
				}
				if spent[name] && c.want[i] == ok {
					s = newScene(t)
				}
			}
		})
	}
}

func TestUsersSeeWhomTheyShareAnOrganizationWith(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	ada, bob := w.member(acme.ID, "ada@x.org", ""), w.member(beta.ID, "bob@x.org", "")
	reader := as(estate.RoleReader, acme.ID, 0, 0)
	self := estate.Principal{UserID: bob.UserID}
	cases := map[string]struct {
		p    estate.Principal
		user ident.ID
		want fault.Code
	}{
		"a member":              {reader, ada.UserID, ""},
		"another tenant's":      {reader, bob.UserID, fault.NotFound},
		"oneself":               {self, bob.UserID, ""},
		"somebody else":         {self, ada.UserID, fault.NotFound},
		"everybody":             {admin, bob.UserID, ""},
		"from a workspace only": {as(estate.RoleReader, acme.ID, 0, 5), ada.UserID, fault.NotFound},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := w.Users().Get(w.ctx, c.p, estate.ByID(c.user))
			wantCode(t, err, c.want)
		})
	}
	if all := must[[]estate.User](t)(w.Users().List(w.ctx, reader, acme.ID)); len(all) != 1 || all[0].ID != ada.UserID {
		t.Errorf("acme's users = %+v", all)
	}
	if all := must[[]estate.User](t)(w.Users().List(w.ctx, self, 0)); len(all) != 1 || all[0].ID != bob.UserID {
		t.Errorf("one's own list = %+v", all)
	}
	if all := must[[]estate.User](t)(w.Users().List(w.ctx, admin, 0)); len(all) != 2 {
		t.Errorf("all users = %+v", all)
	}
	_, err := w.Users().Update(w.ctx, self, bob.UserID, func(u *estate.User) error { u.FullName = "Bob"; return nil })
	wantCode(t, err, "")
	_, err = w.Users().Update(w.ctx, reader, ada.UserID, func(u *estate.User) error { u.FullName = "Eve"; return nil })
	wantCode(t, err, fault.Forbidden)
}

// A principal of one tenant must not reach another's objects by putting foreign IDs into its own.
func TestForeignIDsDoNotCrossTheBorder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stranger := as(estate.RoleOwner, s.beta.ID, 0, 0)
	theirs := must[estate.Project](t)(s.Projects().Create(s.ctx, stranger, estate.Project{Common: estate.Common{Name: "mine"}, OrganizationID: s.beta.ID}))
	own := must[estate.Workspace](t)(s.Workspaces().Create(s.ctx, stranger, estate.Workspace{Common: estate.Common{Name: "mine"}, ProjectID: theirs.ID}))
	cases := map[string]func() error{
		"a workspace in a foreign project": func() error {
			_, err := s.Workspaces().Create(s.ctx, stranger, estate.Workspace{Common: estate.Common{Name: "x"}, OrganizationID: s.beta.ID, ProjectID: s.one.ID})
			return err
		},
		"a workspace moved into a foreign project": func() error {
			_, err := s.Workspaces().Update(s.ctx, stranger, own.ID, func(o *estate.Workspace) error { o.ProjectID = s.one.ID; return nil })
			return err
		},
		"a project below a foreign one": func() error {
			_, err := s.Projects().Create(s.ctx, stranger, estate.Project{Common: estate.Common{Name: "x"}, OrganizationID: s.beta.ID, ParentID: s.one.ID})
			return err
		},
		"a subscription to a foreign workspace": func() error {
			_, err := s.Subscriptions().Create(s.ctx, stranger, at(s.beta.ID, subscription.LevelWorkspace, s.net.ID), hookSecrets, dialect.SaveOptions{})
			return err
		},
		"a subscription to a foreign project": func() error {
			_, err := s.Subscriptions().Create(s.ctx, stranger, at(s.beta.ID, subscription.LevelProject, s.one.ID), hookSecrets, dialect.SaveOptions{})
			return err
		},
		"a subscription to a foreign organization": func() error {
			_, err := s.Subscriptions().Create(s.ctx, stranger, at(s.beta.ID, subscription.LevelOrganization, s.acme.ID), hookSecrets, dialect.SaveOptions{})
			return err
		},
		"a subscription to a foreign team": func() error {
			_, err := s.Subscriptions().Create(s.ctx, stranger, at(s.beta.ID, subscription.LevelTeam, s.team.ID), hookSecrets, dialect.SaveOptions{})
			return err
		},
		"a foreign default project": func() error {
			_, err := s.Organizations().Update(s.ctx, stranger, s.beta.ID, func(o *estate.Organization) error { o.DefaultProjectID = s.one.ID; return nil })
			return err
		},
		"a foreign fallback": func() error {
			draft := at(s.beta.ID, subscription.LevelProject, theirs.ID)
			draft.Delivery.Fallback = s.hook.ID
			_, err := s.Subscriptions().Create(s.ctx, stranger, draft, hookSecrets, dialect.SaveOptions{})
			return err
		},
		"a document in a foreign project": func() error {
			_, err := s.Services().Documents.Put(s.ctx, stranger, estate.Place{OrganizationID: s.beta.ID, ProjectID: s.one.ID}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)})
			return err
		},
		"an event of a foreign workspace": func() error {
			_, err := s.Events().Accept(s.ctx, stranger, []event.Event{{Organization: event.Organization{ID: s.acme.ID}, Workspace: &event.Workspace{ID: s.net.ID}}})
			return err
		},
	}
	for name, do := range cases {
		if err := do(); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
