package committer_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/committer"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

func equal(got, want any) bool { return reflect.DeepEqual(got, want) }

func TestAnAcceptDoesNotWait(t *testing.T) {
	l := &ledger{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		verdicts, err := c.Accept(t.Context(), []store.Accept{event(1, 3)})
		same(t, "result", []any{verdicts, err}, []any{[]store.Verdict(nil), nil})
		same(t, "commits", l.seen(), []commit{{events: []ident.ID{1}}})
		verdicts, err = c.Accept(t.Context(), nil)
		same(t, "nothing", []any{verdicts, err, len(l.seen())}, []any{[]store.Verdict(nil), nil, 1})
	})
}

func TestRecordsGather(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{MaxDelay: 8 * time.Millisecond}, func(t *testing.T, c *committer.Committer) {
		c.Record(o.record(1, 1))
		time.Sleep(5 * time.Millisecond)
		c.Record(o.record(2, 2))
		synctest.Wait()
		same(t, "told before the commit", len(o.of(1, 2)), 0)
		time.Sleep(10 * time.Millisecond)
		same(t, "commits", l.seen(), []commit{{at: 8 * time.Millisecond, attempts: []ident.ID{1, 2}}})
		same(t, "told", o.of(1, 2), []error{nil, nil})
		c.Record(committer.Record{Done: nil, Queue: nil}) // nobody wants to hear of it
	})
}

func TestAnAcceptTakesRecordsAlong(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		c.Record(o.record(1, 1))
		time.Sleep(2 * time.Millisecond)
		if _, err := c.Accept(t.Context(), []store.Accept{event(7, 1)}); err != nil {
			t.Fatal(err)
		}
		same(t, "commits", l.seen(), []commit{{at: 2 * time.Millisecond, events: []ident.ID{7}, attempts: []ident.ID{1}}})
	})
}

func TestAFullBatchDoesNotWait(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{MaxRows: 4}, func(t *testing.T, c *committer.Committer) {
		for id := range ident.ID(10) {
			c.Record(o.record(id+1, 0))
		}
		synctest.Wait()
		same(t, "stored at once", len(l.stored()) >= 8, true)
		for _, one := range l.seen() {
			same(t, "rows of a commit", len(one.attempts) <= 4, true)
			same(t, "when", one.at, time.Duration(0))
		}
	})
	same(t, "stored", len(l.stored()), 10)
}

// TestWhatComesDuringACommitGathers holds a commit and looks at what the next one stores.
func TestWhatComesDuringACommitGathers(t *testing.T) {
	hold := make(chan struct{})
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		hold = make(chan struct{})
		l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) { <-hold; return nil, nil }
		var group sync.WaitGroup
		accept := func(id ident.ID) {
			group.Go(func() {
				if _, err := c.Accept(t.Context(), []store.Accept{event(id, 1)}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		accept(1)
		for id := range ident.ID(20) {
			accept(id + 2)
			c.Record(o.record(id+100, 3))
		}
		same(t, "commits under way", len(l.seen()), 0)
		close(hold)
		group.Wait()
		commits := l.seen()
		same(t, "commits", []int{len(commits), len(commits[0].events), len(commits[1].events), len(commits[1].attempts)}, []int{2, 1, 20, 20})
	})
}

func TestVerdictsReachTheirCallers(t *testing.T) {
	hold := make(chan struct{})
	l := &ledger{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		hold = make(chan struct{})
		l.judge = func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
			<-hold
			verdicts := make([]store.Verdict, len(b.Accepts))
			for i := range b.Accepts {
				if id := b.Accepts[i].Event.ID; id%2 == 0 {
					verdicts[i].Duplicate = id * 100
				}
			}
			return verdicts, nil
		}
		var group sync.WaitGroup
		ask := func(ids []ident.ID, want []store.Verdict) {
			var accepts []store.Accept
			for _, id := range ids {
				accepts = append(accepts, event(id, 0))
			}
			group.Go(func() {
				verdicts, err := c.Accept(t.Context(), accepts)
				if err != nil || !equal(verdicts, want) {
					t.Errorf("%v: %v %v, want %v", ids, verdicts, err, want)
				}
			})
			synctest.Wait()
		}
		ask([]ident.ID{9}, nil)
		ask([]ident.ID{1, 2, 3}, []store.Verdict{{}, {Duplicate: 200}, {}})
		ask([]ident.ID{5, 7}, nil)
		ask([]ident.ID{4}, []store.Verdict{{Duplicate: 400}})
		close(hold)
		group.Wait()
	})
}

