package manage_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// run is an event of a run of a workspace; an empty project is none.
func run(organization, project, workspace string) *event.Event {
	e := &event.Event{Kind: event.KindRun, Organization: event.Organization{Name: organization}, Workspace: &event.Workspace{Name: workspace}}
	if project != "" {
		e.Project = &event.Project{Name: project}
	}
	return e
}

func TestAWorkspaceBecomesKnownWithItsFirstEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	e := run("acme", "prod", "net")
	e.Workspace.Tags, e.Workspace.Repository = []string{"a"}, "o/r"
	e.Workspace.ExternalIDs = map[string]string{"plain": "ws-1"}
	places := must[[]subscription.Scope](t)(w.Register(w.ctx, e))
	work := get(w, w.Workspaces(), estate.ByAlias("plain", "ws-1"))
	if work.Name != "net" || work.Repository != "o/r" || e.Workspace.ID != work.ID || e.Project.ID != work.ProjectID || e.Organization.ID != acme.ID {
		t.Errorf("workspace = %+v, event = %+v", work, e)
	}
	want := []subscription.Scope{{Level: "workspace", ID: work.ID}, {Level: "project", ID: work.ProjectID}, {Level: "organization", ID: acme.ID}}
	if !slices.Equal(places, want) {
		t.Errorf("places = %v", places)
	}
	again := run("acme", "prod", "net")
	if same := must[[]subscription.Scope](t)(w.Register(w.ctx, again)); !slices.Equal(same, want) {
		t.Errorf("places of the second event = %v", same)
	}
	if !slices.Equal(again.Workspace.Tags, []string{"a"}) || again.Workspace.ExternalIDs["plain"] != "ws-1" {
		t.Errorf("the estate knew more: %+v", again.Workspace)
	}
	if w.count(store.KindWorkspace, 0) != 1 || w.count(store.KindProject, acme.ID) != 2 {
		t.Error("something was made twice")
	}
}

func TestPlacingEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	one := w.project(acme.ID, "one")
	net := must[estate.Workspace](t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{
		Common: estate.Common{Name: "net", ExternalIDs: map[string]string{"plain": "n-1"}}, ProjectID: one.ID, ExecutionMode: "local",
	}))
	foreign := w.workspace(w.project(beta.ID, "one"), "net")
	with := func(e *event.Event, change func(e *event.Event)) *event.Event { change(e); return e }
	cases := map[string]struct {
		e         *event.Event
		workspace ident.ID // 0: another one than those above
		project   string
	}{
		"by names":            {run("acme", "one", "net"), net.ID, "one"},
		"without a project":   {run("acme", "", "net"), net.ID, "one"},
		"unknown, no project": {run("acme", "", "fresh"), 0, manage.DefaultProject},
		"by external identifier": {with(run("acme", "elsewhere", "renamed"), func(e *event.Event) {
			e.Workspace.ExternalIDs = map[string]string{"plain": "n-1"}
		}), net.ID, "one"},
		"by ID": {with(run("acme", "", "x"), func(e *event.Event) { e.Workspace.ID = net.ID }), net.ID, "one"},
		"by a foreign ID": {with(run("acme", "one", "x"), func(e *event.Event) {
			e.Workspace.ID = foreign.ID
		}), 0, "one"},
		"another project": {run("acme", "two", "net"), 0, "two"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := w.Register(w.ctx, c.e); err != nil {
				t.Fatal(err)
			}
			got := c.e.Workspace.ID
			if (c.workspace != 0 && got != c.workspace) || (c.workspace == 0 && (got == 0 || got == net.ID || got == foreign.ID)) {
				t.Errorf("workspace = %s, want %s", got, c.workspace)
			}
			if c.e.Project == nil || c.e.Project.Name != c.project || c.e.Organization.ID != acme.ID {
				t.Errorf("event = %+v", c.e)
			}
			if c.workspace == net.ID && c.e.Workspace.ExecutionMode != "local" {
				t.Error("the execution mode is missing")
			}
		})
	}
	for name, e := range map[string]*event.Event{
		"unknown organization": run("nobody", "", "x"),
		"unknown ID":           {Kind: event.KindRun, Organization: event.Organization{ID: 42, Name: "acme"}},
	} {
		if _, err := w.Register(w.ctx, e); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := w.Register(w.ctx, run("acme", "one", "bad\x00name"))
	wantField(t, err, "/workspace/name")
	_, err = w.Register(w.ctx, run("acme", "bad\x00name", "w"))
	wantField(t, err, "/project/name")
}

// The answer for a name without a project is remembered; making a nearer workspace of that name must undo it.
func TestANearerWorkspaceTakesOverItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := joinWorld(t, w.store, w.path, 1, masterKey(1))
	acme := w.organization("acme")
	far := w.workspace(w.project(acme.ID, "one"), "net")
	if err := other.Refresh(w.ctx); err != nil {
		t.Fatal(err)
	}
	for _, node := range []*world{w, other} {
		if e := run("acme", "", "net"); must[[]subscription.Scope](t)(node.Register(w.ctx, e)) == nil || e.Workspace.ID != far.ID {
			t.Errorf("workspace = %s", e.Workspace.ID)
		}
	}
	near := must[estate.Workspace](t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{Common: estate.Common{Name: "net"}, OrganizationID: acme.ID}))
	if err := other.Refresh(w.ctx); err != nil {
		t.Fatal(err)
	}
	for _, node := range []*world{w, other} {
		if e := run("acme", "", "net"); must[[]subscription.Scope](t)(node.Register(w.ctx, e)) == nil || e.Workspace.ID != near.ID {
			t.Errorf("workspace = %s", e.Workspace.ID)
		}
	}
}

func TestADeletedWorkspaceIsNotMadeKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.organization("acme")
	e := run("acme", "gone", "gone")
	e.Kind, e.Action = event.KindWorkspace, "deleted"
	if _, err := w.Register(w.ctx, e); err != nil {
		t.Fatal(err)
	}
	if e.Workspace.ID != 0 || w.count(store.KindWorkspace, 0) != 0 {
		t.Errorf("event = %+v", e.Workspace)
	}
}

func TestParentsAndTeams(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme := w.organization("acme")
	nest := func(name string, parent ident.ID, inherits bool) estate.Project {
		return must[estate.Project](t)(w.Projects().Create(w.ctx, admin, estate.Project{
			Common: estate.Common{Name: name}, OrganizationID: acme.ID, ParentID: parent, Inherits: inherits,
		}))
	}
	root := nest("root", 0, false)
	mid := nest("mid", root.ID, true)
	apart := nest("apart", mid.ID, false)
	leaf := nest("leaf", apart.ID, true)
	ops := must[estate.Team](t)(w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: acme.ID}))
	dev := must[estate.Team](t)(w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "dev"}, OrganizationID: acme.ID}))
	ids := func(level subscription.Level, places []subscription.Scope) []ident.ID {
		var found []ident.ID
		for _, p := range places {
			if p.Level == level {
				found = append(found, p.ID)
			}
		}
		return found
	}
	for name, c := range map[string]struct {
		e        *event.Event
		projects []ident.ID
		teams    []ident.ID
	}{
		"takes over from its parent":       {run("acme", "mid", "w"), []ident.ID{mid.ID, root.ID}, nil},
		"does not":                         {run("acme", "apart", "w"), []ident.ID{apart.ID}, nil},
		"up to the first that does not":    {run("acme", "leaf", "w"), []ident.ID{leaf.ID, apart.ID}, nil},
		"a change request, nobody named":   {&event.Event{Kind: event.KindChangeRequest, Organization: event.Organization{Name: "acme"}}, nil, []ident.ID{ops.ID, dev.ID}},
		"a change request to a team":       {&event.Event{Kind: event.KindChangeRequest, Organization: event.Organization{Name: "acme"}, Teams: []event.Team{{Name: "dev"}}}, nil, []ident.ID{dev.ID}},
		"a change request to unknown ones": {&event.Event{Kind: event.KindChangeRequest, Organization: event.Organization{Name: "acme"}, Teams: []event.Team{{Name: "x"}, {ID: 7}}}, nil, nil},
	} {
		places := must[[]subscription.Scope](t)(w.Register(w.ctx, c.e))
		if got := ids(subscription.LevelProject, places); !slices.Equal(got, c.projects) {
			t.Errorf("%s: projects %v, want %v", name, got, c.projects)
		}
		if got := ids(subscription.LevelTeam, places); !slices.Equal(got, c.teams) {
			t.Errorf("%s: teams %v, want %v", name, got, c.teams)
		}
	}
}

func TestManyFirstEventsAtOnceMakeOneWorkspace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := joinWorld(t, w.store, w.path, 1, masterKey(1))
	w.organization("acme")
	var group sync.WaitGroup
	var mu sync.Mutex
	found := make(map[string]map[ident.ID]bool)
	for n := range 16 {
		node := []*world{w, other}[n%2]
		group.Go(func() {
			name := fmt.Sprintf("w%d", n%4)
			e := run("acme", "p", name)
			if _, err := node.Register(w.ctx, e); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if found[name] == nil {
				found[name] = make(map[ident.ID]bool)
			}
			found[name][e.Workspace.ID] = true
		})
	}
	group.Wait()
	for name, ids := range found {
		if len(ids) != 1 {
			t.Errorf("%s has %d IDs", name, len(ids))
		}
	}
	if n := w.count(store.KindWorkspace, 0); n != 4 {
		t.Errorf("%d workspaces", n)
	}
}

// Looking where an event would go makes nothing known.
func TestPlacesMakeNothingKnown(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	known := run("acme", "one", "net")
	places := must[[]subscription.Scope](t)(s.Places(s.ctx, known))
	if len(places) != 3 || known.Workspace.ID != s.net.ID || known.Project.ID != s.one.ID {
		t.Errorf("places = %v", places)
	}
	before := must[int64](t)(s.store.Revision(s.ctx))
	for name, e := range map[string]*event.Event{"unknown workspace": run("acme", "one", "x"), "unknown project": run("acme", "x", "x")} {
		if _, err := s.Places(s.ctx, e); err != nil || e.Workspace.ID != 0 || e.Organization.ID != s.acme.ID {
			t.Errorf("%s: %+v, %v", name, e.Workspace, err)
		}
	}
	if must[int64](t)(s.store.Revision(s.ctx)) != before {
		t.Error("looking wrote something")
	}
	_, err := s.Places(s.ctx, run("nobody", "", "x"))
	wantCode(t, err, fault.NotFound)
}

// BenchmarkRegister measures the hot path: everything is known and comes from memory.
func BenchmarkRegister(b *testing.B) {
	w := newWorld(b)
	w.organization("acme")
	for b.Loop() {
		if _, err := w.Register(b.Context(), run("acme", "prod", "net")); err != nil {
			b.Fatal(err)
		}
	}
}
