package spacelift

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

// world is an account "acme" in memory that behaves as the services promise. It is one test's own.
type world struct {
	dialect.Events

	mu      sync.Mutex
	next    ident.ID
	now     time.Time
	broken  error // what everything that is stored answers with
	refuses error // what Accept answers with

	organizations *objects[estate.Organization]
	projects      *objects[estate.Project]
	workspaces    *objects[estate.Workspace]
	subscriptions *webhooks
	policies      *documents
	events        []event.Event
}

// adminToken is the only token; its identifier is tokenID.
const (
	adminToken = "admin"
	tokenID    = ident.ID(7 << 13)
)

func newWorld() *world {
	w := &world{next: 100 << 13, now: atMillis(1795311945249)}
	w.organizations = &objects[estate.Organization]{world: w, common: func(o *estate.Organization) *estate.Common { return &o.Common },
		parents: func(*estate.Organization) []ident.ID { return []ident.ID{0} }}
	w.projects = &objects[estate.Project]{world: w, common: func(o *estate.Project) *estate.Common { return &o.Common },
		parents: func(o *estate.Project) []ident.ID { return []ident.ID{o.OrganizationID} }, repeat: func(o *estate.Project) bool { return o.ParentID != 0 }}
	w.workspaces = &objects[estate.Workspace]{world: w, common: func(o *estate.Workspace) *estate.Common { return &o.Common },
		parents: func(o *estate.Workspace) []ident.ID { return []ident.ID{o.ProjectID, o.OrganizationID} }}
	w.subscriptions = newWebhooks(w)
	w.policies = &documents{world: w}
	w.organizations.items = []estate.Organization{{Common: estate.Common{ID: sampleOrganization, Name: "acme"}, DefaultProjectID: sampleProject}}
	w.projects.items = []estate.Project{{Common: estate.Common{ID: sampleProject, Name: "Default"}, OrganizationID: sampleOrganization}}
	return w
}

func (w *world) services() dialect.Services {
	return dialect.Services{
		Organizations: w.organizations, Projects: w.projects, Workspaces: w.workspaces, Subscriptions: w.subscriptions, Documents: w.policies,
		Events: w, Access: w, Sessions: w, Site: sampleSite, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return w.now },
	}
}

func (w *world) id() ident.ID {
	w.next += 1 << 13
	return w.next
}

// Authenticate knows the administrator.
func (w *world) Authenticate(ctx context.Context, token string) (estate.Principal, error) {
	if token != adminToken {
		return estate.Principal{}, fault.New(fault.Unauthorized, "The token is unknown.")
	}
	return w.Resume(ctx, tokenID)
}

// Resume knows the administrator's token.
func (w *world) Resume(_ context.Context, id ident.ID) (estate.Principal, error) {
	if id != tokenID {
		return estate.Principal{}, fault.New(fault.Unauthorized, "The token is unknown.")
	}
	return estate.Principal{TokenID: id, Name: "admin", Grants: []estate.Grant{{OrganizationID: sampleOrganization, Role: estate.RoleAdmin}}}, nil
}

// Fingerprint is long enough.
func (*world) Fingerprint(purpose, text string) string {
	return signatureSHA256("master", []byte(purpose+"\x00"+text))[len(prefixSHA256):]
}

// Accept keeps the events.
func (w *world) Accept(_ context.Context, _ estate.Principal, events []event.Event) ([]dialect.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses != nil {
		return nil, w.refuses
	}
	w.events = append(w.events, events...)
	return make([]dialect.Receipt, len(events)), nil
}

// Run finds no runs.
func (w *world) Run(context.Context, estate.Principal, estate.Ref) ([]event.Event, error) {
	return nil, fault.Missing("run", "")
}

// List finds no runs.
func (w *world) List(context.Context, estate.Principal, store.EventFilter, store.Page) ([]event.Event, error) {
	return nil, w.broken
}

// objects is a collection in memory.
type objects[T any] struct {
	world   *world
	items   []T
	common  func(*T) *estate.Common
	parents func(*T) []ident.ID
	repeat  func(*T) bool // names that need not be unique
	panics  bool
}

func (o *objects[T]) Create(_ context.Context, _ estate.Principal, item T) (T, error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	c := o.common(&item)
	c.ID, c.CreatedAt, c.UpdatedAt = o.world.id(), o.world.now, o.world.now
	if err := o.free(&item); err != nil {
		return item, err
	}
	o.items = append(o.items, item)
	return item, nil
}

func (o *objects[T]) free(item *T) error {
	for i := range o.items {
		other := &o.items[i]
		same := o.common(other).ID != o.common(item).ID && o.common(other).Name == o.common(item).Name && o.parents(other)[0] == o.parents(item)[0]
		if same && (o.repeat == nil || !o.repeat(item)) {
			return &fault.Error{Code: fault.Conflict, Field: "/name", Message: "The name is taken."}
		}
	}
	return nil
}

func (o *objects[T]) find(ref estate.Ref) (int, error) {
	if o.world.broken != nil {
		return 0, o.world.broken
	}
	for i := range o.items {
		c := o.common(&o.items[i])
		given := c.ExternalIDs[Name]
		if ref.ID != 0 && c.ID == ref.ID || given != "" && ref.Alias == estate.Alias(Name, given) ||
			ref.Name != "" && c.Name == ref.Name && slices.Contains(o.parents(&o.items[i]), ref.Parent) {
			return i, nil
		}
	}
	return 0, fault.Missing("object", ref.Name+ref.Alias)
}

func (o *objects[T]) Get(_ context.Context, _ estate.Principal, ref estate.Ref) (item T, err error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	i, err := o.find(ref)
	if err != nil {
		return item, err
	}
	return o.items[i], nil
}

func (o *objects[T]) List(_ context.Context, _ estate.Principal, parent ident.ID) (list []T, err error) {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	if o.panics {
		panic("secret detail")
	}
	for i := range o.items {
		if parent == 0 || slices.Contains(o.parents(&o.items[i]), parent) {
			list = append(list, o.items[i])
		}
	}
	return list, o.world.broken
}

func (o *objects[T]) Update(ctx context.Context, p estate.Principal, id ident.ID, change func(*T) error) (T, error) {
	item, err := o.Get(ctx, p, estate.ByID(id))
	if err == nil {
		err = change(&item)
	}
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	if err == nil {
		err = o.free(&item)
	}
	if err != nil {
		return item, err
	}
	i, err := o.find(estate.ByID(id))
	if err == nil {
		o.items[i] = item
	}
	return item, err
}

func (o *objects[T]) Delete(_ context.Context, _ estate.Principal, id ident.ID) error {
	o.world.mu.Lock()
	defer o.world.mu.Unlock()
	i, err := o.find(estate.ByID(id))
	if err == nil {
		o.items = slices.Delete(o.items, i, i+1)
	}
	return err
}
