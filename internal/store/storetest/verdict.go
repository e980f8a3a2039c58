package storetest

import (
	"carillon/internal/delivery"
	"carillon/internal/store"
)

var verdictParts = []part{
	{"verdict/a key is known from an earlier batch", duplicateKey},
	{"verdict/two accepts of one batch with one key", duplicateInBatch},
	{"verdict/a sequence is taken", sequenceTaken},
	{"verdict/two accepts of one batch with one sequence", sequenceInBatch},
	{"verdict/a repeat is a duplicate before its sequence is taken", duplicateBeforeSequence},
	{"verdict/a refused accept takes no key", refusedTakesNothing},
	{"verdict/keys belong to an organization", keysPerOrganization},
	{"verdict/the rest of the batch is stored", restIsStored},
}

func duplicateKey(w *world) {
	first, second := w.accept(1, keyed("k")), w.accept(2, keyed("k"))
	w.commit(store.Batch{Accepts: []store.Accept{first}})
	w.commitJudged(store.Batch{Accepts: []store.Accept{second}}, store.Verdict{Duplicate: first.Event.ID})
	w.equal("events", w.stored(first.Event.ID, second.Event.ID), []store.Event{first.Event})
	w.equal("queue", w.rows(second.Deliveries...), nil)
	w.equal("books", w.balanced(), store.Books{Accepted: 1, Counted: 1})
}

func duplicateInBatch(w *world) {
	a, b, c := w.accept(1, keyed("k")), w.accept(1, keyed("k")), w.accept(1, keyed("l"))
	w.commitJudged(store.Batch{Accepts: []store.Accept{a, b, c}}, store.Verdict{}, store.Verdict{Duplicate: a.Event.ID}, store.Verdict{})
	w.equal("events", sortedEvents(w.stored(a.Event.ID, b.Event.ID, c.Event.ID)), []store.Event{a.Event, c.Event})
}

func sequenceTaken(w *world) {
	run, other := w.id(), w.id()
	first, second := w.accept(1, inRun(run, 0)), w.accept(1, inRun(run, 0))
	w.commit(store.Batch{Accepts: []store.Accept{first}})
	w.commitJudged(store.Batch{Accepts: []store.Accept{second}}, store.Verdict{SequenceTaken: true})
	w.equal("events", w.stored(second.Event.ID), nil)
	w.equal("queue", w.rows(second.Deliveries...), nil)
	inRun(run, 1)(&second)
	w.commit(store.Batch{Accepts: []store.Accept{second, w.accept(1, inRun(other, 0)), w.accept(1), w.accept(1)}})
}

func sequenceInBatch(w *world) {
	run := w.id()
	a, b, c := w.accept(1, inRun(run, 3)), w.accept(1, inRun(run, 3)), w.accept(1, inRun(run, 4))
	w.commitJudged(store.Batch{Accepts: []store.Accept{a, b, c}}, store.Verdict{}, store.Verdict{SequenceTaken: true}, store.Verdict{})
	w.equal("events", w.stored(b.Event.ID), nil)
}

func duplicateBeforeSequence(w *world) {
	run := w.id()
	first := w.accept(1, keyed("k"), inRun(run, 0))
	w.commit(store.Batch{Accepts: []store.Accept{first}})
	repeat := w.accept(1, keyed("k"), inRun(run, 0))
	w.commitJudged(store.Batch{Accepts: []store.Accept{repeat}}, store.Verdict{Duplicate: first.Event.ID})
}

func refusedTakesNothing(w *world) {
	run := w.id()
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(0, inRun(run, 0))}})
	refused, next := w.accept(1, keyed("k"), inRun(run, 0)), w.accept(1, keyed("k"), inRun(run, 1))
	w.commitJudged(store.Batch{Accepts: []store.Accept{refused, next}}, store.Verdict{SequenceTaken: true}, store.Verdict{})
	w.equal("events", w.stored(refused.Event.ID, next.Event.ID), []store.Event{next.Event})
	later := w.accept(1, inRun(w.id(), 0), keyed("l"))
	w.commit(store.Batch{Accepts: []store.Accept{later}})
	duplicate, free := w.accept(1, keyed("l"), inRun(run, 2)), w.accept(1, inRun(run, 2))
	w.commitJudged(store.Batch{Accepts: []store.Accept{duplicate, free}}, store.Verdict{Duplicate: later.Event.ID}, store.Verdict{})
}

func keysPerOrganization(w *world) {
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(1, keyed("k")), w.accept(1, keyed("k"), of(w.id())), w.accept(1), w.accept(1)}})
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(1, keyed("K")), w.accept(1, keyed("k ")), w.accept(1), w.accept(1)}})
}

func restIsStored(w *world) {
	first := w.accept(1, keyed("k"))
	w.commit(store.Batch{Accepts: []store.Accept{first}})
	var b store.Batch
	var want []store.Verdict
	var ends []delivery.Delivery
	for i := range 40 {
		if i%5 == 2 {
			b.Accepts = append(b.Accepts, w.accept(2, keyed("k")))
			want = append(want, store.Verdict{Duplicate: first.Event.ID})
			continue
		}
		a := w.accept(2)
		b.Accepts, want = append(b.Accepts, a), append(want, store.Verdict{})
		ends = append(ends, a.Deliveries...)
	}
	extra := w.again(first.Deliveries[0], delivery.CauseReplay)
	moved := w.attempt(first.Deliveries[0], delivery.Pending, 503)
	b.Queue = []delivery.Delivery{extra}
	b.Attempts = []delivery.Attempt{moved}
	b.Moves = []delivery.Delivery{moved.Delivery}
	w.commitJudged(b, want...)
	w.equal("deliveries of the others", w.rows(ends...), ends)
	w.equal("record", w.rows(first.Deliveries[0], extra), []delivery.Delivery{moved.Delivery, extra})
	w.equal("books", w.balanced(), store.Books{Accepted: 1 + 64 + 1, Counted: 66})
}
