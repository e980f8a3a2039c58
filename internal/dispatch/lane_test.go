package dispatch_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// TestOneHangingDestinationOfTenDelaysNobody compares the healthy nine's latency with and without it, in exact time.
func TestOneHangingDestinationOfTenDelaysNobody(t *testing.T) {
	t.Parallel()
	latency := func(hanging bool) (longest time.Duration, messages int) {
		in(t, func(w *world) {
			var subs []*subscription.Subscription
			for i := range 10 {
				receive := slow(10 * time.Millisecond)
				if i == 0 && hanging {
					receive = hang(10 * time.Second)
				}
				subs = append(subs, w.subscribe(fmt.Sprintf("https://%d.test/", i), receive))
			}
			n := w.start(func(d *dispatch.Deps) { d.InFlight = 40 })
			due := map[string]time.Time{}
			for i := range 2000 {
				for _, d := range n.accept(0, subs[i%10]) {
					due[said(d)] = d.Due
				}
				time.Sleep(2 * time.Millisecond)
			}
			w.pass(time.Second)
			for i := 1; i < 10; i++ {
				for _, s := range w.wire.to(fmt.Sprintf("https://%d.test/", i)) {
					longest = max(longest, s.from.Sub(due[s.body]))
					messages++
				}
			}
			if peak := w.wire.peak("https://0.test/"); hanging && peak > 4 {
				t.Errorf("the hanging destination held %d slots", peak)
			}
		})
		return longest, messages
	}
	without, all := latency(false)
	with, some := latency(true)
	if with != without || some != all || all != 1800 {
		t.Errorf("healthy ones: %d in %v with a hanging destination, %d in %v without", some, with, all, without)
	}
}

func TestTheSharedLimitIsDividedFairly(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		var subs []*subscription.Subscription
		for i := range 5 {
			subs = append(subs, w.subscribe(fmt.Sprintf("https://%d.test/", i), slow(time.Second)))
		}
		n := w.start(func(d *dispatch.Deps) { d.InFlight = 5 })
		for range 100 {
			n.accept(0, subs[0])
		}
		for range 10 {
			n.accept(0, subs[1:]...)
		}
		w.pass(20*time.Second + time.Millisecond)
		for i := 1; i < 5; i++ {
			if got := len(w.wire.to(fmt.Sprintf("https://%d.test/", i))); got < 10 {
				t.Errorf("destination %d got %d messages while a longer lane was served", i, got)
			}
		}
		if w.wire.allMost > 5 {
			t.Errorf("%d attempts in flight", w.wire.allMost)
		}
	})
}

func TestConcurrency(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		limits []subscription.Delivery
		want   int
	}{
		"by default":            {[]subscription.Delivery{{}}, 4},
		"more":                  {[]subscription.Delivery{{Concurrency: 100}}, 100},
		"one":                   {[]subscription.Delivery{{Concurrency: 1}}, 1},
		"the strictest of two":  {[]subscription.Delivery{{Concurrency: 7}, {Concurrency: 2}}, 2},
		"one of two says a sum": {[]subscription.Delivery{{}, {Concurrency: 6}}, 6},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				var subs []*subscription.Subscription
				for _, limits := range c.limits {
					subs = append(subs, w.subscribe("https://a.test/", slow(time.Second), func(s *subscription.Subscription) { s.Delivery = limits }))
				}
				n := w.start()
				for i, s := range subs {
					e := w.event(0)
					owed := w.owe(e, s)
					owed[0].Due = owed[0].Due.Add(time.Second) // both are known before the first attempt
					w.put(e, owed, i)
					n.Offer(e, owed)
				}
				for range 200 {
					e := w.event(0)
					owed := w.owe(e, subs[0])
					owed[0].Due = owed[0].Due.Add(time.Second)
					w.put(e, owed, 0)
					n.Offer(e, owed)
				}
				w.pass(10 * time.Minute)
				if got := w.wire.peak("https://a.test/"); got != c.want {
					t.Errorf("%d in flight, want %d", got, c.want)
				}
			})
		})
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil, func(s *subscription.Subscription) { s.Delivery.PerSecond = 2 })
		n := w.start()
		for range 20 {
			n.accept(0, s)
		}
		w.pass(time.Minute)
		got := w.wire.to("")
		if len(got) != 20 {
			t.Fatalf("%d messages", len(got))
		}
		for i := 1; i < len(got); i++ {
			if apart := got[i].from.Sub(got[i-1].from); apart != 500*time.Millisecond {
				t.Errorf("messages %d and %d started %v apart", i-1, i, apart)
			}
		}
		if state := n.Lanes()[0]; state.PerSecond != 2 {
			t.Errorf("shown rate %v", state.PerSecond)
		}
	})
}

func TestALaneHoldsAWindowOfRows(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(time.Second))
		n := w.start()
		for i := range 10_000 {
			n.accept(ident.ID(1+i%1000), s)
		}
		w.settle()
		if rows, pending := dispatch.Rows(n.Dispatcher); rows > 64 || pending != 10_000 {
			t.Errorf("%d rows in memory of %d pending", rows, pending)
		}
		for range 40 {
			w.pass(time.Minute)
			if rows, _ := dispatch.Rows(n.Dispatcher); rows > 64 {
				t.Fatalf("%d rows in memory while the lane drains", rows)
			}
		}
		w.pass(time.Hour)
		if len(w.wire.to("")) != 10_000 || w.store.pending() != 0 {
			t.Errorf("%d messages, %d pending", len(w.wire.to("")), w.store.pending())
		}
		if reads := w.store.asked("QueueRows"); reads > 10_000/8 {
			t.Errorf("%d reads of rows", reads)
		}
		if rows, pending := dispatch.Rows(n.Dispatcher); rows != 0 || pending != 0 {
			t.Errorf("%d rows and %d deliveries left", rows, pending)
		}
	})
}

// TestARunThatWaitsDoesNotFillTheWindow has more events of one blocked run than a window holds before those of others.
func TestARunThatWaitsDoesNotFillTheWindow(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		var free atomic.Bool
		w.wire.answer = answerByRun(func(run string) delivery.Result {
			if run == "5" && !free.Load() {
				return status(400)
			}
			return ok()
		})
		for range 300 {
			n.accept(5, s)
		}
		for range 100 {
			n.accept(6, s)
		}
		w.pass(2 * time.Second)
		if got := len(w.wire.to("")); got != 101 {
			t.Errorf("%d messages: the other run waits for the blocked one", got)
		}
		free.Store(true)
		w.pass(time.Hour)
		if w.store.pending() != 0 {
			t.Errorf("%d pending", w.store.pending())
		}
	})
}

func TestNothingHappensWhenNothingIsDue(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.start()
		before, looks := w.store.asked("Queue"), w.store.asked("QueueSince")
		w.pass(5 * time.Minute)
		if got := w.store.asked("QueueSince") - looks; got != 0 {
			t.Errorf("%d looks for what nobody can have added", got)
		}
		for _, operation := range []string{"QueueRows", "Events", "Commit"} {
			if got := w.store.asked(operation); got != 0 {
				t.Errorf("%d calls of %s while nothing happened", got, operation)
			}
		}
		if got := w.store.asked("Queue") - before; got > 40 {
			t.Errorf("%d sweeps in five minutes", got)
		}
	})
}
