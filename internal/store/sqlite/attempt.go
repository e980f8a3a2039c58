package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	attemptColumns = `SELECT delivery, subscription, cause, state, rest FROM attempt `
	attemptsOf     = attemptColumns + `WHERE delivery = ?`
	finalOf        = attemptColumns + `WHERE delivery = ? AND slot = 0`
	newestOf       = attemptColumns + `WHERE delivery = ? AND slot > 0 ORDER BY slot DESC LIMIT 1`
	repeatsOf      = attemptColumns + `INDEXED BY attempt_origin WHERE origin = ? AND cause IN (1, 2)` // redelivery, replay
	answeredOf     = attemptColumns + `INDEXED BY attempt_subscription WHERE subscription = ? AND status IS NOT NULL ORDER BY delivery DESC`
)

// scanAttempt reads a row of attemptColumns.
func scanAttempt(s *stmt) (delivery.Attempt, error) {
	a := delivery.Attempt{
		Delivery: delivery.Delivery{ID: ident.ID(s.colInt(0)), Subscription: ident.ID(s.colInt(1)), Cause: delivery.Cause(s.colInt(2))},
		State:    delivery.State(s.colInt(3)),
	}
	u := unpacker{rest: s.raw(4)}
	u.attempt(&a)
	if err := u.err(); err != nil {
		return a, fmt.Errorf("attempt of %s: %w", a.Delivery.ID, err)
	}
	return a, nil
}

// attemptRead appends the attempts of one statement about one ID.
func (c *conn) attemptRead(attempts []delivery.Attempt, text string, id ident.ID) ([]delivery.Attempt, error) {
	err := c.each(text, func(s *stmt) { s.int(int64(id)) }, func(s *stmt) (bool, error) {
		a, err := scanAttempt(s)
		attempts = append(attempts, a)
		return true, err
	})
	return attempts, err
}

// Attempts lists the attempts of a delivery and of those that repeat it by hand.
func (s *Store) Attempts(ctx context.Context, id ident.ID) (attempts []delivery.Attempt, err error) {
	err = s.browse(ctx, func(c *conn) error {
		if attempts, err = c.attemptRead(nil, attemptsOf, id); err != nil {
			return err
		}
		attempts, err = c.attemptRead(attempts, repeatsOf, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	slices.SortStableFunc(attempts, func(a, b delivery.Attempt) int {
		return cmp.Or(a.Result.StartedAt.Compare(b.Result.StartedAt), cmp.Compare(a.Delivery.ID, b.Delivery.ID), cmp.Compare(order(a), order(b)))
	})
	return attempts, nil
}

// order puts the final attempt behind the others of its delivery: one that was never made has number 0.
func order(a delivery.Attempt) int {
	if a.State != delivery.Pending {
		return 1 << 62
	}
	return a.Number
}

// LastAnswered returns a subscription's newest attempt that got an answer.
func (s *Store) LastAnswered(ctx context.Context, subscription ident.ID) (last delivery.Attempt, err error) {
	err = s.browse(ctx, func(c *conn) error {
		found := false
		err := c.each(answeredOf, func(s *stmt) { s.int(int64(subscription)) }, func(s *stmt) (bool, error) {
			if found && ident.ID(s.colInt(0)) != last.Delivery.ID {
				return false, nil
			}
			a, err := scanAttempt(s)
			if err != nil {
				return false, err
			}
			if !found || order(a) > order(last) {
				last = a
			}
			found = true
			return true, nil
		})
		return orNotFound(found, err)
	})
	if err != nil {
		return delivery.Attempt{}, fmt.Errorf("read the last answer: %w", err)
	}
	return last, nil
}

// Delivery returns one delivery: from its final attempt, or from the queue.
func (s *Store) Delivery(ctx context.Context, id ident.ID) (sum store.Summary, err error) {
	err = s.browse(ctx, func(c *conn) error {
		final, err := c.attemptRead(nil, finalOf, id)
		if err != nil {
			return err
		}
		if len(final) > 0 {
			sum = store.Summary{Delivery: final[0].Delivery, State: final[0].State, Last: &final[0]}
			return nil
		}
		row, err := c.pending(id)
		if err != nil {
			return err
		}
		sum = store.Summary{Delivery: row}
		sum.Last, err = c.newest(id)
		return err
	})
	if err != nil {
		return store.Summary{}, fmt.Errorf("read a delivery: %w", err)
	}
	return sum, nil
}

// pending finds a row of the queue without its shard, or ErrNotFound.
func (c *conn) pending(id ident.ID) (delivery.Delivery, error) {
	var rows []delivery.Delivery
	for shard := range delivery.Shards {
		var err error
		rows, err = c.queueRead(rows, queueByKey, func(s *stmt) { s.int(int64(shard)).int(int64(id)) })
		if err != nil {
			return delivery.Delivery{}, err
		}
		if len(rows) > 0 {
			return rows[0], nil
		}
	}
	return delivery.Delivery{}, store.ErrNotFound
}

// newest returns the newest attempt of a pending delivery, nil before the first.
func (c *conn) newest(id ident.ID) (*delivery.Attempt, error) {
	attempts, err := c.attemptRead(nil, newestOf, id)
	if err != nil || len(attempts) == 0 {
		return nil, err
	}
	return &attempts[0], nil
}
