package dispatch_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// ended returns how a delivery ended.
func (w *world) ended(d delivery.Delivery) delivery.Attempt {
	w.Helper()
	history := w.store.history(d.ID)
	if len(history) == 0 {
		w.Fatalf("nothing is recorded of %v", d.ID)
	}
	return history[len(history)-1]
}

func disable(s *subscription.Subscription) { s.Enabled = false }

func TestASubscriptionThatIsSwitchedOffOrDeletedIsOwedNothing(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		end    func(w *world, s *subscription.Subscription)
		reason string
	}{
		"switched off": {func(w *world, s *subscription.Subscription) { w.change(s, disable) }, "the subscription was disabled"},
		"deleted":      {func(w *world, s *subscription.Subscription) { w.index.Delete(s.ID) }, "the subscription was deleted"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				s := w.subscribe("https://a.test/", slow(time.Second), func(s *subscription.Subscription) { s.Delivery.Concurrency = 2 })
				other := w.subscribe("https://a.test/", slow(time.Second))
				n := w.start()
				var owed []delivery.Delivery
				for i := range 300 {
					owed = append(owed, n.accept(ident.ID(i%40), s)...)
				}
				kept := n.accept(7, other)[0]
				w.settle()
				c.end(w, s)
				n.Changed(s.ID)
				w.settle()
				if got := w.store.pending(); got != 3 {
					t.Errorf("%d pending, want the 2 in flight and the other subscription's", got)
				}
				w.pass(5 * time.Second)
				w.settled("", 3)
				if w.ended(kept).State != delivery.Delivered {
					t.Error("the other subscription's delivery was not delivered")
				}
				last := w.ended(owed[250])
				if last.State != delivery.Cancelled || last.Number != 0 || last.Result.Class != delivery.ClassCancelled ||
					last.Result.Detail != c.reason || last.Workspace != 77 || last.Trigger != "first" || last.Address != s.Address {
					t.Errorf("recorded %+v", last)
				}
				w.balanced()
			})
		})
	}
}

func TestWhatComesForASubscriptionThatIsOffIsCancelled(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, s)
		w.put(e, owed, 0)
		w.change(s, disable)
		n.Offer(e, owed)
		w.settled("", 0)
		if a := w.ended(owed[0]); a.State != delivery.Cancelled || a.Workspace != 77 {
			t.Errorf("recorded %+v", a)
		}
	})
}

// TestAnIndexThatLagsBehindCancelsNothing has a delivery come in for a subscription that another node just made.
func TestAnIndexThatLagsBehindCancelsNothing(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		fresh, enabled := w.subscribe("https://fresh.test/", nil), w.subscribe("https://enabled.test/", nil)
		latest := w.change(enabled, func(*subscription.Subscription) {})
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, fresh, enabled)
		w.index.Delete(fresh.ID)
		w.index.Delete(enabled.ID)
		stale := enabled.Clone()
		stale.Enabled = false
		w.index.Put(stale)
		w.onRefresh = func() {
			w.index.Put(fresh)
			w.index.Put(latest)
		}
		w.put(e, owed, 0)
		n.Offer(e, owed)
		w.settled("", 2)
		if w.refreshes == 0 {
			t.Error("the index was not brought up to date")
		}
	})
}