func TestVeryManyAcceptsAreStoredInParts(t *testing.T) {
	l := &ledger{judge: func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
		if b.Accepts[0].Event.ID != 4 {
			return nil, nil
		}
		verdicts := make([]store.Verdict, len(b.Accepts))
		verdicts[1].SequenceTaken = true
		return verdicts, nil
	}}
	bubble(t, l, committer.Options{MaxRows: 9}, func(t *testing.T, c *committer.Committer) {
		var accepts []store.Accept
		for id := range ident.ID(8) {
			accepts = append(accepts, event(id+1, 2))
		}
		accepts[7] = event(8, 30) // more than a commit shall hold, but one event is never divided
		verdicts, err := c.Accept(t.Context(), accepts)
		want := make([]store.Verdict, 8)
		want[4].SequenceTaken = true
		same(t, "verdicts", []any{verdicts, err}, []any{want, nil})
		same(t, "commits", l.seen(), []commit{{events: []ident.ID{1, 2, 3}}, {events: []ident.ID{4, 5, 6}}, {events: []ident.ID{7}}, {events: []ident.ID{8}}})
	})
}

func TestWhoGoesAwayBeforeItsTurnStoresNothing(t *testing.T) {
	hold := make(chan struct{})
	l := &ledger{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		hold = make(chan struct{})
		l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) { <-hold; return nil, nil }
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 2)
		for id := range ident.ID(2) {
			go func() {
				_, err := c.Accept(ctx, []store.Accept{event(id+1, 1)})
				results <- err
			}()
			synctest.Wait()
		}
		cancel()
		same(t, "the one that waited", errors.Is(<-results, context.Canceled), true)
		close(hold)
		same(t, "the one whose turn had come", <-results, error(nil))
		same(t, "commits", l.seen(), []commit{{events: []ident.ID{1}}})
		_, err := c.Accept(ctx, []store.Accept{event(3, 1)})
		same(t, "the one that had gone already", errors.Is(err, context.Canceled), true)
	})
}

// TestRecordBlocksWhenTooMuchWaits fills the queue behind a commit that hangs.
func TestRecordBlocksWhenTooMuchWaits(t *testing.T) {
	hold := make(chan struct{})
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{MaxRows: 10}, func(t *testing.T, c *committer.Committer) {
		hold = make(chan struct{})
		l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) { <-hold; return nil, nil }
		var mu sync.Mutex
		handed := 0
		go func() {
			for id := range ident.ID(500) {
				c.Record(o.record(id+1, 5))
				mu.Lock()
				handed++
				mu.Unlock()
			}
		}()
		synctest.Wait()
		mu.Lock()
		same(t, "handed over", handed < 100, true)
		mu.Unlock()
		close(hold)
		synctest.Wait()
		same(t, "handed over at last", handed, 500)
	})
	stored := l.stored()
	for i, id := range stored {
		same(t, "order", id, ident.ID(i+1))
	}
	same(t, "stored", len(stored), 500)
}

func TestStopStoresWhatWaits(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	registry := prometheus.NewRegistry()
	bubble(t, l, committer.Options{MaxDelay: time.Minute, Registry: registry}, func(t *testing.T, c *committer.Committer) {
		for id := range ident.ID(30) {
			c.Record(o.record(id+1, int(id)))
		}
		metrics, err := registry.Gather()
		same(t, "metrics", []any{len(metrics), err}, []any{5, nil})
		for range 2 {
			if err := c.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "stored", len(l.stored()), 30)
		same(t, "when", l.seen()[0].at, time.Duration(0))
		c.Record(o.record(99, 1))
		same(t, "told", o.of(99), []error{committer.ErrStopped})
		_, err = c.Accept(t.Context(), []store.Accept{event(1, 1)})
		same(t, "an accept that is too late", fault.Is(err, fault.Unavailable), true)
	})
}

func TestFailpointsFrameTheCommit(t *testing.T) {
	l := &ledger{}
	var steps []string
	l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) {
		steps = append(steps, "commit")
		return nil, nil
	}
	bubble(t, l, committer.Options{Failpoint: func(name string) { steps = append(steps, name) }}, func(t *testing.T, c *committer.Committer) {
		if _, err := c.Accept(t.Context(), []store.Accept{event(1, 1)}); err != nil {
			t.Fatal(err)
		}
	})
	same(t, "steps", steps, []string{"committer.before-commit", "commit", "committer.after-commit"})
}

// TestWritersKeepTheOrderOfAShard runs two writers: accepts are stored beside each other, records of one shard in their
// order.
func TestWritersKeepTheOrderOfAShard(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{Writers: 2, MaxRows: 7}, func(t *testing.T, c *committer.Committer) {
		l.judge = func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
			time.Sleep(time.Duration(1+len(b.Attempts)%3) * time.Millisecond)
			return nil, nil
		}
		var group sync.WaitGroup
		for id := range ident.ID(2) {
			group.Go(func() {
				if _, err := c.Accept(t.Context(), []store.Accept{event(id+1, 1)}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		group.Wait()
		same(t, "two at once", []time.Duration{l.seen()[0].at, l.seen()[1].at}, []time.Duration{0, 0})
		for id := range ident.ID(300) {
			c.Record(o.record(id+1, int(id%5)))
		}
	})
	last := map[ident.ID]ident.ID{}
	for _, id := range l.stored() {
		same(t, "order within a shard", id > last[(id-1)%5], true)
		last[(id-1)%5] = id
	}
	same(t, "stored", len(l.stored()), 300)
}
