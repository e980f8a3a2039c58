package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"carillon/internal/store/postgres/pgtest"
)

// execute runs statements on a database, outside the store.
func execute(t testing.TB, dsn string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, sql := range statements {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// TestEveryConnectionIsDurable has a database that is configured to acknowledge too early, and one that waits for more.
func TestEveryConnectionIsDurable(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{"off": "on", "local": "on", "on": "on", "remote_apply": "remote_apply"} {
		t.Run(configured, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Start(t).NewDatabase(t)
			config, err := pgx.ParseConfig(dsn)
			if err != nil {
				t.Fatal(err)
			}
			name := pgx.Identifier{config.Database}.Sanitize()
			execute(t, dsn, "ALTER DATABASE "+name+" SET synchronous_commit = "+configured,
				"ALTER DATABASE "+name+" SET default_transaction_isolation = 'serializable'")
			s := openAt(t, dsn)
			for pool, p := range map[string]*pgxpool.Pool{"writes": s.writes, "reads": s.reads, "lists": s.lists, "leases": s.leases} {
				var commit, isolation string
				err := p.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')").
					Scan(&commit, &isolation)
				if err != nil || commit != want || isolation != "read committed" {
					t.Errorf("%s: synchronous_commit %s, isolation %s, want %s and read committed (%v)", pool, commit, isolation, want, err)
				}
			}
		})
	}
}

func TestServerThatForgetsIsRefused(t *testing.T) {
	t.Parallel()
	dir, server, err := pgtest.LaunchTemporary(t.Context(), "fsync=off")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pgtest.Remove(server, dir); err != nil {
			t.Error(err)
		}
	}()
	dsn, err := server.CreateDatabase(t.Context(), "forgetful")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{DSN: dsn})
	if !errors.Is(err, errNotDurable) || !strings.Contains(err.Error(), "fsync is off; set fsync = on") {
		t.Errorf("got %v", err)
	}
}

func TestStandbyIsNotMistakenForThePrimary(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	_, err := Open(t.Context(), Options{DSN: dsn + "&default_transaction_read_only=on"})
	if err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("a server that takes no writes was opened: %v", err)
	}
}
