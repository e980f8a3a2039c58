package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// wrapVariable makes the test binary a wrapper of its arguments: it writes the statuses to the file that the variable
// names.
const wrapVariable = "CARILLON_TEST_WRAP"

func TestMain(m *testing.M) {
	if path := os.Getenv(wrapVariable); path != "" {
		wrap(path, os.Args[1:])
	}
	goleak.VerifyTestMain(m)
}

func wrap(path string, args []string) {
	told, err := os.Create(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	o := runner.Options{
		Args:       args,
		Invocation: runner.Invocation{Operation: event.OperationApply, Recognizer: &toy{}},
		Emit:       func(e event.Event) { fmt.Fprintln(told, e.Run.Status) },
	}
	if os.Getenv("CARILLON_TEST_UNREPORTED") != "" {
		o.Invocation = runner.Invocation{}
	}
	if gate := os.Getenv("CARILLON_TEST_GATE"); gate != "" { // facts that are found only once the command opens the gate
		o.Facts = func(context.Context) runner.Facts {
			text, err := os.ReadFile(gate)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			return runner.Facts{RunID: string(text)}
		}
	}
	exit, err := runner.Run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	exit.Mirror()
}

// toy recognizes words in the output. It panics at "panic".
type toy struct{ seen []byte }

func (y *toy) Read(_ runner.Stream, chunk []byte) []runner.Observation {
	var found []runner.Observation
	y.seen = append(y.seen, chunk...)
	for {
		line, rest, ok := bytes.Cut(y.seen, []byte("\n"))
		if !ok {
			return found
		}
		y.seen = rest
		switch word := strings.TrimSpace(string(line)); word {
		case "panic":
			panic("the recognizer has a bug")
		case string(runner.Planned), string(runner.Asking), string(runner.Approved), string(runner.Applying),
			string(runner.Interrupted), string(runner.Completed), string(runner.Declined):
			found = append(found, runner.Observation{Saw: runner.Sight(word)})
		}
	}
}

func (y *toy) End() []runner.Observation { return nil }
