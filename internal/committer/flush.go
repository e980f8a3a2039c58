package committer

import (
	"errors"
	"time"

	"carillon/internal/store"
)

// flush stores what is due.
func (w *writer) flush() {
	if w.trouble.due(time.Now()) {
		w.retry()
	}
	accepts, records := w.take()
	if len(accepts)+len(records) == 0 {
		return
	}
	verdicts, err := w.commit(accepts, records)
	switch {
	case err == nil:
		w.stored(accepts, verdicts)
		finish(records, nil)
	case errors.Is(err, store.ErrFenced):
		w.again(accepts)
		w.divide(records)
	case len(records) > 0:
		w.trouble.add(w, records, err)
		w.again(accepts)
	default:
		w.alone(accepts, err)
	}
}

// commit stores accepts and records in one transaction.
func (w *writer) commit(accepts []*acceptance, records []Record) ([]store.Verdict, error) {
	b := &w.batch
	clear(b.Accepts)
	clear(b.Attempts)
	*b = store.Batch{Accepts: b.Accepts[:0], Queue: b.Queue[:0], Attempts: b.Attempts[:0], Moves: b.Moves[:0]}
	for _, a := range accepts {
		b.Accepts = append(b.Accepts, a.accepts...)
	}
	for i := range records {
		b.Queue = append(b.Queue, records[i].Queue...)
		b.Attempts = append(b.Attempts, records[i].Attempts...)
		b.Moves = append(b.Moves, records[i].Moves...)
	}
	b.Owner, b.Epochs = w.c.o.Owner()
	w.c.o.Failpoint("committer.before-commit")
	start := time.Now()
	verdicts, err := w.c.ledger.Commit(w.c.ctx, b)
	took := time.Since(start)
	w.committed(start.Add(took), took)
	w.c.metrics.committed(b.Size(), took, err)
	if err == nil {
		w.c.o.Failpoint("committer.after-commit")
		w.trouble.over()
	}
	return verdicts, err
}

// committed notes what the next commit can expect.
func (w *writer) committed(at time.Time, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.crowd.committed(len(w.accepts), at, took)
}

// stored tells those who wait that their events are durable.
func (w *writer) stored(accepts []*acceptance, verdicts []store.Verdict) {
	at := 0
	for _, a := range accepts {
		if verdicts != nil {
			a.verdicts = judged(verdicts[at : at+len(a.accepts)])
			at += len(a.accepts)
		}
		w.answer(a)
	}
}

// judged returns a copy of the verdicts, nil when everything was stored.
func judged(verdicts []store.Verdict) []store.Verdict {
	for _, v := range verdicts {
		if v != (store.Verdict{}) {
			return append([]store.Verdict(nil), verdicts...)
		}
	}
	return nil
}

// refused tells those who wait that nothing was stored.
func (w *writer) refused(accepts []*acceptance, err error) {
	for _, a := range accepts {
		a.err = err
		w.answer(a)
	}
}

func (w *writer) answer(a *acceptance) {
	w.mu.Lock()
	w.busy -= a.rows
	w.mu.Unlock()
	close(a.done)
}

func finish(records []Record, err error) {
	for i := range records {
		records[i].done(err)
	}
}

// again stores accepts without the records that failed with them.
func (w *writer) again(accepts []*acceptance) {
	if len(accepts) == 0 {
		return
	}
	verdicts, err := w.commit(accepts, nil)
	if err != nil {
		w.alone(accepts, err)
		return
	}
	w.stored(accepts, verdicts)
}

// aloneFailures is after how many failures in a row the rest of the accepts is refused: the database is down then.
const aloneFailures = 2

// alone stores accepts apart from each other that failed together: one that the database refuses shall not fail the
// others.
func (w *writer) alone(accepts []*acceptance, err error) {
	if len(accepts) == 1 {
		w.refused(accepts, err)
		return
	}
	failures := 0
	for i := range accepts {
		one := accepts[i : i+1]
		verdicts, err := w.commit(one, nil)
		if err == nil {
			failures = 0
			w.stored(one, verdicts)
			continue
		}
		w.refused(one, err)
		if failures++; failures == aloneFailures {
			w.refused(accepts[i+1:], err)
			return
		}
	}
}

// divide stores records shard by shard, to find those that this node does not own any longer. They are dropped: who owns
// them now makes the attempts again.
func (w *writer) divide(records []Record) {
	for _, group := range byShard(records) {
		_, err := w.commit(nil, group)
		switch {
		case err == nil:
			finish(group, nil)
		case errors.Is(err, store.ErrFenced):
			w.c.metrics.dropped(len(group))
			w.c.o.Log.Warn("records were dropped: another node owns their shard now", "records", len(group), "shard", group[0].shard())
			finish(group, err)
		default:
			w.trouble.add(w, group, err)
		}
	}
}

// byShard groups records that are all in one shard. A record of several shards is a group of its own.
func byShard(records []Record) [][]Record {
	var groups [][]Record
	of := map[int]int{}
	for _, r := range records {
		shard, single := r.single()
		i, known := of[shard]
		if !single || !known {
			if single {
				of[shard] = len(groups)
			}
			groups = append(groups, []Record{r})
			continue
		}
		groups[i] = append(groups[i], r)
	}
	return groups
}

// single returns the record's shard and whether all its attempts and moves are in it: those are what is fenced.
func (r *Record) single() (shard int, single bool) {
	shard = r.shard()
	for i := range r.Attempts {
		if r.Attempts[i].Delivery.Shard() != shard {
			return 0, false
		}
	}
	for i := range r.Moves {
		if r.Moves[i].Shard() != shard {
			return 0, false
		}
	}
	return shard, true
}
