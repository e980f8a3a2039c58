package sqlite

import (
	"context"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	insertChange = `INSERT INTO change (revision, kind, id) VALUES (?, ?, ?)`
	changesAfter = `SELECT revision, kind, id FROM change INDEXED BY change_revision WHERE revision > ? ORDER BY revision, serial`
	newestChange = `SELECT max(serial) FROM change`
	cutOf        = `SELECT revision FROM change WHERE serial <= ? ORDER BY serial DESC LIMIT 1`
	deleteCut    = `DELETE FROM change WHERE serial <= ?`
	writeCut     = `UPDATE counter SET cut = ?`
	readCut      = `SELECT revision, cut FROM counter`
)

func (c *conn) logChange(key store.RecordKey, revision int64) error {
	_, err := c.one(insertChange, func(s *stmt) { s.int(revision).string(string(key.Kind)).int(int64(key.ID)) }, nil)
	return err
}

// cutChanges drops the oldest changes, and notes the revision from which on all are there.
func (c *conn) cutChanges() error {
	var last, cut int64
	if _, err := c.one(newestChange, nil, func(s *stmt) error { last = s.colInt(0) - store.ChangesKept; return nil }); err != nil {
		return err
	}
	found, err := c.one(cutOf, func(s *stmt) { s.int(last) }, func(s *stmt) error { cut = s.colInt(0); return nil })
	if !found || err != nil {
		return err
	}
	if _, err := c.one(deleteCut, func(s *stmt) { s.int(last) }, nil); err != nil {
		return err
	}
	_, err = c.one(writeCut, func(s *stmt) { s.int(cut) }, nil)
	return err
}

// ChangedSince lists which records changed. A revision is read whole, even beyond the limit: who reads on from upTo must
// not miss the rest of it.
func (s *Store) ChangedSince(ctx context.Context, since int64, limit int) (changed []store.RecordKey, upTo int64, complete bool, err error) {
	err = s.view(ctx, func(c *conn) error {
		var revision, cut int64
		if _, err := c.one(readCut, nil, func(s *stmt) error { revision, cut = s.colInt(0), s.colInt(1); return nil }); err != nil {
			return err
		}
		upTo, complete = revision, since >= cut && since <= revision
		if !complete {
			return nil
		}
		at := since
		return c.each(changesAfter, func(s *stmt) { s.int(since) }, func(s *stmt) (bool, error) {
			if next := s.colInt(0); next != at {
				if len(changed) >= limit {
					upTo = at
					return false, nil
				}
				at = next
			}
			changed = append(changed, store.RecordKey{Kind: store.Kind(s.colText(1)), ID: ident.ID(s.colInt(2))})
			return true, nil
		})
	})
	if err != nil {
		return nil, 0, false, fmt.Errorf("read changes: %w", err)
	}
	return changed, upTo, complete, nil
}
