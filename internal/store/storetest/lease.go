package storetest

import (
	"context"
	"fmt"
	"maps"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var leaseParts = []part{
	{"leases/a node joins, claims, releases and leaves", leaseLife},
	{"leases/recording is fenced by owner and epoch", fenced},
	{"leases/a fenced batch stores nothing", fencedStoresNothing},
	{"leases/epochs rise over a restart", epochsRise},
	{"leases/an orderly end is remembered", releasedIsRemembered},
	{"leases/watching ends with its caller", watchEnds},
}

const longLease = time.Hour

// cluster renews a lease and returns what the store says.
func (w *world) cluster(s store.Store, node int, ttl time.Duration) store.Cluster {
	w.Helper()
	c, err := s.Renew(w.ctx, node, ttl)
	w.must(err)
	for shard := range delivery.Shards {
		if _, ok := c.Owners[shard]; !ok {
			w.Fatalf("nothing is said of shard %d", shard)
		}
	}
	return c
}

// free returns the shards that nobody owns, with their epochs, as Claim wants them.
func free(c store.Cluster) map[int]int64 {
	seen := map[int]int64{}
	for shard, lease := range c.Owners {
		if lease.Node == -1 {
			seen[shard] = lease.Epoch
		}
	}
	return seen
}

// own joins and claims everything.
func (w *world) own() (node int, epochs map[int]int64) {
	w.Helper()
	node, err := w.Join(w.ctx, "n1", longLease)
	w.must(err)
	epochs, err = w.Claim(w.ctx, node, free(w.cluster(w, node, longLease)))
	w.must(err)
	w.equal("shards", len(epochs), delivery.Shards)
	return node, epochs
}

func leaseLife(w *world) {
	node, epochs := w.own()
	if node < 0 || node > ident.MaxNode {
		w.Fatalf("node %d is outside 0..%d", node, ident.MaxNode)
	}
	c := w.cluster(w, node, longLease)
	w.equal("nodes", len(c.Nodes), 1)
	w.equal("node", []any{c.Nodes[0].Number, c.Nodes[0].Name}, []any{node, "n1"})
	w.equal("its lease has not ended", c.Nodes[0].Expires.After(c.Now), true)
	for shard, lease := range c.Owners {
		w.equal("owner", lease, store.Lease{Node: node, Epoch: epochs[shard]})
		w.equal("an epoch is never 0", lease.Epoch > 0, true)
	}
	w.must(w.Release(w.ctx, node, []int{3, 4}))
	c = w.cluster(w, node, longLease)
	w.equal("released", len(free(c)), 2)
	for _, shard := range []int{3, 4} {
		w.equal("given up by its owner", c.Owners[shard].Released, true)
	}
	stale := map[int]int64{3: c.Owners[3].Epoch - 1, 4: c.Owners[4].Epoch}
	again, err := w.Claim(w.ctx, node, stale)
	w.must(err)
	w.equal("only what was seen as it is", len(again), 1)
	w.equal("a takeover raises the epoch", again[4] > epochs[4], true)
	w.equal("what is owned is not released", w.cluster(w, node, longLease).Owners[4].Released, false)
	w.must(w.Leave(w.ctx, node))
	_, err = w.Renew(w.ctx, node, longLease)
	w.wantErr("renewing what has ended", err, store.ErrFenced)
	node, err = w.Join(w.ctx, "n1", longLease)
	w.must(err)
	c = w.cluster(w, node, longLease)
	w.equal("everything was released", len(free(c)), delivery.Shards)
	for shard, lease := range c.Owners {
		w.equal(fmt.Sprintf("shard %d was given up", shard), lease.Released, true)
	}
}

// releasedIsRemembered holds that a later process learns how the one before it ended.
func releasedIsRemembered(w *world) {
	released := func() (n int) {
		node, err := w.Join(w.ctx, "n1", longLease)
		w.must(err)
		c := w.cluster(w, node, longLease)
		for _, lease := range c.Owners {
			if lease.Released {
				n++
			}
		}
		_, err = w.Claim(w.ctx, node, free(c))
		w.must(err)
		return n
	}
	w.equal("released in a new database", released(), 0)
	w.must(w.Leave(w.ctx, 0))
	w.reopen()
	w.equal("released after an orderly end", released(), delivery.Shards)
	w.must(w.Leave(w.ctx, 0))
	w.equal("released when it joins again", released(), delivery.Shards)
	w.reopen() // without leaving
	node, err := w.Join(w.ctx, "n1", longLease)
	w.must(err)
	for shard, lease := range w.cluster(w, node, longLease).Owners {
		w.equal(fmt.Sprintf("shard %d after the owner vanished", shard), lease.Released, false)
	}
}

func fenced(w *world) {
	a := w.accept(4)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	d := a.Deliveries[0]
	node, epochs := w.own()
	changed := func(change func(map[int]int64)) map[int]int64 {
		other := maps.Clone(epochs)
		change(other)
		return other
	}
	shard := d.Shard()
	refused := map[string]store.Batch{
		"an older epoch":       {Owner: node, Epochs: changed(func(e map[int]int64) { e[shard]-- })},
		"a later epoch":        {Owner: node, Epochs: changed(func(e map[int]int64) { e[shard]++ })},
		"a shard it never had": {Owner: node, Epochs: changed(func(e map[int]int64) { delete(e, shard) })},
		"no shard at all":      {Owner: node, Epochs: map[int]int64{}},
		"another node":         {Owner: node + 1, Epochs: epochs},
	}
	failed := w.attempt(d, delivery.Pending, 500)
	for name, b := range refused {
		b.Attempts = []delivery.Attempt{failed}
		_, err := w.Commit(w.ctx, &b)
		w.wantErr("attempt, "+name, err, store.ErrFenced)
		b.Attempts, b.Moves = nil, []delivery.Delivery{failed.Delivery}
		_, err = w.Commit(w.ctx, &b)
		w.wantErr("move, "+name, err, store.ErrFenced)
		b.Moves, b.Accepts, b.Queue = nil, []store.Accept{w.accept(1)}, []delivery.Delivery{w.again(d, delivery.CauseReplay)}
		w.commit(b) // what is new belongs to no shard's work
	}
	w.equal("row", w.rows(d), []delivery.Delivery{d})
	w.commit(store.Batch{Owner: node, Epochs: epochs, Attempts: []delivery.Attempt{failed}, Moves: []delivery.Delivery{failed.Delivery}})
	w.equal("row", w.rows(d), []delivery.Delivery{failed.Delivery})
	w.must(w.Release(w.ctx, node, []int{shard}))
	last := w.attempt(failed.Delivery, delivery.Delivered, 200)
	_, err := w.Commit(w.ctx, &store.Batch{Owner: node, Epochs: epochs, Attempts: []delivery.Attempt{last}})
	w.wantErr("after it was released", err, store.ErrFenced)
	w.commit(store.Batch{Attempts: []delivery.Attempt{last}}) // unfenced
}

func fencedStoresNothing(w *world) {
	a := w.accept(2)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	before := w.balanced()
	node, epochs := w.own()
	epochs[a.Deliveries[1].Shard()]++
	other, extra := w.accept(2, keyed("k")), w.again(a.Deliveries[0], delivery.CauseReplay)
	_, err := w.Commit(w.ctx, &store.Batch{
		Owner: node, Epochs: epochs, Accepts: []store.Accept{other}, Queue: []delivery.Delivery{extra},
		Attempts: []delivery.Attempt{w.attempt(a.Deliveries[0], delivery.Delivered, 200), w.attempt(a.Deliveries[1], delivery.Delivered, 200)},
	})
	w.wantErr("one shard of two", err, store.ErrFenced)
	w.equal("books", w.balanced(), before)
	w.equal("event", w.stored(other.Event.ID), nil)
	w.equal("queue", w.rows(append(a.Deliveries, extra)...), a.Deliveries)
	w.commit(store.Batch{Accepts: []store.Accept{other}})
}

func epochsRise(w *world) {
	_, before := w.own()
	a := w.accept(1)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	node, err := w.Join(w.ctx, "n1", longLease)
	w.must(err)
	w.must(w.Leave(w.ctx, node))
	w.reopen()
	node, after := w.own()
	for shard, epoch := range before {
		if after[shard] <= epoch {
			w.Fatalf("shard %d: epoch %d after %d", shard, after[shard], epoch)
		}
	}
	_, err = w.Commit(w.ctx, &store.Batch{
		Owner: node, Epochs: before, Attempts: []delivery.Attempt{w.attempt(a.Deliveries[0], delivery.Delivered, 200)},
	})
	w.wantErr("an epoch from before", err, store.ErrFenced)
}

func watchEnds(w *world) {
	ctx, end := context.WithCancel(w.ctx)
	done := make(chan error, 1)
	go func() { done <- w.Watch(ctx, func(store.Hint) {}) }()
	end()
	select {
	case err := <-done:
		if err != nil && ctx.Err() == nil {
			w.Fatal(err)
		}
	case <-w.ctx.Done():
		w.Fatal("watching did not end")
	}
}
