package manage_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/subscription"
)

// world is one node on one database, with an engine and a way in that only write down what they are asked.
type world struct {
	*manage.Manage
	t      testing.TB
	ctx    context.Context
	store  store.Store
	path   string
	index  *subscription.Index
	engine *engine
	door   *door
	clock  *clock
	plain  *plainDialect
	other  *plainDialect
	ids    *ident.Generator
	keys   *seal.Keyring
}

// clock is the time of a world; it moves when it is told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

var admin = estate.System()

// masterKeys are fixed, so that a database can be opened by several worlds.
func masterKey(fill byte) []byte {
	key := make([]byte, seal.KeySize)
	for i := range key {
		key[i] = fill
	}
	return key
}

func newWorld(t testing.TB) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carillon.db")
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return joinWorld(t, db, path, 0, masterKey(1))
}

// joinWorld starts another node on a database.
func joinWorld(t testing.TB, db store.Store, path string, node int, keys ...[]byte) *world {
	t.Helper()
	w := &world{
		t: t, ctx: t.Context(), store: db, path: path, index: &subscription.Index{}, engine: &engine{}, door: &door{},
		clock: &clock{now: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)},
		plain: &plainDialect{name: "plain"}, other: &plainDialect{name: "other", late: true, detached: true, all: true},
	}
	keyring, err := seal.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	if w.ids, err = ident.NewGenerator(node, w.clock.Now); err != nil {
		t.Fatal(err)
	}
	w.keys = keyring
	w.Manage = manage.New(manage.Deps{
		Store: db, Keyring: keyring, Index: w.index, IDs: w.ids, Dialects: []dialect.Dialect{w.plain, w.other},
		Now: w.clock.Now, CheckURL: checkURL, Site: dialect.Site{BaseURL: "https://carillon.example", Product: "Carillon", Version: "1"},
	})
	w.SetEngine(w.engine)
	w.SetAccept(w.door.accept)
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

var errForbiddenHost = errors.New("loopback")

// checkURL refuses one host, as a guard would.
func checkURL(url string) error {
	if url == "http://127.0.0.1/hook" {
		return &fault.Error{Code: fault.Invalid, Message: "The address 127.0.0.1 is not allowed as a destination.", Cause: errForbiddenHost}
	}
	return nil
}

// engine writes down what it is asked, and answers test requests as told.
type engine struct {
	mu       sync.Mutex
	status   int
	fail     error
	sent     []dialect.Single
	enqueued []delivery.Delivery
	changed  []ident.ID
	canceled []delivery.Key
	rendered *delivery.Message
	inexact  bool // what is rendered again differs from what was sent
}

func (e *engine) Send(_ context.Context, s dialect.Single) (delivery.Attempt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, s)
	if e.fail != nil {
		return delivery.Attempt{}, e.fail
	}
	a := delivery.Attempt{Delivery: s.Delivery, Number: 1, State: delivery.Exhausted}
	switch e.status {
	case 0:
		a.Result = delivery.Result{Class: delivery.ClassTimeout, Detail: "no answer in time"}
	default:
		a.Result = delivery.Result{Class: delivery.ClassAnswered, Status: e.status}
	}
	if a.Result.OK() {
		a.State = delivery.Delivered
	}
	return a, nil
}

func (e *engine) Enqueue(_ context.Context, deliveries []delivery.Delivery) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.enqueued = append(e.enqueued, deliveries...)
	return e.fail
}

func (e *engine) Changed(id ident.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.changed = append(e.changed, id)
}

func (e *engine) Cancel(_ context.Context, key delivery.Key) error {
	e.canceled = append(e.canceled, key)
	return e.fail
}

func (e *engine) Render(context.Context, delivery.Attempt) (*delivery.Message, bool, error) {
	return e.rendered, !e.inexact, e.fail
}

// told returns what Changed was called with since the last time.
func (e *engine) told() []ident.ID {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := e.changed
	e.changed = nil
	return changed
}

// door is the way in for events.
type door struct {
	mu     sync.Mutex
	events []event.Event
	fail   error
	before func()
}

func (d *door) accept(_ context.Context, events []event.Event) ([]dialect.Receipt, error) {
	if d.before != nil {
		d.before()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return nil, d.fail
	}
	d.events = append(d.events, events...)
	return make([]dialect.Receipt, len(events)), nil
}

// plainDialect says one thing of every run, and has every capability that this package asks for.
type plainDialect struct {
	name     string
	late     bool
	detached bool
	all      bool
	refuse   error // what Validate answers
	silent   bool  // verifies nothing
	mute     bool  // says nothing of anything
	farewell bool  // speaks of deleted workspaces too
	open     bool  // shows addresses to readers
	complete func(dialect.Completion) error
}

func (d *plainDialect) Name() string  { return d.name }
func (d *plainDialect) Title() string { return d.name }

func (d *plainDialect) Notices(e *event.Event) []subscription.Notice {
	if d.farewell && e.Action == "deleted" {
		return []subscription.Notice{{Name: "deleted", Triggers: []string{"run:any"}}}
	}
	if d.mute || e.Kind != event.KindRun {
		return nil
	}
	return []subscription.Notice{{Name: "run", Triggers: []string{"run:any"}}}
}

