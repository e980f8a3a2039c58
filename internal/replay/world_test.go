package replay_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/subscription"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// began is when every world's clock starts.
var began = time.Date(2026, 11, 22, 4, 26, 0, 0, time.UTC)

const organization ident.ID = 7

// admin may administer the organization.
var admin = estate.Principal{Name: "ada", Grants: []estate.Grant{{OrganizationID: organization, Role: estate.RoleAdmin}}}

// world is a real store with deliveries in it, an engine that delivers what it is told, and nodes that work on replays.
type world struct {
	*testing.T
	store  store.Store
	ids    *ident.Generator
	index  *subscription.Index
	engine *engine
	log    *bytes.Buffer
	logger *slog.Logger // one for all nodes: it orders what they write
	ctx    context.Context
}

// in runs a test in a world of its own, with a clock of its own.
func in(t *testing.T, test func(w *world)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carillon.db")
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, index: &subscription.Index{}, log: &bytes.Buffer{}, ctx: context.Background()}
		w.logger = slog.New(slog.NewTextHandler(w.log, nil))
		var err error
		time.Sleep(time.Until(began))
		w.store, err = sqlite.Open(w.ctx, sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
		w.must(err)
		t.Cleanup(func() {
			synctest.Wait()
			w.must(w.store.Close())
		})
		w.ids, err = ident.NewGenerator(0, time.Now)
		w.must(err)
		w.engine = &engine{w: w, store: w.store, auto: true, state: delivery.Delivered}
		for id := range ident.ID(4) {
			w.subscribe(id+1, func(*subscription.Subscription) {})
		}
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// subscribe puts a subscription into the index.
func (w *world) subscribe(id ident.ID, change func(*subscription.Subscription)) {
	s := &subscription.Subscription{ID: id, Version: 2, OrganizationID: organization, Enabled: true, Destination: 100 + id}
	change(s)
	w.index.Put(s)
}

// node is a process that works on replays.
type node struct {
	*replay.Service
	stopped bool
}

// start starts a node. A failpoint, such as "replay.after-enqueue", ends it as a crash would when it is hit the given time.
func (w *world) start(name, failpoint string, hit int) *node {
	var mu sync.Mutex
	hits := 0
	s, err := replay.New(replay.Deps{
		Store: w.store, Engine: w.engine, Index: w.index, IDs: w.ids, NodeName: name,
		Log: w.logger,
		Audit: func(p estate.Principal, action string, r *replay.Replay) store.Change {
			id := w.ids.New()
			return store.Insert(&store.Record{Kind: store.KindAudit, ID: id, Parent: r.OrganizationID, Body: []byte(strconv.Quote(p.Name + " " + action))})
		},
		Failpoint: func(point string) {
			mu.Lock()
			defer mu.Unlock()
			if point == failpoint {
				if hits++; hits == hit {
					runtime.Goexit() // whatever the goroutine was about to do does not happen
				}
			}
		},
	})
	w.must(err)
	s.Start()
	n := &node{Service: s}
	w.Cleanup(func() { w.stop(n) })
	return n
}

// stop ends a node softly.
func (w *world) stop(n *node) {
	if !n.stopped {
		n.stopped = true
		w.must(n.Stop(w.ctx))
	}
}

// happen stores an event of a run with a delivery to each of the subscriptions, in a state.
func (w *world) happen(run ident.ID, sequence int64, state delivery.State, status int, subscriptions ...ident.ID) []delivery.Delivery {
	w.Helper()
	var b store.Batch
	all := w.add(&b, run, sequence, state, status, subscriptions...)
	w.commit(b)
	return all
}

// add is happen for a batch of them.
func (w *world) add(b *store.Batch, run ident.ID, sequence int64, state delivery.State, status int, subscriptions ...ident.ID) []delivery.Delivery {
	first := w.ids.Block(len(subscriptions) + 1)
	a := store.Accept{Event: store.Event{
		ID: first, Organization: organization, Workspace: 30, Kind: "run", Run: run, Sequence: sequence, Deliveries: len(subscriptions),
		Body: []byte("{}"),
	}}
	for n, s := range subscriptions {
		d := delivery.Delivery{
			ID: first + ident.ID(n+1)*ident.Step, Event: first, Organization: organization, Subscription: s, Version: 1, Destination: 100 + s,
			Run: run, Sequence: sequence, Due: time.Now(), Unordered: true, Pinned: true,
		}
		a.Deliveries = append(a.Deliveries, d)
		if state != delivery.Pending {
			b.Attempts = append(b.Attempts, attempt(d, state, status))
		}
	}
	b.Accepts = append(b.Accepts, a)
	return a.Deliveries
}

// again stores a repetition of a delivery that has ended.
func (w *world) again(d delivery.Delivery, cause delivery.Cause, state delivery.State) delivery.Delivery {
	w.Helper()
	again := d.Again(w.ids.New(), cause, w.index.Get(d.Subscription), time.Now(), true)
	w.commit(store.Batch{Queue: []delivery.Delivery{again}})
	w.end(again, state, 200)
	return again
}

// end records the last attempt of a delivery.
func (w *world) end(d delivery.Delivery, state delivery.State, status int) {
	w.Helper()
	if state == delivery.Pending {
		return
	}
	w.commit(store.Batch{Attempts: []delivery.Attempt{attempt(d, state, status)}})
}

func attempt(d delivery.Delivery, state delivery.State, status int) delivery.Attempt {
	d.Attempts++
	return delivery.Attempt{
		Delivery: d, Number: d.Attempts, State: state, Workspace: 30, Address: "https://receiver.test/…",
		Result: delivery.Result{Class: delivery.ClassAnswered, Status: status, StartedAt: time.Now()},
	}
}

func (w *world) commit(b store.Batch) {
	w.Helper()
	_, err := w.store.Commit(w.ctx, &b)
	w.must(err)
}

// fail stores runs of steps that were exhausted, and returns their deliveries, oldest first.
func (w *world) fail(runs, steps int) (all []delivery.Delivery) {
	w.Helper()
	var b store.Batch
	for step := range steps {
		for run := range runs {
			all = append(all, w.add(&b, ident.ID(5000+run), int64(step), delivery.Exhausted, 503, 1)...)
		}
	}
	w.commit(b)
	time.Sleep(time.Second)
	return all
}

// failed chooses what was exhausted.
func failed() replay.Draft {
	return replay.Draft{OrganizationID: organization, Filter: store.DeliveryFilter{States: []delivery.State{delivery.Exhausted}}}
}

// create makes a replay.
func (w *world) create(n *node, d replay.Draft) ident.ID {
	w.Helper()
	r, err := n.Create(w.ctx, admin, d)
	w.must(err)
	return r.ID
}

// get reads a replay.
func (w *world) get(n *node, id ident.ID) *replay.Replay {
	w.Helper()
	r, err := n.Get(w.ctx, admin, id)
	w.must(err)
	return r
}

// pass lets time go by and everything come to rest.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// finish waits until a replay is finished.
func (w *world) finish(n *node, id ident.ID) *replay.Replay {
	w.Helper()
	for range 600 {
		w.pass(time.Second)
		if r := w.get(n, id); !r.FinishedAt.IsZero() {
			return r
		}
	}
	w.Fatalf("the replay does not end: %+v\n%s", w.get(n, id), w.log)
	return nil
}

// engine stands in for the dispatcher: what is queued is in the store, and ends soon after it is due.
type engine struct {
	w     *world
	store store.Store // of the world as it began: tests change the world's while nodes work

	mu     sync.Mutex
	queued []delivery.Delivery
	auto   bool
	state  delivery.State
	fault  func() (stored bool, err error) // of Enqueue
}

func (e *engine) Enqueue(ctx context.Context, rows []delivery.Delivery) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	stored, err := true, error(nil)
	if e.fault != nil {
		stored, err = e.fault()
	}
	if stored {
		if _, err := e.store.Commit(ctx, &store.Batch{Queue: rows}); err != nil {
			return err
		}
		e.queued = append(e.queued, rows...)
		if e.auto {
			for _, row := range rows {
				time.AfterFunc(time.Until(row.Due)+time.Millisecond, func() { e.deliver(row) })
			}
		}
	}
	return err
}

func (e *engine) deliver(d delivery.Delivery) {
	e.mu.Lock()
	state := e.state
	e.mu.Unlock()
	_, _ = e.store.Commit(context.Background(), &store.Batch{Attempts: []delivery.Attempt{attempt(d, state, 200)}})
}

func (e *engine) Cancel(ctx context.Context, key delivery.Key) error {
	rows, err := e.store.QueueRows(ctx, []delivery.Key{key})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return fault.Missing("pending delivery", key.ID.String())
	}
	a := attempt(rows[0], delivery.Cancelled, 0)
	a.Number, a.Result.Class = 0, delivery.ClassCancelled
	_, err = e.store.Commit(ctx, &store.Batch{Attempts: []delivery.Attempt{a}})
	return err
}

// change sets how the engine behaves from now on.
func (e *engine) change(set func(*engine)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	set(e)
}

// rows are all that was queued, in that order.
func (e *engine) rows() []delivery.Delivery {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.queued)
}

// origins are the deliveries that were sent again, in the order in which they were.
func (e *engine) origins() (origins []ident.ID) {
	for _, row := range e.rows() {
		origins = append(origins, row.Origin)
	}
	return origins
}

func idsOf(all []delivery.Delivery) (ids []ident.ID) {
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	return ids
}
