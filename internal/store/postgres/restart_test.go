package postgres

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
)

// ledger notes what a store acknowledged.
type ledger struct {
	mu     sync.Mutex
	events []ident.ID
	ended  []ident.ID
}

func (l *ledger) note(b *store.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range b.Accepts {
		l.events = append(l.events, b.Accepts[i].Event.ID)
	}
	for i := range b.Attempts {
		l.ended = append(l.ended, b.Attempts[i].Delivery.ID)
	}
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

// write commits batches until ctx ends, as a group commit does: what fails is recorded again, what is new is not.
func (l *ledger) write(ctx context.Context, s *Store, m maker) {
	var due []delivery.Delivery
	for ctx.Err() == nil {
		b := store.Batch{Accepts: []store.Accept{m.accept(3), m.accept(2)}}
		for _, d := range due {
			b.Attempts = append(b.Attempts, ended(d, delivery.Delivered))
		}
		if _, err := s.Commit(ctx, &b); err != nil {
			continue
		}
		l.note(&b)
		due = append(b.Accepts[0].Deliveries[:2:2], b.Accepts[1].Deliveries...)
	}
}

// TestNothingAcknowledgedIsLostWhenTheServerCrashes kills the server under load, twice, and goes on with the same store.
func TestNothingAcknowledgedIsLostWhenTheServerCrashes(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	s := openAt(t, server.NewDatabase(t))
	heard := watch(t, s)
	node := join(t, s, time.Hour)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var l ledger
	var writers sync.WaitGroup
	for range 4 {
		m := newMaker(t, time.Now())
		writers.Go(func() { l.write(ctx, s, m) })
	}
	for range 2 {
		seen := l.size()
		eventually(t, "new commits", func() (bool, error) { return l.size() >= seen+50, nil })
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Books(t.Context()); err == nil {
			t.Error("a dead server was read")
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if h := <-heard; !h.Records {
			t.Errorf("heard %+v, want to be told to look at everything", h)
		}
		// Everything works at once: no pool hands out what is left of the old server.
		balanced(t, s)
		if _, err := s.Renew(t.Context(), node, time.Hour); err != nil {
			t.Error(err)
		}
		if _, err := s.Apply(t.Context(), []store.Change{store.Put(&store.Record{Kind: store.KindSetting, ID: 1})}); err != nil {
			t.Error(err)
		}
	}
	seen := l.size()
	eventually(t, "new commits", func() (bool, error) { return l.size() >= seen+50, nil })
	end()
	writers.Wait()
	l.check(t, s)
}

// check compares what was acknowledged with what is there.
func (l *ledger) check(t *testing.T, s *Store) {
	t.Helper()
	events, err := s.Events(t.Context(), l.events)
	if err != nil || len(events) != len(l.events) {
		t.Errorf("%d events were acknowledged, %d are there (%v)", len(l.events), len(events), err)
	}
	for chunk := range slices.Chunk(l.ended, 500) {
		ids, places := numbers(chunk), make([]int64, len(chunk))
		for i := range places {
			places[i] = finalPlace
		}
		attempts, err := read(t.Context(), s, readAttempt, selectAttemptsAt, ids, places)
		if err != nil || len(attempts) != len(chunk) {
			t.Errorf("%d attempts were acknowledged, %d are there (%v)", len(chunk), len(attempts), err)
		}
	}
	books := balanced(t, s)
	if books.Delivered < int64(len(l.ended)) || books.Accepted < int64(len(l.events)) {
		t.Errorf("the books %+v hold less than %d events and %d attempts", books, len(l.events), len(l.ended))
	}
}

// TestOrderlyRestartIsSurvived stops the server while nothing runs, so that every idle connection is a closed one.
func TestOrderlyRestartIsSurvived(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	s := openAt(t, server.NewDatabase(t))
	m := newMaker(t, time.Now())
	a := m.accept(2)
	commit(t, s, store.Batch{Accepts: []store.Accept{a}})
	balanced(t, s)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if books := balanced(t, s); books.Counted != 2 {
		t.Errorf("books %+v", books)
	}
	eventually(t, "a commit", func() (bool, error) {
		_, err := s.Commit(t.Context(), &store.Batch{Attempts: []delivery.Attempt{ended(a.Deliveries[0], delivery.Delivered)}})
		return err == nil, err
	})
	if books := balanced(t, s); books.Delivered != 1 {
		t.Errorf("books %+v", books)
	}
}
