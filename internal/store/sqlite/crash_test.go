package sqlite_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// verification makes a recorded verification that began at a moment.
func verification(at time.Time) []delivery.Attempt {
	return []delivery.Attempt{{
		Delivery: delivery.Delivery{ID: ident.At(at), Subscription: 7, Cause: delivery.CauseVerification}, State: delivery.Delivered,
		Result: delivery.Result{Class: delivery.ClassAnswered, Status: 200, StartedAt: at},
	}}
}

// crashing names the database of a process that commits until it is killed.
const crashing = "CARILLON_TEST_CRASHING"

// TestNothingCommittedIsLostToAKill kills a process in the middle of its commits, again and again on one database, and
// looks for everything that was said to be durable.
func TestNothingCommittedIsLostToAKill(t *testing.T) {
	if path := os.Getenv(crashing); path != "" {
		commitForever(t, path)
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "carillon.db")
	said := map[ident.ID]bool{}
	for round := range 4 {
		for _, id := range runAndKill(t, path, 40+round*150) {
			said[id] = true
		}
		s := open(t, path)
		books, err := s.Books(t.Context())
		if err != nil || !books.Balanced() {
			t.Fatalf("books %+v %v", books, err)
		}
		for id := range said {
			events, err := s.Events(t.Context(), []ident.ID{id})
			if err != nil || len(events) != 1 {
				t.Fatalf("event %s: %v %v", id, events, err)
			}
			sum, err := s.Delivery(t.Context(), id+ident.Step)
			if err != nil || sum.Delivery.Event != id {
				t.Fatalf("delivery of event %s: %+v %v", id, sum, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// runAndKill starts a process that commits, kills it after so many commits, and returns the events it called durable.
func runAndKill(t *testing.T, path string, after int) (durable []ident.ID) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestNothingCommittedIsLostToAKill$")
	child.Env = append(os.Environ(), crashing+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, err := ident.Parse(lines.Text())
		if err != nil {
			t.Fatalf("the process said %q", lines.Text())
		}
		if durable = append(durable, id); len(durable) == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = child.Wait() // it was killed
	if len(durable) < after {
		t.Fatalf("the process ended after %d commits", len(durable))
	}
	return durable
}

// commitForever accepts events, ends the deliveries of those before, and says which events are durable.
func commitForever(t *testing.T, path string) {
	s := open(t, path)
	s.CheckpointAfter(100)
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var last []delivery.Delivery
	for {
		first := ids.Block(4)
		a := store.Accept{Event: store.Event{ID: first, Organization: 1, Kind: "run", Key: first.String(), Deliveries: 3, Body: make([]byte, 1000)}}
		for k := range ident.ID(3) {
			id := first + (k+1)*ident.Step
			a.Deliveries = append(a.Deliveries, delivery.Delivery{ID: id, Event: first, Organization: 1, Destination: id, Due: time.Now()})
		}
		b := store.Batch{Accepts: []store.Accept{a}}
		for _, d := range last {
			b.Attempts = append(b.Attempts, delivery.Attempt{Delivery: d, Number: 1, State: delivery.Delivered})
		}
		if _, err := s.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		fmt.Println(first)
		last = a.Deliveries[1:]
	}
}
