package committer_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// commit is what the ledger was asked to store, and when.
type commit struct {
	at       time.Duration // since the test began
	events   []ident.ID
	attempts []ident.ID
	failed   bool
}

// ledger stores nothing but remembers what it was asked to store. judge may refuse, and may wait.
type ledger struct {
	store.Ledger
	start time.Time
	judge func(ctx context.Context, b *store.Batch) ([]store.Verdict, error)

	mu      sync.Mutex
	commits []commit
}

// Commit implements the one method that a committer uses.
func (l *ledger) Commit(ctx context.Context, b *store.Batch) ([]store.Verdict, error) {
	one := commit{at: time.Since(l.start)}
	for i := range b.Accepts {
		one.events = append(one.events, b.Accepts[i].Event.ID)
	}
	for i := range b.Attempts {
		one.attempts = append(one.attempts, b.Attempts[i].Delivery.ID)
	}
	var verdicts []store.Verdict
	var err error
	if l.judge != nil {
		verdicts, err = l.judge(ctx, b)
	}
	one.failed = err != nil
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commits = append(l.commits, one)
	return verdicts, err
}

func (l *ledger) seen() []commit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.commits)
}

// stored lists the attempts of the commits that succeeded, in their order.
func (l *ledger) stored() (attempts []ident.ID) {
	for _, c := range l.seen() {
		if !c.failed {
			attempts = append(attempts, c.attempts...)
		}
	}
	return attempts
}

// outcome is what records were told, by their first attempt.
type outcome struct {
	mu   sync.Mutex
	told map[ident.ID][]error
}

func (o *outcome) of(ids ...ident.ID) []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []error
	for _, id := range ids {
		all = append(all, o.told[id]...)
	}
	return all
}

// record makes a record of one final attempt in a shard.
func (o *outcome) record(id ident.ID, shard int) committer.Record {
	a := delivery.Attempt{Delivery: delivery.Delivery{ID: id, Destination: inShard(shard)}, State: delivery.Delivered}
	return committer.Record{Attempts: []delivery.Attempt{a}, Done: func(err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.told == nil {
			o.told = map[ident.ID][]error{}
		}
		o.told[id] = append(o.told[id], err)
	}}
}

// inShard finds a destination of a shard.
func inShard(shard int) ident.ID {
	for id := ident.ID(1); ; id++ {
		if delivery.ShardOf(id) == shard {
			return id
		}
	}
}

func event(id ident.ID, deliveries int) store.Accept {
	return store.Accept{Event: store.Event{ID: id, Deliveries: deliveries}, Deliveries: make([]delivery.Delivery, deliveries)}
}

// bubble runs a test in its own time with a committer that it stops at the end.
func bubble(t *testing.T, l *ledger, o committer.Options, test func(t *testing.T, c *committer.Committer)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l.start = time.Now()
		o.Log = slog.New(slog.DiscardHandler)
		c := committer.New(l, o)
		test(t, c)
		if err := c.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

var errDown = errors.New("the database is down")

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !equal(got, want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
