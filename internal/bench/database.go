package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/store"
	"carillon/internal/store/postgres"
	"carillon/internal/store/postgres/pgtest"
	"carillon/internal/store/sqlite"
)

// The databases that are measured.
const (
	Embedded   = "sqlite"
	PostgreSQL = "postgres"
)

// masterKey seals the secrets of a measured server on PostgreSQL, where several nodes share it.
var masterKey = strings.Repeat("ab", 32)

// cluster is a PostgreSQL server of the measurements; nil measures the embedded database.
type cluster struct {
	server *pgtest.Server
	dir    string
}

// startCluster starts a server with every guarantee of durability on and memory as an operator would give it.
func startCluster(ctx context.Context, kind string) (*cluster, error) {
	if kind == Embedded {
		return nil, nil
	}
	dir, server, err := pgtest.LaunchTemporary(ctx, "shared_buffers=512MB", "max_wal_size=4GB")
	if err != nil {
		return nil, err
	}
	return &cluster{server, dir}, nil
}

func (c *cluster) stop() error {
	if c == nil {
		return nil
	}
	return pgtest.Remove(c.server, c.dir)
}

// cpu is what the server's processes have used.
func (c *cluster) cpu() (time.Duration, error) {
	if c == nil {
		return 0, nil
	}
	return c.server.CPU()
}

// database is the fresh database of one measurement.
type database struct {
	cluster *cluster
	name    string
	dsn     string // "" for the embedded one
	dir     string // the data directory
}

func (c *cluster) newDatabase(ctx context.Context, parent, name string) (*database, error) {
	dir := filepath.Join(parent, name)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return nil, err
	}
	d := &database{cluster: c, dir: dir, name: strings.ReplaceAll(name, "-", "_")}
	if c == nil {
		return d, nil
	}
	var err error
	d.dsn, err = c.server.CreateDatabase(ctx, d.name)
	return d, err
}

// remove ends the database.
func (d *database) remove(ctx context.Context) error {
	err := os.RemoveAll(d.dir)
	if d.cluster != nil {
		err = errors.Join(err, d.cluster.server.DropDatabase(ctx, d.name))
	}
	return err
}

// args are the flags of a server on the database.
func (d *database) args() []string {
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", d.dir, "--egress-allow", "127.0.0.0/8", "--log-level", "error"}
	if d.dsn != "" {
		args = append(args, "--database", d.dsn, "--master-key", masterKey)
	}
	return args
}

// open opens the database in this process; no server may run on it.
func (d *database) open(ctx context.Context) (store.Store, error) {
	if d.dsn != "" {
		return postgres.Open(ctx, postgres.Options{DSN: d.dsn})
	}
	return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(d.dir, "carillon.db"), Log: slog.New(slog.DiscardHandler)})
}

// bytes is what the database's tables and indexes take, after everything in the write-ahead log was copied into them: a
// log is of bounded size and no part of what a delivery costs for good. No server may run on it.
func (d *database) bytes(ctx context.Context) (int64, error) {
	if d.dsn == "" {
		return d.fileBytes() // the server copies the log when it stops, and must have stopped
	}
	conn, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return 0, fmt.Errorf("connect to measure the database: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var size int64
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	if err := conn.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&size); err != nil {
		return 0, fmt.Errorf("measure the database: %w", err)
	}
	return size, nil
}

// emptyBytes is what the database takes before a load: PostgreSQL begins with some megabytes of catalogues.
func (d *database) emptyBytes(ctx context.Context) (int64, error) {
	if d.dsn == "" {
		return 0, nil
	}
	return d.bytes(ctx)
}

func (d *database) fileBytes() (int64, error) {
	files, err := filepath.Glob(filepath.Join(d.dir, "carillon.db*"))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return 0, fmt.Errorf("measure the database: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}
