package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// repeats returns, for each delivery, whether its first recorded attempt was marked as possibly repeated.
func (w *world) repeats(owed ...delivery.Delivery) (marks []bool) {
	w.Helper()
	for _, d := range owed {
		history := w.store.history(d.ID)
		if len(history) == 0 {
			w.Fatalf("%v was not attempted", d.ID)
		}
		for _, later := range history[1:] {
			if later.Repeat {
				w.Errorf("attempt %d is marked as a repeat", later.Number)
			}
		}
		marks = append(marks, history[0].Repeat)
	}
	return marks
}

func TestWhatWasPendingIsSentAfterAStart(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		var owed []delivery.Delivery
		for i := range 2500 {
			e := w.event(ident.ID(1 + i/5))
			d := w.owe(e, s)
			w.put(e, d, elsewhere)
			owed = append(owed, d...)
		}
		w.start()
		w.settled("", 2500)
		if w.store.pending() != 0 {
			t.Errorf("%d pending", w.store.pending())
		}
		if slices.Contains(w.repeats(owed...), true) {
			t.Error("deliveries that nobody ever owned are marked as repeats")
		}
	})
}

func TestAfterACrashWhatMayHaveBeenSentIsMarked(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		dead := w.subscribe("https://dead.test/", hang(time.Hour))
		later := w.subscribe("https://later.test/", always(status(500)))
		a := w.start()
		number, _ := a.Owner()
		inFlight := a.accept(5, dead)[0]
		behind := a.accept(5, dead)[0]
		retried := a.accept(6, later)[0]
		w.pass(40 * time.Second) // the retry is due in another minute
		a.kill(number)
		w.receive("https://dead.test/", nil)
		w.receive("https://later.test/", nil)
		b := w.start()
		w.pass(6 * time.Second) // the lease of the dead one ends
		fresh := b.accept(5, dead)[0]
		w.pass(2 * time.Minute)
		if marks := w.repeats(inFlight, behind, fresh); !slices.Equal(marks, []bool{true, true, false}) {
			t.Errorf("marked: in flight, waiting behind it, fresh = %v", marks)
		}
		history := w.store.history(retried.ID)
		if last := history[len(history)-1]; last.Repeat || last.State != delivery.Delivered {
			t.Errorf("a retry that was not due at the crash: %+v", last)
		}
		if first := w.wire.to("https://dead.test/"); said(inFlight) != first[0].body {
			t.Error("the run's order was lost")
		}
		w.balanced()
	})
}

func TestAfterASoftStopNothingIsMarked(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(5*time.Second))
		a := w.start()
		var owed []delivery.Delivery
		for range 20 {
			owed = append(owed, a.accept(0, s)...)
		}
		w.pass(time.Second)
		a.stop()
		if got := len(w.store.all()); got != 4 {
			t.Errorf("%d attempts recorded by the stop, want the 4 in flight", got)
		}
		b := w.start()
		owed = append(owed, b.accept(0, s)...)
		w.pass(time.Minute)
		if slices.Contains(w.repeats(owed...), true) {
			t.Error("a delivery is marked as a repeat after a soft stop")
		}
		if len(w.wire.to("")) != len(owed) {
			t.Errorf("%d messages for %d deliveries", len(w.wire.to("")), len(owed))
		}
	})
}

func TestAStopThatCanNotWaitMarksWhatItCutOff(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", hang(time.Hour))
		quick := w.subscribe("https://quick.test/", nil)
		a := w.start()
		cut := a.accept(0, s)[0]
		a.accept(0, quick)
		w.settle()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := a.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		a.dead = true
		if err := a.committer.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if len(w.store.history(cut.ID)) != 0 {
			t.Error("an attempt that was cut off is recorded")
		}
		waiting := w.event(0)
		untouched := w.owe(waiting, quick)
		w.put(waiting, untouched, elsewhere)
		w.receive("https://a.test/", nil)
		w.start()
		w.pass(10 * time.Second)
		if marks := w.repeats(cut, untouched[0]); !slices.Equal(marks, []bool{true, false}) {
			t.Errorf("marked: cut off, in a shard that was clean = %v", marks)
		}
		if got := w.store.history(cut.ID)[0].Number; got != 1 {
			t.Errorf("the attempt that was cut off used up a number: the next is %d", got)
		}
	})
}

func TestTroubleOfTheStoreLosesNothing(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		for i := range 2000 {
			e := w.event(ident.ID(1 + i%50))
			w.put(e, w.owe(e, s), elsewhere)
		}
		calls := 0
		w.store.trouble = func(operation string, _ int) error {
			if calls++; calls%3 == 0 && operation != "Renew" && operation != "Join" && operation != "Claim" {
				return errors.New("the disk hiccups")
			}
			return nil
		}
		w.start()
		w.pass(10 * time.Minute)
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
		w.pass(time.Minute)
		if got := len(w.wire.to("")); got != 2000 || w.store.pending() != 0 {
			t.Errorf("%d messages, %d pending", got, w.store.pending())
		}
		w.balanced()
	})
}

// TestNothingIsSentTwiceWhileTheStoreIsRead has sweeps and looks meet deliveries that are being settled.
func TestNothingIsSentTwiceWhileTheStoreIsRead(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(700*time.Millisecond))
		n := w.start()
		w.store.before = func(_ context.Context, operation string) {
			if operation == "Queue" || operation == "QueueSince" {
				time.Sleep(300 * time.Millisecond)
			}
		}
		for i := range 1000 {
			n.accept(ident.ID(i%20), s)
			time.Sleep(170 * time.Millisecond)
		}
		w.pass(30 * time.Minute)
		if got := len(w.wire.to("")); got != 1000 || w.store.pending() != 0 {
			t.Errorf("%d messages for 1000 deliveries, %d pending", got, w.store.pending())
		}
	})
}

func TestASweepFindsWhatNobodyOffered(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		w.start()
		w.store.silent = true
		e := w.event(5)
		owed := w.owe(e, s)
		w.put(e, owed, elsewhere)
		w.pass(11 * time.Minute)
		w.settled("", 1)
		if w.repeats(owed...)[0] {
			t.Error("what was found late is marked as a repeat")
		}
	})
}