func (d *plainDialect) Render(in dialect.Input) (*delivery.Message, error) {
	body := in.Subscription.Name + " " + in.Notice.Name
	for _, to := range in.Recipients {
		body += " " + to
	}
	return &delivery.Message{Channel: in.Subscription.Channel, Body: []byte(body), Trigger: in.Notice.Name}, nil
}

func (d *plainDialect) Sign(*delivery.Message, dialect.Signing) {}

func (d *plainDialect) Policy(*subscription.Subscription) delivery.Policy { return delivery.Default() }

func (d *plainDialect) Triggers(subscription.Level) []dialect.Trigger {
	return []dialect.Trigger{{Value: "run:any"}, {Value: "run:errored"}}
}

func (d *plainDialect) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook, subscription.ChannelSlack, subscription.ChannelEmail, subscription.ChannelTrigger}
}

func (d *plainDialect) Verification(s *subscription.Subscription, _ dialect.Site, _ time.Time) (*delivery.Message, error) {
	if d.silent || s.Channel == subscription.ChannelEmail {
		return nil, nil
	}
	return &delivery.Message{Channel: s.Channel, Body: []byte("verify " + s.Name)}, nil
}

func (d *plainDialect) Receive(dialect.Inbound) (dialect.Received, error) {
	return dialect.Received{}, nil
}

func (d *plainDialect) ChecksAddressLate() bool { return d.late }

func (d *plainDialect) Validate(*subscription.Subscription, subscription.Secrets) error {
	return d.refuse
}

func (d *plainDialect) OutlivesScopes(*subscription.Subscription) bool { return d.detached }

func (d *plainDialect) ShowsAddresses() bool { return d.open }

func (d *plainDialect) Complete(c dialect.Completion) error {
	if d.complete == nil {
		return nil
	}
	return d.complete(c)
}

func (d *plainDialect) AllMembers(*subscription.Subscription) bool { return d.all }

// must returns a value whose error would end the test.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// organization makes an organization.
func (w *world) organization(name string) estate.Organization {
	w.t.Helper()
	return must[estate.Organization](w.t)(w.Organizations().Create(w.ctx, admin, estate.Organization{Common: estate.Common{Name: name}}))
}

// project makes a project of an organization.
func (w *world) project(organization ident.ID, name string) estate.Project {
	w.t.Helper()
	return must[estate.Project](w.t)(w.Projects().Create(w.ctx, admin, estate.Project{Common: estate.Common{Name: name}, OrganizationID: organization}))
}

// workspace makes a workspace in a project.
func (w *world) workspace(project estate.Project, name string) estate.Workspace {
	w.t.Helper()
	return must[estate.Workspace](w.t)(w.Workspaces().Create(w.ctx, admin, estate.Workspace{
		Common: estate.Common{Name: name}, OrganizationID: project.OrganizationID, ProjectID: project.ID,
	}))
}

// member makes a membership by mail address, and with it the user.
func (w *world) member(organization ident.ID, address string, role estate.Role) estate.Membership {
	w.t.Helper()
	return must[estate.Membership](w.t)(w.Memberships().Create(w.ctx, admin, estate.Membership{
		Common: estate.Common{Name: address}, OrganizationID: organization, Role: role,
	}))
}

// at is a subscription of the plain dialect to one scope.
func at(organization ident.ID, level subscription.Level, id ident.ID) subscription.Subscription {
	return subscription.Subscription{
		OrganizationID: organization, Dialect: "plain", Channel: subscription.ChannelWebhook, Name: "hook", Enabled: true,
		Scopes: []subscription.Scope{{Level: level, ID: id}}, Triggers: []string{"run:any"},
	}
}

var hookSecrets = subscription.Secrets{URL: "https://hooks.example/T0/secret-path", Secret: "very-secret-word"}

// subscribe saves a subscription of the plain dialect.
func (w *world) subscribe(organization ident.ID, level subscription.Level, id ident.ID) subscription.Subscription {
	w.t.Helper()
	return must[subscription.Subscription](w.t)(w.Subscriptions().Create(w.ctx, admin, at(organization, level, id), hookSecrets, dialect.SaveOptions{}))
}

// as is a principal with one grant.
func as(role estate.Role, organization, project, workspace ident.ID) estate.Principal {
	return estate.Principal{Name: string(role), Grants: []estate.Grant{{
		OrganizationID: organization, ProjectID: project, WorkspaceID: workspace, Role: role,
	}}}
}

// wantCode fails the test unless err is a fault of the code; "" wants no error.
func wantCode(t testing.TB, err error, code fault.Code) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("err = %v, want code %q", err, code)
	}
}

// wantField fails the test unless err is a fault about the field.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Errorf("err = %v, want a fault of %s", err, field)
		return
	}
	for _, each := range f.Fields() {
		if each.Pointer == field {
			return
		}
	}
	t.Errorf("err = %v, want one of field %s", err, field)
}

// count counts the records of a kind and parent.
func (w *world) count(kind store.Kind, parent ident.ID) int {
	w.t.Helper()
	return must[int](w.t)(w.store.Count(w.ctx, kind, parent))
}
