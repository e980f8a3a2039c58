package dispatch

import (
	"context"
	"fmt"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Cancel ends a pending delivery without a further attempt. One that is in flight ends with its attempt: delivered if
// that succeeds, cancelled otherwise. A delivery in another node's shard is ended in the store; if that node is sending
// it at the moment it may arrive nevertheless.
func (d *Dispatcher) Cancel(ctx context.Context, key delivery.Key) error {
	if err := d.open(); err != nil {
		return err
	}
	rows, err := d.deps.Store.QueueRows(ctx, []delivery.Key{key})
	if err != nil {
		return fmt.Errorf("read the delivery: %w", err)
	}
	if len(rows) == 0 {
		return fault.Missing("pending delivery", key.ID.String())
	}
	row := rows[0]
	for range 3 {
		f, was := d.scheduler.withdraw(&row, d.nano())
		switch was {
		case withdrawn:
			return d.recordCancel(ctx, f, row)
		case inFlight, ended:
			return nil
		case notOurs:
			a := delivery.Attempt{Delivery: row}
			d.cancelled(&a, reasonCancelled)
			if _, err := d.deps.Store.Commit(ctx, &store.Batch{Attempts: []delivery.Attempt{a}, Owner: a.Node}); err != nil {
				return fmt.Errorf("record the end of the delivery: %w", err)
			}
			return nil
		}
		if err := d.look(map[int]ident.ID{key.Shard: key.ID}); err != nil {
			return err
		}
	}
	return fault.New(fault.Unavailable, "The delivery is being read from the store at the moment. Try again.")
}

// recordCancel records the end of one withdrawn delivery and waits for it.
func (d *Dispatcher) recordCancel(ctx context.Context, f *flight, row delivery.Delivery) error {
	d.prefetch([]delivery.Delivery{row})
	a := delivery.Attempt{Delivery: row}
	d.cancelled(&a, reasonCancelled)
	return d.commit(ctx, committer.Record{Attempts: []delivery.Attempt{a}, Done: func(err error) {
		d.scheduler.settled(f, &a.Delivery, delivery.Cancelled, err, d.nano())
	}})
}
