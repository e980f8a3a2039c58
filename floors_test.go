// Package carillon_test holds the tests of the house itself: which package may know which.
package carillon_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "carillon"

// floors lists the packages of each floor. A package imports only from floors below its own; a package below a listed
// one stands on the same floor unless it is listed itself. ARCHITECTURE.md draws the same picture.
var floors = [][]string{
	0:  {"internal/ident", "internal/fault", "internal/seal", "internal/message", "internal/strict", "internal/rego"},
	1:  {"internal/event", "internal/estate", "internal/guard"},
	2:  {"internal/subscription"},
	3:  {"internal/delivery"},
	4:  {"internal/store", "internal/transport", "internal/runner", "internal/spool"},
	5:  {"internal/dialect"},
	6:  {"internal/committer", "internal/store/*", "internal/dialect/*", "internal/transport/*", "internal/runner/*"},
	7:  {"internal/ingest", "internal/dispatch", "internal/manage", "internal/replay"},
	8:  {"internal/httpapi", "internal/web"},
	9:  {"internal/server"},
	10: {"internal/bench"},
	11: {"internal/cli"},
	12: {"cmd/carillon"},
}

// open packages stand outside the house: they are for other people's programs and import nothing internal.
var open = []string{"webhook", "client", "api", "examples", "docs"}

func TestPackagesImportOnlyFromFloorsBelow(t *testing.T) {
	t.Parallel()
	for dir, imports := range readImports(t, false) {
		floor, known := floorOf(dir)
		isOpen := slices.ContainsFunc(open, func(o string) bool { return dir == o || strings.HasPrefix(dir, o+"/") })
		if !known && !isOpen {
			t.Errorf("%s stands on no floor: add it to the list", dir)
			continue
		}
		for _, imported := range imports {
			if isOpen && strings.HasPrefix(imported, "internal/") {
				t.Errorf("%s is a public package and imports %s", dir, imported)
			}
			if below, ok := floorOf(imported); ok && !isOpen && below >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d)", dir, floor, imported, below)
			}
		}
	}
}

// TestTestsImportOnlyFromFloorsUpToTheirOwn lets a package's tests use its own floor (a real store, the shared suite),
// never one above.
func TestTestsImportOnlyFromFloorsUpToTheirOwn(t *testing.T) {
	t.Parallel()
	for dir, imports := range readImports(t, true) {
		floor, known := floorOf(dir)
		if !known {
			continue
		}
		for _, imported := range imports {
			if above, ok := floorOf(imported); ok && above > floor && imported != dir {
				t.Errorf("tests of %s (floor %d) import %s (floor %d)", dir, floor, imported, above)
			}
		}
	}
}

// platformWords may appear only where a platform is at home.
var platformWords = regexp.MustCompile(`(?i)\b(tfe|hcp|scalr|spacelift|pulumi|spacectl|terraform (enterprise|cloud))\b`)

// platformHomes are the places whose business is a platform.
var platformHomes = []string{"internal/dialect/", "internal/runner/", "webhook/", "docs/", "examples/", "test/conformance/"}

// platformExceptions are single files that name platforms because they list plug-ins or wrap a platform's tool.
var platformExceptions = []string{
	"internal/server/dialects.go", "internal/cli/run.go", "floors_test.go",
}

func TestNoPlatformNameOutsideItsOwnPackage(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") || slices.Contains(platformExceptions, path) ||
			slices.ContainsFunc(platformHomes, func(home string) bool { return strings.HasPrefix(path, home) }) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			if word := platformWords.FindString(line); word != "" {
				t.Errorf("%s:%d names a platform (%s): %s", path, n+1, word, strings.TrimSpace(line))
			}
		}
	}
}

func TestNoFileIsLongerThan500Lines(t *testing.T) {
	t.Parallel()
	for _, path := range goFiles(t) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(text), "\n"); lines > 500 {
			t.Errorf("%s has %d lines: one concept a file", path, lines)
		}
	}
}

// floorOf finds the floor of a package directory; the most particular entry counts.
func floorOf(dir string) (floor int, ok bool) {
	best := -1
	for n, entries := range floors {
		for _, entry := range entries {
			if length := covers(entry, dir); length > best {
				best, floor, ok = length, n, true
			}
		}
	}
	return floor, ok
}

// covers returns how much of dir an entry names, -1 for nothing. "x/*" names what is below x, and not x itself.
func covers(entry, dir string) int {
	if parent, isBelow := strings.CutSuffix(entry, "/*"); isBelow {
		if strings.HasPrefix(dir, parent+"/") {
			return len(parent) + 1
		}
		return -1
	}
	if dir == entry || strings.HasPrefix(dir, entry+"/") {
		return len(entry)
	}
	return -1
}

// readImports maps each package directory to what its files import from this module, as directories. It parses the files
// itself: asking the go command would let the test cache serve a stale answer.
func readImports(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, path := range goFiles(t) {
		if strings.HasSuffix(path, "_test.go") != tests {
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "." {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		found[dir] = append(found[dir], []string{}...)
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(fmt.Errorf("%s: %w", path, err))
			}
			if rest, ours := strings.CutPrefix(name, module+"/"); ours && !slices.Contains(found[dir], rest) {
				found[dir] = append(found[dir], rest)
			}
		}
	}
	return found
}

// goFiles lists the module's Go files; test/conformance is a module of its own.
func goFiles(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || path == "test" || (strings.HasPrefix(entry.Name(), ".") && path != ".")):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			paths = append(paths, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}
