// Package runner wraps an infrastructure tool's command: it runs the command as the user would, watches its output pass
// by, and tells what happens as events of one run.
//
// The user must not notice. Input is handed over as it is; where the user has a terminal, the command has one too; every
// byte of output arrives unchanged, the exit code and death by a signal are mirrored, and a signal reaches the command
// exactly once. What is learnt from the output is only told: nothing here can make the command fail or wait.
//
// The package knows no tool: what a command line means and what the output says is read by a Tool, one package each below
// this one. It sends nothing either: events leave through Options.Emit.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"carillon/internal/event"
)

// Exit codes of a command that could not be started, as shells give them.
const (
	codeNotExecutable = 126
	codeNotFound      = 127
	codeSignal        = 128 // plus the signal's number
)

// Exit is how a command ended.
type Exit struct {
	Code   int
	Signal syscall.Signal // 0 when it exited by itself
}

// Status is the exit as a single number, as a shell says it: 128 and the signal's number for a death by signal.
func (e Exit) Status() int {
	if e.Signal != 0 {
		return codeSignal + int(e.Signal)
	}
	return e.Code
}

// Mirror ends this process in the same way: by the same signal, so that a shell or a make sees what it would have seen,
// else with the same code. It does not return. Signals at which a Go program prints its stacks, or which it ignores, are
// mirrored by their code alone.
func (e Exit) Mirror() {
	switch e.Signal {
	case syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL:
		signal.Reset(e.Signal)
		_ = syscall.Kill(os.Getpid(), e.Signal)
		time.Sleep(time.Second) // the signal is delivered to some thread; this one must not exit before it
	}
	os.Exit(e.Status())
}

// Options says what to run and whom to tell.
type Options struct {
	Args []string // the command and its arguments
	Env  []string // nil: this process's own

	// Invocation is what a Tool read from Args. Without a Recognizer the command runs all the same and nothing is told.
	Invocation Invocation

	// Facts finds out what is known about the run. It is called while the command runs already.
	Facts func(ctx context.Context) Facts

	// Emit takes the events, in order, from one goroutine. Run does not return before it has taken the last.
	Emit func(event.Event)

	Stdin, Stdout, Stderr *os.File // nil: this process's own

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: silent; hears only of what went wrong with the watching
}

// Run runs the command until it ends and returns how. The error says why it could not be started; Exit then has the code
// that a shell would give. When ctx ends, the command is asked to end (SIGTERM) and waited for. A ctx that ends at an
// interrupt of this process would ask twice: signals are passed on here already.
func Run(ctx context.Context, o Options) (Exit, error) {
	o = o.withDefaults()
	if len(o.Args) == 0 {
		return Exit{Code: codeNotFound}, errors.New("no command was given")
	}
	s := &session{o: o, relay: newRelay(o.Invocation.Reported()), journal: newJournal()}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, relayed...)
	defer signal.Stop(signals)

	if err := s.start(ctx); err != nil {
		return notStarted(err), fmt.Errorf("start %s: %w", o.Args[0], err)
	}
	told := s.tell(ctx)
	exit := s.attend(ctx, signals)
	s.finish(exit)
	<-told
	return exit, nil
}

func (o Options) withDefaults() Options {
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Stdin == nil {
		o.Stdin = os.Stdin
	}
	if o.Stdout == nil {
		o.Stdout = os.Stdout
	}
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Facts == nil {
		o.Facts = func(context.Context) Facts { return Facts{RunID: newRunID(), Message: messageDefault} }
	}
	if o.Emit == nil {
		o.Emit = func(event.Event) {}
	}
	return o
}

// notStarted gives the code that a shell gives: 127 for a command that is not there, 126 for one that can not be run.
func notStarted(err error) Exit {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return Exit{Code: codeNotFound}
	}
	return Exit{Code: codeNotExecutable}
}
