package pgtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Main{M: m}) }

// query runs one statement and returns its one value as text.
func query(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var value string
	if err := conn.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestServerIsDurableAndLocal(t *testing.T) {
	t.Parallel()
	dsn := Start(t).NewDatabase(t)
	for setting, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "", "server_encoding": "UTF8",
	} {
		if got := query(t, dsn, "SELECT current_setting('"+setting+"')"); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	server := Start(t)
	first, second := server.NewDatabase(t), server.NewDatabase(t)
	if a, b := query(t, first, "SELECT current_database()"), query(t, second, "SELECT current_database()"); a == b {
		t.Errorf("two databases have one name: %s", a)
	}
}

func TestSettingsAreTaken(t *testing.T) {
	t.Parallel()
	dir, server, err := LaunchTemporary(t.Context(), "work_mem=7MB")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := Remove(server, dir); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the directory is still there: %v", err)
		}
	}()
	if got := query(t, server.DSN(superuser), "SELECT current_setting('work_mem')"); got != "7MB" {
		t.Errorf("work_mem = %s", got)
	}
}

func TestWhatWasCommittedSurvivesKill(t *testing.T) {
	t.Parallel()
	server := StartOwn(t)
	dsn := server.NewDatabase(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 'this' AS word"); err != nil {
		t.Fatal(err)
	}
	before := server.PID()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if alive(before) || server.PID() != 0 {
		t.Fatal("the server lives on after Kill")
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, dsn, "SELECT word FROM kept"); got != "this" {
		t.Errorf("read %q", got)
	}
	if err := server.Start(t.Context()); err == nil {
		t.Error("a running server was started again")
	}
}

func TestStopIsOrderlyAndRepeatable(t *testing.T) {
	t.Parallel()
	server := StartOwn(t)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(server.data(), "postmaster.pid")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server left its pid file: %v", err)
	}
}

func TestLaunchReportsTheServersOwnWords(t *testing.T) {
	t.Parallel()
	dir, server, err := LaunchTemporary(t.Context(), "no_such_setting=1")
	if err == nil {
		_ = Remove(server, dir)
		t.Fatal("a server with an unknown setting started")
	}
	if !containsAll(err.Error(), "start PostgreSQL", "no_such_setting") {
		t.Errorf("the error does not say what is wrong: %v", err)
	}
}

func TestLaunchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, _, err := LaunchTemporary(ctx); err == nil {
		t.Error("a server started although the context had ended")
	}
}
