package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/store"
)

func TestOrganizationIsMadeWithItsDefaultProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	project := must[estate.Project](t)(w.Projects().Get(w.ctx, admin, estate.ByName(acme.ID, manage.DefaultProject)))
	if project.ID != acme.DefaultProjectID || project.OrganizationID != acme.ID {
		t.Errorf("default project = %+v, organization = %+v", project, acme)
	}
	work := must[estate.Workspace](t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{
		Common: estate.Common{Name: "net"}, OrganizationID: acme.ID,
	}))
	if work.ProjectID != project.ID {
		t.Errorf("a workspace without a project stands in %s", work.ProjectID)
	}
	err := w.Projects().Delete(w.ctx, admin, project.ID)
	wantCode(t, err, fault.Conflict)
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	cases := map[string]struct {
		name    string
		inPath  bool // may it name an organization
		allowed bool // may it name anything else
	}{
		"plain":              {"net-1_b.c", true, true},
		"spaces inside":      {"my net", false, true},
		"other letters":      {"日本語", false, true},
		"longest":            {strings.Repeat("x", 255), true, true},
		"longest in runes":   {strings.Repeat("ä", 255), false, true},
		"blank":              {" \t ", false, false},
		"empty":              {"", false, false},
		"too long":           {strings.Repeat("x", 256), false, false},
		"control character":  {"a\nb", false, false},
		"escape":             {"a\x1b[31m", false, false},
		"broken UTF-8":       {"a\xff", false, false},
		"begins with a dot":  {"..", false, true},
		"with a slash":       {"a/b", false, true},
		"with a query":       {"a?b", false, true},
		"with a percent":     {"a%2fb", false, true},
		"begins with a dash": {"-a", false, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := w.Organizations().Create(w.ctx, admin, estate.Organization{Common: estate.Common{Name: c.name}})
			wantName(t, err, c.inPath)
			_, err = w.Projects().Create(w.ctx, admin, estate.Project{Common: estate.Common{Name: c.name}, OrganizationID: acme.ID})
			wantName(t, err, c.allowed)
			_, err = w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: c.name}, OrganizationID: acme.ID})
			wantName(t, err, c.allowed)
			_, err = w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: c.name}, OrganizationID: acme.ID})
			wantName(t, err, c.allowed)
		})
	}
}

func wantName(t *testing.T, err error, allowed bool) {
	t.Helper()
	if allowed {
		wantCode(t, err, "")
		return
	}
	wantCode(t, err, fault.Invalid)
	wantField(t, err, "/name")
}

func TestNamesAndIdentifiersAreUnique(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	one, two := w.project(acme.ID, "one"), w.project(acme.ID, "two")
	w.workspace(one, "net")

	_, err := w.Organizations().Create(w.ctx, admin, estate.Organization{Common: estate.Common{Name: "acme"}})
	wantCode(t, err, fault.Conflict)
	wantField(t, err, "/name")
	_, err = w.Projects().Create(w.ctx, admin, estate.Project{Common: estate.Common{Name: "one"}, OrganizationID: acme.ID})
	wantField(t, err, "/name")
	_, err = w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "net"}, ProjectID: one.ID})
	wantField(t, err, "/name")
	w.workspace(two, "net")          // unique in its project only
	w.project(beta.ID, "one")        // tenants do not share names
	w.member(acme.ID, "a@x.org", "") // the same user in two organizations
	w.member(beta.ID, "A@x.org", "")

	ids := map[string]string{"plain": "ws-1"}
	_, err = w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "a", ExternalIDs: ids}, ProjectID: one.ID})
	wantCode(t, err, "")
	_, err = w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "b", ExternalIDs: ids}, ProjectID: two.ID})
	wantCode(t, err, fault.Conflict)
	wantField(t, err, "/external_ids/plain")
	_, err = w.Memberships().Create(w.ctx, admin, estate.Membership{Common: estate.Common{Name: "A@X.org"}, OrganizationID: acme.ID})
	wantCode(t, err, fault.Conflict)
	_, err = w.Users().Create(w.ctx, admin, estate.User{Common: estate.Common{Name: "other"}, Email: "a@X.ORG"})
	wantCode(t, err, fault.Conflict)
	wantField(t, err, "/email")
}

