package dispatch_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres"
	"carillon/internal/store/postgres/pgtest"
	"carillon/internal/subscription"
)

// drained waits until the queue of a real database is empty. There is no fake clock around a database: the test polls.
func (e *engine) drained(t *testing.T) store.Books {
	t.Helper()
	for {
		books, err := e.store.Books(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if books.Counted == 0 {
			return books
		}
		select {
		case <-t.Context().Done():
			t.Fatal("the queue did not empty")
		case <-time.After(time.Millisecond):
		}
	}
}

// owns waits until a node owns so many shards.
func (e *engine) owns(t *testing.T, want int) {
	t.Helper()
	for {
		_, epochs := e.dispatcher.Owner()
		if len(epochs) == want {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("the node owns %d shards", len(epochs))
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// TestOnARealDatabase delivers what is offered, stops, and delivers what was pending when the database is opened again.
func TestOnARealDatabase(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "carillon.db")
	e := newEngine(t, path, 50)
	e.start(t)
	for i := range 300 {
		e.accept(t, ident.ID(1+i/6), int64(i%6), e.subs[i%40:i%40+10])
	}
	if books := e.drained(t); books.Delivered != 3000 || !books.Balanced() {
		t.Errorf("books %+v", books)
	}
	e.stop(t)

	e = newEngine(t, path, 50)
	for i := range 100 { // accepted before anything is dispatched
		e.ids.Advance(ident.At(time.Now()))
		e.accept(t, ident.ID(1000+i), 0, e.subs[:20])
	}
	e.start(t)
	if books := e.drained(t); books.Delivered != 5000 || !books.Balanced() {
		t.Errorf("books %+v", books)
	}
	if got := e.void.sent.Load(); got != 2000 {
		t.Errorf("%d messages after the restart", got)
	}
	history, err := e.store.ListDeliveries(context.Background(), store.DeliveryFilter{}, store.Page{Newest: true, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range history {
		if s.State != delivery.Delivered || s.Last == nil || s.Last.Repeat {
			t.Fatalf("a delivery after a soft stop: %+v", s)
		}
	}
	e.stop(t)
}

// TestTwoNodesOnOneDatabase has two nodes take turns in accepting the events of many runs, for subscriptions that hear of
// every event and for some that hear of every second one. Each run must arrive in order, and nothing twice.
func TestTwoNodesOnOneDatabase(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	var lock sync.Mutex
	arrived := map[string][]string{}
	var nodes []*engine
	for range 2 {
		s, err := postgres.Open(t.Context(), postgres.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		e := newEngineOn(t, s, 40)
		e.void.heard = func(msg *delivery.Message) {
			lock.Lock()
			defer lock.Unlock()
			key := msg.URL + " " + msg.Get("X-Run")
			arrived[key] = append(arrived[key], msg.Get("X-Sequence"))
		}
		e.start(t)
		nodes = append(nodes, e)
	}
	for _, e := range nodes {
		e.owns(t, 32)
	}
	const runs, events = 60, 30
	var running sync.WaitGroup
	for run := range runs {
		running.Go(func() {
			for sequence := range events {
				var to []*subscription.Subscription
				for k := range 6 {
					if k < 3 || sequence%2 == 0 {
						to = append(to, nodes[0].subs[(run*6+k)%40])
					}
				}
				nodes[(run+sequence)%2].accept(t, ident.ID(1+run), int64(sequence), to)
			}
		})
	}
	running.Wait()
	books := nodes[0].drained(t)
	if want := int64(runs * (events*3 + events/2*3)); books.Delivered != want || !books.Balanced() {
		t.Errorf("books %+v, want %d delivered", books, want)
	}
	var all, second []string
	for sequence := range events {
		all = append(all, fmt.Sprint(sequence))
		if sequence%2 == 0 {
			second = append(second, fmt.Sprint(sequence))
		}
	}
	lock.Lock()
	for key, got := range arrived {
		if !slices.Equal(got, all) && !slices.Equal(got, second) {
			t.Errorf("%s arrived as %v", key, got)
		}
	}
	lock.Unlock()
	for _, e := range nodes {
		e.stop(t)
	}
}
