package manage_test

import (
	"slices"
	"sync"
	"testing"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// TestCount draws from several counters at once: each number once, none left out.
func TestCount(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	const draws = 20
	var mu sync.Mutex
	drawn := map[string][]int64{}
	var wg sync.WaitGroup
	for range draws {
		for _, name := range []string{"updates", "jobs"} {
			wg.Go(func() {
				n, err := s.Count(s.ctx, s.dns.ID, name)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				drawn[name] = append(drawn[name], n)
			})
		}
	}
	wg.Wait()
	for name, numbers := range drawn {
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != int64(i+1) {
				t.Fatalf("%s: %v were drawn", name, numbers)
			}
		}
	}
	if n, err := s.Count(s.ctx, ident.ID(7), "updates"); err != nil || n != 1 {
		t.Errorf("another workspace begins with %d, %v", n, err)
	}
}

// TestCountersGoWithTheirWorkspace checks that nothing of a workspace stays behind.
func TestCountersGoWithTheirWorkspace(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, workspace := range []ident.ID{s.dns.ID, s.net.ID} {
		if _, err := s.Count(s.ctx, workspace, "updates"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Workspaces().Delete(s.ctx, admin, s.dns.ID); err != nil {
		t.Fatal(err)
	}
	if s.count(store.KindCounter, s.dns.ID) != 0 || s.count(store.KindCounter, s.net.ID) != 1 {
		t.Error("the counters of a workspace stay, or those of another one go")
	}
	if err := s.Organizations().Delete(s.ctx, admin, s.acme.ID); err != nil {
		t.Fatal(err)
	}
	if s.count(store.KindCounter, s.net.ID) != 0 {
		t.Error("a counter outlives its organization")
	}
}
