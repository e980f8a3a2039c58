package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// owned returns how many shards a node owns.
func owned(n *node) int {
	_, epochs := n.Owner()
	return len(epochs)
}

// many subscribes to so many destinations.
func (w *world) many(count int, receive answers) (subs []*subscription.Subscription) {
	for i := range count {
		subs = append(subs, w.subscribe(fmt.Sprintf("https://%d.test/", i), receive))
	}
	return subs
}

func TestNodesDivideTheShards(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		a := w.start()
		if owned(a) != delivery.Shards {
			t.Errorf("a node that is alone owns %d shards", owned(a))
		}
		b := w.start()
		w.pass(5 * time.Second)
		if owned(a) != 32 || owned(b) != 32 {
			t.Errorf("two nodes own %d and %d", owned(a), owned(b))
		}
		c := w.start()
		w.pass(5 * time.Second)
		all := []int{owned(a), owned(b), owned(c)}
		slices.Sort(all)
		if !slices.Equal(all, []int{21, 21, 22}) {
			t.Errorf("three nodes own %v", all)
		}
		b.stop()
		w.pass(3 * time.Second)
		if owned(a) != 32 || owned(c) != 32 {
			t.Errorf("after one left: %d and %d", owned(a), owned(c))
		}
	})
}

func TestTakeoverAfterANodeDied(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		subs := w.many(200, hang(10*time.Second))
		a, b := w.start(), w.start()
		w.pass(5 * time.Second)
		var owed []delivery.Delivery
		for _, s := range subs {
			owed = append(owed, a.accept(1, s)...)
		}
		w.pass(time.Second)
		number, shards := a.Owner()
		died := time.Now()
		a.kill(number)
		for _, s := range subs {
			w.receive(s.Name, nil)
		}
		w.pass(30 * time.Second)
		if owned(b) != delivery.Shards {
			t.Errorf("the living node owns %d shards", owned(b))
		}
		for _, d := range owed {
			if _, lost := shards[d.Shard()]; !lost {
				continue
			}
			history := w.store.history(d.ID)
			if len(history) != 1 || !history[0].Repeat || history[0].State != delivery.Delivered {
				t.Fatalf("history of a delivery of the dead node: %+v", history)
			}
			if after := history[0].Result.StartedAt.Sub(died); after > 7*time.Second {
				t.Errorf("it took %v to go on", after)
			}
		}
	})
}

func TestAMovedShardLosesNothingAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		subs := w.many(60, slow(200*time.Millisecond))
		a := w.start()
		var owed []delivery.Delivery
		accept := func(n *node, rounds int) {
			for i := range rounds {
				for _, s := range subs {
					owed = append(owed, n.accept(ident.ID(1+i%3)+s.ID, s)...)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		accept(a, 30)
		b := w.start()
		accept(a, 30)
		accept(b, 30)
		w.pass(2 * time.Second)
		a.stop()
		accept(b, 10)
		w.pass(time.Minute)
		if got := len(w.wire.to("")); got != len(owed) || w.store.pending() != 0 {
			t.Errorf("%d messages for %d deliveries, %d pending", got, len(owed), w.store.pending())
		}
		if slices.Contains(w.repeats(owed...), true) {
			t.Error("a shard that was given up in order left repeats")
		}
		w.inOrder(owed)
	})
}

// inOrder checks that each run's messages to each receiver came in the order in which they are owed.
func (w *world) inOrder(owed []delivery.Delivery) {
	w.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	chain := map[string]string{}
	for _, d := range owed {
		key := fmt.Sprint(d.Subscription, d.Run)
		chain[said(d)+d.Destination.String()] = key
		want[key] = append(want[key], said(d))
	}
	for _, s := range w.wire.to("") {
		key := chain[s.body+ident.Derive(s.url).String()]
		got[key] = append(got[key], s.body)
	}
	for key, bodies := range want {
		if !slices.Equal(got[key], bodies) {
			w.Fatalf("run %s out of order:\n%q\nwant\n%q", key, got[key], bodies)
		}
	}
}

// TestOrderHoldsWhenNodesTakeTurns accepts the events of each run alternately on two nodes, as behind a load balancer,
// while hints come late.
func TestOrderHoldsWhenNodesTakeTurns(t *testing.T) {
	t.Parallel()
	for _, silent := range []bool{false, true} {
		t.Run(fmt.Sprintf("silent %v", silent), func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				w.store.silent = silent
				subs := w.many(20, slow(time.Millisecond))
				nodes := []*node{w.start(), w.start()}
				w.pass(5 * time.Second)
				w.store.before = func(_ context.Context, operation string) {
					if operation == "QueueSince" {
						time.Sleep(40 * time.Millisecond)
					}
				}
				var owed []delivery.Delivery
				for i := range 400 {
					s := subs[i%20]
					owed = append(owed, nodes[(i/20)%2].accept(1+s.ID, s)...)
					time.Sleep(3 * time.Millisecond)
				}
				w.pass(time.Minute)
				if got := len(w.wire.to("")); got != len(owed) {
					t.Errorf("%d messages for %d deliveries", got, len(owed))
				}
				w.inOrder(owed)
				if slices.Contains(w.repeats(owed...), true) {
					t.Error("a fresh delivery is marked as a repeat")
				}
			})
		})
	}
}

