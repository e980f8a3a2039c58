package committer_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
)

// crashing tells a process of this test where its database is and at which failpoint it dies: "path|name|count".
const crashing = "CARILLON_TEST_CRASHING"

func openStore(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWhatWasAnsweredSurvivesACrash kills a process right before and right after a commit, with many callers waiting, and
// looks for every event and every attempt that somebody was told is durable.
func TestWhatWasAnsweredSurvivesACrash(t *testing.T) {
	if order := os.Getenv(crashing); order != "" {
		crash(t, order)
	}
	for _, point := range []string{"committer.before-commit", "committer.after-commit"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "carillon.db")
			for _, count := range []int{1, 20, 60} {
				accepted, recorded := dieAt(t, path, point, count)
				if count > 1 && (len(accepted) == 0 || len(recorded) == 0) {
					t.Fatal("the process died before it could promise anything")
				}
				s := openStore(t, path)
				check(t, s, accepted, recorded)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// dieAt runs a process until it dies and returns what it said is durable.
func dieAt(t *testing.T, path, point string, count int) (accepted, recorded []ident.ID) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestWhatWasAnsweredSurvivesACrash$")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d", crashing, path, point, count))
	out, err := child.Output()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process was to be killed, but: %v\n%s", err, out)
	}
	for _, line := range strings.Fields(string(out)) {
		kind, text, _ := strings.Cut(line, ":")
		id, err := ident.Parse(text)
		switch {
		case err != nil:
			t.Fatalf("the process said %q", line)
		case kind == "accepted":
			accepted = append(accepted, id)
		case kind == "recorded":
			recorded = append(recorded, id)
		}
	}
	return accepted, recorded
}

func check(t *testing.T, s *sqlite.Store, accepted, recorded []ident.ID) {
	t.Helper()
	events, err := s.Events(t.Context(), accepted)
	if err != nil || len(events) != len(accepted) {
		t.Fatalf("%d of %d events are there, %v", len(events), len(accepted), err)
	}
	for _, id := range recorded {
		if sum, err := s.Delivery(t.Context(), id); err != nil || sum.State != delivery.Delivered {
			t.Fatalf("delivery %s: %+v %v", id, sum, err)
		}
	}
	if books, err := s.Books(t.Context()); err != nil || !books.Balanced() {
		t.Fatalf("books %+v %v", books, err)
	}
}

// crash accepts and records with many callers, and dies at a failpoint.
func crash(t *testing.T, order string) {
	parts := strings.Split(order, "|")
	left, err := strconv.Atoi(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	c := committer.New(openStore(t, parts[0]), committer.Options{Failpoint: func(name string) {
		if name != parts[1] {
			return
		}
		if left--; left == 0 {
			die()
		}
	}})
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var said sync.Mutex
	say := func(kind string, id ident.ID) {
		said.Lock()
		defer said.Unlock()
		fmt.Printf("%s:%s\n", kind, id)
	}
	for range 20 {
		go func() {
			for {
				first := ids.Block(2)
				d := delivery.Delivery{ID: first + ident.Step, Event: first, Destination: first, Due: time.Now()}
				a := store.Accept{Event: store.Event{ID: first, Kind: "run", Deliveries: 1, Body: []byte("{}")}, Deliveries: []delivery.Delivery{d}}
				if _, err := c.Accept(context.Background(), []store.Accept{a}); err != nil {
					return
				}
				say("accepted", first)
				c.Record(committer.Record{
					Attempts: []delivery.Attempt{{Delivery: d, Number: 1, State: delivery.Delivered}},
					Done:     func(error) { say("recorded", d.ID) },
				})
			}
		}()
	}
	select {}
}

// die ends the process as a failing machine does.
func die() {
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}
