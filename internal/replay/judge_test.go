package replay_test

import (
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// TestWhatIsSentAgain holds, for each thing that may stand in the way, what is sent again and what a preview says of it.
func TestWhatIsSentAgain(t *testing.T) {
	t.Parallel()
	everything := store.DeliveryFilter{Range: store.Range{From: began}}
	undelivered := store.DeliveryFilter{States: []delivery.State{delivery.Exhausted, delivery.Cancelled}}
	for _, c := range []struct {
		name    string
		filter  store.DeliveryFilter
		prepare func(w *world) (sent []ident.ID)
		skipped replay.Skips
	}{
		{"what was not delivered", undelivered, func(w *world) []ident.ID {
			w.happen(10, 0, delivery.Delivered, 200, 1)
			exhausted := w.happen(10, 1, delivery.Exhausted, 503, 1)
			cancelled := w.happen(10, 2, delivery.Cancelled, 0, 2)
			w.happen(10, 3, delivery.Pending, 0, 1)
			return idsOf(append(exhausted, cancelled...))
		}, replay.Skips{}},
		{"everything, but for what is on its way", everything, func(w *world) []ident.ID {
			delivered := w.happen(10, 0, delivery.Delivered, 200, 1, 2)
			w.happen(10, 1, delivery.Pending, 0, 3)
			return idsOf(delivered)
		}, replay.Skips{Pending: 1}},
		{"a repetition is on its way", undelivered, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Exhausted, 503, 1)
			w.again(all[0], delivery.CauseRedelivery, delivery.Pending)
			return nil
		}, replay.Skips{Pending: 1}},
		{"a repetition was delivered", undelivered, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Exhausted, 503, 1, 2)
			w.again(all[0], delivery.CauseRedelivery, delivery.Delivered)
			return idsOf(all[1:])
		}, replay.Skips{Delivered: 1}},
		{"a repetition failed too", undelivered, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Exhausted, 503, 1)
			w.again(all[0], delivery.CauseRedelivery, delivery.Exhausted)
			w.again(all[0], delivery.CauseReplay, delivery.Exhausted)
			return idsOf(all)
		}, replay.Skips{Repeated: 2}},
		{"only repetitions are chosen", store.DeliveryFilter{Cause: new(delivery.CauseRedelivery)}, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Delivered, 200, 1)
			w.again(all[0], delivery.CauseRedelivery, delivery.Exhausted)
			w.again(all[0], delivery.CauseRedelivery, delivery.Delivered)
			return idsOf(all)
		}, replay.Skips{Repeated: 1}},
		{"gone and switched off subscriptions", undelivered, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Exhausted, 503, 1, 2, 3)
			w.index.Delete(1)
			w.subscribe(3, func(s *subscription.Subscription) { s.Enabled = false })
			return idsOf(all[1:2])
		}, replay.Skips{Deleted: 1, Disabled: 1}},
		{"a test", everything, func(w *world) []ident.ID {
			test := delivery.Delivery{ID: w.ids.New(), Organization: organization, Subscription: 1, Destination: 101, Cause: delivery.CauseVerification}
			w.end(test, delivery.Delivered, 200)
			return nil
		}, replay.Skips{Test: 1}},
		{"two notices of one event", undelivered, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Exhausted, 503, 1, 1)
			w.again(all[0], delivery.CauseRedelivery, delivery.Delivered)
			return idsOf(all[1:])
		}, replay.Skips{Delivered: 1}},
		{"a time", store.DeliveryFilter{Range: store.Range{To: began.Add(time.Hour)}}, func(w *world) []ident.ID {
			all := w.happen(10, 0, delivery.Delivered, 200, 1)
			time.Sleep(time.Hour)
			w.happen(10, 1, delivery.Delivered, 200, 1)
			return idsOf(all)
		}, replay.Skips{}},
		{"a status", store.DeliveryFilter{StatusFrom: 500, StatusTo: 599}, func(w *world) []ident.ID {
			w.happen(10, 0, delivery.Exhausted, 404, 1)
			return idsOf(w.happen(10, 1, delivery.Exhausted, 503, 1))
		}, replay.Skips{}},
		{"a long stretch of what is skipped", undelivered, func(w *world) []ident.ID {
			w.subscribe(2, func(s *subscription.Subscription) { s.Enabled = false })
			var b store.Batch
			for run := range 2200 {
				w.add(&b, ident.ID(9000+run), 0, delivery.Exhausted, 503, 2)
			}
			w.commit(b)
			return idsOf(w.happen(10, 1, delivery.Exhausted, 503, 1))
		}, replay.Skips{Disabled: 2200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				sent := c.prepare(w)
				time.Sleep(time.Millisecond)
				n := w.start("a", "", 0)
				d := replay.Draft{OrganizationID: organization, Filter: c.filter}
				before, err := w.store.Revision(w.ctx)
				w.must(err)
				preview, err := n.Preview(w.ctx, admin, d)
				w.must(err)
				if after, err := w.store.Revision(w.ctx); err != nil || after != before {
					t.Errorf("a preview was stored: %d, %d, %v", before, after, err)
				}
				r := w.finish(n, w.create(n, d))
				if got := w.engine.origins(); !slices.Equal(got, sent) {
					t.Errorf("sent again: %v, want %v", got, sent)
				}
				p := r.Progress
				if p.Skipped != c.skipped || p.Queued != len(sent) || p.Handled != len(sent)+c.skipped.Total() || r.Found != p.Handled {
					t.Errorf("found %d, %+v; want skipped %+v", r.Found, p, c.skipped)
				}
				if preview.Found != r.Found || !preview.Exact {
					t.Errorf("%+v", preview)
				}
				if r.Found < 1000 && (preview.Queued != len(sent) || preview.Skipped != c.skipped || preview.Looked != r.Found || len(preview.First) != len(sent)) {
					t.Errorf("%+v", preview)
				}
				if r.Found > 1000 && preview.Looked != 1000 {
					t.Errorf("%+v", preview)
				}
			})
		})
	}
}

