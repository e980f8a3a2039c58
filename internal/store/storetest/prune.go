package storetest

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

var pruneParts = []part{
	{"prune/what is old and done goes, in steps", pruneSteps},
	{"prune/what is owed stays", pruneKeepsPending},
	{"prune/what is gone can come again", pruneFrees},
}

// far is later than everything a test stores.
func (w *world) far() time.Time { return w.clock.Add(24 * time.Hour) }

func pruneSteps(w *world) {
	var old, young store.Batch
	var finished store.Batch
	for range 25 {
		old.Accepts = append(old.Accepts, w.accept(2))
	}
	old.Accepts = append(old.Accepts, w.accept(0))
	w.commit(old)
	moment := w.tick()
	for range 5 {
		young.Accepts = append(young.Accepts, w.accept(2))
	}
	w.commit(young)
	for _, a := range append(old.Accepts, young.Accepts...) {
		for _, d := range a.Deliveries {
			first := w.attempt(d, delivery.Pending, 500)
			finished.Attempts = append(finished.Attempts, first, w.attempt(first.Delivery, delivery.Delivered, 200))
		}
	}
	w.commit(finished)
	books := w.balanced()
	for _, want := range []int{10, 10, 6, 0} {
		removed, err := w.Prune(w.ctx, moment, 10)
		w.must(err)
		w.equal("removed", removed, want)
	}
	w.equal("books", w.balanced(), books)
	events, err := w.ListEvents(w.ctx, store.EventFilter{}, store.Page{})
	w.must(err)
	w.equal("events", len(events), 5)
	for i, a := range append(old.Accepts[:25], young.Accepts...) {
		attempts, err := w.Attempts(w.ctx, a.Deliveries[0].ID)
		w.must(err)
		w.equal("attempts", len(attempts) > 0, i >= 25)
	}
	left, err := w.CountDeliveries(w.ctx, store.DeliveryFilter{}, 100)
	w.must(err)
	w.equal("deliveries", left, 10)
}

func pruneKeepsPending(w *world) {
	pending, repeated, done := w.accept(2), w.accept(1), w.accept(1)
	w.commit(store.Batch{Accepts: []store.Accept{pending, repeated, done}})
	again := w.again(repeated.Deliveries[0], delivery.CauseRedelivery)
	failed := w.attempt(pending.Deliveries[1], delivery.Pending, 500)
	w.commit(store.Batch{
		Queue: []delivery.Delivery{again},
		Attempts: []delivery.Attempt{
			w.attempt(pending.Deliveries[0], delivery.Delivered, 200), failed,
			w.attempt(repeated.Deliveries[0], delivery.Exhausted, 500), w.attempt(done.Deliveries[0], delivery.Delivered, 200),
		},
		Moves: []delivery.Delivery{failed.Delivery},
	})
	removed, err := w.Prune(w.ctx, w.far(), 10)
	w.must(err)
	w.equal("removed", removed, 1)
	w.equal("events", sortedEvents(w.stored(pending.Event.ID, repeated.Event.ID, done.Event.ID)), []store.Event{pending.Event, repeated.Event})
	attempts, err := w.Attempts(w.ctx, pending.Deliveries[0].ID)
	w.must(err)
	w.equal("attempts of a neighbour of a pending one", len(attempts), 1)
	w.equal("books", w.balanced(), store.Books{Accepted: 5, Delivered: 2, Exhausted: 1, Counted: 2})

	last := w.attempt(again, delivery.Delivered, 200)
	w.commit(store.Batch{Attempts: []delivery.Attempt{last, w.attempt(failed.Delivery, delivery.Delivered, 200)}})
	removed, err = w.Prune(w.ctx, w.far(), 10)
	w.must(err)
	w.equal("removed at last", removed, 2)
	for _, d := range []delivery.Delivery{repeated.Deliveries[0], again, pending.Deliveries[1]} {
		attempts, err := w.Attempts(w.ctx, d.ID)
		w.must(err)
		w.equal("attempts", attempts, nil)
		_, err = w.Delivery(w.ctx, d.ID)
		w.wantErr("delivery", err, store.ErrNotFound)
	}
	w.equal("books", w.balanced(), store.Books{Accepted: 5, Delivered: 4, Exhausted: 1})
}

func pruneFrees(w *world) {
	run := w.id()
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(0, keyed("k"), inRun(run, 0), aliased("run-1"))}})
	removed, err := w.Prune(w.ctx, w.far(), 10)
	w.must(err)
	w.equal("removed", removed, 1)
	_, err = w.RunByAlias(w.ctx, "run-1", nil)
	w.wantErr("alias", err, store.ErrNotFound)
	_, err = w.LastOfRun(w.ctx, run)
	w.wantErr("run", err, store.ErrNotFound)
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(0, keyed("k"), inRun(run, 0), aliased("run-1"))}})
}
