package cli_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/store/postgres/pgtest"
)

// TestSoftStopRepeatsNothing ends the process as a supervisor does, under load and several times: what was in flight is
// recorded before it ends, so that every accepted step arrives exactly once, in order, and nothing is marked as a
// possible repeat.
func TestSoftStopRepeatsNothing(t *testing.T) {
	t.Parallel()
	s := chaosOnSQLite(t)
	s.sink.take(10 * time.Millisecond) // so that a stop meets attempts in flight
	stop := s.load()
	for round := range 3 {
		want := s.accepts() + 40
		s.untilAnswers(http.StatusAccepted, want)
		old := s.nodes[0]
		old.terminate()
		if code := old.command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("stop %d ended with code %d:\n%s", round, code, old.log)
		}
		s.replace(0)
	}
	stop()
	s.nodes[0].untilBalanced()
	s.judge()
	s.judgeOnce()
}

// TestDatabaseComesBack kills PostgreSQL under load and starts it again: what was accepted arrives in order, what was not
// is refused so that it can be sent again, and the node goes on by itself.
func TestDatabaseComesBack(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]time.Duration{"for less than a lease": 2 * time.Second, "for longer than a lease": 8 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.StartOwn(t)
			database := server.NewDatabase(t)
			dir := t.TempDir()
			s := newChaos(t, func(int) []string {
				return []string{"--data", dir, "--database", database, "--master-key", strings.Repeat("ab", 32)}
			})
			stop := s.load()
			s.untilAnswers(http.StatusAccepted, 40)
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			outage := time.After(gone)
			s.untilAnswers(http.StatusServiceUnavailable, 3)
			<-outage
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.untilAnswers(http.StatusAccepted, s.accepts()+40)
			stop()
			s.nodes[0].untilBalanced()
			s.judge()
		})
	}
}

// chaos is a soak that counts how its requests were answered.
type chaos struct {
	*soak
	mu      sync.Mutex
	answers map[int]int
}

func newChaos(t *testing.T, flags func(slot int) []string) *chaos {
	c := &chaos{answers: map[int]int{}}
	c.soak = newSoak(t, 1, flags)
	c.answered = func(status int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.answers[status]++
		if status >= 500 && status != http.StatusServiceUnavailable {
			t.Errorf("an event was answered with %d, want %d or %d", status, http.StatusAccepted, http.StatusServiceUnavailable)
		}
	}
	return c
}

func chaosOnSQLite(t *testing.T) *chaos {
	dir := t.TempDir()
	return newChaos(t, func(int) []string { return []string{"--data", dir} })
}

// count returns how many requests were answered with a status.
func (c *chaos) count(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[status]
}

func (c *chaos) accepts() int { return c.count(http.StatusAccepted) }

// untilAnswers waits until so many requests were answered with a status.
func (c *chaos) untilAnswers(status, want int) {
	c.t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(time.Minute)
	for c.count(status) < want {
		select {
		case <-poll.C:
		case <-deadline:
			c.mu.Lock()
			defer c.mu.Unlock()
			c.t.Fatalf("waited in vain for %d answers with %d: %v\n%s", want, status, c.answers, c.nodes[0].log)
		}
	}
}

// judgeOnce is judge where nothing may repeat.
func (c *chaos) judgeOnce() {
	c.t.Helper()
	byRun := map[string][]string{}
	for _, a := range c.sink.arrivals() {
		run, status := runAndStatus(a)
		byRun[run] = append(byRun[run], status)
	}
	for run, got := range byRun {
		if !slices.Equal(got, steps[:min(len(got), len(steps))]) {
			c.t.Errorf("of %s arrived %v, want each step once", run, got)
		}
	}
	if marked := c.marked(); len(marked) > 0 {
		c.t.Errorf("%d deliveries are marked as possible repeats, want none", len(marked))
	}
}
