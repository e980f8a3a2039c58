package dispatch

import (
	"context"
	"slices"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// Offer takes deliveries that this node has just committed, with their event. Those of its own shards start as soon as
// they are due, without being read back; the others are found by their owners. It never blocks. The event is not to be
// changed any more.
func (d *Dispatcher) Offer(e *event.Event, deliveries []delivery.Delivery) {
	if len(deliveries) == 0 || d.state.Load() != started {
		return
	}
	if e != nil {
		d.events.put(e.ID, &occurrence{event: e}, weigh(e))
	}
	d.offerRows(deliveries)
}

func (d *Dispatcher) offerRows(rows []delivery.Delivery) {
	now := d.deps.Now()
	from := ident.At(now.Add(-margin))
	if unseen := d.scheduler.offer(rows, from, now.UnixNano()); len(unseen) > 0 {
		d.hints.want(from, unseen...)
	}
}

// enqueueAtOnce is how many deliveries go into one record.
const enqueueAtOnce = 500

// Enqueue puts further deliveries into the queue, redeliveries and replays, and returns when they are durable.
func (d *Dispatcher) Enqueue(ctx context.Context, deliveries []delivery.Delivery) error {
	if err := d.open(); err != nil {
		return err
	}
	for rows := range slices.Chunk(deliveries, enqueueAtOnce) {
		rows = slices.Clone(rows)
		err := d.commit(ctx, committer.Record{Queue: rows, Done: func(err error) {
			if err == nil {
				d.offerRows(rows)
			}
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// commit makes a record durable and waits for it, or for ctx: then it may become durable still.
func (d *Dispatcher) commit(ctx context.Context, r committer.Record) error {
	done, then := make(chan error, 1), r.Done
	r.Done = func(err error) {
		then(err)
		done <- err
	}
	d.deps.Committer.Record(r)
	select {
	case err := <-done:
		if err != nil {
			return &fault.Error{Code: fault.Unavailable, Message: "It could not be stored. Try again.", Cause: err}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