// TestASecondReplayOfTheSameSendsOnlyWhatIsMissing replays what was exhausted while half of it fails again.
func TestASecondReplayOfTheSameSendsOnlyWhatIsMissing(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(40, 1)
		n := w.start("a", "", 0)
		d := failed()
		d.Pace = 20
		id := w.create(n, d)
		w.pass(990 * time.Millisecond) // the first twenty are delivered
		w.engine.change(func(e *engine) { e.state = delivery.Exhausted })
		p := w.finish(n, id).Progress
		if p.Delivered != 20 || p.Exhausted != 20 {
			t.Fatalf("%+v", p)
		}
		w.engine.change(func(e *engine) { e.state = delivery.Delivered })
		p = w.finish(n, w.create(n, failed())).Progress
		if p.Queued != 20 || p.Delivered != 20 || p.Skipped != (replay.Skips{Delivered: 20, Repeated: 20}) {
			t.Errorf("%+v", p)
		}
		if got, want := w.engine.origins(), append(idsOf(all), idsOf(all[20:])...); !slices.Equal(got, want) {
			t.Errorf("sent again: %v\nwant %v", got, want)
		}
	})
}

func TestTwoReplaysOfTheSameAtATimeSendItOnce(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(60, 1)
		n := w.start("a", "", 0)
		first := w.create(n, failed())
		time.Sleep(500 * time.Millisecond)
		second := w.create(n, failed())
		a, b := w.finish(n, first).Progress, w.finish(n, second).Progress
		if a.Queued+b.Queued != len(all) || a.Skipped.Total()+b.Skipped.Total() != len(all) {
			t.Errorf("%+v\n%+v", a, b)
		}
		got := w.engine.origins()
		slices.Sort(got)
		if !slices.Equal(got, idsOf(all)) {
			t.Errorf("sent again: %v", got)
		}
	})
}
