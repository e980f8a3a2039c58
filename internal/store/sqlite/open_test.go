package sqlite_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/internal/store"
	"carillon/internal/store/sqlite"
)

func openErr(t *testing.T, path string) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	return err
}

func TestOneProcessHasTheDatabase(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	if err := openErr(t, s.Path()); !strings.Contains(err.Error(), "in use by another process (process ") {
		t.Errorf("the second one was told %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, s.Path())
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ path, want string }{
		"no directory":   {filepath.Join(dir, "absent", "carillon.db"), "no such file or directory"},
		"not a database": {text, "file is not a database"},
		"a directory":    {dir, "open " + dir},
	} {
		if err := openErr(t, c.path); !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to contain %q", name, err, c.want)
		}
	}
}

func TestOddPathsAreOnlyPaths(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file:a?mode=memory&x=% 'é'.db")
	s := open(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// TestTheLogIsCopiedAndBeginsAnew writes many times what the log shall hold while others read.
func TestTheLogIsCopiedAndBeginsAnew(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	s.CheckpointAfter(50)
	body := make([]byte, 20_000)
	var largest int64
	for id := range 600 {
		r := &store.Record{Kind: store.KindSetting, ID: 1, Body: body}
		if _, err := s.Apply(t.Context(), []store.Change{store.Put(r)}); err != nil {
			t.Fatal(err)
		}
		if id%10 == 0 {
			if _, err := s.Get(t.Context(), store.KindSetting, 1); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(s.Path() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		largest = max(largest, info.Size())
	}
	const written = 600 * 6 * 4096
	if largest > written/4 {
		t.Errorf("the log grew to %d of %d bytes that were written", largest, written)
	}
}

func TestCloseLeavesOneFile(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	if _, err := s.Apply(t.Context(), []store.Change{store.Put(&store.Record{Kind: store.KindSetting, ID: 1})}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(s.Path() + "*")
	if err != nil || len(files) != 2 || files[1] != s.Path()+".lock" {
		t.Errorf("files %v %v, want the database and its lock", files, err)
	}
}

func TestVerificationsGoByTheirAge(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	a := verification(time.Now().Add(-time.Hour))
	b := verification(time.Now())
	if _, err := s.Commit(t.Context(), &store.Batch{Attempts: append(a, b...)}); err != nil {
		t.Fatal(err)
	}
	n, err := s.Prune(t.Context(), time.Now().Add(-time.Minute), 10)
	if err != nil || n != 0 {
		t.Fatalf("removed %d events, %v", n, err)
	}
	for want, attempt := range map[int]store.Batch{0: {Attempts: a}, 1: {Attempts: b}} {
		got, err := s.Attempts(t.Context(), attempt.Attempts[0].Delivery.ID)
		if err != nil || len(got) != want {
			t.Errorf("%d attempts, %v; want %d", len(got), err, want)
		}
	}
}
