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
	queueColumns = `SELECT id, subscription, attempts, due, rest FROM queue `
	queueOfShard = queueColumns + `WHERE shard = ? AND id BETWEEN ? AND ? ORDER BY id LIMIT ?`
	queueByKey   = queueColumns + `WHERE shard = ? AND id = ?`
	queueOfSub   = queueColumns + `INDEXED BY queue_subscription WHERE subscription = ? AND id > ? ORDER BY id LIMIT ?`

	readBooks = `SELECT accepted, delivered, exhausted, cancelled, (SELECT count(*) FROM queue) FROM counter`

	newestEvent   = `SELECT id + deliveries * ? FROM event WHERE id & ? = ? ORDER BY id DESC LIMIT 1`
	newestAttempt = `SELECT delivery FROM attempt WHERE delivery & ? = ? ORDER BY delivery DESC LIMIT 1`
	newestQueue   = `SELECT id FROM queue WHERE shard = ? AND id & ? = ? ORDER BY id DESC LIMIT 1`
)

const maxID ident.ID = 1<<63 - 1

// scanQueue reads a row of queueColumns.
func scanQueue(s *stmt) (delivery.Delivery, error) {
	d := delivery.Delivery{
		ID: ident.ID(s.colInt(0)), Subscription: ident.ID(s.colInt(1)), Attempts: int(s.colInt(2)), Due: unpackTime(s.colInt(3)),
	}
	u := unpacker{rest: s.raw(4)}
	d.Cause = delivery.Cause(u.byte())
	u.delivery(&d)
	if err := u.err(); err != nil {
		return d, fmt.Errorf("row %s of the queue: %w", d.ID, err)
	}
	return d, nil
}

// queueRead appends the rows of one statement.
func (c *conn) queueRead(rows []delivery.Delivery, text string, bind func(*stmt)) ([]delivery.Delivery, error) {
	err := c.each(text, bind, func(s *stmt) (bool, error) {
		d, err := scanQueue(s)
		rows = append(rows, d)
		return true, err
	})
	return rows, err
}

// Queue reads rows of a shard in the order of their IDs.
func (s *Store) Queue(ctx context.Context, shard int, after ident.ID, limit int) (rows []delivery.Delivery, err error) {
	if after == maxID {
		return nil, nil
	}
	err = s.view(ctx, func(c *conn) error {
		rows, err = c.queueRead(nil, queueOfShard, func(s *stmt) { s.int(int64(shard)).int(int64(after + 1)).int(int64(maxID)).int(int64(limit)) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return rows, nil
}

// QueueSince reads the rows of several shards from an ID on, in the order of their IDs.
func (s *Store) QueueSince(ctx context.Context, shards []int, from ident.ID, limit int) (rows []delivery.Delivery, err error) {
	err = s.view(ctx, func(c *conn) error {
		for _, shard := range shards {
			rows, err = c.queueRead(rows, queueOfShard, func(s *stmt) { s.int(int64(shard)).int(int64(from)).int(int64(maxID)).int(int64(limit)) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	slices.SortFunc(rows, func(a, b delivery.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return rows[:min(limit, len(rows))], nil
}

// QueueRows reads the rows that are still there.
func (s *Store) QueueRows(ctx context.Context, keys []delivery.Key) (rows []delivery.Delivery, err error) {
	err = s.view(ctx, func(c *conn) error {
		for _, key := range keys {
			rows, err = c.queueRead(rows, queueByKey, func(s *stmt) { s.int(int64(key.Shard)).int(int64(key.ID)) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rows of the queue: %w", err)
	}
	return rows, nil
}

// QueueOf reads rows of one subscription.
func (s *Store) QueueOf(ctx context.Context, subscription, after ident.ID, limit int) (rows []delivery.Delivery, err error) {
	err = s.view(ctx, func(c *conn) error {
		rows, err = c.queueRead(nil, queueOfSub, func(s *stmt) { s.int(int64(subscription)).int(int64(after)).int(int64(limit)) })
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue of a subscription: %w", err)
	}
	return rows, nil
}

// Newest returns the highest ID that a node has stored.
func (s *Store) Newest(ctx context.Context, number int) (newest ident.ID, err error) {
	higher := func(s *stmt) error { newest = max(newest, ident.ID(s.colInt(0))); return nil }
	err = s.view(ctx, func(c *conn) error {
		of := func(s *stmt) { s.int(ident.MaxNode).int(int64(number)) }
		if _, err := c.one(newestEvent, func(s *stmt) { of(s.int(int64(ident.Step))) }, higher); err != nil {
			return err
		}
		if _, err := c.one(newestAttempt, of, higher); err != nil {
			return err
		}
		for shard := range delivery.Shards {
			if _, err := c.one(newestQueue, func(s *stmt) { of(s.int(int64(shard))) }, higher); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read the newest identifier: %w", err)
	}
	return newest, nil
}

// Books returns the accounts; one statement reads them, so they are of one moment.
func (s *Store) Books(ctx context.Context) (books store.Books, err error) {
	err = s.view(ctx, func(c *conn) error {
		_, err := c.one(readBooks, nil, func(s *stmt) error {
			books = store.Books{
				Accepted: s.colInt(0), Delivered: s.colInt(1), Exhausted: s.colInt(2), Cancelled: s.colInt(3), Counted: s.colInt(4),
			}
			return nil
		})
		return err
	})
	if err != nil {
		return store.Books{}, fmt.Errorf("read the books: %w", err)
	}
	return books, nil
}
