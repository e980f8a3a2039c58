package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func TestADeliveryStartsAtOnceAndIsRecorded(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		reads := func() int {
			return w.store.asked("Events") + w.store.asked("QueueRows") + w.store.asked("QueueSince") + w.store.asked("Queue")
		}
		before := reads()
		owed := n.accept(5, s)
		got := w.settled("https://a.test/", 1)
		if got[0].from.Sub(owed[0].Due) != 0 || got[0].body != said(owed[0]) {
			t.Errorf("sent %q after %v", got[0].body, got[0].from.Sub(owed[0].Due))
		}
		history := w.store.history(owed[0].ID)
		if len(history) != 1 {
			t.Fatalf("%d attempts recorded", len(history))
		}
		a := history[0]
		if a.Number != 1 || a.State != delivery.Delivered || a.Repeat || a.Workspace != 77 || a.Trigger != "first" ||
			a.Address != "redacted https://a.test/" || a.BodySize != len(got[0].body) || a.Delivery.Attempts != 1 {
			t.Errorf("recorded %+v", a)
		}
		if w.store.pending() != 0 {
			t.Error("the delivery is still in the queue")
		}
		if reads() != before {
			t.Errorf("%d reads for a delivery that was offered", reads()-before)
		}
		w.balanced()
	})
}

// settled waits for what is happening and returns what a receiver got, which must be so many messages.
func (w *world) settled(url string, want int) []sent {
	w.Helper()
	w.settle()
	got := w.wire.to(url)
	if len(got) != want {
		w.Fatalf("%s got %d messages, want %d: %q", url, len(got), want, bodies(got))
	}
	return got
}

func TestEventsOfARunGoOutInSequence(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(time.Second))
		n := w.start()
		var want []string
		for range 10 {
			want = append(want, said(n.accept(5, s)[0]))
		}
		w.pass(5500 * time.Millisecond)
		if got := bodies(w.wire.to("")); !slices.Equal(got, want[:5]) {
			t.Errorf("after 5 s: %q", got)
		}
		w.pass(time.Minute)
		if got := bodies(w.wire.to("")); !slices.Equal(got, want) {
			t.Errorf("order: %q, want %q", got, want)
		}
		if w.wire.peak("https://a.test/") != 1 {
			t.Error("two events of a run were in flight together")
		}
	})
}

func TestALaterEventWaitsUntilTheEarlierOneIsDelivered(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)))
		n := w.start()
		first, second, other := n.accept(5, s)[0], n.accept(5, s)[0], n.accept(6, s)[0]
		w.pass(time.Second)
		if got := bodies(w.wire.to("")); !sameSet(got, said(first), said(other)) {
			t.Fatalf("sent %q: another run must not wait, the same run must", got)
		}
		w.receive("https://a.test/", nil)
		w.pass(5 * time.Second)
		got := bodies(w.wire.to(""))[2:]
		if !sameSet(got, said(first), said(other), said(second)) || slices.Index(got, said(first)) > slices.Index(got, said(second)) {
			t.Errorf("then sent %q", got)
		}
		if w.store.pending() != 0 {
			t.Error("something is pending still")
		}
	})
}

func TestALaterEventGoesOutWhenTheEarlierOneIsExhausted(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)), func(s *subscription.Subscription) { s.Delivery.MaxAttempts = 2 })
		n := w.start()
		first, second := n.accept(5, s)[0], n.accept(5, s)[0]
		w.pass(time.Second)
		w.receive("https://a.test/", nil)
		w.receive("https://a.test/", func(context.Context) delivery.Result {
			if len(w.wire.to("")) < 2 {
				return status(500)
			}
			return ok()
		})
		w.pass(10 * time.Second)
		if got := bodies(w.wire.to("")); !slices.Equal(got, []string{said(first), said(first), said(second)}) {
			t.Errorf("sent %q", got)
		}
		if a := w.store.history(first.ID); len(a) != 2 || a[1].State != delivery.Exhausted {
			t.Errorf("history of the first: %+v", a)
		}
	})
}

