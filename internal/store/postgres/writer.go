package postgres

import (
	"github.com/jackc/pgx/v5/pgconn"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// writer is one of the transactions of Commit that may run at a time, with memory that it uses again and again.
type writer struct {
	slot int

	arrays  arrays
	events  []*store.Event
	rows    []*delivery.Delivery
	finals  []*delivery.Attempt
	highest [ident.MaxNode + 1]ident.ID // of the new IDs in the batch, by the node that made them
	booked  [ident.MaxNode + 1]ident.ID // what the book is known to hold of them
	lanes   lanes
}

// gather collects what a try stores: everything but the accepts that were judged already.
func (w *writer) gather(batch *store.Batch, verdicts []store.Verdict) {
	w.events, w.rows, w.finals = w.events[:0], w.rows[:0], w.finals[:0]
	clear(w.highest[:])
	w.lanes.reset()
	for i := range batch.Accepts {
		if verdicts != nil && verdicts[i] != (store.Verdict{}) {
			continue
		}
		a := &batch.Accepts[i]
		w.events = append(w.events, &a.Event)
		w.saw(a.Event.ID)
		for k := range a.Deliveries {
			w.add(&a.Deliveries[k])
		}
	}
	for i := range batch.Queue {
		w.add(&batch.Queue[i])
	}
	for i := range batch.Attempts {
		a := &batch.Attempts[i]
		w.lanes.saw(&a.Delivery)
		if a.State != delivery.Pending {
			w.finals = append(w.finals, a)
		}
		// A single attempt that was never queued brings an ID of the node that made it. Other IDs were seen when they came.
		if a.Delivery.ID.Node() == a.Node || a.Delivery.Cause == delivery.CauseVerification {
			w.saw(a.Delivery.ID)
		}
	}
}

func (w *writer) add(d *delivery.Delivery) {
	w.rows = append(w.rows, d)
	w.saw(d.ID)
	w.lanes.saw(d)
}

func (w *writer) saw(id ident.ID) {
	if node := id.Node(); id > w.highest[node] {
		w.highest[node] = id
	}
}

// binaryFormat says that all parameters are in binary format.
var binaryFormat = []int16{1}

// message puts the statements of a try together, in the order of the batch's fields.
func (w *writer) message(batch *store.Batch, shards shardSet, late bool, node int, instance string) *pgconn.Batch {
	a := &w.arrays
	a.reset()
	message := &pgconn.Batch{}
	run := func(name string) { message.ExecPrepared(name, a.take(), binaryFormat, nil) }

	if shards != 0 {
		shards.columns(a, batch)
		run(hotFence)
	}
	if len(w.lanes.fresh) > 0 {
		w.lanes.columns(a)
		run(hotLanes)
	}
	if len(w.events) > 0 {
		eventColumns(a, w.events)
		run(hotEvents)
	}
	accepted := len(w.rows)
	if len(w.rows) > 0 {
		queueColumns(a, w.rows)
		if late {
			accepted = 0 // the statement counts what it adds
			a.int16(node)
			a.int16(w.slot)
			run(hotQueueLate)
		} else {
			run(hotQueue)
		}
	}
	if len(batch.Attempts) > 0 {
		attemptColumns(a, batch.Attempts)
		if late {
			run(hotAttemptsLate)
		} else {
			run(hotAttempts)
		}
	}
	if len(batch.Moves) > 0 {
		keyColumns(a, len(batch.Moves), func(i int) *delivery.Delivery { return &batch.Moves[i] })
		a.int32s(len(batch.Moves), func(i int) int { return batch.Moves[i].Attempts })
		a.int64s(len(batch.Moves), func(i int) int64 { return nanos(batch.Moves[i].Due) })
		run(hotMoves)
	}
	if accepted > 0 || len(w.finals) > 0 || w.highest[node] != 0 {
		w.settle(a, node, accepted)
		run(hotSettle)
	}
	for other, id := range w.highest {
		if other != node && id > w.booked[other] {
			a.int16(other)
			a.int16(w.slot)
			a.int64(int64(id))
			run(hotNewest)
		}
	}
	if hint := w.hint(batch.Epochs); hint.Shards != nil {
		a.text(encodeHint(instance, node, hint))
		run(hotHint)
	}
	return message
}

func (w *writer) settle(a *arrays, node, accepted int) {
	keyColumns(a, len(w.finals), func(i int) *delivery.Delivery { return &w.finals[i].Delivery })
	a.int16s(len(w.finals), func(i int) int { return int(w.finals[i].State) })
	a.int16(node)
	a.int16(w.slot)
	a.int64(int64(accepted))
	a.int64(int64(w.highest[node]))
}

// stored notes what the book holds after a commit.
func (w *writer) stored() {
	for node, id := range w.highest {
		w.booked[node] = max(w.booked[node], id)
	}
	w.lanes.stored()
}

// hint says which shards got rows that this node does not send by itself. What it owns it has in memory already.
func (w *writer) hint(own map[int]int64) store.Hint {
	var shards shardSet
	var hint store.Hint
	for _, d := range w.rows {
		shard := d.Shard()
		if _, ok := own[shard]; ok {
			continue
		}
		shards.add(shard)
		if hint.Lowest == 0 || d.ID < hint.Lowest {
			hint.Lowest = d.ID
		}
	}
	if shards != 0 {
		hint.Shards = shards.list()
	}
	return hint
}
