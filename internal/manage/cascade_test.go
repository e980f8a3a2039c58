package manage_test

import (
	"errors"
	"slices"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

func TestDeletingAWorkspaceIsAnnouncedWhileItIsThere(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.engine.told()
	s.door.before = func() {
		if s.index.Get(s.hook.ID) == nil {
			t.Error("the subscription was gone before the event came in")
		}
	}
	if err := s.Workspaces().Delete(s.ctx, admin, s.net.ID); err != nil {
		t.Fatal(err)
	}
	if len(s.door.events) != 1 {
		t.Fatalf("%d events were raised", len(s.door.events))
	}
	e := s.door.events[0]
	if e.Kind != "workspace" || e.Action != "deleted" || e.Key == "" || e.Organization.ID != s.acme.ID ||
		e.Project.ID != s.one.ID || e.Workspace.ID != s.net.ID || e.Workspace.Name != "net" {
		t.Errorf("event = %+v", e)
	}
	if s.index.Get(s.hook.ID) != nil || s.index.Len() != 0 {
		t.Error("the index still holds the subscription")
	}
	if told := s.engine.told(); len(told) != 1 || told[0] != s.hook.ID {
		t.Errorf("the engine was told of %v", told)
	}
	if version, err := s.Version(s.ctx, s.hook.ID, 1); err != nil || version.ID != s.hook.ID {
		t.Errorf("the version that the last delivery needs: %v", err)
	}
	_, err := s.Workspaces().Get(s.ctx, admin, estate.ByID(s.net.ID))
	wantCode(t, err, fault.NotFound)
}

func TestAnUnannouncedWorkspaceStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.door.fail = errors.New("the disk is full")
	if err := s.Workspaces().Delete(s.ctx, admin, s.net.ID); !errors.Is(err, s.door.fail) {
		t.Errorf("err = %v", err)
	}
	if _, err := s.Workspaces().Get(s.ctx, admin, estate.ByID(s.net.ID)); err != nil {
		t.Errorf("the workspace is gone: %v", err)
	}
}