// One tenant's external identifiers neither collide with another's nor lead to its objects.
func TestExternalIdentifiersBelongToTheTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	make := func(o estate.Organization) estate.Workspace {
		return must[estate.Workspace](t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{
			Common: estate.Common{Name: "infra", ExternalIDs: map[string]string{"plain": "infra"}}, OrganizationID: o.ID,
		}))
	}
	first, second := make(acme), make(beta)
	ref := estate.ByAlias("plain", "infra")
	cases := map[string]struct {
		who    estate.Principal
		parent estate.Ref
		want   estate.Workspace
	}{
		"acme's reader": {as(estate.RoleReader, acme.ID, 0, 0), ref, first},
		"beta's reader": {as(estate.RoleReader, beta.ID, 0, 0), ref, second},
		"administrator": {admin, ref, first}, // the oldest
		"in beta":       {admin, estate.Ref{Parent: beta.ID, Alias: ref.Alias}, second},
	}
	for name, c := range cases {
		got, err := w.Workspaces().Get(w.ctx, c.who, c.parent)
		if err != nil || got.ID != c.want.ID {
			t.Errorf("%s: got %s, %v; want %s", name, got.ID, err, c.want.ID)
		}
	}
	_, err := w.Workspaces().Get(w.ctx, as(estate.RoleReader, acme.ID, 0, 0), estate.Ref{Parent: beta.ID, Alias: ref.Alias})
	wantCode(t, err, fault.NotFound)
}

func TestReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	deflt := must[estate.Project](t)(w.Projects().Get(w.ctx, admin, estate.ByID(acme.DefaultProjectID)))
	one := w.project(acme.ID, "one")
	child := must[estate.Project](t)(w.Projects().Create(w.ctx, admin, estate.Project{
		Common: estate.Common{Name: "child"}, OrganizationID: acme.ID, ParentID: one.ID,
	}))
	again := must[estate.Project](t)(w.Projects().Create(w.ctx, admin, estate.Project{
		Common: estate.Common{Name: "child"}, OrganizationID: acme.ID, ParentID: one.ID, // names of nested projects may repeat
	}))
	inOne := w.workspace(one, "net")
	inDefault := w.workspace(deflt, "net")
	onlyOne := w.workspace(one, "dns")

	for name, c := range map[string]struct{ got, want any }{
		"project by name":       {get(w, w.Projects(), estate.ByName(acme.ID, "one")).ID, one.ID},
		"nested by name":        {get(w, w.Projects(), estate.ByName(acme.ID, "child")).ID, child.ID},
		"nested in its parent":  {get(w, w.Projects(), estate.ByName(one.ID, "child")).ID, child.ID},
		"by ID":                 {get(w, w.Projects(), estate.ByID(again.ID)).ID, again.ID},
		"workspace in project":  {get(w, w.Workspaces(), estate.ByName(one.ID, "net")).ID, inOne.ID},
		"default project first": {get(w, w.Workspaces(), estate.ByName(acme.ID, "net")).ID, inDefault.ID},
		"any project":           {get(w, w.Workspaces(), estate.ByName(acme.ID, "dns")).ID, onlyOne.ID},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	for name, ref := range map[string]estate.Ref{
		"nothing": {}, "unknown ID": estate.ByID(42), "unknown name": estate.ByName(acme.ID, "none"), "unknown alias": estate.ByAlias("plain", "x"),
	} {
		if _, err := w.Workspaces().Get(w.ctx, admin, ref); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type getter[T any] interface {
	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (T, error)
}

func get[T any](w *world, from getter[T], ref estate.Ref) T {
	w.t.Helper()
	return must[T](w.t)(from.Get(w.ctx, admin, ref))
}

func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	one := w.project(acme.ID, "one")
	child := must[estate.Project](t)(w.Projects().Create(w.ctx, admin, estate.Project{
		Common: estate.Common{Name: "child"}, OrganizationID: acme.ID, ParentID: one.ID,
	}))
	net, dns := w.workspace(one, "net"), w.workspace(child, "dns")
	other := w.workspace(w.project(beta.ID, "p"), "w")
	names := func(list []estate.Workspace, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, o := range list {
			all = append(all, o.Name)
		}
		return strings.Join(all, " ")
	}
	all := w.Workspaces()
	for name, c := range map[string]struct{ got, want string }{
		"everything":             {names(all.List(w.ctx, admin, 0)), "net dns w"},
		"an organization":        {names(all.List(w.ctx, admin, acme.ID)), "net dns"},
		"a project":              {names(all.List(w.ctx, admin, one.ID)), "net"},
		"all that acme sees":     {names(all.List(w.ctx, as(estate.RoleReader, acme.ID, 0, 0), 0)), "net dns"},
		"a workspace's reader":   {names(all.List(w.ctx, as(estate.RoleReader, acme.ID, child.ID, dns.ID), acme.ID)), "dns"},
		"a project's reader":     {names(all.List(w.ctx, as(estate.RoleReader, acme.ID, one.ID, 0), 0)), "net"},
		"nobody":                 {names(all.List(w.ctx, estate.Principal{}, 0)), ""},
		"the other organization": {names(all.List(w.ctx, as(estate.RoleReader, beta.ID, 0, 0), beta.ID)), other.Name},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	_ = net
	children := must[[]estate.Project](t)(w.Projects().List(w.ctx, admin, one.ID))
	if len(children) != 1 || children[0].ID != child.ID {
		t.Errorf("children = %+v", children)
	}
	_, err := all.List(w.ctx, as(estate.RoleReader, beta.ID, 0, 0), acme.ID)
	wantCode(t, err, fault.NotFound)
	orgs := must[[]estate.Organization](t)(w.Organizations().List(w.ctx, as(estate.RoleReader, beta.ID, 0, 0), 0))
	if len(orgs) != 1 || orgs[0].ID != beta.ID {
		t.Errorf("organizations = %+v", orgs)
	}
}

func TestUpdateKeepsWhatNobodyMayChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	work := w.workspace(w.project(acme.ID, "one"), "net")
	w.clock.advance(1)
	updated := must[estate.Workspace](t)(w.Workspaces().Update(w.ctx, admin, work.ID, func(o *estate.Workspace) error {
		o.ID, o.OrganizationID, o.CreatedAt = 7, beta.ID, w.clock.Now()
		o.Description, o.Extra = "new", map[string]json.RawMessage{"plain": json.RawMessage(`{"a":1}`)}
		return nil
	}))
	if updated.ID != work.ID || updated.OrganizationID != acme.ID || !updated.CreatedAt.Equal(work.CreatedAt) ||
		updated.Description != "new" || !updated.UpdatedAt.After(work.UpdatedAt) {
		t.Errorf("updated = %+v", updated)
	}
	stop := errors.New("stop")
	if _, err := w.Workspaces().Update(w.ctx, admin, work.ID, func(*estate.Workspace) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("err = %v", err)
	}
	_, err := w.Workspaces().Update(w.ctx, admin, work.ID, func(o *estate.Workspace) error {
		o.Extra = map[string]json.RawMessage{"plain": json.RawMessage(`{`)}
		return nil
	})
	wantField(t, err, "/extra/plain")
	if got := get(w, w.Workspaces(), estate.ByID(work.ID)); got.Description != "new" {
		t.Errorf("a refused change was stored: %+v", got)
	}
}

// What Update hands out may be changed by its owner without reaching anybody else.
func TestObjectsAreNotShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	work := must[estate.Workspace](t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{
		Common: estate.Common{Name: "net", ExternalIDs: map[string]string{"plain": "x"}}, OrganizationID: acme.ID, Tags: []string{"a"},
	}))
	first := get(w, w.Workspaces(), estate.ByID(work.ID))
	first.ExternalIDs["plain"], first.Tags[0] = "changed", "changed"
	if second := get(w, w.Workspaces(), estate.ByID(work.ID)); second.ExternalIDs["plain"] != "x" || second.Tags[0] != "a" {
		t.Errorf("second = %+v", second)
	}
}

func TestConcurrentUpdatesAllCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := joinWorld(t, w.store, w.path, 1, masterKey(1))
	acme := w.organization("acme")
	work := w.workspace(w.project(acme.ID, "one"), "net")
	var group sync.WaitGroup
	for n := range 8 {
		node := []*world{w, other}[n%2]
		group.Go(func() {
			_, err := node.Workspaces().Update(w.ctx, admin, work.ID, func(o *estate.Workspace) error {
				o.Tags = append(o.Tags, "x")
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := get(w, w.Workspaces(), estate.ByID(work.ID)); len(got.Tags) != 8 {
		t.Errorf("%d of 8 changes are left", len(got.Tags))
	}
}

func TestEndlessContentionIsAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	work := w.workspace(w.project(acme.ID, "one"), "net")
	_, err := w.Workspaces().Update(w.ctx, admin, work.ID, func(*estate.Workspace) error {
		r := must[store.Record](t)(w.store.Get(w.ctx, store.KindWorkspace, work.ID))
		_, err := w.store.Apply(w.ctx, []store.Change{store.Update(&r)})
		return err
	})
	wantCode(t, err, fault.Conflict)
}

func TestNestedProjectsDoNotLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	one := w.project(acme.ID, "one")
	two := must[estate.Project](t)(w.Projects().Create(w.ctx, admin, estate.Project{Common: estate.Common{Name: "two"}, OrganizationID: acme.ID, ParentID: one.ID}))
	for name, parent := range map[string]estate.Project{"itself": one, "its child": two, "another tenant's": w.project(beta.ID, "x")} {
		_, err := w.Projects().Update(w.ctx, admin, one.ID, func(o *estate.Project) error { o.ParentID = parent.ID; return nil })
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMembershipMakesTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	first := w.member(acme.ID, "ada@x.org", estate.RoleAdmin)
	user := get(w, w.Users(), estate.ByID(first.UserID))
	if user.Name != "ada" || user.Email != "ada@x.org" || first.Status != manage.StatusActive {
		t.Errorf("user = %+v, membership = %+v", user, first)
	}
	if second := w.member(beta.ID, "Ada@x.org", ""); second.UserID != user.ID {
		t.Error("the same address made another user")
	}
	if namesake := get(w, w.Users(), estate.ByID(w.member(acme.ID, "ada@y.org", "").UserID)); namesake.Name == "ada" || namesake.Email != "ada@y.org" {
		t.Errorf("namesake = %+v", namesake)
	}
	robot := must[estate.User](t)(w.Users().Create(w.ctx, admin, estate.User{Common: estate.Common{Name: "robot"}, Service: true}))
	joined := must[estate.Membership](t)(w.Memberships().Create(w.ctx, admin, estate.Membership{OrganizationID: acme.ID, UserID: robot.ID}))
	if joined.Name != "robot" {
		t.Errorf("joined = %+v", joined)
	}
	for name, c := range map[string]struct {
		draft estate.Membership
		field string
	}{
		"no address": {estate.Membership{Common: estate.Common{Name: "nobody"}, OrganizationID: acme.ID}, "/name"},
		"status":     {estate.Membership{Common: estate.Common{Name: "b@x.org"}, OrganizationID: acme.ID, Status: "gone"}, "/status"},
		"role":       {estate.Membership{Common: estate.Common{Name: "b@x.org"}, OrganizationID: acme.ID, Role: "god"}, "/role"},
		"user":       {estate.Membership{OrganizationID: acme.ID, UserID: 42}, "/user_id"},
		"twice":      {estate.Membership{Common: estate.Common{Name: "x"}, OrganizationID: acme.ID, UserID: robot.ID}, "/name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Memberships().Create(w.ctx, admin, c.draft)
			wantField(t, err, c.field)
		})
	}
	own := must[[]estate.Membership](t)(w.Memberships().List(w.ctx, estate.Principal{UserID: user.ID}, user.ID))
	if len(own) != 2 {
		t.Errorf("own memberships = %+v", own)
	}
}

func TestTeamsHoldMembersOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	in, out := w.member(acme.ID, "a@x.org", ""), w.member(beta.ID, "b@x.org", "")
	_, err := w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: acme.ID, MemberIDs: []ident.ID{in.ID, out.ID}})
	wantField(t, err, "/member_ids")
	team := must[estate.Team](t)(w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: acme.ID, MemberIDs: []ident.ID{in.ID, in.ID}}))
	if len(team.MemberIDs) != 1 {
		t.Errorf("members = %v", team.MemberIDs)
	}
	if err := w.Memberships().Delete(w.ctx, admin, in.ID); err != nil {
		t.Fatal(err)
	}
	if team = get(w, w.Teams(), estate.ByID(team.ID)); len(team.MemberIDs) != 0 {
		t.Errorf("members after leaving = %v", team.MemberIDs)
	}
}

func TestListingMembershipsAndTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	ada := w.member(acme.ID, "Ada@x.org", "")
	w.member(beta.ID, "bob@x.org", "")
	reader := as(estate.RoleReader, acme.ID, 0, 0)
	if list := must[[]estate.Membership](t)(w.Memberships().List(w.ctx, reader, acme.ID)); len(list) != 1 || list[0].ID != ada.ID || list[0].Name != "Ada@x.org" {
		t.Errorf("acme's = %+v", list)
	}
	if list := must[[]estate.Membership](t)(w.Memberships().List(w.ctx, reader, 0)); len(list) != 1 {
		t.Errorf("a reader's = %+v", list)
	}
	if list := must[[]estate.Membership](t)(w.Memberships().List(w.ctx, admin, 0)); len(list) != 2 {
		t.Errorf("all = %+v", list)
	}
	if got := get(w, w.Memberships(), estate.ByName(acme.ID, "ada@X.org")); got.ID != ada.ID {
		t.Errorf("by name = %+v", got)
	}
	if got := get(w, w.Users(), estate.ByAlias("email", "ada@x.org")); got.ID != ada.UserID {
		t.Errorf("by mail address = %+v", got)
	}
	_, err := w.Memberships().Get(w.ctx, admin, estate.ByName(acme.ID, "nobody@x.org"))
	wantCode(t, err, fault.NotFound)
	for name, list := range map[string]func() error{
		"teams":       func() error { _, err := w.Teams().List(w.ctx, admin, 42); return err },
		"memberships": func() error { _, err := w.Memberships().List(w.ctx, reader, beta.ID); return err },
		"users":       func() error { _, err := w.Users().List(w.ctx, reader, beta.ID); return err },
		"projects":    func() error { _, err := w.Projects().List(w.ctx, reader, beta.ID); return err },
		"children":    func() error { _, err := w.Projects().List(w.ctx, reader, beta.DefaultProjectID); return err },
		"workspaces":  func() error { _, err := w.Workspaces().List(w.ctx, reader, beta.DefaultProjectID); return err },
		"sources":     func() error { _, err := w.Sources().List(w.ctx, reader, beta.ID); return err },
	} {
		if err := list(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of what one may not know of: %v", name, err)
		}
	}
	_, err = w.Organizations().List(w.ctx, admin, acme.ID)
	wantCode(t, err, fault.Invalid)
}

func TestOtherAttributesAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	long := strings.Repeat("x", 5000)
	for field, do := range map[string]func() error{
		"/email": func() error {
			_, err := w.Organizations().Create(w.ctx, admin, estate.Organization{Common: estate.Common{Name: "o"}, Email: "nobody"})
			return err
		},
		"/description": func() error {
			_, err := w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "w"}, OrganizationID: acme.ID, Description: long})
			return err
		},
		"/tags": func() error {
			_, err := w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "w"}, OrganizationID: acme.ID, Tags: make([]string, 201)})
			return err
		},
		"/full_name": func() error {
			_, err := w.Users().Create(w.ctx, admin, estate.User{Common: estate.Common{Name: "u"}, FullName: long})
			return err
		},
		"/external_ids": func() error {
			_, err := w.Users().Create(w.ctx, admin, estate.User{Common: estate.Common{Name: "u", ExternalIDs: map[string]string{"email": "a@x.org"}}})
			return err
		},
		"/extra": func() error {
			_, err := w.Projects().Create(w.ctx, admin, estate.Project{
				Common:         estate.Common{Name: "p", Extra: map[string]json.RawMessage{"plain": json.RawMessage(`"` + strings.Repeat("x", 300_000) + `"`)}},
				OrganizationID: acme.ID,
			})
			return err
		},
		"/organization_id": func() error {
			_, err := w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "t"}, OrganizationID: 42})
			return err
		},
	} {
		t.Run(strings.TrimPrefix(field, "/"), func(t *testing.T) { wantField(t, do(), field) })
	}
}
