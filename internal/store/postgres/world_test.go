package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// maker makes things to store, with identifiers from a moment on.
type maker struct{ ids *ident.Generator }

func newMaker(t testing.TB, from time.Time) maker {
	t.Helper()
	ids, err := ident.NewGenerator(0, func() time.Time { return from })
	if err != nil {
		t.Fatal(err)
	}
	return maker{ids}
}

// accept makes an event with n deliveries to as many destinations.
func (m maker) accept(n int) store.Accept {
	id := m.ids.Block(n + 1)
	a := store.Accept{Event: store.Event{
		ID: id, Organization: 1, Project: 2, Workspace: 3, Kind: "run", Run: id, Deliveries: n, Body: []byte("{}"),
	}}
	for k := 1; k <= n; k++ {
		a.Deliveries = append(a.Deliveries, delivery.Delivery{
			ID: id + ident.ID(k)*ident.Step, Event: id, Organization: 1, Subscription: ident.ID(100 + k), Version: 1,
			Destination: ident.Derive("destination", fmt.Sprint(k)), Run: id, Due: id.Time(),
		})
	}
	return a
}

// ended makes the final attempt of a delivery.
func ended(d delivery.Delivery, state delivery.State) delivery.Attempt {
	d.Attempts++
	return delivery.Attempt{
		Delivery: d, Number: d.Attempts, State: state, Workspace: 3,
		Result: delivery.Result{Class: delivery.ClassAnswered, Status: 200, StartedAt: d.Due},
	}
}

// commit stores a batch whole.
func commit(t testing.TB, s *Store, b store.Batch) {
	t.Helper()
	if verdicts, err := s.Commit(context.Background(), &b); err != nil || verdicts != nil {
		t.Fatalf("commit: %v, verdicts %v", err, verdicts)
	}
}

func balanced(t testing.TB, s *Store) store.Books {
	t.Helper()
	books, err := s.Books(context.Background())
	if err != nil || !books.Balanced() {
		t.Fatalf("books %+v: %v", books, err)
	}
	return books
}

// eventually asks again and again until it is told that it has come true; the test's deadline ends it otherwise.
func eventually(t testing.TB, what string, ask func() (bool, error)) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := ask()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s did not come about: %v", what, err)
		}
	}
}

func join(t testing.TB, s *Store, ttl time.Duration) int {
	t.Helper()
	node, err := s.Join(context.Background(), "n", ttl)
	if err != nil {
		t.Fatal(err)
	}
	return node
}

// claimAll claims whatever the cluster lets go, seen as it is now.
func claimAll(t testing.TB, s *Store, node int) map[int]int64 {
	t.Helper()
	c, err := s.Renew(context.Background(), node, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int64{}
	for shard, lease := range c.Owners {
		seen[shard] = lease.Epoch
	}
	epochs, err := s.Claim(context.Background(), node, seen)
	if err != nil {
		t.Fatal(err)
	}
	return epochs
}

func wantFenced(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrFenced) {
		t.Errorf("%s: error %v, want %v", what, err, store.ErrFenced)
	}
}
