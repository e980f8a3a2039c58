package storetest

import (
	"errors"
	"fmt"
	"sync"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var concurrencyParts = []part{
	{"concurrent/nothing is lost and the books balance at any moment", manyWriters},
	{"concurrent/one key is stored once", oneKey},
	{"concurrent/one sequence is given once", oneSequence},
	{"concurrent/revisions are given in order", revisionsInOrder},
	{"concurrent/updates do not lose each other", noLostUpdate},
}

const writers = 8

// each runs work in as many goroutines as there are writers, and fails the test for the first that fails.
func (w *world) each(work func(writer int) error) {
	w.Helper()
	var group sync.WaitGroup
	failed := make([]error, writers)
	for i := range writers {
		group.Go(func() { failed[i] = work(i) })
	}
	group.Wait()
	w.must(errors.Join(failed...))
}

func manyWriters(w *world) {
	const rounds, fan = 12, 6
	plans := make([][]store.Accept, writers) // made beforehand: the world's clock is not for several goroutines
	var ids []ident.ID
	for i := range plans {
		for range rounds {
			a := w.accept(fan)
			plans[i], ids = append(plans[i], a), append(ids, a.Event.ID)
		}
	}
	ends := make(map[ident.ID]delivery.Attempt)
	for _, plan := range plans {
		for _, a := range plan {
			for k, d := range a.Deliveries {
				ends[d.ID] = w.attempt(d, delivery.States()[1+k%3], 200)
			}
		}
	}
	w.each(func(i int) error {
		for n, a := range plans[i] {
			b := store.Batch{Accepts: []store.Accept{a}}
			if n > 0 {
				for _, d := range plans[i][n-1].Deliveries {
					b.Attempts = append(b.Attempts, ends[d.ID])
				}
			}
			if verdicts, err := w.Commit(w.ctx, &b); err != nil || verdicts != nil {
				return fmt.Errorf("commit: %w (verdicts %v)", err, verdicts)
			}
			if books, err := w.Books(w.ctx); err != nil || !books.Balanced() {
				return fmt.Errorf("books %+v: %w", books, err)
			}
		}
		return nil
	})
	w.equal("events", len(w.stored(ids...)), writers*rounds)
	const third, done = fan / 3, writers * (rounds - 1)
	w.equal("books", w.balanced(), store.Books{
		Accepted: writers * rounds * fan, Delivered: done * third, Exhausted: done * third, Cancelled: done * third, Counted: writers * fan,
	})
}

func oneKey(w *world) {
	for round := range 5 {
		accepts := make([]store.Accept, writers)
		for i := range accepts {
			accepts[i] = w.accept(1, keyed(fmt.Sprint("key", round)))
		}
		known := make([]ident.ID, writers)
		w.each(func(i int) error {
			verdicts, err := w.Commit(w.ctx, &store.Batch{Accepts: accepts[i : i+1]})
			known[i] = accepts[i].Event.ID
			if err == nil && verdicts != nil {
				known[i] = verdicts[0].Duplicate
			}
			return err
		})
		for _, id := range known {
			w.equal("the event of the key", id, known[0])
		}
		stored := 0
		for _, a := range accepts {
			stored += len(w.stored(a.Event.ID))
		}
		w.equal("stored", stored, 1)
		w.equal("accepted", w.balanced().Accepted, int64(round+1))
	}
}

func oneSequence(w *world) {
	run := w.id()
	for round := range 5 {
		accepts := make([]store.Accept, writers)
		for i := range accepts {
			accepts[i] = w.accept(1, inRun(run, int64(round)))
		}
		taken := make([]bool, writers)
		w.each(func(i int) error {
			verdicts, err := w.Commit(w.ctx, &store.Batch{Accepts: accepts[i : i+1]})
			taken[i] = verdicts != nil && verdicts[0].SequenceTaken
			return err
		})
		stored := 0
		for _, one := range taken {
			if !one {
				stored++
			}
		}
		w.equal("stored", stored, 1)
		w.equal("accepted", w.balanced().Accepted, int64(round+1))
	}
}

// revisionsInOrder follows the log while many write: what a reader has read up to never changes behind it.
func revisionsInOrder(w *world) {
	const rounds = 15
	start, err := w.Revision(w.ctx)
	w.must(err)
	records := make([][]*store.Record, writers)
	want := map[store.RecordKey]bool{}
	for i := range records {
		for n := range rounds {
			r := w.record(store.KindAudit, fmt.Sprint(i, "/", n))
			records[i], want[store.RecordKey{Kind: r.Kind, ID: r.ID}] = append(records[i], r), true
		}
	}
	var mu sync.Mutex
	given := map[int64]bool{}
	w.each(func(i int) error {
		if i == 0 { // the reader
			at := start
			for len(want) > rounds {
				changed, upTo, complete, err := w.ChangedSince(w.ctx, at, 7)
				if err != nil || !complete || upTo < at {
					return fmt.Errorf("read from %d to %d (complete %v): %w", at, upTo, complete, err)
				}
				for _, key := range changed {
					delete(want, key)
				}
				at = upTo
			}
			return nil
		}
		for _, r := range records[i] {
			revision, err := w.Apply(w.ctx, []store.Change{store.Insert(r)})
			if err != nil {
				return err
			}
			mu.Lock()
			given[revision] = true
			mu.Unlock()
		}
		return nil
	})
	w.equal("revisions", len(given), (writers-1)*rounds)
	for revision := range given {
		if revision <= start || revision > start+(writers-1)*rounds {
			w.Fatalf("revision %d is out of line", revision)
		}
	}
}

func noLostUpdate(w *world) {
	const rounds = 10
	counter := w.record(store.KindSetting, "counter")
	counter.Body = []byte("0")
	w.apply(store.Insert(counter))
	w.each(func(int) error {
		for range rounds {
			for {
				r, err := w.Get(w.ctx, counter.Kind, counter.ID)
				if err != nil {
					return err
				}
				var n int
				if _, err := fmt.Sscan(string(r.Body), &n); err != nil {
					return err
				}
				r.Body = fmt.Append(nil, n+1)
				_, err = w.Apply(w.ctx, []store.Change{store.Update(&r)})
				if err == nil {
					break
				}
				if !errors.Is(err, store.ErrRevision) {
					return err
				}
			}
		}
		return nil
	})
	w.equal("counter", string(w.get(counter).Body), fmt.Sprint(writers*rounds))
}
