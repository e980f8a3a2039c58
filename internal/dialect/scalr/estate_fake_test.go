package scalr

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// world is an estate in memory that behaves as the services promise. It is one test's own.
type world struct {
	mu   sync.Mutex
	next ident.ID
	now  time.Time

	tokens map[string]estate.Principal

	organizations *objects[estate.Organization]
	projects      *objects[estate.Project]
	workspaces    *objects[estate.Workspace]
	teams         *objects[estate.Team]
	users         *objects[estate.User]
	memberships   *objects[estate.Membership]
	subscriptions *hooks
	documents     *papers
	log           *deliveries
	events        []event.Event
}

func newWorld() *world {
	w := &world{next: 1 << 13, now: at("2026-11-22T01:51:44Z"), tokens: map[string]estate.Principal{}}
	w.organizations = &objects[estate.Organization]{world: w, common: func(o *estate.Organization) *estate.Common { return &o.Common },
		tenant: func(o *estate.Organization) ident.ID { return o.ID }, parents: func(*estate.Organization) []ident.ID { return []ident.ID{0} }}
	w.projects = &objects[estate.Project]{world: w, common: func(o *estate.Project) *estate.Common { return &o.Common },
		tenant:  func(o *estate.Project) ident.ID { return o.OrganizationID },
		parents: func(o *estate.Project) []ident.ID { return []ident.ID{o.OrganizationID} }}
	w.workspaces = &objects[estate.Workspace]{world: w, common: func(o *estate.Workspace) *estate.Common { return &o.Common },
		tenant:  func(o *estate.Workspace) ident.ID { return o.OrganizationID },
		parents: func(o *estate.Workspace) []ident.ID { return []ident.ID{o.ProjectID, o.OrganizationID} }}
	w.teams = &objects[estate.Team]{world: w, common: func(o *estate.Team) *estate.Common { return &o.Common },
		tenant:  func(o *estate.Team) ident.ID { return o.OrganizationID },
		parents: func(o *estate.Team) []ident.ID { return []ident.ID{o.OrganizationID} }}
	w.users = &objects[estate.User]{world: w, common: func(o *estate.User) *estate.Common { return &o.Common },
		parents: func(*estate.User) []ident.ID { return []ident.ID{0} }}
	w.memberships = &objects[estate.Membership]{world: w, common: func(o *estate.Membership) *estate.Common { return &o.Common },
		tenant:  func(o *estate.Membership) ident.ID { return o.OrganizationID },
		parents: func(o *estate.Membership) []ident.ID { return []ident.ID{o.OrganizationID} }}
	w.organizations.creating = w.addDefaultProject
	w.subscriptions, w.documents, w.log = newHooks(w), newPapers(w), &deliveries{world: w}
	return w
}

// services are what the management API is mounted with.
func (w *world) services() dialect.Services {
	return dialect.Services{
		Organizations: w.organizations, Projects: w.projects, Workspaces: w.workspaces, Teams: w.teams, Users: w.users,
		Memberships: w.memberships, Subscriptions: w.subscriptions, Documents: w.documents, Sealed: sealedPapers{w.documents}, Deliveries: w.log, Counts: w.log,
		Walk: w.log, Events: w, Access: w, Site: sampleSite,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	}
}

func (w *world) id() ident.ID {
	w.next += 1 << 13
	return w.next
}

func (w *world) addDefaultProject(o *estate.Organization) {
	o.DefaultProjectID = w.id()
	w.projects.items = append(w.projects.items, estate.Project{
		Common: estate.Common{ID: o.DefaultProjectID, Name: "Default Project", CreatedAt: w.now, UpdatedAt: w.now}, OrganizationID: o.ID,
	})
}

// Authenticate knows the tokens of the test.
func (w *world) Authenticate(_ context.Context, token string) (estate.Principal, error) {
	if p, ok := w.tokens[token]; ok {
		return p, nil
	}
	return estate.Principal{}, fault.New(fault.Unauthorized, "The token is unknown.")
}

// Accept is not used by this dialect.
func (w *world) Accept(context.Context, estate.Principal, []event.Event) ([]dialect.Receipt, error) {
	return nil, fault.New(fault.Unsupported, "Not here.")
}

