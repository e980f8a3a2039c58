// Package manage owns what people manage: organizations, projects, workspaces, teams, users and memberships,
// subscriptions and their versions, tokens, inbound sources, a dialect's documents, and the audit log.
//
// It decides who may do what (see estate.Principal), checks what is saved, keeps it as records of the store, and keeps
// the index of subscriptions and its own caches in step with the store, whichever node wrote. Secrets are sealed here and
// nowhere else. The package never matches, renders for delivery, sends or waits: for that it asks an Engine.
package manage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Engine is what delivers. It is given after New, because it needs what this package keeps.
type Engine interface {
	// Send makes one attempt now, records and returns it.
	Send(ctx context.Context, s dialect.Single) (delivery.Attempt, error)

	// Enqueue stores new deliveries and offers them to their lanes.
	Enqueue(ctx context.Context, deliveries []delivery.Delivery) error

	// Changed says that a subscription has a new version or is gone; the index knows already. It must not block, and no lock
	// is held: it is called from whichever goroutine saved, refreshed or switched.
	Changed(subscription ident.ID)

	// Cancel ends a pending delivery.
	Cancel(ctx context.Context, key delivery.Key) error

	// Render renders again what an attempt sent; exact is false when the bytes can not be proven to be the same.
	Render(ctx context.Context, a delivery.Attempt) (msg *delivery.Message, exact bool, err error)
}

// Accept takes events in: ingest's way in.
type Accept func(ctx context.Context, events []event.Event) ([]dialect.Receipt, error)

// Deps is what a Manage needs. Engine and Accept may be given later with SetEngine and SetAccept.
type Deps struct {
	Store    store.Store
	Keyring  *seal.Keyring
	Index    *subscription.Index
	IDs      *ident.Generator
	Dialects []dialect.Dialect
	Engine   Engine
	Accept   Accept

	// CheckURL judges an address when it is saved; nil judges only its shape.
	CheckURL func(url string) error

	Site dialect.Site
	Now  func() time.Time // time.Now when nil
	Log  *slog.Logger     // discarded when nil

	// CacheSize is how many records are kept in memory for the hot look-ups, 20,000 when 0.
	CacheSize int
}

const defaultCacheSize = 20_000

// Manage is the place where everything that people manage is read and changed. It is safe for concurrent use.
type Manage struct {
	store    store.Store
	keyring  *seal.Keyring
	index    *subscription.Index
	ids      *ident.Generator
	dialects map[string]dialect.Dialect
	engine   Engine
	accept   Accept
	checkURL func(string) error
	site     dialect.Site
	now      func() time.Time
	log      *slog.Logger

	// writing is held while this node writes records and while it takes over what others wrote, so that memory changes in
	// the order of the store's revisions.
	writing sync.Mutex

	// seen is the revision up to which memory is in step.
	seen atomic.Int64

	cache     *cache
	directory directory
	versions  versions
	used      usage
}

// New returns a Manage with nothing in memory; call Load before serving.
func New(d Deps) *Manage {
	m := &Manage{
		store: d.Store, keyring: d.Keyring, index: d.Index, ids: d.IDs, engine: d.Engine, accept: d.Accept,
		checkURL: d.CheckURL, site: d.Site, now: d.Now, log: d.Log,
		dialects: make(map[string]dialect.Dialect, len(d.Dialects)),
	}
	for _, each := range d.Dialects {
		m.dialects[each.Name()] = each
	}
	if m.now == nil {
		m.now = time.Now
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	size := d.CacheSize
	if size == 0 {
		size = defaultCacheSize
	}
	m.cache = newCache(size)
	return m
}

// SetEngine gives the engine. It must be called before anything is served.
func (m *Manage) SetEngine(engine Engine) { m.engine = engine }

// SetAccept gives the way in for events. It must be called before anything is served.
func (m *Manage) SetAccept(accept Accept) { m.accept = accept }

// Services returns what the dialects' management APIs and our own work with.
func (m *Manage) Services() dialect.Services {
	return dialect.Services{
		Organizations: m.Organizations(),
		Projects:      m.Projects(),
		Workspaces:    m.Workspaces(),
		Teams:         m.Teams(),
		Users:         m.Users(),
		Memberships:   m.Memberships(),
		Subscriptions: m.Subscriptions(),
		Documents:     documents{m},
		Sealed:        sealedDocuments{m},
		Deliveries:    m.Deliveries(),
		Counts:        m.Deliveries(),
		Walk:          m.Deliveries(),
		Events:        m.Events(),
		Access:        m.Tokens(),
		Sessions:      m.Tokens(),
		Site:          m.site,
		Log:           m.log,
		Now:           m.now,
	}
}

// utcNow is the present as it is stored.
func (m *Manage) utcNow() time.Time { return m.now().UTC() }

// errNotWired is a mistake of whoever put the program together, not of a caller.
var errNotWired = errors.New("manage has no engine or no way in for events yet")
