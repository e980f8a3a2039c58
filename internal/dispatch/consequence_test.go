package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func TestGoneSwitchesOff(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(410)), func(s *subscription.Subscription) { s.Delivery.Concurrency = 1 })
		n := w.start()
		var owed []delivery.Delivery
		for range 5 {
			owed = append(owed, n.accept(0, s)...)
		}
		w.pass(time.Second)
		if got := len(w.switched); got != 1 || w.store.pending() != 0 {
			t.Errorf("switched off %d times, %d pending", got, w.store.pending())
		}
		if w.ended(owed[0]).State != delivery.Exhausted || w.ended(owed[4]).State != delivery.Cancelled {
			t.Errorf("ended %v and %v", w.ended(owed[0]).State, w.ended(owed[4]).State)
		}
		if told := w.told(); told[0] != "exhausted" || told[1] != "disabled" {
			t.Errorf("people were told %q", told)
		}
		if state := condition(n, s); state.Condition != dispatch.Disabled {
			t.Errorf("state %+v", state)
		}
	})
}

func TestDisableAfterDeliveriesInARow(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.dialect.policy = delivery.Policy{NoRetry: true, DisableAfter: 3, Timeout: time.Second}
		s := w.subscribe("https://a.test/", always(status(500)), func(s *subscription.Subscription) { s.Delivery.Concurrency = 1 })
		n := w.start()
		fail := func(cause delivery.Cause) {
			e := w.event(0)
			owed := w.owe(e, s)
			owed[0].Cause = cause
			w.put(e, owed, 0)
			n.Offer(e, owed)
			w.pass(3 * time.Minute)
		}
		fail(delivery.CauseEvent)
		fail(delivery.CauseEvent)
		fail(delivery.CauseRedelivery)
		fail(delivery.CauseReplay)
		if len(w.switched) != 0 {
			t.Fatal("redeliveries count")
		}
		w.receive("https://a.test/", nil)
		fail(delivery.CauseRedelivery) // a success: the count begins again
		w.receive("https://a.test/", always(status(500)))
		fail(delivery.CauseEvent)
		fail(delivery.CauseEvent)
		if len(w.switched) != 0 {
			t.Fatal("a success did not reset the count")
		}
		n.stop()
		n = w.start() // the count survives a restart
		fail(delivery.CauseEvent)
		if !slices.Equal(w.switched, []ident.ID{s.ID}) || !slices.Contains(w.told(), "disabled") {
			t.Errorf("switched off: %v, told %q", w.switched, w.told())
		}
		w.change(s, func(s *subscription.Subscription) { s.Enabled = true })
		n.Changed(s.ID)
		w.settle()
		fail(delivery.CauseEvent)
		if len(w.switched) != 1 {
			t.Error("a subscription that was switched on again did not begin anew")
		}
	})
}

func TestDisableAfterFailingForLong(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.dialect.policy.DisableAfterFailing = 5 * time.Hour
		s, twin := w.subscribe("https://a.test/", always(refused())), w.subscribe("https://a.test/", always(refused()))
		other := w.subscribe("https://b.test/", always(refused()))
		n := w.start()
		failing := time.Now()
		for hour := range 6 {
			n.accept(0, s, twin)
			if hour == 4 { // the other destination answers for a while
				w.receive("https://b.test/", nil)
			}
			n.accept(0, other)
			w.pass(5 * time.Minute)
			w.receive("https://b.test/", always(refused()))
			w.pass(55 * time.Minute)
			if early := time.Since(failing) < 5*time.Hour; early && len(w.switched) != 0 {
				t.Errorf("switched off after %v", time.Since(failing))
			}
		}
		slices.Sort(w.switched)
		if !slices.Equal(w.switched, []ident.ID{s.ID, twin.ID}) {
			t.Errorf("switched off %v, want %v and %v", w.switched, s.ID, twin.ID)
		}
		if w.index.Get(s.ID).DisabledReason == "" {
			t.Error("no reason")
		}
	})
}

func TestASwitchThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(410)))
		tries := 0
		n := w.start(func(d *dispatch.Deps) {
			d.Switch = func(context.Context, ident.ID, string) error {
				tries++
				return errors.New("not now")
			}
		})
		n.accept(0, s)
		w.settle()
		n.accept(0, s)
		w.settle()
		if tries != 2 || slices.Contains(w.told(), "disabled") {
			t.Errorf("%d tries, told %q", tries, w.told())
		}
	})
}

