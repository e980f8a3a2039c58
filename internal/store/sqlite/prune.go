package sqlite

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

const (
	oldEvents     = blockColumns + `WHERE id < ? ORDER BY id`
	countFinals   = `SELECT count(*) FROM attempt WHERE delivery BETWEEN ? AND ? AND slot = 0 AND cause = 0`
	pendingAside  = `SELECT 1 FROM queue INDEXED BY queue_aside_event WHERE aside = ? LIMIT 1`
	deleteEvent   = `DELETE FROM event WHERE id = ?`
	deleteBlock   = `DELETE FROM attempt WHERE delivery BETWEEN ? AND ?`
	deleteRepeats = `DELETE FROM attempt WHERE (delivery, slot) IN (SELECT delivery, slot FROM attempt INDEXED BY attempt_origin WHERE origin BETWEEN ? AND ?)`
	deleteSingles = `DELETE FROM attempt WHERE (delivery, slot) IN
		(SELECT delivery, slot FROM attempt INDEXED BY attempt_aside WHERE cause <> 0 AND delivery < ? AND cause = ? ORDER BY delivery LIMIT ?)`
)

// Prune removes old events that nothing is owed of, with their attempts. What can go is looked for without holding up who
// writes; it is looked at again in the transaction that removes it. Verifications, which have no event, go by their own
// age.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	first := ident.At(before)
	var old []block
	err = s.browse(ctx, func(c *conn) error {
		return c.each(oldEvents, func(s *stmt) { s.int(int64(first)) }, func(s *stmt) (bool, error) {
			b := scanBlock(s)
			done, err := c.settled(b)
			if done {
				old = append(old, b)
			}
			return len(old) < limit, err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("look for old events: %w", err)
	}
	err = s.update(ctx, func(c *conn) error {
		removed = 0
		for _, b := range old {
			done, err := c.settled(b)
			if err == nil && done {
				removed++
				err = c.remove(b)
			}
			if err != nil {
				return err
			}
		}
		_, err := c.one(deleteSingles, func(s *stmt) { s.int(int64(first)).int(int64(delivery.CauseVerification)).int(int64(limit)) }, nil)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("remove old events: %w", err)
	}
	return removed, nil
}

// settled reports whether every delivery of the event has ended, and everything that repeats one.
func (c *conn) settled(b block) (done bool, err error) {
	_, err = c.one(countFinals, func(s *stmt) { s.int(int64(b.event + 1)).int(int64(b.last())) }, func(s *stmt) error {
		done = s.colInt(0) >= int64(b.deliveries)
		return nil
	})
	if !done || err != nil {
		return false, err
	}
	owed, err := c.one(pendingAside, func(s *stmt) { s.int(int64(b.event)) }, nil)
	return !owed && err == nil, err
}

func (c *conn) remove(b block) error {
	for _, text := range []string{deleteRepeats, deleteBlock} {
		if _, err := c.one(text, func(s *stmt) { s.int(int64(b.event + 1)).int(int64(b.last())) }, nil); err != nil {
			return err
		}
	}
	_, err := c.one(deleteEvent, func(s *stmt) { s.int(int64(b.event)) }, nil)
	return err
}
