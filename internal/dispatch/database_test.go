package dispatch_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
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
