package cli_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"carillon/internal/store/postgres/pgtest"
)

// kills is how often each soak kills a process. `make crash KILLS=500` asks for more.
func kills(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("CARILLON_KILLS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("CARILLON_KILLS: %v", err)
	}
	return n
}

// TestSoakOnSQLite kills one node over and over under load.
func TestSoakOnSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newSoak(t, 1, func(int) []string { return []string{"--data", dir} })
	s.run(kills(t, 12))
}

// TestSoakOnPostgreSQL kills one of two nodes over and over under load.
func TestSoakOnPostgreSQL(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t).NewDatabase(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	s := newSoak(t, 2, func(slot int) []string {
		return []string{"--data", dirs[slot], "--database", database, "--master-key", strings.Repeat("ab", 32), "--node-name", fmt.Sprint("node-", slot)}
	})
	s.run(kills(t, 8))
}

// soak is an installation under load whose nodes are killed. The receiver's ledger is the judge.
type soak struct {
	t     *testing.T
	sink  *receiver
	flags func(slot int) []string

	mu    sync.Mutex
	nodes []*node

	subscription string
	accepted     sync.Map // run → number of its steps that were answered with 202
	runs         atomic.Int64
	answered     func(status int) // nil, or told of every answer to an event
}

func newSoak(t *testing.T, nodes int, flags func(slot int) []string) *soak {
	s := &soak{t: t, sink: startReceiver(t), flags: flags, nodes: make([]*node, nodes)}
	for slot := range nodes {
		s.nodes[slot] = startNode(t, "unused", flags(slot)...)
	}
	s.subscription = subscribe(s.nodes[0], s.sink.URL+"/hook")
	for _, n := range s.nodes { // a node that is asked knows; others learn within moments
		n.call(http.MethodGet, "/v1/subscriptions/"+s.subscription, nil, http.StatusOK)
	}
	return s
}

// load puts load on until stop is called.
func (s *soak) load() (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var senders sync.WaitGroup
	for range 6 {
		senders.Go(func() { s.send(ctx) })
	}
	return func() {
		cancel()
		senders.Wait()
	}
}

// run puts load on, kills, heals, and judges.
func (s *soak) run(kills int) {
	stop := s.load()
	for n := range kills {
		s.killOne(n)
	}
	stop()
	s.replace(0) // free of failpoints
	s.nodes[0].untilBalanced()
	s.judge()
}

// points are the steps at which a node may kill itself.
var points = []string{
	"ingest.before-commit", "ingest.after-commit", "committer.before-commit", "committer.after-commit", "dispatch.before-send",
	"dispatch.after-send", "dispatch.before-record", "dispatch.after-record",
}

// killOne starts one node anew with a failpoint, lets it run into it, and kills it from outside if it does not.
func (s *soak) killOne(n int) {
	slot := rand.IntN(len(s.nodes))
	point := fmt.Sprintf("%s=kill:%d", points[n%len(points)], 1+rand.IntN(20))
	victim := s.replace(slot, "--failpoints", point)
	select {
	case err := <-victim.ended:
		victim.ended <- err
	case <-time.After(time.Duration(200+rand.IntN(600)) * time.Millisecond):
	}
	victim.kill()
}

// replace kills the node in a slot and starts another.
func (s *soak) replace(slot int, flags ...string) *node {
	s.mu.Lock()
	old := s.nodes[slot]
	s.mu.Unlock()
	old.kill()
	fresh := launchNode(s.t, "unused", append(s.flags(slot), flags...)...)
	if fresh.url == "" && len(flags) == 0 {
		s.t.Fatalf("the server did not start:\n%s", fresh.log)
	}
	s.mu.Lock()
	s.nodes[slot] = fresh
	s.mu.Unlock()
	return fresh
}

// send hands in one run after another, each step until it is accepted, as a sender does that keeps what was not answered.
func (s *soak) send(ctx context.Context) {
	pace := time.NewTicker(15 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		run := fmt.Sprintf("run-%d", s.runs.Add(1))
		for number := 0; number < len(steps); {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			if s.post(step(run, steps[number], number)) {
				number++
				s.accepted.Store(run, number)
			}
		}
	}
}