func TestAHintOfAnotherNodeIsFollowedAtOnce(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		w.start()
		e := w.event(5)
		owed := w.owe(e, s)
		w.put(e, owed, elsewhere)
		w.settle()
		got := w.settled("", 1)
		if late := got[0].from.Sub(owed[0].Due); late != 0 {
			t.Errorf("it was sent after %v", late)
		}
	})
}

func TestACommitThatBecameVisibleLateIsFound(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		w.start()
		w.start()
		w.pass(5 * time.Second)
		e := w.event(5)
		owed := w.owe(e, s)
		w.pass(4 * time.Second)
		w.store.silent = true // its hint is lost
		w.put(e, owed, elsewhere)
		w.pass(3 * time.Second)
		w.settled("", 1)
	})
}

// TestAPausedNodeFencesItself stops a node from renewing, as a stopped process does, while its attempts go on.
func TestAPausedNodeFencesItself(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", hang(8*time.Second))
		a := w.start()
		number, _ := a.Owner()
		first := a.accept(5, s)[0]
		behind := a.accept(5, s)[0]
		w.settle()
		w.store.mu.Lock()
		w.store.trouble = func(operation string, node int) error {
			if operation == "Renew" && node == number {
				return context.DeadlineExceeded
			}
			return nil
		}
		w.store.mu.Unlock()
		b := w.start()
		w.pass(2500 * time.Millisecond)
		w.receive("https://a.test/", nil)
		w.pass(time.Second)
		if node, epochs := a.Owner(); len(epochs) != 0 || epochs == nil {
			t.Errorf("node %d owns %d shards after its lease", node, len(epochs))
		}
		w.pass(time.Second)
		if owned(b) != delivery.Shards {
			t.Errorf("the other node owns %d", owned(b))
		}
		w.pass(10 * time.Second)
		for _, d := range []delivery.Delivery{first, behind} {
			history := w.store.history(d.ID)
			if len(history) != 1 || history[0].State != delivery.Delivered {
				t.Fatalf("history: %+v", history)
			}
			if other, _ := b.Owner(); history[0].Node != other {
				t.Errorf("recorded by node %d", history[0].Node)
			}
		}
		if _, pending := dispatch.Rows(a.Dispatcher); pending != 0 {
			t.Errorf("the node holds %d deliveries after its lease", pending)
		}
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
		w.pass(10 * time.Second)
		if owned(a) != 32 || owned(b) != 32 {
			t.Errorf("the node did not come back: %d and %d shards", owned(a), owned(b))
		}
		w.balanced()
	})
}

// TestARecordThatTheStoreRefusesEndsTheOwnership lets another node take a shard without this one noticing.
func TestARecordThatTheStoreRefusesEndsTheOwnership(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", slow(300*time.Millisecond))
		n := w.start()
		first := n.accept(5, s)[0]
		n.accept(5, s)
		w.store.mu.Lock()
		shard := first.Shard()
		w.store.owners[shard] = store.Lease{Node: 49, Epoch: 9}
		w.store.nodes[49] = store.Node{Number: 49, Expires: time.Now().Add(time.Hour)}
		w.store.mu.Unlock()
		w.pass(400 * time.Millisecond)
		w.pass(20 * time.Second)
		if len(w.store.all()) != 0 {
			t.Errorf("recorded for a shard of another node: %+v", w.store.all())
		}
		if _, epochs := n.Owner(); epochs[shard] != 0 {
			t.Error("the shard is still taken for ours")
		}
		if got := len(w.wire.to("")); got > 2 {
			t.Errorf("%d messages for a shard that was lost", got)
		}
	})
}

func TestShardsOfAnEarlierProcessUnderTheSameNumber(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		for shard := range delivery.Shards {
			w.store.owners[shard] = store.Lease{Node: 0, Epoch: 3}
		}
		e := w.event(5)
		owed := w.owe(e, s)
		w.put(e, owed, elsewhere)
		n := w.start()
		w.pass(3 * time.Second)
		if owned(n) != delivery.Shards {
			t.Errorf("%d shards", owned(n))
		}
		w.settled("", 1)
		if !w.repeats(owed...)[0] {
			t.Error("what the earlier process may have sent is not marked")
		}
	})
}

func TestIdentifiersCarryTheNodeAndComeAfterTheOldOnes(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)), func(s *subscription.Subscription) { s.Delivery.MaxAttempts = 1 })
		fallback := w.subscribe("https://b.test/", nil)
		w.change(s, func(s *subscription.Subscription) { s.Delivery.Fallback = fallback.ID })
		w.start()
		b := w.start()
		w.pass(5 * time.Second)
		for range 3 {
			e := w.event(0)
			w.put(e, w.owe(e, s), elsewhere)
		}
		w.pass(10 * time.Second)
		number, shards := b.Owner()
		seen := 0
		for _, a := range w.store.all() {
			if a.Delivery.Cause == delivery.CauseFallback {
				seen++
				want := 0
				if _, mine := shards[delivery.ShardOf(s.Destination)]; mine {
					want = number
				}
				if a.Delivery.ID.Node() != want {
					t.Errorf("an identifier of node %d, want %d", a.Delivery.ID.Node(), want)
				}
			}
		}
		if seen != 3 {
			t.Errorf("%d fallbacks", seen)
		}
	})
}
