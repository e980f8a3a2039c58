package storetest

import (
	"bytes"
	"context"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var commitParts = []part{
	{"commit/an accept stores the event and its deliveries", acceptStores},
	{"commit/every field of a delivery is kept", keepsDeliveryFields},
	{"commit/bodies are bytes", keepsBytes},
	{"commit/the parts are applied in their order", partsInOrder},
	{"commit/an empty batch is nothing", emptyBatch},
	{"commit/a large batch", largeBatch},
	{"commit/a failing batch stores nothing", failingBatch},
	{"commit/a batch that comes too late stores nothing", lateBatch},
	{"commit/a repeated record changes nothing", repeatedRecord},
}

func acceptStores(w *world) {
	a := w.accept(3, keyed("k"), inRun(w.id(), 7), aliased("run-1"))
	none := w.accept(0)
	w.commit(store.Batch{Accepts: []store.Accept{a, none}})
	w.equal("event", w.stored(a.Event.ID), []store.Event{a.Event})
	w.equal("event without deliveries", w.stored(none.Event.ID), []store.Event{none.Event})
	w.equal("queue", w.rows(a.Deliveries...), a.Deliveries)
	w.equal("books", w.balanced(), store.Books{Accepted: 3, Counted: 3})
}

func keepsDeliveryFields(w *world) {
	a := w.accept(1)
	full := delivery.Delivery{
		ID: w.id(), Event: a.Event.ID, Organization: w.organization, Subscription: w.id(), Version: 1 << 40,
		Destination: ident.Derive("d"), Notice: 3, Run: w.id(), Sequence: 12, Attempts: 5, Due: w.tick().Add(1234567 * 1000),
		Cause: delivery.CauseReplay, Origin: a.Deliveries[0].ID, Pinned: true, Unordered: true,
	}
	bare := delivery.Delivery{ID: w.id(), Destination: 1}
	w.commit(store.Batch{Accepts: []store.Accept{a}, Queue: []delivery.Delivery{full, bare}})
	w.equal("full", w.rows(full), []delivery.Delivery{full})
	w.equal("bare", w.rows(bare), []delivery.Delivery{bare})
}

func keepsBytes(w *world) {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	cases := map[string]func(*store.Accept){
		"every byte":    func(a *store.Accept) { a.Event.Body = all },
		"odd JSON":      func(a *store.Accept) { a.Event.Body = []byte("{ \"b\":1.0,\n\t\"a\": \"\\u0000<>\", \"b\": 2 }") },
		"large":         func(a *store.Accept) { a.Event.Body = bytes.Repeat([]byte("0123456789abcdef"), 1<<16) },
		"empty":         func(a *store.Accept) { a.Event.Body = nil },
		"quoted key":    func(a *store.Accept) { a.Event.Key = `it's "a" \key; -- ☃ %_` },
		"alias, spaced": func(a *store.Accept) { a.Event.RunAlias, a.Event.Run = " run 'x' ", w.id() },
		"kind":          func(a *store.Accept) { a.Event.Kind = "change_request" },
	}
	for name, change := range cases {
		a := w.accept(0, change)
		w.commit(store.Batch{Accepts: []store.Accept{a}})
		w.equal(name, w.stored(a.Event.ID), []store.Event{a.Event})
	}
}

func partsInOrder(w *world) {
	a := w.accept(2)
	extra := w.again(a.Deliveries[0], delivery.CauseRedelivery)
	moved := a.Deliveries[1]
	moved.Attempts, moved.Due = 4, w.tick()
	gone := a.Deliveries[0]
	gone.Attempts = 9
	w.commit(store.Batch{
		Accepts: []store.Accept{a},
		Queue:   []delivery.Delivery{extra},
		Attempts: []delivery.Attempt{
			w.attempt(a.Deliveries[0], delivery.Delivered, 200), w.attempt(extra, delivery.Exhausted, 500),
		},
		Moves: []delivery.Delivery{moved, gone},
	})
	w.equal("queue", w.rows(a.Deliveries[0], a.Deliveries[1], extra), []delivery.Delivery{moved})
	w.equal("books", w.balanced(), store.Books{Accepted: 3, Delivered: 1, Exhausted: 1, Counted: 1})
}

func emptyBatch(w *world) {
	w.commit(store.Batch{})
	w.equal("books", w.balanced(), store.Books{})
}

func largeBatch(w *world) {
	const events, each = 333, 7
	var b store.Batch
	var ids []ident.ID
	for i := range events {
		a := w.accept(each, keyed(fmt.Sprint(i)), inRun(ident.ID(1+i/10), int64(i%10)))
		b.Accepts = append(b.Accepts, a)
		ids = append(ids, a.Event.ID)
	}
	w.commit(b)
	w.equal("events", len(w.stored(ids...)), events)
	w.equal("books", w.balanced(), store.Books{Accepted: events * each, Counted: events * each})
	var done store.Batch
	for _, a := range b.Accepts {
		for i, d := range a.Deliveries {
			done.Attempts = append(done.Attempts, w.attempt(d, delivery.States()[1+i%3], 200))
		}
	}
	w.commit(done)
	w.equal("books", w.balanced(), store.Books{Accepted: events * each, Delivered: events * 3, Exhausted: events * 2, Cancelled: events * 2})
}

func failingBatch(w *world) {
	first := w.accept(1)
	w.commit(store.Batch{Accepts: []store.Accept{first}})
	before := w.balanced()
	other := w.accept(2, keyed("other"))
	same := w.accept(1)
	same.Event.ID = first.Event.ID // the same identifier for another event: nobody may ever do that
	verdicts, err := w.Commit(w.ctx, &store.Batch{
		Accepts:  []store.Accept{other, same},
		Attempts: []delivery.Attempt{w.attempt(first.Deliveries[0], delivery.Delivered, 200)},
	})
	if err == nil {
		w.Fatalf("two events have one identifier, verdicts %+v", verdicts)
	}
	w.equal("books", w.balanced(), before)
	w.equal("events", w.stored(first.Event.ID, other.Event.ID), []store.Event{first.Event})
	w.equal("queue", w.rows(first.Deliveries[0], other.Deliveries[0]), first.Deliveries)
	w.commit(store.Batch{Accepts: []store.Accept{other}})
}

func lateBatch(w *world) {
	ended, end := context.WithCancel(w.ctx)
	end()
	a := w.accept(1)
	if _, err := w.Commit(ended, &store.Batch{Accepts: []store.Accept{a}}); err == nil {
		w.Fatal("a batch was stored for a caller that had gone")
	}
	w.equal("events", w.stored(a.Event.ID), []store.Event{})
	w.equal("books", w.balanced(), store.Books{})
}

// repeatedRecord commits the same record twice, as a writer does that did not learn whether its commit succeeded.
func repeatedRecord(w *world) {
	a := w.accept(2)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	failed := w.attempt(a.Deliveries[0], delivery.Pending, 500)
	extra := w.again(a.Deliveries[1], delivery.CauseFallback)
	record := store.Batch{
		Queue:    []delivery.Delivery{extra},
		Attempts: []delivery.Attempt{failed, w.attempt(a.Deliveries[1], delivery.Exhausted, 410)},
		Moves:    []delivery.Delivery{failed.Delivery},
	}
	for range 2 {
		w.commit(record)
		w.equal("books", w.balanced(), store.Books{Accepted: 3, Exhausted: 1, Counted: 2})
		w.equal("queue", w.rows(failed.Delivery, extra), []delivery.Delivery{failed.Delivery, extra})
	}
	for _, one := range record.Attempts {
		attempts, err := w.Attempts(w.ctx, one.Delivery.ID)
		w.must(err)
		w.equal("attempts", attempts, []delivery.Attempt{one})
	}
	// A delivery ends once: a second end of another kind changes neither its state nor the accounts.
	w.commit(store.Batch{Attempts: []delivery.Attempt{w.cancelled(a.Deliveries[1])}})
	w.equal("books", w.balanced(), store.Books{Accepted: 3, Exhausted: 1, Counted: 2})
	summary, err := w.Delivery(w.ctx, a.Deliveries[1].ID)
	w.must(err)
	w.equal("state", summary.State, delivery.Exhausted)
}