func TestPinnedDeliveriesOutliveTheirSubscription(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, s *subscription.Subscription){
		"deleted": func(w *world, s *subscription.Subscription) { w.index.Delete(s.ID) },
		"moved and switched off": func(w *world, s *subscription.Subscription) {
			w.change(s, func(s *subscription.Subscription) {
				s.Enabled, s.URL = false, w.keyring.Seal("https://a.test/", subscription.Place(s.ID, "url"))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				s := w.subscribe("https://a.test/", always(status(500)))
				n := w.start()
				e := w.event(0)
				owed := w.owe(e, s)
				owed[0].Pinned = true
				w.put(e, owed, 0)
				n.Offer(e, owed)
				w.settle()
				end(w, s)
				n.Changed(s.ID)
				w.receive("https://a.test/", nil)
				w.pass(6 * time.Second)
				if a := w.ended(owed[0]); a.State != delivery.Delivered || a.Number != 2 {
					t.Errorf("recorded %+v", a)
				}
			})
		})
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(time.Second), func(s *subscription.Subscription) { s.Delivery.Concurrency = 1 })
		failing := w.subscribe("https://b.test/", always(status(500)))
		n := w.start()
		var owed []delivery.Delivery
		for range 200 {
			owed = append(owed, n.accept(0, s)...)
		}
		retried := n.accept(5, failing)[0]
		next := n.accept(5, failing)[0]
		w.settle()
		flying, near, far := owed[0], owed[1], owed[150]
		for _, d := range []delivery.Delivery{flying, near, far, retried} {
			if err := n.Cancel(context.Background(), d.Key()); err != nil {
				t.Errorf("Cancel: %v", err)
			}
		}
		if err := n.Cancel(context.Background(), delivery.Key{Shard: 3, ID: 99}); !fault.Is(err, fault.NotFound) {
			t.Errorf("Cancel of what is not there: %v", err)
		}
		w.settle()
		for _, d := range []delivery.Delivery{near, far, retried} {
			if a := w.ended(d); a.State != delivery.Cancelled || a.Result.Detail != "the delivery was cancelled" {
				t.Errorf("recorded %+v", a)
			}
		}
		if got := len(w.store.history(next.ID)); got != 1 {
			t.Errorf("the next event of the run was tried %d times after the earlier one was cancelled", got)
		}
		if err := n.Cancel(context.Background(), near.Key()); !fault.Is(err, fault.NotFound) {
			t.Errorf("Cancel twice: %v", err)
		}
		w.pass(200 * time.Second)
		if a := w.ended(flying); a.State != delivery.Delivered {
			t.Errorf("what was in flight and succeeded: %+v", a)
		}
		if got := len(w.wire.to("https://a.test/")); got != 198 {
			t.Errorf("%d messages", got)
		}
		w.balanced()
	})
}

func TestWhatIsCancelledInFlightIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", hang(time.Second))
		n := w.start()
		d := n.accept(5, s)[0]
		w.settle()
		if err := n.Cancel(context.Background(), d.Key()); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		if a := w.ended(d); a.State != delivery.Cancelled || a.Number != 1 || a.Result.Class != delivery.ClassTimeout {
			t.Errorf("recorded %+v", a)
		}
		w.settled("", 1)
	})
}

func TestCancelInAnotherNodesShard(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)))
		a, b := w.start(), w.start()
		w.pass(5 * time.Second)
		d := a.accept(5, s)[0]
		w.settle()
		other := a
		if _, shards := a.Owner(); shards[d.Shard()] != 0 {
			other = b
		}
		if err := other.Cancel(context.Background(), d.Key()); err != nil {
			t.Fatal(err)
		}
		if end := w.ended(d); end.State != delivery.Cancelled || w.store.pending() != 0 {
			t.Errorf("recorded %+v, %d pending", end, w.store.pending())
		}
	})
}

func TestCancelFailsWhileTheStoreDoes(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)))
		n := w.prepare()
		if err := n.Cancel(context.Background(), delivery.Key{}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Cancel before Start: %v", err)
		}
		if err := n.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		d := n.accept(5, s)[0]
		w.settle()
		w.store.mu.Lock()
		w.store.trouble = func(operation string, _ int) error {
			if operation == "QueueRows" {
				return store.ErrRevision
			}
			return nil
		}
		w.store.mu.Unlock()
		if err := n.Cancel(context.Background(), d.Key()); err == nil {
			t.Error("no error")
		}
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
	})
}

func TestNewLimitsAndASecondChanceCountAtOnce(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(time.Second), func(s *subscription.Subscription) { s.Delivery.Concurrency = 1 })
		n := w.start()
		for range 50 {
			n.accept(0, s)
		}
		w.settle()
		w.change(s, func(s *subscription.Subscription) { s.Delivery.Concurrency = 10 })
		n.Changed(s.ID)
		w.pass(6 * time.Second)
		if peak := w.wire.peak("https://a.test/"); peak != 10 {
			t.Errorf("%d in flight after the limit was raised", peak)
		}
		w.receive("https://a.test/", always(status(401)))
		for range 20 {
			n.accept(0, s)
		}
		w.pass(10 * time.Minute)
		if condition(n, s).Condition != dispatch.Failing {
			t.Fatalf("state %+v", condition(n, s))
		}
		w.receive("https://a.test/", nil)
		before := len(w.wire.to(""))
		w.change(s, func(s *subscription.Subscription) {
			s.Secret = w.keyring.Seal("new", subscription.Place(s.ID, "secret"))
		})
		n.Changed(s.ID)
		w.settle()
		n.accept(0, s)
		w.settle()
		if got := len(w.wire.to("")); got == before {
			t.Error("a new secret was not tried at once")
		}
		if slices.Contains(w.told(), "disabled") {
			t.Error("the subscription was switched off")
		}
	})
}
