package terraform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
)

// wrapVariable makes the test binary a wrapper: it runs its arguments as the program does, and appends the events to the
// file that the variable names.
const wrapVariable = "CARILLON_TEST_WRAP"

func TestMain(m *testing.M) {
	if path := os.Getenv(wrapVariable); path != "" {
		wrap(path, os.Args[1:])
	}
	goleak.VerifyTestMain(m)
}

func wrap(path string, args []string) {
	events, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	env := runner.Environment(os.Environ())
	inv, _ := runner.Find([]runner.Tool{terraform.Tool{}}, args, env)
	exit, err := runner.Run(context.Background(), runner.Options{
		Args: args, Invocation: inv,
		Facts: func(context.Context) runner.Facts { return runner.Facts{RunID: "run-1"} },
		Emit: func(e event.Event) {
			line, _ := json.Marshal(e)
			_, _ = events.Write(append(line, '\n'))
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	exit.Mirror()
}
