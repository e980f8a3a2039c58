package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"carillon/client"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/runner"
	"carillon/internal/runner/pulumi"
	"carillon/internal/runner/terraform"
	"carillon/internal/spool"
)

// tools lists what `carillon run` can report: one line each.
func tools() []runner.Tool {
	return []runner.Tool{
		terraform.Tool{},
		pulumi.Tool{},
	}
}

// reporting is what the commands share that report what a tool does.
type reporting struct {
	connection
	Workspace string        `help:"Where the run belongs: ORG/NAME or ORG/PROJECT/NAME; parts that are left out are found out from the tool's own files." placeholder:"ORG/NAME"`
	Message   string        `help:"What the run is about; the commit's message by default." placeholder:"TEXT"`
	Actor     string        `help:"Who started it; the CI job's user by default." placeholder:"NAME"`
	URL       string        `name:"url" help:"Page of the run; the CI job's by default." placeholder:"URL"`
	RunID     string        `name:"run-id" help:"Name of the run, unique in its workspace; a random one by default." placeholder:"ID"`
	Label     []string      `help:"Labels of the run." placeholder:"TEXT,…"`
	Wait      time.Duration `default:"5s" help:"How long to wait at the end for a server that does not answer; what is left is kept on disk and sent by the next run." placeholder:"DURATION"`
	Quiet     bool          `help:"Say nothing about the reporting."`
}

// runCommand wraps another command.
type runCommand struct {
	reporting
	Command []string `arg:"" passthrough:"" help:"The command and its arguments, best after --." placeholder:"-- COMMAND …"`
}

// Help explains what the wrapper does and does not touch.
func (*runCommand) Help() string {
	return `The command runs as it would without carillon: it has the same terminal, input and output, is told of the same
signals, and carillon ends as the command ends, with the same exit code. What it does is reported as events of one run:
created, planning, waiting for approval, applying, and how it ended, with the counts of changes.

Nothing about the reporting can make the command fail or wait. While the server is away events are kept on disk.

  carillon run --workspace acme/network -- terraform apply`
}

// Run runs the command and reports it.
func (r *runCommand) Run(ctx context.Context, g *globals) error {
	// The wrapper passes signals on by itself; ending at one of them would ask the command twice.
	ctx = context.WithoutCancel(ctx)
	args := r.Command
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return usageError{errors.New("no command is given: carillon run -- terraform apply")}
	}
	given, err := r.given()
	if err != nil {
		return err
	}
	environment := runner.Environment(os.Environ())
	invocation, known := runner.Find(tools(), args, environment)
	if !known {
		r.note(g, "%q is no command whose runs can be reported; it runs as it is", args[0])
	}
	if invocation.Reported() && !r.placed(given, invocation, environment) {
		r.note(g, "no organization is known, so nothing is reported: give --workspace ORG/NAME")
		invocation.Recognizer = nil
	}
	return r.wrap(ctx, g, args, given, invocation, environment)
}

// wrap runs the command with what is known about it, and ends as it ended.
func (r *runCommand) wrap(ctx context.Context, g *globals, args []string, given runner.Given, inv runner.Invocation, env runner.Environment) error {
	options := runner.Options{Args: args, Invocation: inv, Log: slog.New(slog.DiscardHandler)}
	var kept *spool.Spool
	if inv.Reported() {
		kept = spool.Open(r.spool())
		options.Emit = kept.Put
		options.Facts = func(ctx context.Context) runner.Facts {
			return runner.Gather(ctx, given, inv, inv.Dir, env)
		}
	}
	exit, err := runner.Run(ctx, options)
	if kept != nil {
		r.tell(g, kept.Close(ctx))
	}
	if err != nil {
		fmt.Fprintln(g.streams.Err, "carillon:", err)
	}
	if exit.Signal != 0 {
		exit.Mirror()
	}
	if exit.Code != 0 {
		return exitError{exit.Code}
	}
	return nil
}

// given is what the flags say about the run.
func (r *reporting) given() (runner.Given, error) {
	place := runner.Place{}
	if r.Workspace != "" {
		var err error
		if place, err = runner.ParsePlace(r.Workspace); err != nil {
			return runner.Given{}, usageError{fmt.Errorf("--workspace: %w", err)}
		}
	}
	return runner.Given{RunID: r.RunID, Place: place, Message: r.Message, URL: r.URL, Actor: r.Actor, Labels: r.Label}, nil
}

// placed reports whether the organization of the run is known.
func (r *reporting) placed(given runner.Given, inv runner.Invocation, env runner.Environment) bool {
	if given.Place.Organization != "" {
		return true
	}
	return inv.Locate != nil && inv.Locate(inv.Dir, env).Organization != ""
}

// spool says where events are kept and who sends them. Without a token they are only kept.
func (r *reporting) spool() spool.Options {
	options := spool.Options{Dir: spool.DefaultDir(os.Getenv), Destination: r.Server, Wait: r.Wait}
	if r.Token == "" {
		return options
	}
	// The spool tries again by itself.
	if c, err := client.New(client.Options{Server: r.Server, Token: r.Token, UserAgent: "carillon/" + Version, Tries: 1}); err == nil {
		options.Sender = sender{c}
	}
	return options
}

// tell says what became of the events, if there is anything to say.
func (r *reporting) tell(g *globals, report spool.Report) {
	switch {
	case report.Kept > 0 && r.Token == "":
		r.note(g, "no token is set (CARILLON_TOKEN): %d events are kept on disk and sent by the next run that has one", report.Kept)
	case report.Kept > 0:
		r.note(g, "%d events are kept on disk and sent by the next run, or by carillon send --spool: %v", report.Kept, report.Reason)
	}
	if report.Refused > 0 {
		r.note(g, "the server refused %d events; they are kept in %s", report.Refused, spool.DefaultDir(os.Getenv))
	}
}

// note says something about the reporting, on standard error.
func (r *reporting) note(g *globals, format string, args ...any) {
	if !r.Quiet {
		fmt.Fprintf(g.streams.Err, "carillon: "+format+"\n", args...)
	}
}

// sender brings events to the server.
type sender struct{ client *client.Client }

// Send sends events. Refusals come back as faults, so that the spool knows what can never be taken.
func (s sender) Send(ctx context.Context, events []event.Event) error {
	documents := make([]json.RawMessage, len(events))
	for i := range events {
		body, err := event.Encode(&events[i])
		if err != nil {
			return fmt.Errorf("encode an event: %w", err)
		}
		documents[i] = body
	}
	_, err := s.client.Send(ctx, documents)
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Code != "" {
		return &fault.Error{Code: fault.Code(problem.Code), Message: problem.Error()}
	}
	return err
}
