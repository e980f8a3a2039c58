package storetest

import (
	"context"
	"errors"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

var clusterParts = []part{
	{"cluster/nodes have numbers of their own", nodeNumbers},
	{"cluster/a living owner keeps its shards", livingOwner},
	{"cluster/what is released can be claimed at once", releasedShards},
	{"cluster/a lease that ended is taken over and fenced", takeover},
	{"cluster/hints of what others commit", hints},
	{"cluster/records of one node are seen by the other", sharedRecords},
}

// beside opens the world's database a second time, as another node does.
func (w *world) beside() store.Store {
	w.Helper()
	if w.options.Reopen == nil {
		w.Fatal("the suite needs Options.Reopen")
	}
	other := w.options.Reopen(w.T, w.Store)
	w.Cleanup(func() { w.must(other.Close()) })
	return other
}

func (w *world) join(s store.Store, name string, ttl time.Duration) int {
	w.Helper()
	node, err := s.Join(w.ctx, name, ttl)
	w.must(err)
	return node
}

func (w *world) claim(s store.Store, node int, seen map[int]int64) map[int]int64 {
	w.Helper()
	epochs, err := s.Claim(w.ctx, node, seen)
	w.must(err)
	return epochs
}

func nodeNumbers(w *world) {
	other := w.beside()
	first, second := w.join(w, "n1", longLease), w.join(other, "n2", longLease)
	w.equal("the same number", first == second, false)
	w.equal("nodes", len(w.cluster(other, second, longLease).Nodes), 2)
	w.must(other.Leave(w.ctx, second))
	w.equal("nodes", len(w.cluster(w, first, longLease).Nodes), 1)
	w.equal("a number that is free again", w.join(other, "n3", longLease) != first, true)
}

func livingOwner(w *world) {
	other := w.beside()
	first, epochs := w.own()
	second := w.join(other, "n2", longLease)
	w.equal("claimed", w.claim(other, second, epochs), nil)
	c := w.cluster(other, second, longLease)
	for shard, lease := range c.Owners {
		w.equal("owner", lease, store.Lease{Node: first, Epoch: epochs[shard]})
	}
}

func releasedShards(w *world) {
	other := w.beside()
	first, before := w.own()
	second := w.join(other, "n2", longLease)
	a := w.accept(4)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	d := a.Deliveries[0]
	w.must(w.Release(w.ctx, first, []int{d.Shard()}))
	seen := free(w.cluster(other, second, longLease))
	w.equal("free", len(seen), 1)
	after := w.claim(other, second, seen)
	w.equal("claimed", len(after), 1)
	w.equal("epoch", after[d.Shard()] > before[d.Shard()], true)
	w.equal("a second claim from the same sight", w.claim(w, first, seen), nil)
	attempt := w.attempt(d, delivery.Delivered, 200)
	_, err := w.Commit(w.ctx, &store.Batch{Owner: first, Epochs: before, Attempts: []delivery.Attempt{attempt}})
	w.wantErr("the former owner", err, store.ErrFenced)
	_, err = other.Commit(w.ctx, &store.Batch{Owner: second, Epochs: after, Attempts: []delivery.Attempt{attempt}})
	w.must(err)
	w.equal("books", w.balanced(), store.Books{Accepted: 4, Delivered: 1, Counted: 3})
}

func takeover(w *world) {
	other := w.beside()
	a := w.accept(1)
	w.commit(store.Batch{Accepts: []store.Accept{a}})
	first := w.join(w, "n1", 100*time.Millisecond)
	// The lease may end at any moment from here on: what the dying node gets done is not the test's business.
	c, err := w.Renew(w.ctx, first, 100*time.Millisecond)
	for errors.Is(err, store.ErrFenced) {
		first = w.join(w, "n1", 100*time.Millisecond)
		c, err = w.Renew(w.ctx, first, 100*time.Millisecond)
	}
	w.must(err)
	before := w.claim(w, first, free(c))
	second := w.join(other, "n2", longLease)
	var after map[int]int64
	for len(after) < delivery.Shards {
		w.must(w.ctx.Err())
		seen := map[int]int64{}
		for shard, lease := range w.cluster(other, second, longLease).Owners {
			if lease.Node != second {
				seen[shard] = lease.Epoch
			}
		}
		for shard, epoch := range w.claim(other, second, seen) {
			if after == nil {
				after = map[int]int64{}
			}
			after[shard] = epoch
			w.equal("epoch", epoch > before[shard], true)
		}
	}
	_, err = w.Renew(w.ctx, first, longLease)
	w.wantErr("renewing a lease that ended", err, store.ErrFenced)
	attempt := w.attempt(a.Deliveries[0], delivery.Delivered, 200)
	_, err = w.Commit(w.ctx, &store.Batch{Owner: first, Epochs: before, Attempts: []delivery.Attempt{attempt}})
	w.wantErr("the node that was paused", err, store.ErrFenced)
	_, err = other.Commit(w.ctx, &store.Batch{Owner: second, Epochs: after, Attempts: []delivery.Attempt{attempt}})
	w.must(err)
}

// hints commits until the other node has heard of it: a single hint may be lost.
func hints(w *world) {
	other := w.beside()
	first := w.join(w, "n1", longLease)
	second := w.join(other, "n2", longLease)
	ctx, end := context.WithCancel(w.ctx)
	heard := make(chan store.Hint, 1000)
	done := make(chan error, 1)
	go func() {
		done <- other.Watch(ctx, func(h store.Hint) {
			select {
			case heard <- h:
			default:
			}
		})
	}()
	wait := func(what string, act func(), wanted func(store.Hint) bool) {
		w.Helper()
		again := time.NewTicker(20 * time.Millisecond)
		defer again.Stop()
		for {
			act()
			select {
			case h := <-heard:
				if h.Node == second {
					w.Fatalf("%s: a hint of node %d came from node %d", what, h.Node, first)
				}
				if wanted(h) {
					return
				}
			case <-again.C:
			case err := <-done:
				w.Fatalf("watching ended: %v", err)
			}
		}
	}
	var a store.Accept
	wait("rows", func() {
		a = w.accept(1)
		w.commit(store.Batch{Accepts: []store.Accept{a}})
	}, func(h store.Hint) bool {
		return len(h.Shards) == 1 && h.Shards[0] == a.Deliveries[0].Shard() && h.Lowest != 0 && h.Lowest <= a.Deliveries[0].ID
	})
	wait("records", func() { w.apply(store.Put(w.record(store.KindSetting, ""))) }, func(h store.Hint) bool { return h.Records })
	end()
	<-done
}

func sharedRecords(w *world) {
	other := w.beside()
	at, err := other.Revision(w.ctx)
	w.must(err)
	r := w.record(store.KindWorkspace, "w", "alias")
	revision := w.apply(store.Insert(r))
	changed, upTo, complete, err := other.ChangedSince(w.ctx, at, 10)
	w.must(err)
	w.equal("changes", []any{changed, upTo, complete}, []any{[]store.RecordKey{{Kind: r.Kind, ID: r.ID}}, revision, true})
	got, err := other.ByAlias(w.ctx, store.KindWorkspace, "alias")
	w.must(err)
	w.equal("record", got, *r)
	stale := got
	got.Body = []byte(`{"n":2}`)
	_, err = other.Apply(w.ctx, []store.Change{store.Update(&got)})
	w.must(err)
	_, err = w.Apply(w.ctx, []store.Change{store.Update(&stale)})
	w.wantErr("a change from before", err, store.ErrRevision)
	taken := w.record(store.KindWorkspace, "w")
	_, err = w.Apply(w.ctx, []store.Change{store.Insert(taken)})
	w.wantErr("a name that the other node gave", err, store.ErrTaken)
}
