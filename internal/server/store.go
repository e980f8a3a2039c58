package server

import (
	"context"
	"path/filepath"

	"carillon/internal/store"
	"carillon/internal/store/postgres"
	"carillon/internal/store/sqlite"
)

// databaseFile is the embedded database in the data directory.
const databaseFile = "carillon.db"

// openStore opens the database that the settings name: PostgreSQL, or the embedded one.
func openStore(ctx context.Context, c Config) (store.Store, error) {
	if c.DatabaseURL != "" {
		return postgres.Open(ctx, postgres.Options{DSN: c.DatabaseURL, Log: c.Log})
	}
	return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(c.DataDir, databaseFile), Log: c.Log})
}