// Run returns the events of a run.
func (w *world) Run(_ context.Context, _ estate.Principal, ref estate.Ref) ([]event.Event, error) {
	var found []event.Event
	for _, e := range w.events {
		if e.Run != nil && (e.Run.ID == ref.ID || ref.Alias == estate.Alias(Name, e.Run.ExternalIDs[Name])) {
			found = append(found, e)
		}
	}
	if len(found) == 0 {
		return nil, fault.Missing("run", ref.Alias)
	}
	return found, nil
}

// List lists events, newest first.
func (w *world) List(_ context.Context, _ estate.Principal, filter store.EventFilter, page store.Page) ([]event.Event, error) {
	var found []event.Event
	for _, e := range slices.Backward(w.events) {
		if slices.Contains(filter.Kinds, string(e.Kind)) && (page.Before == 0 || e.ID < page.Before) && len(found) < page.Limit {
			found = append(found, e)
		}
	}
	return found, nil
}

// objects is a collection in memory.
type objects[T any] struct {
	world    *world
	items    []T
	common   func(*T) *estate.Common
	tenant   func(*T) ident.ID // nil for what belongs to nobody
	parents  func(*T) []ident.ID
	creating func(*T)
}

func (o *objects[T]) sees(p estate.Principal, item *T) bool {
	return o.tenant == nil || p.Sees(estate.Place{OrganizationID: o.tenant(item)})
}

func (o *objects[T]) Create(_ context.Context, p estate.Principal, item T) (T, error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	var none T
	if o.tenant != nil && !p.May(estate.RoleAdmin, estate.Place{OrganizationID: o.tenant(&item)}) {
		return none, fault.New(fault.Forbidden, "You may not.")
	}
	c := o.common(&item)
	c.ID, c.CreatedAt, c.UpdatedAt = o.world.id(), o.world.now, o.world.now
	if err := o.free(&item); err != nil {
		return none, err
	}
	if o.creating != nil {
		o.creating(&item)
	}
	o.items = append(o.items, item)
	return item, nil
}

// free checks that the name is unique in the nearest parent.
func (o *objects[T]) free(item *T) error {
	for i := range o.items {
		other := &o.items[i]
		if o.common(other).ID != o.common(item).ID && o.common(other).Name == o.common(item).Name && o.parents(other)[0] == o.parents(item)[0] {
			return &fault.Error{Code: fault.Conflict, Field: "/name", Message: "The name is taken."}
		}
	}
	return nil
}

func (o *objects[T]) find(p estate.Principal, ref estate.Ref) (int, error) {
	for i := range o.items {
		item := &o.items[i]
		c := o.common(item)
		matches := ref.ID != 0 && c.ID == ref.ID || ref.Name != "" && c.Name == ref.Name && slices.Contains(o.parents(item), ref.Parent)
		if given := c.ExternalIDs[Name]; given != "" && ref.Alias == estate.Alias(Name, given) {
			matches = true
		}
		if matches && o.sees(p, item) {
			return i, nil
		}
	}
	return 0, fault.Missing("object", ref.Name+ref.Alias)
}

func (o *objects[T]) Get(_ context.Context, p estate.Principal, ref estate.Ref) (T, error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	i, err := o.find(p, ref)
	if err != nil {
		var none T
		return none, err
	}
	return o.items[i], nil
}

func (o *objects[T]) List(_ context.Context, p estate.Principal, parent ident.ID) ([]T, error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	var list []T
	for i := range o.items {
		if o.sees(p, &o.items[i]) && (parent == 0 || slices.Contains(o.parents(&o.items[i]), parent)) {
			list = append(list, o.items[i])
		}
	}
	return list, nil
}

// Update gives up its lock while change runs, because that may ask for other objects.
func (o *objects[T]) Update(ctx context.Context, p estate.Principal, id ident.ID, change func(*T) error) (T, error) {
	item, err := o.Get(ctx, p, estate.ByID(id))
	if err == nil {
		err = change(&item)
	}
	if err == nil {
		o.world.mu.Lock()
		defer o.world.mu.Unlock()
		err = o.free(&item)
	}
	if err != nil {
		var none T
		return none, err
	}
	o.common(&item).UpdatedAt = o.world.now
	i, err := o.find(p, estate.ByID(id))
	if err == nil {
		o.items[i] = item
	}
	return item, err
}

func (o *objects[T]) Delete(_ context.Context, p estate.Principal, id ident.ID) error {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	i, err := o.find(p, estate.ByID(id))
	if err == nil {
		o.items = slices.Delete(o.items, i, i+1)
	}
	return err
}