func TestUnorderedDeliveriesOvertake(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)), func(s *subscription.Subscription) { s.Delivery.Unordered = true })
		n := w.start()
		first, second := n.accept(5, s)[0], n.accept(5, s)[0]
		w.settle()
		if got := bodies(w.wire.to("")); !sameSet(got, said(first), said(second)) {
			t.Errorf("sent %q", got)
		}
	})
}

// sameSet reports whether a list holds just these texts, in any order.
func sameSet(got []string, want ...string) bool {
	got = slices.Clone(got)
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want)
}

func TestAnEarlierEventThatArrivesLateGoesFirst(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(time.Second))
		n := w.start()
		blocking := n.accept(5, s)[0]
		w.sequence[5] = 7
		late := n.accept(5, s)[0]
		w.sequence[5] = 3
		early := n.accept(5, s)[0]
		w.pass(10 * time.Second)
		if got := bodies(w.wire.to("")); !slices.Equal(got, []string{said(blocking), said(early), said(late)}) {
			t.Errorf("sent %q", got)
		}
	})
}

// TestOrderHoldsBeyondTheWindow sends many runs' events, more than a lane holds in memory, with identifiers that do not
// always rise with the sequence, as those of two nodes do.
func TestOrderHoldsBeyondTheWindow(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(100*time.Millisecond))
		n := w.start()
		var all []delivery.Delivery
		for i := range 600 {
			run := ident.ID(1 + i%7)
			if i%50 == 49 { // two events of a run whose identifiers are the other way round
				a, b := w.event(run), w.event(run)
				owedB, owedA := w.owe(b, s), w.owe(a, s)
				w.put(b, owedB, 0)
				w.put(a, owedA, 0)
				n.Offer(b, owedB)
				n.Offer(a, owedA)
				all = append(all, owedA[0], owedB[0])
				continue
			}
			all = append(all, n.accept(run, s)...)
		}
		w.pass(time.Hour)
		byRun := map[ident.ID][]string{}
		for _, d := range all {
			byRun[d.Run] = append(byRun[d.Run], said(d))
		}
		got := bodies(w.wire.to(""))
		if len(got) != len(all) {
			t.Fatalf("%d messages, want %d", len(got), len(all))
		}
		for run, want := range byRun {
			var order []string
			for _, body := range got {
				if slices.Contains(want, body) {
					order = append(order, body)
				}
			}
			if !slices.Equal(order, want) {
				t.Errorf("run %d is out of order:\n%q\n%q", run, order, want)
			}
		}
	})
}

func TestABacklogDrainsOldestFirst(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil, func(s *subscription.Subscription) { s.Delivery.Concurrency = 1 })
		var want []string
		for range 300 {
			e := w.event(0)
			owed := w.owe(e, s)
			w.put(e, owed, elsewhere)
			want = append(want, said(owed[0]))
		}
		w.start()
		if got := bodies(w.settled("", 300)); !slices.Equal(got, want) {
			t.Error("the backlog did not drain oldest first")
		}
	})
}

func TestSubscriptionsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		bad, good := w.subscribe("https://bad.test/", always(status(500))), w.subscribe("https://good.test/", nil)
		n := w.start()
		for range 3 {
			n.accept(5, bad, good)
		}
		w.settled("https://good.test/", 3)
		w.settled("https://bad.test/", 1)
	})
}

func TestFanOutDecodesAndReadsAnEventOnce(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		var subs []*subscription.Subscription
		for i := range 10 {
			subs = append(subs, w.subscribe(fmt.Sprintf("https://%d.test/", i), nil))
		}
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, subs...)
		w.put(e, owed, 0)
		n.Offer(e, owed)
		w.settled("", 10)
		if got := w.dialect.noticed.get(e.ID); got != 1 {
			t.Errorf("the dialect was asked %d times what it has to say", got)
		}
		if w.store.asked("Events") != 0 {
			t.Error("the event was read back")
		}
	})
}
