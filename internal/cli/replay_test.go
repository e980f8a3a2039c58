package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/client"
	"carillon/internal/store/postgres/pgtest"
)

// replayRuns and steps make what a replay test sends.
const replayRuns = 60

// TestReplaySurvivesKills lets a receiver be down while 300 deliveries are owed to it, sends them once more when it is back,
// and kills the server at each step of that. The receiver's ledger is the judge: every one arrives, in order per run; the
// books balance; the counters count.
func TestReplaySurvivesKills(t *testing.T) {
	t.Parallel()
	for _, failpoint := range []string{
		"", "replay.before-plan=kill:2", "replay.before-enqueue=kill:2", "replay.after-enqueue=kill:2", "committer.after-commit=kill:30",
	} {
		t.Run(failpoint, func(t *testing.T) {
			t.Parallel()
			replayed(t, failpoint)
		})
	}
}

func replayed(t *testing.T, failpoint string) {
	sink, dir := startReceiver(t), t.TempDir()
	setup := startNode(t, dir)
	id := subscribe(setup, sink.URL+"/hook")
	missed(setup, sink, id)
	setup.stop()
	before := len(sink.arrivals())

	var flags []string
	if failpoint != "" {
		flags = []string{"--failpoints", failpoint}
	}
	victim := startNode(t, dir, flags...)
	preview := carillon[client.ReplayPreview](victim, "replay", "--organization", "acme", "--state", "exhausted,cancelled", "--preview")
	if owed := replayRuns * len(steps); preview.Found != owed || preview.Queued != owed || !preview.FoundExact {
		t.Errorf("%+v", preview)
	}
	made := carillon[client.Replay](victim, "replay", "--organization", "acme", "--state", "exhausted,cancelled", "--pace", "100")
	if failpoint == "" {
		sink.until(t, "part of the replay", func(all []arrival) bool { return len(all) >= before+130 })
		victim.kill()
	}
	victim.wait()

	again := startNode(t, dir)
	if got := carillon[client.Replay](again, "replay", "show", made.ID); got.Handled >= replayRuns*len(steps) {
		t.Errorf("the replay was over when the server died: %+v", got)
	}
	r := carillon[client.Replay](again, "replay", "show", "--wait", made.ID)
	again.untilBalanced()
	checkReplayed(t, again, r, sink.arrivals()[before:])
}

// missed makes every step of every run fail: the receiver is down, and somebody gives up waiting for it.
func missed(n *node, sink *receiver, subscription string) {
	n.t.Helper()
	sink.answer(http.StatusServiceUnavailable)
	n.call(http.MethodPatch, "/v1/subscriptions/"+subscription, map[string]any{"delivery": map[string]any{"max_attempts": 1}}, http.StatusOK)
	for number, status := range steps {
		var events []any
		for run := range replayRuns {
			events = append(events, step(fmt.Sprint("run-", run), status, number))
		}
		n.call(http.MethodPost, "/v1/events", events, http.StatusAccepted)
	}
	sink.until(n.t, "refused attempts", func(all []arrival) bool { return len(all) >= 5 })
	n.call(http.MethodPost, "/v1/subscriptions/"+subscription+"/disable", nil, http.StatusOK)
	n.untilBalanced()
	sink.answer(http.StatusOK)
	n.call(http.MethodPost, "/v1/subscriptions/"+subscription+"/enable", nil, http.StatusOK)
}

// checkReplayed holds what arrived against what a replay says.
func checkReplayed(t *testing.T, n *node, r client.Replay, arrived []arrival) {
	t.Helper()
	owed := replayRuns * len(steps)
	for run := range replayRuns {
		if got := statusesOf(arrived, fmt.Sprint("run-", run)); !slices.Equal(got, steps) {
			t.Errorf("run %d arrived in the order %v, want %v", run, got, steps)
		}
	}
	if r.State != "done" || r.Found != owed || r.Handled != owed || r.Queued != owed || r.Delivered != owed || r.Pending != 0 || len(r.Skipped) != 0 {
		t.Errorf("%+v", r)
	}
	all := carillon[[]client.Delivery](n, "delivery", "list", "--organization", "acme", "--limit", "0")
	origins := map[string]int{}
	for _, d := range all {
		if d.Cause == "replay" {
			origins[d.Origin]++
		}
	}
	for origin, times := range origins {
		if times != 1 {
			t.Errorf("delivery %s was queued %d times", origin, times)
		}
	}
	if len(origins) != owed || len(all) != 2*owed {
		t.Errorf("%d deliveries, %d of them replayed; want %d and %d", len(all), len(origins), 2*owed, owed)
	}
	if list := carillon[[]client.Replay](n, "replay", "list", "--organization", "acme"); len(list) != 1 || list[0].ID != r.ID {
		t.Errorf("%+v", list)
	}
}

