package sqlite

import (
	"context"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	raiseRevision = `UPDATE counter SET revision = revision + 1 RETURNING revision`
	readRevision  = `SELECT revision FROM counter`

	recordColumns = `SELECT kind, id, parent, name, revision, body FROM record `
	recordByID    = recordColumns + `WHERE kind = ? AND id = ?`
	recordByName  = recordColumns + `INDEXED BY record_name WHERE kind = ? AND parent = ? AND name = ?`
	recordsOfKind = recordColumns + `WHERE kind = ? AND id BETWEEN ? AND ?`
	recordsBelow  = recordColumns + `INDEXED BY record_parent WHERE kind = ? AND parent = ? AND id BETWEEN ? AND ?`
	countOfKind   = `SELECT count(*) FROM record WHERE kind = ?`
	countBelow    = `SELECT count(*) FROM record INDEXED BY record_parent WHERE kind = ? AND parent = ?`
	putRecord     = `INSERT INTO record (kind, id, parent, name, revision, body) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (kind, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, revision = excluded.revision, body = excluded.body`
	deleteRecord  = `DELETE FROM record WHERE kind = ? AND id = ?`
	revisionOf    = `SELECT revision FROM record WHERE kind = ? AND id = ?`
	idOfAlias     = `SELECT id FROM alias WHERE kind = ? AND alias = ?`
	aliasesOf     = `SELECT alias FROM alias INDEXED BY alias_id WHERE kind = ? AND id = ? ORDER BY alias`
	insertAlias   = `INSERT INTO alias (kind, alias, id) VALUES (?, ?, ?)`
	deleteAliases = `DELETE FROM alias WHERE kind = ? AND id = ?`
)

// Apply makes all changes in one transaction, or none.
func (s *Store) Apply(ctx context.Context, changes []store.Change) (revision int64, err error) {
	err = s.update(ctx, func(c *conn) error {
		_, err := c.one(raiseRevision, nil, func(s *stmt) error { revision = s.colInt(0); return nil })
		if err != nil {
			return err
		}
		for _, change := range changes {
			if err := c.change(change, revision); err != nil {
				return err
			}
		}
		return c.cutChanges()
	})
	if err != nil {
		return 0, fmt.Errorf("apply changes: %w", err)
	}
	for _, change := range changes {
		if change.Put != nil {
			change.Put.Revision = revision
		}
	}
	return revision, nil
}

func (c *conn) change(change store.Change, revision int64) error {
	key := store.RecordKey{}
	if change.Put != nil {
		key = store.RecordKey{Kind: change.Put.Kind, ID: change.Put.ID}
	} else {
		key = *change.Delete
	}
	var now int64
	_, err := c.one(revisionOf, keyed(key), func(s *stmt) error { now = s.colInt(0); return nil })
	if err != nil {
		return err
	}
	if change.Delete != nil && now == 0 {
		return nil // it is gone already
	}
	if change.Expect != store.AnyRevision && change.Expect != now {
		return store.ErrRevision
	}
	if _, err := c.one(deleteAliases, keyed(key), nil); err != nil {
		return err
	}
	if change.Put != nil {
		err = c.put(change.Put, revision)
	} else {
		_, err = c.one(deleteRecord, keyed(key), nil)
	}
	if err != nil {
		return err
	}
	return c.logChange(key, revision)
}

