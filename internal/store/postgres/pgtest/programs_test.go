package pgtest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// install makes empty executable files.
func install(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProgramsAreFound(t *testing.T) {
	linked, installed := t.TempDir(), t.TempDir()
	install(t, filepath.Join(installed, "9", "bin"), "initdb", "postgres")
	install(t, filepath.Join(installed, "15", "bin"), "initdb", "postgres")
	install(t, filepath.Join(installed, "18", "bin"), "initdb") // only half of it
	newest := filepath.Join(installed, "15", "bin")
	chosen := filepath.Join(installed, "9", "bin")
	if err := os.Symlink(filepath.Join(chosen, "initdb"), filepath.Join(linked, "initdb")); err != nil {
		t.Fatal(err)
	}

	t.Setenv("PATH", t.TempDir())
	if found, err := findProgramsIn(installed); err != nil || found.postgres != filepath.Join(newest, "postgres") {
		t.Errorf("without a program on PATH: %+v, %v; want the newest complete version", found, err)
	}
	t.Setenv("PATH", linked)
	if found, err := findProgramsIn(installed); err != nil || found.postgres != filepath.Join(chosen, "postgres") {
		t.Errorf("with a link on PATH: %+v, %v; want what it leads to", found, err)
	}
}

func TestMissingProgramsSayWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := findProgramsIn(t.TempDir())
	if !errors.Is(err, ErrMissing) || !containsAll(err.Error(), "apt-get install postgresql") {
		t.Errorf("got %v", err)
	}
}
