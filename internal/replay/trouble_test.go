package replay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

var errAway = errors.New("the database is away")

// flaky is a store of which every so many calls fail: before they do anything, or after.
type flaky struct {
	store.Store
	every int64
	late  bool // a change that fails was made all the same
	calls *atomic.Int64
}

func (f flaky) fails() bool { return f.calls.Add(1)%f.every == 0 }

func (f flaky) Apply(ctx context.Context, changes []store.Change) (int64, error) {
	if !f.fails() {
		return f.Store.Apply(ctx, changes)
	}
	if f.late {
		_, _ = f.Store.Apply(ctx, changes)
	}
	return 0, errAway
}

func (f flaky) Get(ctx context.Context, kind store.Kind, id ident.ID) (store.Record, error) {
	if f.fails() {
		return store.Record{}, errAway
	}
	return f.Store.Get(ctx, kind, id)
}

func (f flaky) List(ctx context.Context, kind store.Kind, parent ident.ID, page store.Page) ([]store.Record, error) {
	if f.fails() {
		return nil, errAway
	}
	return f.Store.List(ctx, kind, parent, page)
}

func (f flaky) ListDeliveries(ctx context.Context, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error) {
	if f.fails() {
		return nil, errAway
	}
	return f.Store.ListDeliveries(ctx, filter, page)
}

func (f flaky) Delivery(ctx context.Context, id ident.ID) (store.Summary, error) {
	if f.fails() {
		return store.Summary{}, errAway
	}
	return f.Store.Delivery(ctx, id)
}

func (f flaky) QueueRows(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error) {
	if f.fails() {
		return nil, errAway
	}
	return f.Store.QueueRows(ctx, keys)
}

// TestTroubleOfTheStoreLosesAndDoublesNothing lets two nodes work on a store that fails now and then, in the middle of
// whatever they do.
func TestTroubleOfTheStoreLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, every := range []int64{7, 41, 113} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("every %d, late %v", every, late), func(t *testing.T) {
				t.Parallel()
				in(t, func(w *world) {
					all := w.fail(20, 2)
					real := w.store
					n := w.start("calm", "", 0)
					d := failed()
					d.Pace = 5
					id := w.create(n, d)
					w.stop(n)
					w.store = flaky{real, every, late, &atomic.Int64{}}
					nodes := []*node{w.start("a", "", 0), w.start("b", "", 0)}
					w.store = real
					r := w.finish(n, id)
					w.stop(nodes[0])
					if got := w.engine.origins(); !slices.Equal(got, idsOf(all)) {
						t.Errorf("sent again: %d\n%v\nwant %d\n%v", len(got), got, len(all), idsOf(all))
					}
					if p := r.Progress; p.Queued != len(all) || p.Delivered != len(all) || p.Handled != len(all) {
						t.Errorf("%+v", p)
					}
				})
			})
		}
	}
}

func TestErrorsOfTheStoreReachTheCaller(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		n := w.start("a", "", 0)
		id := w.create(n, failed())
		w.stop(n)
		w.store = flaky{w.store, 1, false, &atomic.Int64{}}
		s, err := replay.New(replay.Deps{Store: w.store, Engine: w.engine, Index: &subscription.Index{}, IDs: w.ids})
		w.must(err)
		_, created := s.Create(w.ctx, admin, failed())
		_, previewed := s.Preview(w.ctx, admin, failed())
		_, got := s.Get(w.ctx, admin, id)
		_, listed := s.List(w.ctx, admin, organization, store.Page{})
		_, cancelled := s.Cancel(w.ctx, admin, id, true)
		_, swept := s.Sweep(w.ctx, time.Now())
		for call, err := range map[string]error{
			"create": created, "preview": previewed, "get": got, "list": listed, "cancel": cancelled, "sweep": swept,
		} {
			if !errors.Is(err, errAway) {
				t.Errorf("%s: %v", call, err)
			}
		}
	})
}
