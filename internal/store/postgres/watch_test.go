package postgres

import (
	"context"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// watch gathers the hints that a store hears until the test ends.
func watch(t testing.TB, s *Store) <-chan store.Hint {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	heard, done := make(chan store.Hint, 1000), make(chan error)
	go func() { done <- s.Watch(ctx, func(h store.Hint) { heard <- h }) }()
	t.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "listening", func() (listens bool, err error) {
		err = s.reads.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND query = 'LISTEN carillon' AND state = 'idle')`).Scan(&listens)
		return listens, err
	})
	return heard
}

// TestHintsAreFewAndTrue commits as one node and listens as another: one hint for each commit that added rows of shards
// that the committing node does not own.
func TestHintsAreFewAndTrue(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	heard := watch(t, second)
	node := join(t, first, time.Hour)
	epochs := claimAll(t, first, node)
	m := newMaker(t, time.Now())
	a, b := m.accept(8), m.accept(3)

	commit(t, first, store.Batch{Accepts: []store.Accept{a}, Owner: node, Epochs: epochs}) // all its own: no hint
	var lowest ident.ID
	var foreign []int
	some := map[int]int64{}
	for _, d := range b.Deliveries {
		if shard := d.Shard(); len(some) == 0 || some[shard] != 0 {
			some[shard] = epochs[shard]
		} else if foreign = append(foreign, shard); lowest == 0 {
			lowest = d.ID
		}
	}
	slices.Sort(foreign)
	foreign = slices.Compact(foreign)
	commit(t, first, store.Batch{Accepts: []store.Accept{b}, Owner: node, Epochs: some})
	commit(t, first, store.Batch{Attempts: []delivery.Attempt{ended(a.Deliveries[0], delivery.Delivered)}}) // adds nothing
	if _, err := first.Apply(t.Context(), []store.Change{store.Put(&store.Record{Kind: store.KindSetting, ID: 1})}); err != nil {
		t.Fatal(err)
	}
	want := []store.Hint{{Node: node, Shards: foreign, Lowest: lowest}, {Node: node, Records: true}}
	for _, w := range want {
		if h := <-heard; h.Node != w.Node || !slices.Equal(h.Shards, w.Shards) || h.Lowest != w.Lowest || h.Records != w.Records {
			t.Errorf("heard %+v, want %+v", h, w)
		}
	}
}

func TestNoNodeHearsItself(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	heard := watch(t, first)
	m := newMaker(t, time.Now())
	commit(t, first, store.Batch{Accepts: []store.Accept{m.accept(1)}})
	other := m.accept(1)
	commit(t, second, store.Batch{Accepts: []store.Accept{other}})
	if h := <-heard; h.Lowest != other.Deliveries[0].ID {
		t.Errorf("heard %+v, want the other's", h)
	}
}

func TestWatchingGoesOnAfterTheConnectionBroke(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	heard := watch(t, second)
	_, err := first.reads.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND query = 'LISTEN carillon'`)
	if err != nil {
		t.Fatal(err)
	}
	if h := <-heard; !h.Records || h.Node != -1 {
		t.Errorf("heard %+v, want to be told to look at everything", h)
	}
	a := newMaker(t, time.Now()).accept(1)
	commit(t, first, store.Batch{Accepts: []store.Accept{a}})
	if h := <-heard; h.Lowest != a.Deliveries[0].ID {
		t.Errorf("heard %+v", h)
	}
	// What can not be read is passed over.
	if _, err := first.reads.Exec(t.Context(), "SELECT pg_notify('carillon', 'nonsense')"); err != nil {
		t.Fatal(err)
	}
	a = newMaker(t, time.Now()).accept(1)
	commit(t, first, store.Batch{Accepts: []store.Accept{a}})
	if h := <-heard; h.Lowest != a.Deliveries[0].ID {
		t.Errorf("heard %+v", h)
	}
}
