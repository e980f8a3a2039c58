package terraform_test

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/internal/event"
)

// wrapped returns a command that runs args under the wrapper, and the file of its events.
func wrapped(t *testing.T, dir string, args ...string) (cmd *exec.Cmd, events string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	events = filepath.Join(t.TempDir(), "events.jsonl")
	cmd = exec.Command(self, args...)
	cmd.Dir, cmd.Env = dir, quiet(wrapVariable+"="+events)
	return cmd, events
}

// summaries reads the events of a wrapped command.
func summaries(t *testing.T, path string) []string {
	t.Helper()
	var lines []string
	for line := range bytes.Lines(readFile(t, path)) {
		e, err := event.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, summary(t, *e))
	}
	return lines
}

// statuses shortens events to their statuses; one that waits for a person has a question mark.
func statuses(t *testing.T, path string) string {
	t.Helper()
	var words []string
	for line := range bytes.Lines(readFile(t, path)) {
		e, err := event.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		word := string(e.Run.Status)
		if e.Run.Awaiting {
			word += "?"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// wantedEvents are the event lines of a recording's want file.
func wantedEvents(t *testing.T, name string) []string {
	t.Helper()
	var lines []string
	scanner := bufio.NewScanner(bytes.NewReader(readFile(t, recordings, name, "want")))
	for scanner.Scan() {
		if strings.Contains(scanner.Text(), `"status":`) {
			lines = append(lines, scanner.Text())
		}
	}
	return lines
}

// varying matches what differs between two runs of the same configuration.
var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|"@timestamp":"[^"]*"|after \d+s|"elapsed_seconds":\d+`)

// comparable makes the outputs of two runs comparable: resources of one step may come in any order.
func comparable(output []byte) string {
	lines := strings.Split(varying.ReplaceAllString(string(output), "*"), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestRealCommandIsReportedAndUntouched(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			cmd, events := wrapped(t, prepare(t, tool, s.config, s.before...), append([]string{tool}, s.args...)...)
			var out, errs bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.stdin), &out, &errs
			if err := cmd.Run(); err != nil && cmd.ProcessState.ExitCode() != s.code {
				t.Fatalf("%v, want exit code %d\n%s%s", err, s.code, &out, &errs)
			}
			if got, want := summaries(t, events), wantedEvents(t, s.name); !slices.Equal(got, want) {
				t.Errorf("events are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if got, want := comparable(out.Bytes()), comparable(readFile(t, recordings, s.name, "out")); got != want {
				t.Errorf("standard output is\n%s\nwant what was recorded\n%s", got, want)
			}
			if got, want := comparable(errs.Bytes()), comparable(readFile(t, recordings, s.name, "err")); got != want {
				t.Errorf("standard error is\n%s\nwant what was recorded\n%s", got, want)
			}
		})
	}
}

// TestRealCommandIsSignalledOnce sends the wrapper a signal while a resource is being created: the tool must stop
// gracefully, which it does only at the first interrupt.
func TestRealCommandIsSignalledOnce(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := prepare(t, tool, "slow")
			cmd, events := wrapped(t, dir, tool, "apply", "-auto-approve", "-no-color")
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitForFile(t, filepath.Join(dir, "started"))
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if failed := new(exec.ExitError); !errors.As(cmd.Wait(), &failed) || failed.ExitCode() != 1 {
				t.Errorf("ended with %v, want exit code 1", failed)
			}
			text := out.String()
			if !strings.Contains(text, "Interrupt received.") || strings.Contains(text, "Two interrupts received.") {
				t.Errorf("not interrupted exactly once:\n%s", text)
			}
			if got, want := statuses(t, events), "pending planning planned applying canceled"; got != want {
				t.Errorf("statuses are %q, want %q", got, want)
			}
		})
	}
}

// waitForFile returns as soon as the file is there.
func waitForFile(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if t.Context().Err() != nil {
			t.Fatalf("%s never came", path)
		}
	}
}