func (c *conn) put(r *store.Record, revision int64) error {
	_, err := c.one(putRecord, func(s *stmt) {
		s.string(string(r.Kind)).int(int64(r.ID)).int(int64(r.Parent)).text(r.Name).int(revision).bytes(r.Body)
	}, nil)
	if isUnique(err) {
		return &store.TakenError{Kind: r.Kind, Name: r.Name}
	}
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, alias := range r.Aliases {
		if seen[alias] {
			continue
		}
		seen[alias] = true
		_, err := c.one(insertAlias, func(s *stmt) { s.string(string(r.Kind)).string(alias).int(int64(r.ID)) }, nil)
		if isUnique(err) {
			return &store.TakenError{Kind: r.Kind, Alias: alias}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// keyed binds the key of a record.
func keyed(key store.RecordKey) func(*stmt) {
	return func(s *stmt) { s.string(string(key.Kind)).int(int64(key.ID)) }
}

// scanRecord reads a row of recordColumns, and the record's aliases.
func (c *conn) scanRecord(s *stmt) (store.Record, error) {
	r := store.Record{
		Kind: store.Kind(s.colText(0)), ID: ident.ID(s.colInt(1)), Parent: ident.ID(s.colInt(2)), Name: s.colText(3),
		Revision: s.colInt(4), Body: s.colBytes(5),
	}
	err := c.each(aliasesOf, keyed(store.RecordKey{Kind: r.Kind, ID: r.ID}), func(s *stmt) (bool, error) {
		r.Aliases = append(r.Aliases, s.colText(0))
		return true, nil
	})
	return r, err
}

// record reads one record, or ErrNotFound.
func (c *conn) record(text string, bind func(*stmt)) (r store.Record, err error) {
	found, err := c.one(text, bind, func(s *stmt) error {
		var err error
		r, err = c.scanRecord(s)
		return err
	})
	return r, orNotFound(found, err)
}

// Get returns one record.
func (s *Store) Get(ctx context.Context, kind store.Kind, id ident.ID) (r store.Record, err error) {
	err = s.view(ctx, func(c *conn) error {
		r, err = c.record(recordByID, keyed(store.RecordKey{Kind: kind, ID: id}))
		return err
	})
	return r, wrapRecord(err)
}

// ByName returns the record of the name within the parent.
func (s *Store) ByName(ctx context.Context, kind store.Kind, parent ident.ID, name string) (r store.Record, err error) {
	err = s.view(ctx, func(c *conn) error {
		r, err = c.record(recordByName, func(s *stmt) { s.string(string(kind)).int(int64(parent)).string(name) })
		return err
	})
	return r, wrapRecord(err)
}

// ByAlias returns the record with the alias.
func (s *Store) ByAlias(ctx context.Context, kind store.Kind, alias string) (r store.Record, err error) {
	err = s.view(ctx, func(c *conn) error {
		var id ident.ID
		found, err := c.one(idOfAlias, func(s *stmt) { s.string(string(kind)).string(alias) }, func(s *stmt) error {
			id = ident.ID(s.colInt(0))
			return nil
		})
		if err := orNotFound(found, err); err != nil {
			return err
		}
		r, err = c.record(recordByID, keyed(store.RecordKey{Kind: kind, ID: id}))
		return err
	})
	return r, wrapRecord(err)
}

func wrapRecord(err error) error {
	if err != nil {
		return fmt.Errorf("read a record: %w", err)
	}
	return nil
}

// List lists records of a kind.
func (s *Store) List(ctx context.Context, kind store.Kind, parent ident.ID, page store.Page) (records []store.Record, err error) {
	at := spanOf(page, store.Range{})
	way := recordsOfKind
	if parent != 0 {
		way = recordsBelow
	}
	err = s.view(ctx, func(c *conn) error {
		bind := func(s *stmt) {
			s.string(string(kind))
			if parent != 0 {
				s.int(int64(parent))
			}
			s.int(int64(at.lo)).int(int64(at.hi))
		}
		return c.each(way+at.order("id"), bind, func(s *stmt) (bool, error) {
			r, err := c.scanRecord(s)
			records = append(records, r)
			return len(records) < at.limit, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return records, nil
}

// Count counts what List would list.
func (s *Store) Count(ctx context.Context, kind store.Kind, parent ident.ID) (n int, err error) {
	way := countOfKind
	if parent != 0 {
		way = countBelow
	}
	err = s.view(ctx, func(c *conn) error {
		_, err := c.one(way, func(s *stmt) {
			s.string(string(kind))
			if parent != 0 {
				s.int(int64(parent))
			}
		}, func(s *stmt) error { n = int(s.colInt(0)); return nil })
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count records: %w", err)
	}
	return n, nil
}

// Revision returns the records' revision.
func (s *Store) Revision(ctx context.Context) (revision int64, err error) {
	err = s.view(ctx, func(c *conn) error {
		_, err := c.one(readRevision, nil, func(s *stmt) error { revision = s.colInt(0); return nil })
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the revision: %w", err)
	}
	return revision, nil
}
