package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var (
	_ store.Exporter = (*Store)(nil)
	_ store.Importer = (*Store)(nil)
)

const (
	// kindsOfRecords leaps from one kind to the next by the primary key.
	kindsOfRecords = `WITH RECURSIVE k (kind) AS (
			SELECT min(kind) FROM record
			UNION ALL
			SELECT (SELECT min(r.kind) FROM record r WHERE r.kind > k.kind) FROM k WHERE k.kind IS NOT NULL)
		SELECT kind FROM k WHERE kind IS NOT NULL`
	attemptsAfter = attemptColumns + `WHERE delivery > ? ORDER BY delivery, slot`
)

// Kinds implements store.Exporter.
func (s *Store) Kinds(ctx context.Context) (kinds []store.Kind, err error) {
	err = s.browse(ctx, func(c *conn) error {
		return c.each(kindsOfRecords, nil, func(s *stmt) (bool, error) {
			kinds = append(kinds, store.Kind(s.colText(0)))
			return true, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the kinds of records: %w", err)
	}
	return kinds, nil
}

// AttemptsAfter implements store.Exporter.
func (s *Store) AttemptsAfter(ctx context.Context, after ident.ID, limit int) (attempts []delivery.Attempt, err error) {
	err = s.browse(ctx, func(c *conn) error {
		return c.each(attemptsAfter, func(s *stmt) { s.int(int64(after)) }, func(s *stmt) (bool, error) {
			n := len(attempts)
			if n >= limit && ident.ID(s.colInt(0)) != attempts[n-1].Delivery.ID {
				return false, nil
			}
			a, err := scanAttempt(s)
			attempts = append(attempts, a)
			return true, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	return attempts, nil
}

// EnterBooks implements store.Importer.
func (s *Store) EnterBooks(ctx context.Context, b store.Books) error {
	err := s.update(ctx, func(c *conn) error {
		w := writer{c: c, books: b}
		return w.count()
	})
	if err != nil {
		return fmt.Errorf("enter into the books: %w", err)
	}
	return nil
}

// Duplicate copies the database of a process that was stopped into a directory. Opening a database writes to it; whoever
// must not touch one opens a copy. The original stays locked until release is called.
func Duplicate(path, dir string) (copied string, release func() error, err error) {
	if _, err := os.Stat(path); err != nil {
		return "", nil, fmt.Errorf("there is no database to copy: %w", err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return "", nil, err
	}
	copied = filepath.Join(dir, filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} { // a process that was killed leaves its newest commits in the log
		err := copyFile(path+suffix, copied+suffix)
		if suffix != "" && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, errors.Join(fmt.Errorf("copy the database: %w", err), lock.release())
		}
	}
	return copied, lock.release, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
