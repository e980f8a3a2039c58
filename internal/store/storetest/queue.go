package storetest

import (
	"math"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var queueParts = []part{
	{"queue/a shard is read in pages by ID", queuePages},
	{"queue/what was added since", queueSince},
	{"queue/rows by key", queueRows},
	{"queue/rows of a subscription", queueOf},
	{"queue/a move changes attempts and due alone", moves},
	{"queue/a final attempt removes the row", finals},
}

// backlog fills the queue with deliveries to many destinations and returns them in the order of their IDs.
func (w *world) backlog(events, each int) []delivery.Delivery {
	w.Helper()
	var b store.Batch
	var all []delivery.Delivery
	for range events {
		a := w.accept(each)
		for i := range a.Deliveries {
			a.Deliveries[i].Destination = ident.Derive("destination", a.Deliveries[i].ID.String())
		}
		b.Accepts, all = append(b.Accepts, a), append(all, a.Deliveries...)
	}
	w.commit(b)
	return all
}

func ofShard(all []delivery.Delivery, shards ...int) []delivery.Delivery {
	return slices.DeleteFunc(slices.Clone(all), func(d delivery.Delivery) bool { return !slices.Contains(shards, d.Shard()) })
}

func queuePages(w *world) {
	all := w.backlog(50, 10)
	seen := 0
	for shard := range delivery.Shards {
		want := ofShard(all, shard)
		var got []delivery.Delivery
		var after ident.ID
		for {
			rows, err := w.Queue(w.ctx, shard, after, 3)
			w.must(err)
			if len(rows) > 3 {
				w.Fatalf("%d rows, want 3 at most", len(rows))
			}
			if len(rows) == 0 {
				break
			}
			got, after = append(got, rows...), rows[len(rows)-1].ID
		}
		w.equal("shard", got, want)
		seen += len(got)
	}
	w.equal("rows in all shards", seen, len(all))
}

func queueSince(w *world) {
	all := w.backlog(40, 5)
	from := all[100].ID
	shards := []int{3, 17, 18, 40, 63, 0}
	var want []delivery.Delivery
	for _, d := range ofShard(all, shards...) {
		if d.ID >= from {
			want = append(want, d)
		}
	}
	rows, err := w.QueueSince(w.ctx, shards, from, 1000)
	w.must(err)
	w.equal("since", rows, want)
	rows, err = w.QueueSince(w.ctx, shards, from, 2)
	w.must(err)
	w.equal("the lowest two", rows, want[:min(2, len(want))])
	rows, err = w.QueueSince(w.ctx, nil, from, 10)
	w.must(err)
	w.equal("no shard", rows, nil)
	shards = nil
	for shard := range delivery.Shards {
		shards = append(shards, shard)
	}
	rows, err = w.QueueSince(w.ctx, shards, 0, 10_000)
	w.must(err)
	w.equal("everything", rows, all)
}

func queueRows(w *world) {
	all := w.backlog(30, 10)
	w.equal("all", w.rows(all...), all)
	keys := []delivery.Key{
		all[5].Key(), {Shard: all[6].Shard(), ID: w.id()}, {Shard: (all[7].Shard() + 1) % delivery.Shards, ID: all[7].ID}, all[8].Key(),
	}
	rows, err := w.QueueRows(w.ctx, keys)
	w.must(err)
	w.equal("those that are there", byID(rows), []delivery.Delivery{all[5], all[8]})
	rows, err = w.QueueRows(w.ctx, nil)
	w.must(err)
	w.equal("none", rows, nil)
}

func queueOf(w *world) {
	all := w.backlog(20, 4)
	var want []delivery.Delivery
	for _, d := range all {
		if d.Subscription == 1002 {
			want = append(want, d)
		}
	}
	rows, err := w.QueueOf(w.ctx, 1002, 0, 100)
	w.must(err)
	w.equal("all", rows, want)
	rows, err = w.QueueOf(w.ctx, 1002, want[4].ID, 3)
	w.must(err)
	w.equal("a page", rows, want[5:8])
	rows, err = w.QueueOf(w.ctx, 1002, math.MaxInt64, 3)
	w.must(err)
	w.equal("after the end", rows, nil)
	rows, err = w.QueueOf(w.ctx, 7, 0, 3)
	w.must(err)
	w.equal("unknown", rows, nil)
	w.commit(store.Batch{Attempts: []delivery.Attempt{w.cancelled(want[0])}})
	rows, err = w.QueueOf(w.ctx, 1002, 0, 2)
	w.must(err)
	w.equal("without the cancelled one", rows, want[1:3])
}

func moves(w *world) {
	all := w.backlog(10, 10)
	var b store.Batch
	want := slices.Clone(all)
	for i := range all {
		if i%2 == 0 {
			continue
		}
		want[i].Attempts, want[i].Due = i, w.tick()
		moved := want[i]
		moved.Version, moved.Pinned, moved.Sequence = 99, true, 99
		b.Moves = append(b.Moves, moved)
	}
	absent := w.again(all[0], delivery.CauseReplay)
	b.Moves = append(b.Moves, absent)
	w.commit(b)
	w.equal("queue", w.rows(all...), want)
	w.equal("a row that was not there", w.rows(absent), nil)
	w.equal("books", w.balanced(), store.Books{Accepted: 100, Counted: 100})
}

func finals(w *world) {
	all := w.backlog(20, 5)
	var b store.Batch
	var left []delivery.Delivery
	for i, d := range all {
		state := delivery.States()[i%4]
		b.Attempts = append(b.Attempts, w.attempt(d, state, 200+100*i%4))
		if state == delivery.Pending {
			left = append(left, d)
		}
	}
	w.commit(b)
	w.equal("queue", w.rows(all...), left)
	w.equal("books", w.balanced(), store.Books{Accepted: 100, Delivered: 25, Exhausted: 25, Cancelled: 25, Counted: 25})
}
