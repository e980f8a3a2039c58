package runner_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// overheard collects what was read aside, and where the file was.
type overheard struct {
	aside, printed strings.Builder
	path           string
	cut            bool
}

func (o *overheard) Read(stream runner.Stream, chunk []byte) []runner.Observation {
	if stream == runner.Aside {
		o.aside.Write(chunk)
		if o.cut {
			panic("the recognizer has a bug")
		}
		return []runner.Observation{{Saw: runner.Counted, Changes: &event.Changes{Add: int64(o.aside.Len())}}}
	}
	o.printed.Write(chunk)
	return nil
}

func (o *overheard) End() []runner.Observation { return nil }

// listen runs a script that finds its file in $LOG and a variable in $MORE.
func listen(t *testing.T, o *overheard, script string) (events []event.Event, exit runner.Exit) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	exit, err = runner.Run(context.Background(), runner.Options{
		Args: []string{"/bin/sh", "-c", "exit 99"}, Stdin: null, Stdout: null, Stderr: null,
		Invocation: runner.Invocation{
			Operation: event.OperationApply, ApplyOnly: true, Recognizer: o,
			Aside: func(path string) ([]string, []string) {
				o.path = path
				return []string{"/bin/sh", "-c", script}, []string{"LOG=" + path, "MORE=more"}
			},
		},
		Emit: func(e event.Event) { events = append(events, e) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(o.path)); !os.IsNotExist(err) {
		t.Errorf("something is left of %s: %v", o.path, err)
	}
	return events, exit
}

// TestAside reads both phases of a command that makes its file anew, and what was written last.
func TestAside(t *testing.T) {
	t.Parallel()
	o := &overheard{}
	events, exit := listen(t, o, `echo "first $MORE" > "$LOG"; while [ -e "$LOG" ]; do sleep 0.01; done
		echo printed; echo second > "$LOG"; echo third >> "$LOG"; exit 3`)
	if got := o.aside.String(); got != "first more\nsecond\nthird\n" || o.printed.String() != "printed\n" || exit.Code != 3 {
		t.Errorf("read %q and %q, ended with %d", got, o.printed.String(), exit.Code)
	}
	if last := events[len(events)-1]; last.Run.Changes == nil || last.Run.Changes.Add != int64(len("first more\nsecond\nthird\n")) {
		t.Errorf("the last event is %+v", last.Run)
	}
}

// TestAsideWithoutAFile runs a command that writes nothing.
func TestAsideWithoutAFile(t *testing.T) {
	t.Parallel()
	o := &overheard{}
	if events, exit := listen(t, o, "true"); exit.Code != 0 || o.aside.Len() != 0 || len(events) == 0 {
		t.Errorf("ended with %d and %d events", exit.Code, len(events))
	}
}

// TestAsideIsReadOnWhenNobodyListens checks that a recognizer that failed neither stops the command nor leaves a file.
func TestAsideIsReadOnWhenNobodyListens(t *testing.T) {
	t.Parallel()
	o := &overheard{cut: true}
	events, exit := listen(t, o, `echo one > "$LOG"; while [ -e "$LOG" ]; do sleep 0.01; done; echo two > "$LOG"; while [ -e "$LOG" ]; do sleep 0.01; done`)
	if exit.Code != 0 || events[len(events)-1].Run.Status != event.StatusApplied {
		t.Errorf("ended with %d: %+v", exit.Code, events)
	}
}

// TestPoliciesAreTold checks which events violated policies become.
func TestPoliciesAreTold(t *testing.T) {
	t.Parallel()
	track := runner.NewTrack(runner.Invocation{Operation: event.OperationApply, AutoApply: new(true)}, runner.Facts{RunID: "r", Place: runner.Place{Organization: "acme", Name: "net"}})
	at := track.Begin(time.Unix(1, 0))[0].OccurredAt
	see := func(name string, blocking bool) {
		track.Observe(runner.Observation{Saw: runner.Violated, Violation: &event.Violation{Policy: name}, Blocking: blocking}, at)
	}
	see("tags", false)
	see("public", true)
	see("tags", false)
	see("size", false)
	events := track.Observe(runner.Observation{Saw: runner.Planned, HasChanges: new(true)}, at)
	see("public", true) // again while applying
	see("late", true)
	events = append(events, track.End(runner.Exit{Code: 1}, at)...)
	var got []string
	for _, e := range events {
		if err := e.Validate(); err != nil {
			t.Error(err)
		}
		text := string(e.Kind)
		if e.Policy != nil {
			for _, v := range e.Policy.Violations {
				text += " " + v.Policy
			}
			if e.Policy.Blocking {
				text += " (blocking)"
			}
			text += " " + e.Key
		}
		got = append(got, text)
	}
	const want = "policy public (blocking) cli:r:policy:0; policy tags size cli:r:policy:1; run; policy late (blocking) cli:r:policy:2; run"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
