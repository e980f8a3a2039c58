package storetest

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var ledgerParts = []part{
	{"ledger/events that are gone are left out", eventsByID},
	{"ledger/the last event of a run", lastOfRun},
	{"ledger/the newest identifier of a node", newest},
}

func eventsByID(w *world) {
	var ids []ident.ID
	var want []store.Event
	var b store.Batch
	for i := range 500 {
		a := w.accept(0)
		ids = append(ids, a.Event.ID, w.id())
		if i%3 > 0 {
			b.Accepts, want = append(b.Accepts, a), append(want, a.Event)
		}
	}
	w.commit(b)
	w.equal("events", sortedEvents(w.stored(ids...)), want)
	w.equal("one asked for twice", len(w.stored(want[0].ID, want[1].ID)), 2)
	w.equal("none", w.stored(), nil)
}

func lastOfRun(w *world) {
	run, other := w.id(), w.id()
	third, first, second := w.accept(0, inRun(run, 30)), w.accept(0, inRun(run, 0)), w.accept(0, inRun(run, 2))
	w.commit(store.Batch{Accepts: []store.Accept{third, first, second, w.accept(0, inRun(other, 99)), w.accept(0)}})
	last, err := w.LastOfRun(w.ctx, run)
	w.must(err)
	w.equal("last", last, third.Event)
	_, err = w.LastOfRun(w.ctx, w.id())
	w.wantErr("unknown run", err, store.ErrNotFound)
}

func newest(w *world) {
	check := func(what string, node int, want ident.ID) {
		w.Helper()
		got, err := w.Newest(w.ctx, node)
		w.must(err)
		w.equal("newest "+what, got, want)
	}
	check("of nothing", 0, 0)
	a := w.accept(0)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	check("event", 0, a.Event.ID)
	check("of a node that stored nothing", 9, 0)

	b := w.accept(3)
	w.commit(store.Batch{Accepts: []store.Accept{b}})
	check("delivery", 0, b.Deliveries[2].ID)

	extra := w.again(b.Deliveries[0], delivery.CauseRedelivery)
	w.commit(store.Batch{Queue: []delivery.Delivery{extra}})
	check("delivery that was added", 0, extra.ID)

	single := w.again(b.Deliveries[0], delivery.CauseVerification)
	w.commit(store.Batch{Attempts: []delivery.Attempt{w.attempt(single, delivery.Delivered, 200)}})
	check("attempt", 0, single.ID)

	elsewhere := w.generator(9).New()
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(0, func(a *store.Accept) { a.Event.ID = elsewhere })}})
	check("of the other node", 9, elsewhere)
	check("of the first node", 0, single.ID)
}
