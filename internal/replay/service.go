package replay

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Store is what a Service needs of the store.
type Store interface {
	Apply(ctx context.Context, changes []store.Change) (revision int64, err error)
	Get(ctx context.Context, kind store.Kind, id ident.ID) (store.Record, error)
	List(ctx context.Context, kind store.Kind, parent ident.ID, page store.Page) ([]store.Record, error)

	ListDeliveries(ctx context.Context, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error)
	CountDeliveries(ctx context.Context, filter store.DeliveryFilter, limit int) (int, error)
	Delivery(ctx context.Context, id ident.ID) (store.Summary, error)
	QueueRows(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error)
}

// Engine is what delivers.
type Engine interface {
	// Enqueue stores new deliveries, all of them or none when they are at most 500, and offers them to their lanes. When it
	// returns because ctx ended they may become durable still.
	Enqueue(ctx context.Context, deliveries []delivery.Delivery) error

	// Cancel ends a pending delivery; one that has ended is fault.NotFound.
	Cancel(ctx context.Context, key delivery.Key) error
}

// Deps is what a Service needs. Nil functions mean that nobody wants to know.
type Deps struct {
	Store    Store
	Engine   Engine
	Index    *subscription.Index
	Dialects []dialect.Dialect
	IDs      *ident.Generator

	// Audit returns the change that notes what was done to a replay; it is made with the change that it tells of.
	Audit func(p estate.Principal, action string, r *Replay) store.Change

	// Refresh brings the index up to date with what other nodes changed. It is called before a node begins to work on a
	// replay.
	Refresh func(ctx context.Context) error

	// Alone says that no other process can work on the store: a lease that is not ours is a dead process's.
	Alone bool

	NodeName  string
	Now       func() time.Time // time.Now when nil
	Log       *slog.Logger     // discarded when nil
	Failpoint func(name string)
}

// Service makes replays and works on them. It is safe for concurrent use.
type Service struct {
	Deps
	dialects map[string]dialect.Dialect
	holder   string // names this process in leases

	poke    chan struct{} // there may be something to do
	running context.Context
	halt    context.CancelFunc // ends the work after the step that is under way
	working context.Context
	abandon context.CancelFunc // ends the step that is under way, too
	loop    sync.WaitGroup
	tasks   sync.WaitGroup

	mu      sync.Mutex
	active  map[ident.ID]*task
	settled ident.ID // all replays up to here are finished
}

// New returns a Service that works on nothing until Start.
func New(d Deps) (*Service, error) {
	if d.Store == nil || d.Engine == nil || d.Index == nil || d.IDs == nil {
		return nil, errors.New("replays need a store, an engine, an index and identifiers")
	}
	s := &Service{
		Deps: d, dialects: make(map[string]dialect.Dialect, len(d.Dialects)), active: make(map[ident.ID]*task),
		poke: make(chan struct{}, 1), holder: d.NodeName + "/" + rand.Text(),
	}
	for _, each := range d.Dialects {
		s.dialects[each.Name()] = each
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Failpoint == nil {
		s.Failpoint = func(string) {}
	}
	s.running, s.halt = context.WithCancel(context.Background())
	s.working, s.abandon = context.WithCancel(context.Background())
	return s, nil
}

// utcNow is the present as it is stored.
func (s *Service) utcNow() time.Time { return s.Now().UTC() }

// audit returns the changes that note what was done.
func (s *Service) audit(p estate.Principal, action string, r *Replay) []store.Change {
	if s.Audit == nil {
		return nil
	}
	return []store.Change{s.Audit(p, action, r)}
}

// unordered reports whether a subscription lets a run's later events pass earlier ones.
func (s *Service) unordered(sub *subscription.Subscription) bool {
	if d := s.dialects[sub.Dialect]; d != nil {
		return d.Policy(sub).With(sub.Delivery).Unordered
	}
	return sub.Delivery.Unordered
}
