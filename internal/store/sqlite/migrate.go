package sqlite

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

const migrationTable = `CREATE TABLE IF NOT EXISTS migration (
    number  INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL,
    hash    TEXT    NOT NULL,
    applied TEXT    NOT NULL
) STRICT`

// migration is one numbered step of the schema. A step that has landed is never edited: databases out there have it.
type migration struct {
	number int64
	name   string
	script string
	hash   string
}

// readMigrations reads the steps in their order; they are numbered from 1 without gaps.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql") // sorted
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var all []migration
	for i, path := range names {
		script, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		digits, _, _ := strings.Cut(name, "_")
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || number != int64(i+1) {
			return nil, fmt.Errorf("migration %s is not number %d", name, i+1)
		}
		sum := sha256.Sum256(script)
		all = append(all, migration{number, name, string(script), hex.EncodeToString(sum[:])})
	}
	return all, nil
}

// migrate brings the database to the newest schema, each step in a transaction of its own. The caller holds the lock on
// the database.
func migrate(c *conn, steps []migration, now time.Time) error {
	if err := c.exec(migrationTable); err != nil {
		return fmt.Errorf("prepare migrations: %w", err)
	}
	applied, err := appliedMigrations(c)
	if err != nil {
		return err
	}
	if len(applied) > len(steps) {
		return fmt.Errorf("the database has schema %d and this release knows %d: it was written by a newer release", len(applied), len(steps))
	}
	for i, step := range steps {
		if i < len(applied) {
			if applied[i] != step.hash {
				return fmt.Errorf("migration %s was edited after it had landed: the database has another one of that number", step.name)
			}
			continue
		}
		if err := applyMigration(c, step, now); err != nil {
			return fmt.Errorf("migration %s: %w", step.name, err)
		}
	}
	return nil
}

// appliedMigrations returns the hashes of the steps that the database has.
func appliedMigrations(c *conn) ([]string, error) {
	s, err := c.prepare("SELECT hash FROM migration ORDER BY number")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	defer s.done()
	var hashes []string
	for {
		more, err := s.step()
		if err != nil {
			return nil, fmt.Errorf("read migrations: %w", err)
		}
		if !more {
			return hashes, nil
		}
		hashes = append(hashes, s.colText(0))
	}
}

func applyMigration(c *conn, step migration, now time.Time) error {
	return c.transact(func() error {
		if err := c.exec(step.script); err != nil {
			return err
		}
		s, err := c.prepare("INSERT INTO migration VALUES (?, ?, ?, ?)")
		if err != nil {
			return err
		}
		defer s.done()
		return s.int(step.number).string(step.name).string(step.hash).string(now.UTC().Format(time.RFC3339)).run()
	})
}