func TestDeletingAProjectTakesWhatStandsInIt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	child := must[estate.Project](t)(s.Projects().Create(s.ctx, admin, estate.Project{Common: estate.Common{Name: "child"}, OrganizationID: s.acme.ID, ParentID: s.one.ID}))
	deep := s.workspace(child, "deep")
	ofChild := s.subscribe(s.acme.ID, subscription.LevelProject, child.ID)
	stays := s.subscribe(s.acme.ID, subscription.LevelProject, s.two.ID)
	docs := s.Services().Documents
	inProject := must[store.Record](t)(docs.Put(s.ctx, admin, estate.Place{OrganizationID: s.acme.ID, ProjectID: child.ID}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)}))
	outside := must[store.Record](t)(docs.Put(s.ctx, admin, estate.Place{OrganizationID: s.acme.ID}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{}`)}))

	if err := s.Projects().Delete(s.ctx, admin, s.one.ID); err != nil {
		t.Fatal(err)
	}
	if len(s.door.events) != 3 {
		t.Errorf("%d workspaces were announced", len(s.door.events))
	}
	for name, key := range map[string]store.RecordKey{
		"project": {Kind: store.KindProject, ID: s.one.ID}, "nested project": {Kind: store.KindProject, ID: child.ID},
		"workspace": {Kind: store.KindWorkspace, ID: s.net.ID}, "nested workspace": {Kind: store.KindWorkspace, ID: deep.ID},
		"subscription": {Kind: store.KindSubscription, ID: s.hook.ID}, "project's subscription": {Kind: store.KindSubscription, ID: ofChild.ID},
		"document": {Kind: store.KindEndpoint, ID: inProject.ID},
	} {
		if _, err := s.store.Get(s.ctx, key.Kind, key.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, key := range map[string]store.RecordKey{
		"other project": {Kind: store.KindProject, ID: s.two.ID}, "its subscription": {Kind: store.KindSubscription, ID: stays.ID},
		"document of the organization": {Kind: store.KindEndpoint, ID: outside.ID},
	} {
		if _, err := s.store.Get(s.ctx, key.Kind, key.ID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeletingAnOrganizationTakesEverythingOfIt(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.member(s.acme.ID, "ada@x.org", estate.RoleOwner)
	s.subscribe(s.acme.ID, subscription.LevelTeam, s.team.ID)
	kept := s.subscribe(s.beta.ID, subscription.LevelOrganization, s.beta.ID)
	if _, _, err := s.Sources().Create(s.ctx, admin, estate.InboundSource{Common: estate.Common{Name: "in"}, OrganizationID: s.acme.ID, Dialect: "plain"}, ""); err != nil {
		t.Fatal(err)
	}
	replay := store.Record{Kind: store.KindReplay, ID: s.ids.New(), Parent: s.acme.ID, Body: []byte(`{}`)}
	if _, err := s.store.Apply(s.ctx, []store.Change{store.Insert(&replay), s.Entry(admin, manage.AuditEntry{Action: "create", Kind: "replay", ObjectID: replay.ID, OrganizationID: s.acme.ID})}); err != nil {
		t.Fatal(err)
	}
	token := func(grants ...estate.Grant) estate.Token {
		t.Helper()
		made, _, err := s.Tokens().Create(s.ctx, admin, estate.Token{Common: estate.Common{Name: "t"}, Grants: grants}, manage.Shape{})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	inAcme, inBeta := estate.Grant{OrganizationID: s.acme.ID, Role: estate.RoleReader}, estate.Grant{OrganizationID: s.beta.ID, Role: estate.RoleReader}
	gone, both := token(inAcme), token(inAcme, inBeta)

	if err := s.Organizations().Delete(s.ctx, admin, s.acme.ID); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []store.Kind{store.KindProject, store.KindTeam, store.KindMembership, store.KindSource, store.KindReplay} {
		if n := s.count(kind, s.acme.ID); n != 0 {
			t.Errorf("%d records of kind %s are left", n, kind)
		}
	}
	if s.count(store.KindWorkspace, 0) != 0 || s.index.Len() != 1 || s.index.Get(kept.ID) == nil {
		t.Errorf("%d workspaces, %d subscriptions are left", s.count(store.KindWorkspace, 0), s.index.Len())
	}
	if _, err := s.Users().Get(s.ctx, admin, estate.ByID(ada.UserID)); err != nil {
		t.Errorf("the user belongs to the installation: %v", err)
	}
	left := must[[]estate.Token](t)(s.Tokens().List(s.ctx, admin))
	if len(left) != 1 || left[0].ID != both.ID || len(left[0].Grants) != 1 || left[0].Grants[0] != inBeta {
		t.Errorf("tokens = %+v, %s should be gone", left, gone.ID)
	}
	if entries := must[[]manage.AuditEntry](t)(s.Audit().List(s.ctx, admin, s.acme.ID, store.Page{Limit: 200})); !slices.ContainsFunc(entries, func(e manage.AuditEntry) bool {
		return e.Kind == "replay" && e.ObjectID == replay.ID && e.Actor == admin.Name && !e.At.IsZero()
	}) {
		t.Errorf("the audit log forgot the replay: %+v", entries)
	}
	if again := s.organization("acme"); again.ID == s.acme.ID {
		t.Error("the name leads to the old organization")
	}
}

func TestASubscriptionLosesTheScopesThatGo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	both := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	both.Scopes = append(both.Scopes, subscription.Scope{Level: subscription.LevelWorkspace, ID: s.dns.ID})
	shared := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, both, hookSecrets, dialect.SaveOptions{}))
	detached := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	detached.Dialect = "other"
	outlives := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, detached, hookSecrets, dialect.SaveOptions{}))

	if err := s.Workspaces().Delete(s.ctx, admin, s.net.ID); err != nil {
		t.Fatal(err)
	}
	if got := s.index.Get(shared.ID); got == nil || got.Version != 2 || len(got.Scopes) != 1 || got.Scopes[0].ID != s.dns.ID {
		t.Errorf("shared = %+v", got)
	}
	if got := s.index.Get(outlives.ID); got == nil || len(got.Scopes) != 0 {
		t.Errorf("outlives = %+v", got)
	}
	if plain, err := s.Subscriptions().Reveal(s.ctx, admin, shared.ID); err != nil || plain.URL != hookSecrets.URL {
		t.Errorf("secrets after detaching: %v", err)
	}
}

func TestLeavingAnOrganizationTakesItsGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	ada := w.member(acme.ID, "ada@x.org", estate.RoleReader)
	team := must[estate.Team](t)(w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: acme.ID, MemberIDs: []ident.ID{ada.ID}}))
	grant := estate.Grant{OrganizationID: acme.ID, Role: estate.RoleWriter}
	make := func(user ident.ID) string {
		_, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "t"}, UserID: user, Grants: []estate.Grant{grant}}, manage.Shape{})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	hers, machine := make(ada.UserID), make(0)
	if err := w.Users().Delete(w.ctx, admin, ada.UserID); err != nil {
		t.Fatal(err)
	}
	_, err := w.Tokens().Authenticate(w.ctx, hers)
	wantCode(t, err, fault.Unauthorized)
	_, err = w.Tokens().Authenticate(w.ctx, machine)
	wantCode(t, err, "")
	if got := get(w, w.Teams(), estate.ByID(team.ID)); len(got.MemberIDs) != 0 || w.count(store.KindMembership, acme.ID) != 0 {
		t.Errorf("team = %+v", got)
	}
}

// What another node makes below an object while that is being deleted either makes the deletion begin anew, or is refused.
func TestNothingIsLeftBehindADeletion(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	other := joinWorld(t, s.store, s.path, 1, masterKey(1))
	once := false
	s.door.before = func() {
		if once {
			return
		}
		once = true
		other.subscribe(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	}
	if err := s.Workspaces().Delete(s.ctx, admin, s.net.ID); err != nil {
		t.Fatal(err)
	}
	if n := s.count(store.KindSubscription, s.acme.ID); n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
	if err := other.Refresh(s.ctx); err != nil {
		t.Fatal(err)
	}
	_, err := other.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.net.ID), hookSecrets, dialect.SaveOptions{})
	wantCode(t, err, fault.Invalid)
	if other.index.Len() != 0 {
		t.Errorf("the other node still holds %d subscriptions", other.index.Len())
	}
}

func TestDeletingATeamTakesItsSubscriptions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ofTeam := s.subscribe(s.acme.ID, subscription.LevelTeam, s.team.ID)
	if err := s.Teams().Delete(s.ctx, admin, s.team.ID); err != nil {
		t.Fatal(err)
	}
	if s.index.Get(ofTeam.ID) != nil || s.index.Get(s.hook.ID) == nil {
		t.Error("the wrong subscriptions went")
	}
}

// A member who leaves loses what their tokens were granted there, and keeps what they were granted elsewhere.
func TestLeavingOneOfTwoOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	ada := w.member(acme.ID, "ada@x.org", "")
	w.member(beta.ID, "ada@x.org", "")
	inBeta := estate.Grant{OrganizationID: beta.ID, Role: estate.RoleReader}
	_, text, err := w.Tokens().Create(w.ctx, admin, estate.Token{
		Common: estate.Common{Name: "t"}, UserID: ada.UserID,
		Grants: []estate.Grant{{OrganizationID: acme.ID, Role: estate.RoleWriter}, inBeta},
	}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Memberships().Delete(w.ctx, admin, ada.ID); err != nil {
		t.Fatal(err)
	}
	p := must[estate.Principal](t)(w.Tokens().Authenticate(w.ctx, text))
	if len(p.Grants) != 1 || p.Grants[0] != inBeta {
		t.Errorf("grants = %+v", p.Grants)
	}
}