// post hands one event to any node.
func (s *soak) post(event any) bool {
	s.mu.Lock()
	n := s.nodes[rand.IntN(len(s.nodes))]
	s.mu.Unlock()
	if n.url == "" {
		return false // it ran into its failpoint before it listened
	}
	status, answer, err := n.try(http.MethodPost, "/v1/events", event)
	if err == nil && s.answered != nil {
		s.answered(status)
	}
	if err == nil && status != http.StatusAccepted && status < 500 {
		s.t.Errorf("an event was answered with %d: %v", status, answer)
	}
	return err == nil && status == http.StatusAccepted
}

// judge holds what was accepted against what arrived, and what arrived twice against the log.
func (s *soak) judge() {
	arrived := s.sink.arrivals()
	byRun := map[string][]string{}
	times := map[string]int{}
	for _, a := range arrived {
		run, status := runAndStatus(a)
		if !slices.Contains(byRun[run], status) {
			byRun[run] = append(byRun[run], status)
		}
		times[a.Header.Get("Webhook-Id")]++
	}
	events := 0
	s.accepted.Range(func(run, number any) bool {
		events += number.(int)
		// A step that was sent and not answered may be there as well.
		got := byRun[run.(string)]
		if len(got) < number.(int) || !slices.Equal(got, steps[:len(got)]) {
			s.t.Errorf("of %v %d steps were accepted, and %v arrived", run, number, got)
		}
		return true
	})
	repeated := 0
	marked := s.marked()
	for id, n := range times {
		if n < 2 {
			continue
		}
		repeated++
		if !marked[id] {
			s.t.Errorf("delivery %s arrived %d times and is not marked", id, n)
		}
	}
	s.t.Logf("%d events accepted, %d requests arrived, %d deliveries more than once, %d marked as possible repeats", events, len(arrived), repeated, len(marked))
}

// marked lists the deliveries that the log calls possibly repeated.
func (s *soak) marked() map[string]bool {
	marked := map[string]bool{}
	query := url.Values{"subscription": {s.subscription}, "limit": {"200"}}
	for {
		page := s.nodes[0].call(http.MethodGet, "/v1/deliveries?"+query.Encode(), nil, http.StatusOK)
		for _, item := range page["items"].([]any) {
			d := item.(map[string]any)
			if d["state"] != "delivered" {
				s.t.Errorf("delivery %v is %v", d["id"], d["state"])
			}
			if last, ok := d["last"].(map[string]any); ok && last["possibly_repeated"] == true {
				marked[d["id"].(string)] = true
			}
		}
		next, more := page["next"].(string)
		if !more {
			return marked
		}
		query.Set("cursor", next)
	}
}

// TestPausedNodeRecordsNothing stops one of two nodes for longer than its lease: the other takes over, and what the paused
// one still holds is neither recorded nor sent again.
func TestPausedNodeRecordsNothing(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t).NewDatabase(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	s := newSoak(t, 2, func(slot int) []string {
		return []string{"--data", dirs[slot], "--database", database, "--master-key", strings.Repeat("ab", 32), "--node-name", fmt.Sprint("node-", slot)}
	})
	paused, other := s.nodes[0], s.nodes[1]
	if err := paused.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// Whichever node owned the lane, the living one must deliver within the promise of ten seconds after the lease.
	for number, status := range steps {
		other.call(http.MethodPost, "/v1/events", step("run-1", status, number), http.StatusAccepted)
	}
	s.accepted.Store("run-1", len(steps))
	s.sink.until(t, "every step of the run", func(all []arrival) bool { return len(statusesOf(all, "run-1")) == len(steps) })
	if err := paused.command.Process.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for number, status := range steps {
		paused.call(http.MethodPost, "/v1/events", step("run-2", status, number), http.StatusAccepted)
	}
	s.accepted.Store("run-2", len(steps))
	s.sink.until(t, "every step of the second run", func(all []arrival) bool { return len(statusesOf(all, "run-2")) == len(steps) })
	other.untilBalanced()
	s.judge()
}
