package sqlite_test

import (
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fresh(t testing.TB) *sqlite.Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "carillon.db"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// observed remembers which statements a store ran.
type observed struct {
	*sqlite.Store
	mu   *sync.Mutex
	seen map[string]bool
	once sync.Once
}

func (o *observed) Close() error {
	o.once.Do(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, text := range o.Statements() {
			o.seen[text] = true
		}
	})
	return o.Store.Close()
}

// TestStore runs the suite, and then looks at how SQLite carries out every statement that the suite made it run.
func TestStore(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	watch := func(s *sqlite.Store) store.Store { return &observed{Store: s, mu: &mu, seen: seen} }
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t,
			func(t *testing.T) store.Store { return watch(open(t, filepath.Join(t.TempDir(), "carillon.db"))) },
			storetest.Options{Reopen: func(t *testing.T, s store.Store) store.Store { return watch(open(t, s.(*observed).Path())) }},
		)
	})
	if len(seen) < 60 {
		t.Errorf("only %d statements were seen", len(seen))
	}
	s := fresh(t)
	for _, text := range slices.Sorted(maps.Keys(seen)) {
		steps, err := s.Plan(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		for _, step := range steps {
			if why := costly(step); why != "" && !walks(text) {
				t.Errorf("%s\n\t%s: %s", text, step, why)
			}
		}
	}
}

// costly says why a step of a plan is more than a search in an index.
func costly(step string) string {
	switch {
	case strings.HasPrefix(step, "SCAN counter"), strings.HasPrefix(step, "SCAN CONSTANT ROW"):
		return "" // one row
	case strings.HasPrefix(step, "SCAN"):
		return "reads a whole table"
	case strings.Contains(step, "TEMP B-TREE"):
		return "sorts"
	}
	return ""
}

// walkers are the statements that may read more than they find, each for its reason.
var walkers = []*regexp.Regexp{
	regexp.MustCompile(`SELECT count\(\*\) FROM queue\) FROM counter$`), // the books count the queue itself
	regexp.MustCompile(`& \? = \? ORDER BY \w+ DESC LIMIT 1$`),          // the newest of a node is at the end
	regexp.MustCompile(`FROM event WHERE run = \? .*ORDER BY id`),       // a run is short and sorted
	regexp.MustCompile(`FROM migration`),                                // a row per migration
}

func walks(text string) bool {
	return slices.ContainsFunc(walkers, func(w *regexp.Regexp) bool { return w.MatchString(text) })
}
