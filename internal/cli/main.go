// Package cli is the command line: it reads flags, variables and the settings file, and calls the packages that do the
// work. One file holds one command. The package decides nothing about events, deliveries or protocols.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"carillon/internal/fault"
)

// Version is the program's version, set at link time.
var Version = "dev"

// Exit codes. A wrapped command's own code passes through `carillon run` untouched.
const (
	exitOK      = 0
	exitFailure = 1 // it was tried and did not work
	exitUsage   = 2 // the command line or a setting is wrong
)

// Streams are the standard streams of the program.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// globals are the flags that every command has.
type globals struct {
	Config  kong.ConfigFlag  `help:"Settings file in YAML; its keys are the names of the flags." placeholder:"FILE.yaml"`
	Version kong.VersionFlag `env:"-" help:"Print the version and exit."`

	streams Streams
}

// commands is the command line as a value: kong reads flags, variables and help from it.
type commands struct {
	globals

	Serve        serveCommand        `cmd:"" help:"Run the server."`
	Migrate      migrateCommand      `cmd:"" help:"Move everything from the embedded database to PostgreSQL."`
	Demo         demoCommand         `cmd:"" help:"Show everything at once on this machine; ends by itself."`
	Run          runCommand          `cmd:"" help:"Run an infrastructure-as-code command and report what it does."`
	Assess       assessCommand       `cmd:"" help:"Assess a directory's health: drift and checks."`
	Send         sendCommand         `cmd:"" help:"Send events to the server."`
	Listen       listenCommand       `cmd:"" help:"Receive notifications on this machine: verify and print them."`
	Verify       verifyCommand       `cmd:"" help:"Check the signature of one captured request."`
	Subscription subscriptionCommand `cmd:"" aliases:"sub" help:"List, show and change subscriptions."`
	Delivery     deliveryCommand     `cmd:"" help:"List and show deliveries; send them again."`
	Destination  destinationCommand  `cmd:"" help:"Show how destinations fare."`
	Replay       replayCommand       `cmd:"" help:"Send many deliveries once more: by query, at a pace."`
	Organization organizationCommand `cmd:"" aliases:"org" help:"List and create organizations."`
	Workspace    workspaceCommand    `cmd:"" help:"List and create workspaces."`
	Token        tokenCommand        `cmd:"" help:"Create, list and revoke API tokens."`
	Bench        benchCommand        `cmd:"" help:"Measure this program on this machine."`
	Complete     completeCommand     `cmd:"" name:"completion" help:"Print a completion script for a shell."`
	Candidates   candidatesCommand   `cmd:"" name:"__complete" hidden:"" passthrough:""`
}

// usageError is an error of the command line itself.
type usageError struct{ error }

// exitError ends the program with a code of its own, silently: everything was said already.
type exitError struct{ code int }

// Error names the code.
func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// Main runs the program and returns its exit code.
func Main(args []string, streams Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Execute(ctx, args, streams)
}

// Execute is Main under a context of the caller's: it ends when ctx does.
func Execute(ctx context.Context, args []string, streams Streams) int {
	parser, root, err := newParser(streams)
	if err != nil {
		fmt.Fprintln(streams.Err, "carillon:", err)
		return exitUsage
	}
	return execute(ctx, parser, root, args)
}

// execute parses and runs. Help and version end the parser through Exit, which must not return: it unwinds to here.
func execute(ctx context.Context, parser *kong.Kong, root *commands, args []string) (code int) {
	parser.Exit = func(code int) { panic(exitError{code}) }
	defer func() {
		if r := recover(); r != nil {
			ended, ours := r.(exitError)
			if !ours {
				panic(r)
			}
			code = ended.code
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		return report(root.streams.Err, usageError{err})
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(&root.globals)
	return report(root.streams.Err, parsed.Run())
}

func newParser(streams Streams) (*kong.Kong, *commands, error) {
	root := &commands{globals: globals{streams: streams}}
	parser, err := kong.New(root,
		kong.Name("carillon"),
		kong.Description("Notifications for infrastructure-as-code runs.\n\nEvery flag is also a variable (--base-url is CARILLON_BASE_URL) and a key of the settings file."),
		kong.UsageOnError(),
		kong.DefaultEnvars("CARILLON"),
		kong.Configuration(readSettings),
		kong.Writers(streams.Out, streams.Err),
		kong.Vars{"version": "carillon " + Version},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
	)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare the command line: %w", err)
	}
	return parser, root, nil
}

// report prints an error for people and turns it into an exit code.
func report(to io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	if silent, ok := errors.AsType[exitError](err); ok {
		return silent.code
	}
	if _, ok := errors.AsType[usageError](err); ok {
		fmt.Fprintln(to, "carillon:", err)
		fmt.Fprintln(to, "Run 'carillon --help' or 'carillon COMMAND --help' to see what is possible.")
		return exitUsage
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		fmt.Fprintln(to, "carillon:", faultText(f))
		return exitFailure
	}
	fmt.Fprintln(to, "carillon:", err)
	return exitFailure
}

// faultText spells a fault with every field that is wrong.
func faultText(f *fault.Error) string {
	fields := f.Fields()
	if len(fields) == 0 {
		return f.Message
	}
	lines := make([]string, 0, len(fields))
	for _, field := range fields {
		lines = append(lines, field.Pointer+": "+field.Message)
	}
	return strings.Join(lines, "\n  ")
}
