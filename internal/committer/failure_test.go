package committer_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"carillon/internal/committer"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// TestRecordsSurviveADatabaseThatIsDown keeps the database down for a while: accepts fail, records wait, nothing is lost.
func TestRecordsSurviveADatabaseThatIsDown(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		up := time.Now().Add(3 * time.Second)
		l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) {
			if time.Now().Before(up) {
				return nil, errDown
			}
			return nil, nil
		}
		for id := range ident.ID(50) {
			c.Record(o.record(id+1, int(id)))
		}
		time.Sleep(time.Second)
		_, err := c.Accept(t.Context(), []store.Accept{event(1, 1)})
		same(t, "accept", []bool{fault.Is(err, fault.Unavailable), errors.Is(err, errDown)}, []bool{true, true})
		for id := range ident.ID(50) {
			c.Record(o.record(id+51, int(id)))
		}
		same(t, "told", len(o.told), 0)
		tries := len(l.seen())
		time.Sleep(time.Until(up) + 5*time.Second)
		same(t, "stored", len(l.stored()), 100)
		if tries > 40 {
			t.Errorf("%d tries in a second", tries)
		}
	})
	for id := range ident.ID(100) {
		same(t, "told once", o.of(id+1), []error{nil})
	}
}

// TestAnAcceptEndsTheWait shows that the database is back before the next try was due.
func TestAnAcceptEndsTheWait(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		down := true
		var mu sync.Mutex
		l.judge = func(context.Context, *store.Batch) ([]store.Verdict, error) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return nil, errDown
			}
			return nil, nil
		}
		c.Record(o.record(1, 1))
		time.Sleep(time.Minute)
		mu.Lock()
		down = false
		mu.Unlock()
		if _, err := c.Accept(t.Context(), []store.Accept{event(1, 1)}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		same(t, "told", o.of(1), []error{nil})
	})
}

// TestOneRecordThatIsRefusedHoldsNobodyUp has a record that the database never takes.
func TestOneRecordThatIsRefusedHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		bad := map[ident.ID]bool{3: true, 40: true}
		l, o := &ledger{start: time.Now()}, &outcome{}
		l.judge = func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
			for i := range b.Attempts {
				if bad[b.Attempts[i].Delivery.ID] {
					return nil, errDown
				}
			}
			return nil, nil
		}
		c := committer.New(l, committer.Options{})
		for id := range ident.ID(60) {
			c.Record(o.record(id+1, int(id)))
		}
		time.Sleep(time.Second)
		same(t, "the others", len(l.stored()), 58)
		for id := range ident.ID(60) {
			c.Record(o.record(id+101, int(id)))
		}
		time.Sleep(10 * time.Millisecond)
		same(t, "those that came later", len(l.stored()), 118)
		same(t, "the refused ones", len(o.of(3, 40)), 0)
		if _, err := c.Accept(t.Context(), []store.Accept{event(1, 1)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		err := c.Stop(ctx)
		same(t, "stop", []any{errors.Is(err, committer.ErrStopped), time.Since(start)}, []any{true, time.Minute})
		same(t, "told in the end", o.of(3, 40), []error{committer.ErrStopped, committer.ErrStopped})
	})
}

// TestOneEventThatIsRefusedFailsNobodyElse has an event that the database never takes.
func TestOneEventThatIsRefusedFailsNobodyElse(t *testing.T) {
	hold := make(chan struct{})
	l, o := &ledger{}, &outcome{}
	bubble(t, l, committer.Options{}, func(t *testing.T, c *committer.Committer) {
		hold = make(chan struct{})
		l.judge = func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
			<-hold
			for i := range b.Accepts {
				if b.Accepts[i].Event.ID == 3 {
					return nil, errDown
				}
			}
			return nil, nil
		}
		var group sync.WaitGroup
		failed := make([]error, 8)
		for id := range failed {
			group.Go(func() { _, failed[id] = c.Accept(t.Context(), []store.Accept{event(ident.ID(id), 1)}) })
			synctest.Wait()
		}
		c.Record(o.record(1, 1))
		close(hold)
		group.Wait()
		time.Sleep(time.Second)
		for id, err := range failed {
			same(t, "failed", fault.Is(err, fault.Unavailable), id == 3)
		}
		same(t, "record", o.of(1), []error{nil})
	})
}

// TestRecordsOfLostShardsAreDropped takes two shards away: their records are dropped, all others are stored.
func TestRecordsOfLostShardsAreDropped(t *testing.T) {
	l, o := &ledger{}, &outcome{}
	lost := map[int]bool{2: true, 5: true}
	epochs := map[int]int64{}
	for shard := range 8 {
		epochs[shard] = int64(shard + 10)
	}
	l.judge = func(_ context.Context, b *store.Batch) ([]store.Verdict, error) {
		if b.Owner != 4 || !maps.Equal(b.Epochs, epochs) {
			return nil, errDown
		}
		for i := range b.Attempts {
			if lost[b.Attempts[i].Delivery.Shard()] {
				return nil, store.ErrFenced
			}
		}
		return nil, nil
	}
	owner := func() (int, map[int]int64) { return 4, epochs }
	bubble(t, l, committer.Options{Owner: owner}, func(t *testing.T, c *committer.Committer) {
		for id := range ident.ID(40) {
			c.Record(o.record(id+1, int(id%8)))
		}
		both := o.record(101, 2) // a record of a lost shard and of another one is dropped whole
		both.Attempts = append(both.Attempts, o.record(102, 3).Attempts...)
		c.Record(both)
		if _, err := c.Accept(t.Context(), []store.Accept{event(1, 1)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	})
	for id := range ident.ID(40) {
		want := []error{nil}
		if lost[int(id%8)] {
			want = []error{store.ErrFenced}
		}
		same(t, "told", o.of(id+1), want)
	}
	same(t, "of two shards", o.of(101), []error{store.ErrFenced})
	stored := l.stored()
	slices.Sort(stored)
	same(t, "stored", len(stored), 30)
}

// TestStopGivesUpInTime stops while the database hangs.
func TestStopGivesUpInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, o := &ledger{start: time.Now()}, &outcome{}
		l.judge = func(ctx context.Context, _ *store.Batch) ([]store.Verdict, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		c := committer.New(l, committer.Options{})
		waited := make(chan error, 1)
		go func() {
			_, err := c.Accept(t.Context(), []store.Accept{event(1, 1)})
			waited <- err
		}()
		synctest.Wait()
		for id := range ident.ID(20) {
			c.Record(o.record(id+1, 1))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := c.Stop(ctx)
		same(t, "stop", errors.Is(err, committer.ErrStopped), true)
		same(t, "accept", fault.Is(<-waited, fault.Unavailable), true)
		for id := range ident.ID(20) {
			same(t, "told", o.of(id+1), []error{committer.ErrStopped})
		}
	})
}
