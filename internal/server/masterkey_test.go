package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeyringIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := keyring(Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	second, err := keyring(Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := second.Open(first.Seal("x", "p"), "p"); err != nil || got != "x" {
		t.Errorf("the second start has another key: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, masterKeyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info, err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".master-*"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKeyringSources(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte(strings.Repeat("ab", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		config Config
		fault  string
	}{
		"text":           {Config{MasterKey: strings.Repeat("cd", 32)}, ""},
		"file":           {Config{MasterKeyFile: file}, ""},
		"no such file":   {Config{MasterKeyFile: file + "x"}, "read the master key"},
		"short text":     {Config{MasterKey: "abcd"}, "64 hex digits"},
		"nothing at all": {Config{DatabaseURL: "postgres://h/d"}, "--master-key-file"},
	}
	for name, c := range cases {
		_, err := keyring(c.config)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%s: err = %v, want %q", name, err, c.fault)
		}
	}
}
