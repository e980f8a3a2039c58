package terraform_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
)

var (
	record = flag.Bool("record", false, "record the scenarios anew from the terraform on the PATH")
	update = flag.Bool("update", false, "write what the recordings are understood as into their want files")
)

const recordings = "testdata/recordings"

// extra recordings have no scenario: they need a provider that is not built in, or were made in another way.
func extraRecordings() []scenario {
	return []scenario{
		{name: "plan-drift", args: []string{"plan", "-refresh-only", "-no-color"}},
		{name: "plan-drift-json", args: []string{"plan", "-refresh-only", "-json", "-detailed-exitcode"}, code: 2},
		{name: "apply-drift", args: []string{"apply", "-refresh-only", "-auto-approve", "-no-color"}},
		{name: "plan-beside-drift-json", args: []string{"plan", "-json"}},
		{name: "apply-interrupted", args: []string{"apply", "-auto-approve", "-no-color"}, code: 1},
		{name: "apply-interrupted-json", args: []string{"apply", "-auto-approve", "-json"}, code: 1},
		{name: "prompt-interrupted", args: []string{"apply", "-no-color"}, code: 1},
		{name: "prompt-interrupted-terminal", args: []string{"apply"}, code: 1},
		{name: "apply-approved-terminal", args: []string{"apply"}},
	}
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	for _, s := range append(scenarios(), extraRecordings()...) {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if *record && s.config != "" {
				s.record(t)
			}
			out, errs := readFile(t, recordings, s.name, "out"), readFile(t, recordings, s.name, "err")
			got := s.understand(t, out, errs, 0)
			path := filepath.Join(recordings, s.name, "want")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := readFile(t, path); !bytes.Equal(got, want) {
				t.Errorf("understood as\n%s\nwant\n%s", got, want)
			}
			for _, size := range []int{1, 7, 64} {
				if again := s.understand(t, out, errs, size); !bytes.Equal(again, got) {
					t.Errorf("in chunks of up to %d bytes it is understood as\n%s\ninstead of\n%s", size, again, got)
				}
			}
		})
	}
}

// understand returns the observations and the events of a recording, one a line. size bounds the chunks; 0 is all at once.
func (s scenario) understand(t *testing.T, out, errs []byte, size int) []byte {
	t.Helper()
	inv := s.invocation(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	track := runner.NewTrack(inv, runner.Facts{RunID: "run-1"})
	var text bytes.Buffer
	events := track.Begin(at)
	note := func(seen []runner.Observation) {
		for _, o := range seen {
			events = append(events, track.Observe(o, at)...)
			line, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(append(line, '\n'))
		}
	}
	for stream, bytes := range [][]byte{out, errs} {
		for _, chunk := range chunks(bytes, size) {
			note(inv.Recognizer.Read(runner.Stream(stream), chunk))
		}
	}
	note(inv.Recognizer.End())
	events = append(events, track.End(runner.Exit{Code: s.code}, at)...)
	for _, e := range events {
		text.WriteString(summary(t, e) + "\n")
	}
	return text.Bytes()
}

// summary words an event in one line, without what differs from one run to the next.
func summary(t *testing.T, e event.Event) string {
	t.Helper()
	r := e.Run
	parts := map[string]any{"status": r.Status, "sequence": r.Sequence, "operation": r.Operation, "key": e.Key}
	if r.Awaiting {
		parts["awaiting"] = true
	}
	if r.HasChanges != nil {
		parts["has_changes"] = *r.HasChanges
	}
	if r.Changes != nil {
		parts["changes"] = r.Changes
	}
	if r.Phase != "" {
		parts["phase"] = r.Phase
	}
	if r.Error != "" {
		parts["error"], _, _ = strings.Cut(r.Error, "\n")
	}
	if r.Drift {
		parts["drift"] = true
	}
	line, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

// chunks cuts text at random places, always the same ones.
func chunks(text []byte, size int) [][]byte {
	if size == 0 {
		return [][]byte{text}
	}
	random := rand.New(rand.NewPCG(uint64(size), uint64(len(text))))
	var cut [][]byte
	for len(text) > 0 {
		n := min(1+random.IntN(size), len(text))
		cut, text = append(cut, text[:n]), text[n:]
	}
	return cut
}

// record runs the scenario with the real tool and keeps what it printed.
func (s scenario) record(t *testing.T) {
	t.Helper()
	tool, ok := findTerraform(t)
	if !ok {
		t.Fatal("nothing to record from")
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(tool, s.args...)
	cmd.Dir, cmd.Env = prepare(t, tool, s.config, s.before...), quiet()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.stdin), &out, &errs
	err := cmd.Run()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != s.code {
		t.Fatalf("exit code %d, want %d\n%s%s", code, s.code, &out, &errs)
	}
	dir := filepath.Join(recordings, s.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"out": out.Bytes(), "err": errs.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readFile(t testing.TB, parts ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func read(t *testing.T, args ...string) runner.Invocation {
	t.Helper()
	inv, ok := terraform.Tool{}.Read(args, nil)
	if !ok || !inv.Reported() {
		t.Fatalf("%q is not read as a run", args)
	}
	return inv
}
