package cli_test

import (
	"crypto/sha256"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/internal/store/postgres/pgtest"
)

// TestMigrate moves an installation with history and with pending deliveries to PostgreSQL: the server there delivers what
// was pending, shows the history, knows the senders' keys, and its books balance. The source stays as it was.
func TestMigrate(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*node){"after a stop": (*node).terminate, "after a crash": (*node).kill} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			migrated(t, end)
		})
	}
}

func migrated(t *testing.T, end func(*node)) {
	sink, dir := startReceiver(t), t.TempDir()
	database := pgtest.Start(t).NewDatabase(t)
	n := startNode(t, dir)
	subscription := subscribe(n, sink.URL+"/hook")
	for number, status := range steps {
		n.call(http.MethodPost, "/v1/events", step("run-1", status, number), http.StatusAccepted)
	}
	sink.until(t, "the first run", func(all []arrival) bool { return len(statusesOf(all, "run-1")) == len(steps) })
	n.untilBalanced()
	sink.answer(http.StatusServiceUnavailable)
	for number, status := range steps {
		n.call(http.MethodPost, "/v1/events", step("run-2", status, number), http.StatusAccepted)
	}
	if out, err := migrate(dir, database); err == nil || !strings.Contains(out, "in use by another process") {
		t.Errorf("moved while the server runs: %v\n%s", err, out)
	}
	end(n)

	before := sums(t, dir)
	out, err := migrate(dir, database)
	if err != nil || !strings.Contains(out, "copied and compared") || !strings.Contains(out, "10 events\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	if after := sums(t, dir); !slices.Equal(before, after) {
		t.Errorf("the source was %v and is %v", before, after)
	}
	if out, err := migrate(dir, database); err == nil || !strings.Contains(out, "not empty") {
		t.Errorf("moved twice: %v\n%s", err, out)
	}

	sink.answer(http.StatusOK)
	moved := startNode(t, dir, "--database", database)
	all := sink.until(t, "what was pending", func(all []arrival) bool { return len(statusesOf(all, "run-2")) == len(steps) })
	if got := statusesOf(all, "run-2"); !slices.Equal(got, steps) {
		t.Errorf("arrived in the order %v", got)
	}
	moved.untilBalanced()
	again := moved.call(http.MethodPost, "/v1/events", step("run-1", steps[0], 0), http.StatusAccepted)
	if again["duplicate"] != true {
		t.Errorf("a step that was sent before the move is taken again: %v", again)
	}
	books := moved.call(http.MethodGet, "/v1/accounting", nil, http.StatusOK)
	if want := float64(2 * len(steps)); books["accepted"] != want || books["delivered"] != want {
		t.Errorf("the books are %v", books)
	}
	list := moved.call(http.MethodGet, "/v1/deliveries?subscription="+subscription, nil, http.StatusOK)
	if items := list["items"].([]any); len(items) != 2*len(steps) {
		t.Errorf("the log shows %d deliveries, want %d", len(items), 2*len(steps))
	}
}

// migrate runs the command and returns all that it says.
func migrate(dir, database string) (string, error) {
	out, err := exec.Command("carillon", "migrate", "--from", dir, "--to", database).CombinedOutput()
	return string(out), err
}

// sums spells what a directory's files hold; of the lock only that it is there.
func sums(t *testing.T, dir string) (sums []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".lock") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		sums = append(sums, entry.Name()+" "+string(sum[:]))
	}
	return sums
}
