// Package dispatch owns what is pending: it decides which delivery is tried when, sends it, and records what came of it.
//
// A node owns shards of the queue by leases and holds what is owed in them in memory: a lane per destination, runs as
// queues inside it, a wheel of the lanes that may start something. A delivery that is due starts at once; nothing polls
// or gathers on the way out. The store is read when a shard is taken over, for what other nodes accepted, and when a
// lane is longer than what it holds in memory.
//
// The package never matches events, never decides what a platform says, and keeps no secret longer than its cache. It
// writes to the store only what its own attempts led to. Everything that it sends goes through the same few lines.
package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/subscription"
	"carillon/internal/transport"
)

// Recorder makes records durable, many at once; a *committer.Committer is one.
type Recorder interface {
	Record(r committer.Record)
}

// Deps is what a Dispatcher needs. Nil functions mean that nobody wants to know.
type Deps struct {
	Store interface {
		store.Ledger
		store.Leases
	}
	Committer Recorder
	Index     *subscription.Index

	// Version returns a version of a subscription, also of one that is gone; an unknown one is store.ErrNotFound or
	// fault.NotFound.
	Version func(ctx context.Context, id ident.ID, version int64) (*subscription.Subscription, error)

	// Refresh brings the index up to date with what other nodes changed. It is called before a delivery is given up because
	// its subscription is not in the index, which may only be late.
	Refresh func(ctx context.Context) error

	Dialects   []dialect.Dialect
	Keyring    *seal.Keyring
	Transports map[subscription.Channel]transport.Transport

	// IDs gets the node's number when a lease is joined, and again whenever it changes.
	IDs  *ident.Generator
	Site dialect.Site

	Recipients func(ctx context.Context, s *subscription.Subscription, e *event.Event) ([]string, error)
	Switch     func(ctx context.Context, subscription ident.ID, reason string) error
	Notify     func(ctx context.Context, events []event.Event) error

	// Remember keeps a few bytes about a destination over restarts; nil bytes forget it. Recall returns all of them.
	Remember func(ctx context.Context, destination ident.ID, body []byte) error
	Recall   func(ctx context.Context) (map[ident.ID][]byte, error)

	NodeName  string
	LeaseTTL  time.Duration // 5 s when 0
	InFlight  int           // attempts at a time, in all lanes; 4096 when 0
	Now       func() time.Time
	Log       *slog.Logger
	Registry  prometheus.Registerer
	Failpoint func(name string)
}

// dialects are the known dialects by name.
type dialects map[string]dialect.Dialect

const (
	defaultTTL      = 5 * time.Second
	defaultInFlight = 4096

	// rowLimit is how many full rows all lanes together hold before each holds only a few.
	rowLimit = 1 << 16

	// What the caches may weigh: bytes of decoded events, and numbers of subscriptions.
	eventBytes     = 16 << 20
	cachedVersions = 4096
	cachedSecrets  = 16 << 10
)

// Dispatcher is the dispatching part of a node. It is safe for concurrent use.
type Dispatcher struct {
	deps      Deps
	dialects  dialects
	scheduler *scheduler
	metrics   *metrics
	events    *lru[ident.ID, *occurrence]
	versions  *lru[versionKey, *subscription.Subscription]
	secrets   *lru[versionKey, *opened]

	lease      lease
	timer      *time.Timer
	wanted     chan struct{} // some lane wants rows
	draining   chan struct{} // a shard that is to be released is at rest
	clusters   chan sighting // the newest state of the leases
	scanners   chan struct{} // bounds the shards that are read at a time
	hints      hints         // what other nodes may have added
	changes    changes       // subscriptions that changed
	notes      notes         // what is remembered of destinations
	refreshing refresher

	flying  context.Context // of attempts: it ends when a stop can not wait any longer
	ground  context.CancelFunc
	running context.Context // of everything in the background
	halt    context.CancelFunc
	tasks   sync.WaitGroup
	flights sync.WaitGroup
	state   atomic.Int32
}