func TestWhatNotifierEventsSay(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(503)), func(s *subscription.Subscription) {
			s.Delivery.MaxAttempts = 1
			s.Scopes = []subscription.Scope{{Level: subscription.LevelWorkspace, ID: 77}}
		})
		n := w.start()
		d := n.accept(5, s)[0]
		w.settle()
		if len(w.notified) != 1 {
			t.Fatalf("told %q", w.told())
		}
		e := w.notified[0]
		want := event.Notifier{
			Subscription: s.ID.String(), SubscriptionName: s.Name, Destination: s.Address, Delivery: d.ID.String(), Event: d.Event.String(),
			Reason: "all attempts are used up: HTTP 503", Attempts: 1,
		}
		if *e.Notifier != want || e.Kind != event.KindNotifier || e.Action != "exhausted" || e.Organization.Name != "acme" ||
			e.Workspace == nil || e.Key == "" || e.Source.Kind != "notifier" {
			t.Errorf("event %+v with %+v", e, *e.Notifier)
		}
		if err := e.Validate(); err != nil {
			t.Errorf("the event is not valid: %v", err)
		}
	})
}

// TestNotifierEventsCauseNoFurtherOnes delivers notifier events to a destination that fails.
func TestNotifierEventsCauseNoFurtherOnes(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(410)), func(s *subscription.Subscription) { s.Delivery.MaxAttempts = 1 })
		n := w.start()
		for range 20 {
			e := w.event(0)
			e.Kind, e.Action, e.Notifier = event.KindNotifier, "failing", &event.Notifier{}
			owed := w.owe(e, s)
			w.put(e, owed, 0)
			n.Offer(e, owed)
			w.pass(2 * time.Minute)
		}
		if told := w.told(); len(told) != 0 {
			t.Errorf("told %q", told)
		}
		if len(w.switched) != 1 {
			t.Errorf("switched off %d times", len(w.switched))
		}
	})
}

func TestFallback(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		once := func(s *subscription.Subscription) { s.Delivery.MaxAttempts = 1 }
		backup := w.subscribe("https://backup.test/", always(status(500)), once, func(s *subscription.Subscription) { s.Dialect = "other" })
		s := w.subscribe("https://a.test/", always(status(500)), once, func(s *subscription.Subscription) { s.Delivery.Fallback = backup.ID })
		w.change(backup, func(b *subscription.Subscription) { b.Delivery.Fallback = s.ID }) // two that name each other
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, s)
		owed[0].Notice = 1
		w.put(e, owed, 0)
		n.Offer(e, owed)
		w.pass(time.Minute)
		got := w.wire.to("https://backup.test/")
		if len(got) != 1 || len(w.wire.to("https://a.test/")) != 1 {
			t.Fatalf("%d and %d messages", len(w.wire.to("https://a.test/")), len(got))
		}
		history := w.store.all()
		second := history[len(history)-1].Delivery
		if second.Cause != delivery.CauseFallback || second.Origin != owed[0].ID || second.Subscription != backup.ID || second.Version != 2 ||
			second.Event != e.ID || second.Notice != 0 || second.Run != 5 {
			t.Errorf("the fallback is %+v", second)
		}
		w.balanced()
		books, _ := w.store.Books(context.Background())
		if books.Accepted != 2 || books.Exhausted != 2 {
			t.Errorf("books %+v", books)
		}
	})
}

func TestFallbackThatCanNotTakeIt(t *testing.T) {
	t.Parallel()
	cases := map[string]func(w *world, s, backup *subscription.Subscription){
		"switched off": func(w *world, _, backup *subscription.Subscription) { w.change(backup, disable) },
		"gone":         func(w *world, _, backup *subscription.Subscription) { w.index.Delete(backup.ID) },
		"itself":       func(w *world, s, _ *subscription.Subscription) { w.fallTo(s, s.ID) },
		"another organization": func(w *world, _, b *subscription.Subscription) {
			w.change(b, func(b *subscription.Subscription) { b.OrganizationID = 2 })
		},
		"an unknown dialect": func(w *world, _, b *subscription.Subscription) {
			w.change(b, func(b *subscription.Subscription) { b.Dialect = "x" })
		},
		"nothing to say": func(w *world, _, b *subscription.Subscription) {
			w.other.mute = true
			w.change(b, func(b *subscription.Subscription) { b.Dialect = "other" })
		},
	}
	for name, prepare := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				backup := w.subscribe("https://backup.test/", nil)
				s := w.subscribe("https://a.test/", always(status(500)), func(s *subscription.Subscription) {
					s.Delivery.MaxAttempts, s.Delivery.Fallback = 1, backup.ID
				})
				prepare(w, s, backup)
				n := w.start()
				n.accept(5, s)
				w.settled("", 1)
				w.balanced()
			})
		})
	}
}

// fallTo changes a subscription's fallback.
func (w *world) fallTo(s *subscription.Subscription, to ident.ID) {
	w.change(s, func(s *subscription.Subscription) { s.Delivery.Fallback = to })
}
