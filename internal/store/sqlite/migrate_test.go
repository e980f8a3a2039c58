package sqlite

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func scripts(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files["migrations/000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// bring migrates a new database through the sets of steps one after the other and returns the last error.
func bring(t *testing.T, sets ...fstest.MapFS) (*conn, error) {
	t.Helper()
	c, err := open(filepath.Join(t.TempDir(), "x.db"), readWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	for i, set := range sets {
		steps, err := readMigrations(set)
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate(c, steps, time.Now()); err != nil {
			if i < len(sets)-1 {
				t.Fatal(err)
			}
			return c, err
		}
	}
	return c, nil
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	const a, b, broken = "CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO a VALUES (1)", "CREATE TABLE c (x); INSERT INTO nowhere VALUES (1)"
	for name, c := range map[string]struct {
		sets []fstest.MapFS
		want string // of the error
	}{
		"all at once":     {[]fstest.MapFS{scripts(a, b)}, ""},
		"one by one":      {[]fstest.MapFS{scripts(a), scripts(a, b)}, ""},
		"nothing new":     {[]fstest.MapFS{scripts(a, b), scripts(a, b)}, ""},
		"edited":          {[]fstest.MapFS{scripts(a, b), scripts(a+" ", b)}, "0001_step was edited after it had landed"},
		"a newer release": {[]fstest.MapFS{scripts(a, b), scripts(a)}, "written by a newer release"},
		"broken":          {[]fstest.MapFS{scripts(a), scripts(a, broken)}, "migration 0002_step: sqlite: no such table: nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := bring(t, c.sets...)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if db.exec("SELECT * FROM c") == nil {
				t.Error("a migration that failed left a table behind")
			}
		})
	}
}

func TestMigrationsAreNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"migrations/0002_late.sql", "migrations/first.sql"} {
		if steps, err := readMigrations(fstest.MapFS{name: {Data: []byte("SELECT 1")}}); err == nil {
			t.Errorf("%s: %v", name, steps)
		}
	}
}

// TestSettingsAreRead sets a database up wrongly afterwards: the check must see it.
func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	c, err := open(":memory:", readWrite) // memory has no write-ahead log
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := setUp(c, 1<<20); err == nil || !strings.Contains(err.Error(), `journal_mode is "memory"`) {
		t.Errorf("a database that is not durable was accepted: %v", err)
	}
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var synchronous int64
	w := <-s.writer
	defer func() { s.writer <- w }()
	if _, err := w.one("PRAGMA synchronous", nil, func(s *stmt) error { synchronous = s.colInt(0); return nil }); err != nil || synchronous != 2 {
		t.Errorf("synchronous is %d, %v", synchronous, err)
	}
}
