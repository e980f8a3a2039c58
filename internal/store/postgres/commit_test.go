package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
)

// TestStrangeTextDoesNotHarmOthers has words that the database can not hold, in one of two accepts.
func TestStrangeTextDoesNotHarmOthers(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	m := newMaker(t, time.Now())
	a, b := m.accept(1), m.accept(1)
	a.Event.Key, a.Event.RunAlias = "nul\x00key", "broken\xff"
	attempt := ended(a.Deliveries[0], delivery.Exhausted)
	attempt.Trigger, attempt.Address, attempt.Result.Detail = "t\x00", "a\xfe", "d\xff\x00"
	commit(t, s, store.Batch{Accepts: []store.Accept{a, b}, Attempts: []delivery.Attempt{attempt}})
	verdicts, err := s.Commit(t.Context(), &store.Batch{Accepts: []store.Accept{func() store.Accept {
		again := m.accept(0)
		again.Event.Key = a.Event.Key
		return again
	}()}})
	if err != nil || len(verdicts) != 1 || verdicts[0].Duplicate != a.Event.ID {
		t.Errorf("the odd key is no key: %v, %v", verdicts, err)
	}
	if run, err := s.RunByAlias(t.Context(), a.Event.RunAlias, nil); err != nil || run != a.Event.Run {
		t.Errorf("the odd alias leads to %v (%v)", run, err)
	}
	attempts, err := s.Attempts(t.Context(), a.Deliveries[0].ID)
	if err != nil || len(attempts) != 1 || attempts[0].Result.Detail != "d\uFFFD\uFFFD" {
		t.Errorf("attempts %+v (%v)", attempts, err)
	}
}

// TestCommitIsOneTransaction counts the transactions of a server that does nothing else: what is new costs one, with and
// without a fence.
func TestCommitIsOneTransaction(t *testing.T) {
	t.Parallel()
	dir, server, err := pgtest.LaunchTemporary(t.Context(), "autovacuum=off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pgtest.Remove(server, dir); err != nil {
			t.Error(err)
		}
	})
	s := openAt(t, server.NewDatabase(t))
	node := join(t, s, time.Hour)
	epochs := claimAll(t, s, node)
	m := newMaker(t, time.Now())
	for range defaultWriters {
		commit(t, s, store.Batch{Accepts: []store.Accept{m.accept(3)}}) // each writer learns the lanes
	}
	ids := func() (id int64) {
		t.Helper()
		if err := s.reads.QueryRow(t.Context(), "SELECT pg_current_xact_id()::text::bigint").Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	const commits = 20
	before := ids()
	for range commits {
		a := m.accept(3)
		commit(t, s, store.Batch{
			Accepts: []store.Accept{a}, Owner: node, Epochs: epochs, Moves: a.Deliveries[1:2],
			Attempts: []delivery.Attempt{ended(a.Deliveries[0], delivery.Delivered)},
		})
	}
	if used := ids() - before - 1; used != commits {
		t.Errorf("%d commits took %d transactions", commits, used)
	}
}

