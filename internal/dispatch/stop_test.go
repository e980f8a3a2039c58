package dispatch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"carillon/internal/delivery"
)

// TestADoubtOutlivesASoftStop crashes, starts, stops softly before everything was tried again, and starts once more.
func TestADoubtOutlivesASoftStop(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", hang(time.Hour))
		a := w.start()
		number, _ := a.Owner()
		d := a.accept(5, s)[0]
		w.settle()
		a.kill(number)
		w.pass(6 * time.Second)
		w.store.mu.Lock()
		w.store.trouble = func(operation string, _ int) error {
			if operation == "Events" {
				return errors.New("not now")
			}
			return nil
		}
		w.store.mu.Unlock()
		b := w.start()
		w.pass(2 * time.Second)
		b.stop()
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
		w.receive("https://a.test/", nil)
		w.start()
		w.pass(20 * time.Second)
		if !w.repeats(d)[0] {
			t.Error("the delivery that the dead node may have sent is not marked")
		}
	})
}

// TestStopDoesNotWaitForAStoreThatIsGone stops while nothing can be recorded; the attempt is made again afterwards.
func TestStopDoesNotWaitForAStoreThatIsGone(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		w.store.mu.Lock()
		w.store.trouble = func(operation string, _ int) error {
			if operation == "Commit" {
				return errors.New("the disk is full")
			}
			return nil
		}
		w.store.mu.Unlock()
		e := w.event(5)
		owed := w.owe(e, s)
		w.store.mu.Lock()
		w.store.queue[owed[0].Key()] = owed[0]
		w.store.mu.Unlock()
		n.Offer(e, owed)
		w.settle()
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := n.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 12*time.Second {
			t.Errorf("Stop: %v after %v", err, time.Since(began))
		}
		_ = n.committer.Stop(ctx)
		n.dead = true
		if err := n.Stop(context.Background()); err != nil {
			t.Errorf("a second Stop: %v", err)
		}
		n.Changed(s.ID)
		n.Offer(e, owed)
		if err := n.Start(context.Background()); err == nil {
			t.Error("a dispatcher that was stopped started again")
		}
	})
}

// TestStopRecordsWhatTheCommitterStillHolds lets the committer come to its store only after the dispatcher gave up.
func TestStopRecordsWhatTheCommitterStillHolds(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, s)
		w.put(e, owed, 0)
		w.store.mu.Lock()
		w.store.trouble = func(operation string, _ int) error {
			if operation == "Commit" {
				return errors.New("the disk is full")
			}
			return nil
		}
		w.store.mu.Unlock()
		n.Offer(e, owed)
		w.settle()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = n.Stop(ctx)
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
		if err := n.committer.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		n.dead = true
		if a := w.ended(owed[0]); a.State != delivery.Delivered {
			t.Errorf("recorded %+v", a)
		}
	})
}

func TestANewcomerWaitsUntilTheOthersKnowOfIt(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		began := time.Now()
		w.start()
		if alone := time.Since(began); alone > 100*time.Millisecond {
			t.Errorf("a node that is alone started after %v", alone)
		}
		began = time.Now()
		w.start()
		if joined := time.Since(began); joined < 2*time.Second || joined > 2100*time.Millisecond {
			t.Errorf("a node that joined another one started after %v", joined)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.prepare().Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a start that was given up: %v", err)
		}
	})
}

func TestAStartThatFails(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"Join", "Renew", "Claim"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				w.store.trouble = func(asked string, _ int) error {
					if asked == operation {
						return errors.New("the database is away")
					}
					return nil
				}
				if err := w.prepare().Start(context.Background()); err == nil {
					t.Error("no error")
				}
			})
		})
	}
}
