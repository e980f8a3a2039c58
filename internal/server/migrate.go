package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"carillon/internal/store/postgres"
	"carillon/internal/store/sqlite"
	"carillon/internal/store/transfer"
)

// Migration moves an installation from the embedded database to PostgreSQL.
type Migration struct {
	DataDir     string // of the server, which must be stopped
	DatabaseURL string // of an empty database
	Report      func(what string, done int)
	Log         *slog.Logger
}

// Migrate copies everything and compares it. The source is never written: it works on a copy in the directory for
// temporary files, and keeps the original locked meanwhile.
func Migrate(ctx context.Context, m Migration) (counts transfer.Counts, err error) {
	scratch, err := os.MkdirTemp("", "carillon-migrate-")
	if err != nil {
		return counts, fmt.Errorf("make a directory for the copy: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	copied, release, err := sqlite.Duplicate(filepath.Join(m.DataDir, databaseFile), scratch)
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, release()) }()
	from, err := sqlite.Open(ctx, sqlite.Options{Path: copied, Log: m.Log})
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := postgres.Open(ctx, postgres.Options{DSN: m.DatabaseURL, Log: m.Log})
	if err != nil {
		return counts, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	return transfer.Copy(ctx, from, to, m.Report)
}
