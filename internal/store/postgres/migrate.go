package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the steps that lead to the present tables. A step that has landed in a release is never edited: the
// database remembers the hash of what it ran.
var migrations = mustSub(migrationFiles, "migrations")

func mustSub(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the directory is part of the program
	}
	return sub
}

// migrationLock is the number of the advisory lock under which one node at a time migrates.
const migrationLock = 0x0ca1_1110_0001

const createMigrationTable = `CREATE TABLE IF NOT EXISTS migration (
	number  integer     NOT NULL PRIMARY KEY,
	name    text        NOT NULL,
	sha256  text        NOT NULL,
	applied timestamptz NOT NULL DEFAULT now()
)`

// step is one migration.
type step struct {
	number int
	name   string
	sql    string
	hash   string
}

// migrate runs the steps that the database has not seen, all in one transaction, while other nodes wait.
func migrate(ctx context.Context, dsn string, files fs.FS, log *slog.Logger) error {
	steps, err := readSteps(files)
	if err != nil {
		return err
	}
	config, err := configure(dsn)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config.ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := setupReader(ctx, conn); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return fmt.Errorf("wait for other nodes' migrations: %w", err)
		}
		return runSteps(ctx, tx, steps, log)
	})
}

func runSteps(ctx context.Context, tx pgx.Tx, steps []step, log *slog.Logger) error {
	if _, err := tx.Exec(ctx, createMigrationTable); err != nil {
		return fmt.Errorf("make the table of migrations: %w", err)
	}
	applied, err := readApplied(ctx, tx)
	if err != nil {
		return fmt.Errorf("read what was migrated: %w", err)
	}
	if err := checkApplied(applied, steps); err != nil {
		return err
	}
	for _, step := range steps[len(applied):] {
		if _, err := tx.Exec(ctx, step.sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("run migration %s: %w", step.name, err)
		}
		_, err := tx.Exec(ctx, "INSERT INTO migration (number, name, sha256) VALUES ($1, $2, $3)", step.number, step.name, step.hash)
		if err != nil {
			return fmt.Errorf("note migration %s: %w", step.name, err)
		}
		log.InfoContext(ctx, "migrated the database", "migration", step.name)
	}
	return nil
}

func readApplied(ctx context.Context, tx pgx.Tx) ([]step, error) {
	rows, err := tx.Query(ctx, "SELECT number, name, sha256 FROM migration ORDER BY number")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s step, err error) {
		err = row.Scan(&s.number, &s.name, &s.hash)
		return s, err
	})
}

// checkApplied compares what the database ran with what this program holds.
func checkApplied(applied, steps []step) error {
	if len(applied) > len(steps) {
		return fmt.Errorf("the database was made by a newer release: it has migration %s, which this one does not know",
			applied[len(steps)].name)
	}
	for i, a := range applied {
		if a.number != steps[i].number || a.name != steps[i].name || a.hash != steps[i].hash {
			return fmt.Errorf("migration %s was edited after it ran: the database has %s with hash %.12s, the program %.12s",
				steps[i].name, a.name, a.hash, steps[i].hash)
		}
	}
	return nil
}

// readSteps reads the files in the order of their numbers, which run from 1 without a gap.
func readSteps(files fs.FS) ([]step, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list the migrations: %w", err)
	}
	var steps []step
	for i, name := range names {
		prefix, _, _ := strings.Cut(name, "_")
		number, err := strconv.Atoi(prefix)
		if err != nil || number != i+1 {
			return nil, fmt.Errorf("migration %s must be number %04d", name, i+1)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		sum := sha256.Sum256(text)
		steps = append(steps, step{
			number: number, name: strings.TrimSuffix(path.Base(name), ".sql"), sql: string(text), hash: hex.EncodeToString(sum[:]),
		})
	}
	return steps, nil
}
