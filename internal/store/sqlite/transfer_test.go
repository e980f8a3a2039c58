package sqlite_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carillon/internal/store/sqlite"
)

func TestDuplicateKeepsTheOriginalLocked(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	if _, _, err := sqlite.Duplicate(s.Path(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("an open database was copied: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copied, release, err := sqlite.Duplicate(s.Path(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := openErr(t, s.Path()); !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("the original could be opened: %v", err)
	}
	if err := open(t, copied).Close(); err != nil {
		t.Errorf("the copy: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, s.Path()).Close(); err != nil {
		t.Errorf("the original, released: %v", err)
	}
}

func TestDuplicateOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, _, err := sqlite.Duplicate(filepath.Join(dir, "x.db"), t.TempDir()); err == nil || !strings.Contains(err.Error(), "no database to copy") {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("it left %v behind (%v)", entries, err)
	}
}
