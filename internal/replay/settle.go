package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// resolve finds out whether a plan was carried out whose outcome is unknown: because the node that made it died, or because
// the engine did not say. All of it was stored, or nothing.
func (t *task) resolve(ctx context.Context) error {
	plan := t.r.Progress.Plan
	if plan == nil {
		return nil
	}
	waiting, err := t.waiting(ctx, plan.Items)
	if err != nil {
		return err
	}
	stored := len(waiting) > 0
	for i := 0; i < len(plan.Items) && !stored; i++ {
		switch _, err := t.s.Store.Delivery(ctx, plan.Items[i].ID); {
		case err == nil:
			stored = true
		case !errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("look for what was planned: %w", err)
		}
	}
	t.dirty = true
	if stored {
		t.r.Progress.carried()
	} else {
		t.drop()
	}
	return nil
}

// waiting returns those of the items that are in the queue.
func (t *task) waiting(ctx context.Context, items []Item) (map[ident.ID]bool, error) {
	found := make(map[ident.ID]bool)
	for some := range slices.Chunk(items, planLimit) {
		keys := make([]delivery.Key, len(some))
		for i, item := range some {
			keys[i] = delivery.Key(item)
		}
		rows, err := t.s.Store.QueueRows(ctx, keys)
		if err != nil {
			return nil, fmt.Errorf("read what is pending: %w", err)
		}
		for i := range rows {
			found[rows[i].ID] = true
		}
	}
	return found, nil
}

// settle counts what became of the deliveries that have ended. What was read before an error counts; the error comes again
// with the next step if it lasts.
func (t *task) settle(ctx context.Context) error {
	p := &t.r.Progress
	if len(p.Open) == 0 {
		return nil
	}
	waiting, err := t.waiting(ctx, p.Open)
	if err != nil {
		return err
	}
	open := make([]Item, 0, len(p.Open))
	next := *p
	for i, item := range p.Open {
		if waiting[item.ID] {
			open = append(open, item)
			continue
		}
		var ended bool
		if ended, err = t.conclude(ctx, &next, item); err != nil {
			open = append(open, p.Open[i:]...)
			break
		}
		if !ended {
			open = append(open, item)
		}
	}
	if len(open) == len(p.Open) {
		return err
	}
	next.Open = open
	*p, t.dirty = next, true
	return nil
}

// conclude counts the end of a delivery that is not in the queue any more; false means that it has not ended.
func (t *task) conclude(ctx context.Context, p *Progress, item Item) (bool, error) {
	summary, err := t.s.Store.Delivery(ctx, item.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		p.Unknown++
	case err != nil:
		return false, fmt.Errorf("read what became of delivery %s: %w", item.ID, err)
	case summary.State == delivery.Pending:
		return false, nil
	default:
		p.count(summary.State)
	}
	return true, nil
}

// count notes the end of one delivery.
func (p *Progress) count(state delivery.State) {
	switch state {
	case delivery.Delivered:
		p.Delivered++
	case delivery.Exhausted:
		p.Exhausted++
	default:
		p.Cancelled++
	}
}

// withdraw cancels what is pending of a replay that was cancelled with it. What is in flight ends with its attempt and is
// seen later.
func (t *task) withdraw(ctx context.Context) error {
	if !t.r.Withdraw || len(t.r.Progress.Open) == 0 {
		return nil
	}
	began := time.Now()
	for _, item := range t.r.Progress.Open {
		if err := t.s.Engine.Cancel(ctx, delivery.Key(item)); err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("cancel delivery %s: %w", item.ID, err)
		}
		if time.Since(began) > leaseTTL/5 {
			break // the rest in the next step: the lease wants to be kept
		}
	}
	return t.settle(ctx)
}
