package storetest

import (
	"math/rand/v2"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

var booksParts = []part{
	{"books/they balance in every step", booksBalance},
	{"books/an attempt that was never queued does not count", singleAttempt},
}

// booksBalance makes random batches of everything and keeps accounts of its own beside the store's.
func booksBalance(w *world) {
	random := rand.New(rand.NewPCG(11, 7))
	var want store.Books
	var pending []delivery.Delivery
	take := func() (d delivery.Delivery, ok bool) {
		if len(pending) == 0 {
			return d, false
		}
		i := random.IntN(len(pending))
		d = pending[i]
		pending = append(pending[:i], pending[i+1:]...)
		return d, true
	}
	for range 60 {
		var b store.Batch
		var later []delivery.Delivery
		for range random.IntN(4) {
			a := w.accept(random.IntN(5))
			b.Accepts, later = append(b.Accepts, a), append(later, a.Deliveries...)
		}
		for range random.IntN(12) {
			d, ok := take()
			if !ok {
				break
			}
			state := delivery.States()[random.IntN(4)]
			attempt := w.attempt(d, state, 500)
			b.Attempts = append(b.Attempts, attempt)
			switch state {
			case delivery.Pending:
				b.Moves, later = append(b.Moves, attempt.Delivery), append(later, attempt.Delivery)
			case delivery.Delivered:
				want.Delivered++
			case delivery.Exhausted:
				want.Exhausted++
				again := w.again(d, delivery.CauseFallback)
				b.Queue, later = append(b.Queue, again), append(later, again)
			case delivery.Cancelled:
				want.Cancelled++
			}
		}
		pending = append(pending, later...)
		w.commit(b)
		want.Counted = int64(len(pending))
		want.Accepted = want.Delivered + want.Exhausted + want.Cancelled + want.Counted
		w.equal("books", w.balanced(), want)
	}
	w.equal("queue", w.rows(pending...), byID(pending))
}

func singleAttempt(w *world) {
	a := w.accept(1)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	verification := w.again(a.Deliveries[0], delivery.CauseVerification)
	verification.Event, verification.Origin = 0, 0
	now := w.again(a.Deliveries[0], delivery.CauseRedelivery)
	w.commit(store.Batch{Attempts: []delivery.Attempt{
		w.attempt(verification, delivery.Delivered, 200), w.attempt(now, delivery.Exhausted, 500),
	}})
	w.equal("books", w.balanced(), store.Books{Accepted: 1, Counted: 1})
	summary, err := w.Delivery(w.ctx, now.ID)
	w.must(err)
	w.equal("state", summary.State, delivery.Exhausted)
}
