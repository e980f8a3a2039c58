package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// world is one test's database and a maker of things to put into it. Its clock starts an hour ago and moves a
// millisecond per identifier, so that times and identifiers are distinct and known.
type world struct {
	*testing.T
	store.Store
	ctx     context.Context
	options Options
	ids     *ident.Generator
	clock   time.Time

	organization, project, workspace ident.ID
}

func newWorld(t *testing.T, open func(t *testing.T) store.Store, o Options) *world {
	t.Helper()
	w := &world{
		T: t, Store: open(t), ctx: t.Context(), options: o,
		clock: time.Now().UTC().Truncate(time.Second).Add(-time.Hour),
	}
	t.Cleanup(func() {
		if w.Store != nil {
			w.must(w.Store.Close())
		}
	})
	w.ids = w.generator(0)
	w.organization, w.project, w.workspace = w.id(), w.id(), w.id()
	return w
}

// generator makes IDs of a node by the world's clock.
func (w *world) generator(node int) *ident.Generator {
	g, err := ident.NewGenerator(node, w.tick)
	w.must(err)
	return g
}

func (w *world) tick() time.Time {
	w.clock = w.clock.Add(time.Millisecond)
	return w.clock
}

func (w *world) id() ident.ID { return w.ids.New() }

// reopen closes the store and opens its database again.
func (w *world) reopen() {
	w.Helper()
	if w.options.Reopen == nil {
		w.Fatal("the suite needs Options.Reopen")
	}
	old := w.Store
	w.must(old.Close())
	w.Store = nil
	w.Store = w.options.Reopen(w.T, old)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// accept makes an event of the world's workspace with n deliveries to as many subscriptions, each with a destination of
// its own. The changes are applied to it before it is returned.
func (w *world) accept(n int, changes ...func(*store.Accept)) store.Accept {
	first := w.ids.Block(n + 1)
	a := store.Accept{Event: store.Event{
		ID: first, Organization: w.organization, Project: w.project, Workspace: w.workspace, Kind: "run",
		Deliveries: n, Body: []byte(fmt.Sprintf(`{"id": %d}`, first)),
	}}
	for k := 1; k <= n; k++ {
		a.Deliveries = append(a.Deliveries, delivery.Delivery{
			ID: first + ident.ID(k)*ident.Step, Event: first, Organization: w.organization,
			Subscription: ident.ID(1000 + k), Version: int64(k), Destination: ident.Derive("destination", fmt.Sprint(k)),
			Notice: k % 2, Due: w.clock,
		})
	}
	for _, change := range changes {
		change(&a)
	}
	return a
}

// keyed gives an accept an idempotency key.
func keyed(key string) func(*store.Accept) {
	return func(a *store.Accept) { a.Event.Key = key }
}

// inRun makes an accept a transition of a run.
func inRun(run ident.ID, sequence int64) func(*store.Accept) {
	return func(a *store.Accept) {
		a.Event.Run, a.Event.Sequence = run, sequence
		for i := range a.Deliveries {
			a.Deliveries[i].Run, a.Deliveries[i].Sequence = run, sequence
		}
	}
}

// aliased names the run of an accept.
func aliased(alias string) func(*store.Accept) {
	return func(a *store.Accept) { a.Event.RunAlias = alias }
}

// of puts an accept into another organization.
func of(organization ident.ID) func(*store.Accept) {
	return func(a *store.Accept) {
		a.Event.Organization = organization
		for i := range a.Deliveries {
			a.Deliveries[i].Organization = organization
		}
	}
}

// again makes a delivery that repeats another one.
func (w *world) again(d delivery.Delivery, cause delivery.Cause) delivery.Delivery {
	d.Origin = d.Stable()
	d.ID, d.Cause, d.Attempts, d.Due = w.id(), cause, 0, w.clock
	return d
}

// attempt makes the delivery's next attempt, answered with the status, and what the delivery then is.
func (w *world) attempt(d delivery.Delivery, state delivery.State, status int) delivery.Attempt {
	d.Attempts++
	started := w.tick()
	a := delivery.Attempt{
		Delivery: d, Number: d.Attempts, State: state, Trigger: "run:completed", Workspace: w.workspace,
		BodyHash: uint64(d.ID) * 0x9e3779b97f4a7c15, BodySize: 1234, Address: "https://receiver.test/…",
		Result: delivery.Result{Class: delivery.ClassAnswered, Status: status, StartedAt: started, Duration: 3 * time.Millisecond},
	}
	if state == delivery.Pending {
		a.Delivery.Due = started.Add(time.Minute)
	}
	if status == 0 {
		a.Result.Class = delivery.ClassTimeout
		a.Result.Detail = "no answer in time"
	}
	return a
}

// cancelled makes the record of a delivery that ended without a further try.
func (w *world) cancelled(d delivery.Delivery) delivery.Attempt {
	return delivery.Attempt{
		Delivery: d, State: delivery.Cancelled, Workspace: w.workspace,
		Result: delivery.Result{Class: delivery.ClassCancelled, StartedAt: w.tick()},
	}
}

// commit applies a batch that must be stored whole, and checks the accounts after it.
func (w *world) commit(b store.Batch) {
	w.Helper()
	verdicts, err := w.Commit(w.ctx, &b)
	w.must(err)
	if verdicts != nil {
		w.Fatalf("verdicts %+v, want nil: everything was new", verdicts)
	}
	w.balanced()
}

// commitJudged applies a batch and compares the verdicts of its accepts.
func (w *world) commitJudged(b store.Batch, want ...store.Verdict) {
	w.Helper()
	verdicts, err := w.Commit(w.ctx, &b)
	w.must(err)
	w.equal("verdicts", verdicts, want)
	w.balanced()
}

func (w *world) balanced() store.Books {
	w.Helper()
	books, err := w.Books(w.ctx)
	w.must(err)
	if !books.Balanced() {
		w.Fatalf("the books do not balance: %+v, so %d must be pending", books, books.Pending())
	}
	return books
}

// rows reads the queue's rows of deliveries, in the order of their IDs.
func (w *world) rows(deliveries ...delivery.Delivery) []delivery.Delivery {
	w.Helper()
	var keys []delivery.Key
	for i := range deliveries {
		keys = append(keys, deliveries[i].Key())
	}
	rows, err := w.QueueRows(w.ctx, keys)
	w.must(err)
	return byID(rows)
}

// stored reads the events that are there among ids.
func (w *world) stored(ids ...ident.ID) []store.Event {
	w.Helper()
	events, err := w.Events(w.ctx, ids)
	w.must(err)
	return events
}
