package postgres

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"carillon/internal/store/postgres/pgtest"
)

var silent = slog.New(slog.DiscardHandler)

// files returns the migrations as files that a test may change.
func files(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: text}
	}
	return out
}

func TestMigrationsRunOnce(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	for range 2 {
		if err := migrate(t.Context(), dsn, migrations, silent); err != nil {
			t.Fatal(err)
		}
	}
	more := files(t)
	more["0005_more.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE more (n integer); INSERT INTO more VALUES (1);")}
	for range 2 {
		if err := migrate(t.Context(), dsn, more, silent); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var steps, rows int
	err = conn.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM migration), (SELECT count(*) FROM more)").Scan(&steps, &rows)
	if err != nil || steps != 5 || rows != 1 {
		t.Errorf("%d steps and %d rows, want 5 and 1 (%v)", steps, rows, err)
	}
}

func TestManyNodesMigrateAtATime(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	failed := make(chan error)
	for range 6 {
		go func() { failed <- migrate(context.Background(), dsn, migrations, silent) }()
	}
	for range 6 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

func TestMigrationRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(fstest.MapFS)
		want   string
	}{
		"an edited step": {
			func(f fstest.MapFS) { f["0002_record.sql"].Data = append(f["0002_record.sql"].Data, '\n') },
			"0002_record was edited after it ran",
		},
		"a renamed step": {
			func(f fstest.MapFS) { f["0004_other.sql"] = f["0004_released.sql"]; delete(f, "0004_released.sql") },
			"0004_other was edited after it ran",
		},
		"a database of a newer release": {
			func(f fstest.MapFS) { delete(f, "0004_released.sql") },
			"made by a newer release: it has migration 0004_released",
		},
		"a gap": {
			func(f fstest.MapFS) { f["0006_late.sql"] = &fstest.MapFile{} },
			"0006_late.sql must be number 0005",
		},
		"a number twice": {
			func(f fstest.MapFS) { f["0004_twin.sql"] = &fstest.MapFile{} },
			"0004_twin.sql must be number 0005",
		},
		"a name without a number": {
			func(f fstest.MapFS) { f["late.sql"] = &fstest.MapFile{} },
			"late.sql must be number 0005",
		},
	}
	dsn := pgtest.Start(t).NewDatabase(t)
	if err := migrate(t.Context(), dsn, migrations, silent); err != nil {
		t.Fatal(err)
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			changed := files(t)
			test.change(changed)
			err := migrate(t.Context(), dsn, changed, silent)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
		})
	}
}

func TestFailingMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	broken := files(t)
	broken["0005_broken.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE half (n integer); SELECT no_such_function();")}
	if err := migrate(t.Context(), dsn, broken, silent); err == nil || !strings.Contains(err.Error(), "run migration 0005_broken") {
		t.Fatalf("got %v", err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var tables int
	err = conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables)
	if err != nil || tables != 0 {
		t.Errorf("%d tables are left (%v)", tables, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ dsn, want string }{
		"no connection string": {"postgres://%zz", "read the connection string"},
		"nobody there":         {"postgres://user:hunter2@127.0.0.1:1/db", "127.0.0.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), Options{DSN: test.dsn})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Open(ended, Options{DSN: pgtest.Start(t).NewDatabase(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("opened for a caller that had gone: %v", err)
	}
}