// TestWritersThatNeedTheSameGiveWay has many commits that touch the same rows in opposite orders: those that would wait for
// each other are sent again.
func TestWritersThatNeedTheSameGiveWay(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	a := newMaker(t, time.Now()).accept(40)
	commit(t, first, store.Batch{Accepts: []store.Accept{a}})
	var group sync.WaitGroup
	for i, s := range []*Store{first, second, first, second} {
		group.Go(func() {
			for round := range 5 {
				var b store.Batch
				for k := range a.Deliveries {
					if i%2 == 1 {
						k = len(a.Deliveries) - 1 - k
					}
					moved := a.Deliveries[k]
					moved.Attempts = round
					b.Moves = append(b.Moves, moved)
				}
				if _, err := s.Commit(context.Background(), &b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	balanced(t, first)
}

// TestDuplicatesRaceWithAccepts has the same keys arrive everywhere at a time, in different orders, among events without:
// each key is stored once, the others are stored whole.
func TestDuplicatesRaceWithAccepts(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	const keys, each = 12, 4
	m := newMaker(t, time.Now())
	var mu sync.Mutex
	winners := map[string]map[ident.ID]bool{}
	var group sync.WaitGroup
	for i := range each {
		var b store.Batch
		for k := range keys {
			if i%2 == 1 {
				k = keys - 1 - k
			}
			a, plain := m.accept(1), m.accept(1)
			a.Event.Key = fmt.Sprint("key ", k)
			b.Accepts = append(b.Accepts, a, plain)
		}
		s := []*Store{first, second}[i%2]
		group.Go(func() {
			verdicts, err := s.Commit(context.Background(), &b)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for n, a := range b.Accepts {
				id := a.Event.ID
				if verdicts != nil && verdicts[n].Duplicate != 0 {
					id = verdicts[n].Duplicate
				}
				if winners[a.Event.Key] == nil {
					winners[a.Event.Key] = map[ident.ID]bool{}
				}
				winners[a.Event.Key][id] = true
			}
		})
	}
	group.Wait()
	for key, ids := range winners {
		if key != "" && len(ids) != 1 {
			t.Errorf("%s belongs to %d events", key, len(ids))
		}
	}
	if books := balanced(t, first); books.Accepted != keys+keys*each || len(winners[""]) != keys*each {
		t.Errorf("books %+v, %d without a key", books, len(winners[""]))
	}
}

// TestCommitGoesOnAfterItsConnectionBroke ends the writers' connections while they are idle and while they work.
func TestCommitGoesOnAfterItsConnectionBroke(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	m := newMaker(t, time.Now())
	var accepted int64
	for range 5 {
		commit(t, s, store.Batch{Accepts: []store.Accept{m.accept(1)}})
		accepted++
		_, err := s.reads.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		next := m.accept(1)
		eventually(t, "a commit", func() (bool, error) {
			_, err := s.Commit(t.Context(), &store.Batch{Accepts: []store.Accept{next}})
			return err == nil, err
		})
		accepted++
	}
	if books := balanced(t, s); books.Accepted != accepted {
		t.Errorf("books %+v, want %d", books, accepted)
	}
}

func TestLanesAreWrittenOnceAndForgottenInTime(t *testing.T) {
	t.Parallel()
	var l lanes
	one := delivery.Delivery{Destination: 2, Subscription: 7}
	two := delivery.Delivery{Destination: 1, Subscription: 9}
	for range 2 {
		l.saw(&one)
		l.saw(&two)
	}
	var a arrays
	l.columns(&a)
	if len(l.fresh) != 2 || l.fresh[0].destination != 1 || len(a.take()) != 3 {
		t.Errorf("fresh pairs are %v", l.fresh)
	}
	l.stored()
	l.reset()
	l.saw(&one)
	if len(l.fresh) != 0 {
		t.Error("a pair that was stored is stored again")
	}
	for i := range lanesKept {
		l.saw(&delivery.Delivery{Destination: ident.ID(i), Subscription: 1})
	}
	l.stored()
	if len(l.known) > lanesKept {
		t.Errorf("%d pairs are remembered", len(l.known))
	}
}

// TestOldChangesAreCut makes more changes than the log keeps and looks at what it holds.
func TestOldChangesAreCut(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	const each = 3000
	changes := make([]store.Change, each)
	for i := range changes {
		changes[i] = store.Put(&store.Record{Kind: store.KindSetting, ID: ident.ID(i + 1)})
	}
	for range 5 {
		if _, err := s.Apply(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
	}
	var held int
	var floor int64
	err := s.reads.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM record_change), floor FROM revision").Scan(&held, &floor)
	if err != nil || held != store.ChangesKept || floor != 2 {
		t.Errorf("the log holds %d changes above revision %d (%v)", held, floor, err)
	}
	_, _, complete, err := s.ChangedSince(t.Context(), 1, 10)
	if err != nil || complete {
		t.Errorf("what was cut is called complete (%v)", err)
	}
	changed, upTo, complete, err := s.ChangedSince(t.Context(), 2, 10)
	if err != nil || !complete || len(changed) != each || upTo != 3 {
		t.Errorf("%d changes up to %d, complete %v (%v): a revision is read whole", len(changed), upTo, complete, err)
	}
}

func TestErrorsSayWhatWasDone(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	calls := map[string]func() error{
		"commit":                  func() error { _, err := s.Commit(ctx, &store.Batch{Queue: []delivery.Delivery{{ID: 1}}}); return err },
		"read the queue":          func() error { _, err := s.Queue(ctx, 1, 0, 1); return err },
		"list deliveries":         func() error { _, err := s.ListDeliveries(ctx, store.DeliveryFilter{}, store.Page{}); return err },
		"list events":             func() error { _, err := s.ListEvents(ctx, store.EventFilter{}, store.Page{}); return err },
		"apply changes":           func() error { _, err := s.Apply(ctx, nil); return err },
		"join the cluster":        func() error { _, err := s.Join(ctx, "n", time.Second); return err },
		"renew the lease of node": func() error { _, err := s.Renew(ctx, 1, time.Second); return err },
		"prune the history":       func() error { _, err := s.Prune(ctx, time.Now(), 1); return err },
	}
	for want, call := range calls {
		if err := call(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want an error that begins with %q", err, want)
		}
	}
}
