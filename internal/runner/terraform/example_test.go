package terraform_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	terraformdata "carillon/examples/terraform-data"
	"carillon/internal/event"
	"carillon/internal/runner"
)

const exampleDir = "../../../examples"

// exampleRuns are the runs of the recording.
func exampleRuns() []struct {
	args     []string
	statuses string
} {
	return []struct {
		args     []string
		statuses string
	}{
		{[]string{"apply"}, "pending planning planned? confirmed applying applied"},
		{[]string{"apply", "-auto-approve", "-var=release=2026.2"}, "pending planning planned applying applied"},
		{[]string{"destroy", "-auto-approve"}, "pending planning planned applying applied"},
	}
}

// TestExampleRuns runs the example with the real tool. With -record it makes the example's recording.
func TestExampleRuns(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	dir := example(t, tool, "terraform-data")
	var lines bytes.Buffer
	var begin time.Time
	for n, run := range exampleRuns() {
		cmd, events := wrapped(t, dir, append([]string{tool}, run.args...)...)
		cmd.Stdin = strings.NewReader("yes\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", run.args, err, out)
		}
		if got := statuses(t, events); got != run.statuses {
			t.Errorf("%v has the statuses %q, want %q", run.args, got, run.statuses)
		}
		for line := range bytes.Lines(readFile(t, events)) {
			e, err := event.Decode(line)
			if err != nil {
				t.Fatal(err)
			}
			if begin.IsZero() {
				begin = e.OccurredAt
			}
			lines.Write(recorded(t, *e, fmt.Sprint("run-", n+1), begin))
		}
	}
	if *record {
		if err := os.WriteFile(filepath.Join(exampleDir, "terraform-data", "recorded.jsonl"), lines.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// recorded makes a line of the recording.
func recorded(t *testing.T, e event.Event, run string, begin time.Time) []byte {
	t.Helper()
	after := e.OccurredAt.Sub(begin)
	e.Workspace.Name, e.Run.SourceID = "terraform-data", run
	e.Key = fmt.Sprintf("cli:%s:%d", run, e.Run.Sequence)
	e.Run.Message = "Triggered via CLI"
	line, err := json.Marshal(map[string]any{"after_ms": after.Milliseconds(), "event": e})
	if err != nil {
		t.Fatal(err)
	}
	return append(line, '\n')
}

func TestExampleRecording(t *testing.T) {
	t.Parallel()
	steps, err := terraformdata.Recording()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	var last time.Duration
	seen := map[string]bool{}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	facts := runner.Facts{RunID: "demo", Place: runner.Place{Organization: "acme", Name: "shop"}, Actor: &event.Actor{Name: "alice"}}
	for _, step := range steps {
		e, err := event.Decode(step.Event)
		if err != nil {
			t.Fatal(err)
		}
		if step.After < last {
			t.Errorf("time runs back to %v", step.After)
		}
		last = step.After
		again := runner.Replay(*e, facts, at.Add(step.After))
		if again.Organization.Name != "acme" || again.Workspace.Name != "shop" || again.OccurredAt != at.Add(step.After) ||
			!strings.HasPrefix(again.Key, "cli:demo-run-") || seen[again.Key] || again.Run.CreatedAt.After(again.OccurredAt) {
			t.Errorf("replayed as %+v of %+v", again, again.Run)
		}
		seen[again.Key] = true
		word := string(again.Run.Status)
		if again.Run.Awaiting {
			word += "?"
		}
		words = append(words, word)
	}
	var want []string
	for _, run := range exampleRuns() {
		want = append(want, run.statuses)
	}
	if got := strings.Join(words, " "); got != strings.Join(want, " ") {
		t.Errorf("recorded are %q, want %q", got, want)
	}
}

func TestExampleThatFails(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	cmd, events := wrapped(t, example(t, tool, "terraform-error"), tool, "apply", "-auto-approve")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1\n%s", code, out)
	}
	if got, want := statuses(t, events), "pending planning planned applying errored"; got != want {
		t.Errorf("statuses are %q, want %q", got, want)
	}
	if text := string(readFile(t, events)); !strings.Contains(text, "Error: local-exec provisioner error") ||
		!strings.Contains(text, "migration 0042 failed") {
		t.Errorf("the error is not told: %s", text)
	}
}

// example copies an example's configuration into a fresh directory and initialises it.
func example(t *testing.T, tool, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), readFile(t, exampleDir, name, "main.tf"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tool, "init", "-input=false")
	cmd.Dir, cmd.Env = dir, quiet()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	return dir
}