// TestAnotherNodeGoesOnWithAReplay kills the node that works on a replay, and lets the other one finish it.
func TestAnotherNodeGoesOnWithAReplay(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t).NewDatabase(t)
	start := func(name string) *node {
		return startNode(t, t.TempDir(), "--database", database, "--master-key", strings.Repeat("ab", 32), "--node-name", name)
	}
	sink, nodes := startReceiver(t), []*node{start("one"), start("two")}
	missed(nodes[0], sink, subscribe(nodes[0], sink.URL+"/hook"))
	before := len(sink.arrivals())
	made := carillon[client.Replay](nodes[1], "replay", "--organization", "acme", "--state", "exhausted,cancelled", "--pace", "50")
	sink.until(t, "part of the replay", func(all []arrival) bool { return len(all) >= before+60 })
	nodes[1].kill()
	r := carillon[client.Replay](nodes[0], "replay", "show", "--wait", made.ID)
	nodes[0].untilBalanced()
	checkReplayed(t, nodes[0], r, sink.arrivals()[before:])
}

// TestReplayIsCancelledAndWatched goes through the rest of what the command line offers for replays.
func TestReplayIsCancelledAndWatched(t *testing.T) {
	t.Parallel()
	sink := startReceiver(t)
	n := startNode(t, t.TempDir())
	missed(n, sink, subscribe(n, sink.URL+"/hook"))
	before := len(sink.arrivals())
	made := carillon[client.Replay](n, "replay", "--organization", "acme", "--state", "exhausted,cancelled", "--pace", "5")
	sink.until(t, "the first of the replay", func(all []arrival) bool { return len(all) > before })
	if code, out, errs := n.run("replay", "cancel", "--pending", made.ID); code != 0 || !strings.Contains(out, "cancelled") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	code, out, errs := n.run("replay", "show", made.ID, "--wait")
	if code != 0 || !strings.Contains(out, "finished") || !strings.Contains(errs, "replay "+made.ID+": cancelled") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	code, out, errs = n.run("replay", "--organization", "acme", "--workspace", "network", "--state", "exhausted,cancelled", "--cause", "event", "--pace", "500", "--wait")
	if code != 0 || !strings.Contains(out, "done") || !strings.Contains(errs, "delivered, ") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	for number, args := range [][]string{
		{"replay", "--organization", "acme"},
		{"replay", "--organization", "acme", "--state", "exausted"},
		{"replay", "--organization", "acme", "--state", "exhausted", "--from", "yesterday"},
		{"replay", "--organization", "acme", "--state", "exhausted", "--pace", "-1"},
		{"replay", "show", "nothing"},
		{"replay", "cancel", made.ID[:12]},
	} {
		if code, out, errs := n.run(args...); code == 0 || !strings.Contains(errs, "carillon:") {
			t.Errorf("%d: exit code %d\n%s\n%s", number, code, out, errs)
		}
	}
	n.untilBalanced()
}

// run runs a command against the node and returns how it ended and what it printed.
func (n *node) run(args ...string) (code int, out, errs string) {
	n.t.Helper()
	command := exec.Command("carillon", args...)
	command.Env = append(os.Environ(), "CARILLON_SERVER="+n.url, "CARILLON_TOKEN="+adminToken)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Start(); err != nil {
		n.t.Fatal(err)
	}
	limit := time.AfterFunc(2*time.Minute, func() { _ = command.Process.Kill() })
	defer limit.Stop()
	_ = command.Wait() // the exit code tells
	return command.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// carillon runs a command against a node, which must succeed, and decodes what it prints.
func carillon[T any](n *node, args ...string) (printed T) {
	n.t.Helper()
	code, out, errs := n.run(append(args, "--output", "json")...)
	if code != 0 {
		n.t.Fatalf("carillon %s: exit code %d\n%s\n%s", strings.Join(args, " "), code, errs, n.log)
	}
	if err := json.Unmarshal([]byte(out), &printed); err != nil {
		n.t.Fatalf("carillon %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return printed
}
