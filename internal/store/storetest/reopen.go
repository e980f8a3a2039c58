package storetest

import (
	"carillon/internal/delivery"
	"carillon/internal/store"
)

var reopenParts = []part{
	{"reopen/everything is still there", reopened},
	{"reopen/a closed store refuses work", closedRefuses},
}

func reopened(w *world) {
	l := w.fill()
	r := w.record(store.KindWorkspace, "w", "alias")
	start, err := w.Revision(w.ctx)
	w.must(err)
	revision := w.apply(store.Insert(r))
	books := w.balanced()
	newest, err := w.Newest(w.ctx, 0)
	w.must(err)

	w.reopen()
	w.equal("books", w.balanced(), books)
	w.equal("events", sortedEvents(w.stored(eventIDs(l.events)...)), l.events)
	for _, want := range l.summaries {
		got, err := w.Delivery(w.ctx, want.Delivery.ID)
		w.must(err)
		w.equal("delivery", got, want)
		if want.State == delivery.Pending {
			w.equal("row", w.rows(want.Delivery), []delivery.Delivery{want.Delivery})
		}
	}
	w.equal("record", w.get(r), *r)
	changed, upTo, complete, err := w.ChangedSince(w.ctx, start, 10)
	w.must(err)
	w.equal("log", []any{changed, upTo, complete}, []any{[]store.RecordKey{{Kind: r.Kind, ID: r.ID}}, revision, true})
	again, err := w.Newest(w.ctx, 0)
	w.must(err)
	w.equal("newest", again, newest)
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(3, keyed("later"))}})
	w.equal("revision", w.apply(store.Update(r)), revision+1)
}

func closedRefuses(w *world) {
	w.must(w.Close())
	s := w.Store
	w.Store = nil
	if _, err := s.Commit(w.ctx, &store.Batch{Accepts: []store.Accept{w.accept(1)}}); err == nil {
		w.Fatal("a closed store took an event in")
	}
	if _, err := s.Books(w.ctx); err == nil {
		w.Fatal("a closed store was read")
	}
}