// The states of a Dispatcher.
const (
	created = iota
	started
	stopped
)

// New returns a dispatcher that does nothing until Start.
func New(deps Deps) (*Dispatcher, error) {
	switch {
	case deps.Store == nil || deps.Committer == nil || deps.Index == nil || deps.Keyring == nil || deps.IDs == nil:
		return nil, errors.New("a dispatcher needs a store, a committer, an index, a keyring and identifiers")
	case deps.Version == nil:
		return nil, errors.New("a dispatcher needs the versions of subscriptions")
	}
	d := &Dispatcher{
		deps: deps, dialects: make(dialects, len(deps.Dialects)),
		events:   newLRU[ident.ID, *occurrence](eventBytes),
		versions: newLRU[versionKey, *subscription.Subscription](cachedVersions),
		secrets:  newLRU[versionKey, *opened](cachedSecrets),
		wanted:   make(chan struct{}, 1), draining: make(chan struct{}, 1), clusters: make(chan sighting, 1),
		scanners: make(chan struct{}, 4),
	}
	for _, each := range deps.Dialects {
		d.dialects[each.Name()] = each
	}
	d.withDefaults()
	d.hints.signal, d.changes.signal = make(chan struct{}, 1), make(chan struct{}, 1)
	d.lease.start, d.lease.node = time.Now(), -1
	d.flying, d.ground = context.WithCancel(context.Background())
	d.running, d.halt = context.WithCancel(context.Background())
	d.scheduler = newScheduler(d.deps.InFlight, rowLimit)
	d.connect(d.scheduler)
	metrics, err := newMetrics(deps.Registry, d)
	if err != nil {
		return nil, err
	}
	d.metrics = metrics
	return d, nil
}

func (d *Dispatcher) withDefaults() {
	if d.deps.LeaseTTL <= 0 {
		d.deps.LeaseTTL = defaultTTL
	}
	if d.deps.InFlight <= 0 {
		d.deps.InFlight = defaultInFlight
	}
	if d.deps.Now == nil {
		d.deps.Now = time.Now
	}
	if d.deps.Log == nil {
		d.deps.Log = slog.New(slog.DiscardHandler)
	}
	if d.deps.Failpoint == nil {
		d.deps.Failpoint = func(string) {}
	}
}

// connect gives the scheduler its effects.
func (d *Dispatcher) connect(s *scheduler) {
	s.index, s.policy = d.deps.Index, d.policy
	s.launch = func(f *flight) { d.flights.Go(func() { d.fly(f) }) }
	s.arm = d.arm
	s.ask = func() { poke(d.wanted) }
	s.drain = func() { poke(d.draining) }
	s.fenced = d.lease.expire
	s.leased, s.bornAt = d.lease.valid, d.nano()
	s.node = func() int {
		if o := d.lease.owned.Load(); o != nil {
			return o.node
		}
		return -1
	}
	s.ticks = func() int64 { return int64(d.lease.elapsed()) }
	s.others.trust = newcomerWaits * int64(d.beat())
	s.seed = func(l *lane) {
		if m := d.notes.get(l.destination); m != nil {
			l.recall(m)
		}
	}
}

// poke wakes who waits on a channel of capacity one.
func poke(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}

// nano is the present moment as the scheduler counts.
func (d *Dispatcher) nano() int64 { return d.deps.Now().UnixNano() }

// policy returns a subscription's policy: its dialect's rules under its own limits.
func (d *Dispatcher) policy(s *subscription.Subscription) (p delivery.Policy) {
	if speaker := d.dialects[s.Dialect]; speaker != nil {
		if err := guarded(func() { p = speaker.Policy(s) }); err != nil {
			d.deps.Log.Error("the dialect has no policy", "dialect", s.Dialect, "subscription", s.ID, "err", err)
			p = delivery.Default()
		}
	}
	return p.With(s.Delivery)
}

// missing reports whether an error says that a thing is not there.
func missing(err error) bool {
	return errors.Is(err, store.ErrNotFound) || fault.Is(err, fault.NotFound)
}
