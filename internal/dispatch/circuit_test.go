package dispatch_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/subscription"
)

// condition returns how a destination fares.
func condition(n *node, s *subscription.Subscription) dispatch.LaneState {
	for _, state := range n.Lanes() {
		if state.Destination == s.Destination {
			return state
		}
	}
	return dispatch.LaneState{}
}

func TestAFailingDestinationIsProbedByOneRequestAtATime(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(refused()))
		n := w.start()
		for range 200 {
			n.accept(0, s)
		}
		w.settle()
		state := condition(n, s)
		if state.Condition != dispatch.Failing || state.Pending != 200 || state.LastClass != delivery.ClassRefused || state.FailingSince.IsZero() {
			t.Errorf("state after the first failures: %+v", state)
		}
		burst := len(w.wire.to(""))
		if burst > 8 {
			t.Errorf("%d attempts before the destination counted as failing", burst)
		}
		w.receive("https://a.test/", hang(3*time.Second))
		start := len(w.wire.to(""))
		w.pass(10 * time.Minute)
		probes := w.wire.to("")[start:]
		for i := 1; i < len(probes); i++ {
			apart := probes[i].from.Sub(probes[i-1].to)
			if apart <= 0 || apart > time.Minute {
				t.Errorf("probe %d came %v after the one before", i, apart)
			}
			if i > 1 && i < 5 && apart <= probes[i-1].from.Sub(probes[i-2].to) {
				t.Errorf("the distance of probes does not grow: %v", apart)
			}
		}
		if len(probes) < 8 || len(probes) > 20 {
			t.Errorf("%d probes in ten minutes", len(probes))
		}
		w.receive("https://a.test/", nil)
		w.pass(time.Minute + time.Second)
		if state := condition(n, s); state.Condition != dispatch.Healthy || state.Failures != 0 || !state.FailingSince.IsZero() {
			t.Errorf("state after a success: %+v", state)
		}
		w.pass(2 * time.Minute)
		if w.store.pending() != 0 {
			t.Errorf("%d pending after the destination recovered", w.store.pending())
		}
		if told := w.told(); !slices.Equal(told, []string{"failing", "recovered"}) {
			t.Errorf("people were told %q", told)
		}
	})
}

func TestADegradedDestinationKeepsItsSlots(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		var answers atomic.Int32
		s := w.subscribe("https://a.test/", nil)
		w.wire.answer = answerByRun(func(run string) delivery.Result {
			if n := answers.Add(1); run == "9" || n%3 == 0 {
				return status(503)
			}
			return ok()
		})
		n := w.start()
		n.accept(9, s)
		w.settle()
		if state := condition(n, s); state.Condition != dispatch.Degraded || state.LastStatus != 503 {
			t.Errorf("state %+v", state)
		}
		for range 100 {
			n.accept(0, s)
		}
		w.settle()
		if got := len(w.wire.to("")); got != 101 {
			t.Errorf("%d attempts: a destination that answers now and then is not held", got)
		}
		if len(w.told()) != 0 {
			t.Errorf("people were told %q", w.told())
		}
	})
}

func TestTooManyRequestsHoldsTheLane(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		limited := status(429)
		limited.RetryAfter = 20 * time.Second
		s := w.subscribe("https://a.test/", always(limited))
		n := w.start()
		n.accept(0, s)
		w.settle()
		w.receive("https://a.test/", nil)
		n.accept(0, s)
		w.pass(19 * time.Second)
		if got := len(w.wire.to("")); got != 1 {
			t.Errorf("%d attempts while the receiver wanted none", got)
		}
		w.pass(2 * time.Second)
		w.settled("", 3)
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		busy := status(503)
		busy.RetryAfter = time.Hour
		s := w.subscribe("https://a.test/", always(busy))
		n := w.start()
		owed := n.accept(0, s)
		w.pass(59 * time.Minute)
		w.settled("", 1)
		if state := condition(n, s); !state.NextAttempt.Equal(owed[0].Due.Add(time.Hour)) || !state.Oldest.Equal(owed[0].ID.Time()) {
			t.Errorf("state %+v", state)
		}
		w.pass(2 * time.Minute)
		w.settled("", 2)
	})
}

// TestDeliveriesOfADeadDestinationEnd has more pending than probes could try before their time is over.
func TestDeliveriesOfADeadDestinationEnd(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.dialect.policy.GiveUpAfter = 6 * time.Hour
		s := w.subscribe("https://a.test/", always(refused()))
		n := w.start()
		for range 1000 {
			n.accept(0, s)
		}
		w.pass(7 * time.Hour)
		if w.store.pending() != 0 {
			t.Errorf("%d deliveries pending after their time", w.store.pending())
		}
		w.balanced()
		for _, a := range w.store.all() {
			if a.State == delivery.Exhausted && a.Number == 0 {
				t.Fatal("a delivery was exhausted without an attempt")
			}
		}
	})
}

func TestOurOwnFaultsAreNotTheDestinations(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(delivery.Result{Class: delivery.ClassProxy}))
		n := w.start()
		for range 20 {
			n.accept(0, s)
		}
		w.settle()
		if state := condition(n, s); state.Condition != dispatch.Healthy || state.LastClass != delivery.ClassProxy {
			t.Errorf("state %+v", state)
		}
	})
}

func TestTheStateOfADestinationSurvivesARestart(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)))
		n := w.start()
		for range 20 {
			n.accept(0, s)
		}
		w.pass(time.Minute)
		since := condition(n, s).FailingSince
		n.stop()
		n = w.start()
		if state := condition(n, s); state.Condition != dispatch.Failing || !state.FailingSince.Equal(since) {
			t.Errorf("state after the restart: %+v, failing since %v before", state, since)
		}
		w.pass(5 * time.Minute)
		w.receive("https://a.test/", nil)
		w.pass(5 * time.Minute)
		if told := w.told(); !slices.Equal(told, []string{"failing", "recovered"}) {
			t.Errorf("people were told %q", told)
		}
		if len(w.remembered) != 0 {
			t.Errorf("remembered of a healthy destination: %s", w.remembered[s.Destination])
		}
	})
}

func TestTheStateOfAnUnusedDestinationIsForgotten(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.remembered[12345] = []byte(`{"failing_since":"2026-11-20T00:00:00Z"}`)
		w.remembered[12346] = []byte(`not JSON`)
		n := w.start()
		if _, known := w.remembered[12345]; known || len(n.Lanes()) != 0 {
			t.Errorf("remembered %v, lanes %+v", w.remembered, n.Lanes())
		}
	})
}
