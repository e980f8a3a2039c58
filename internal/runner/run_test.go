package runner_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// wrapped returns a command that runs a shell script under the wrapper, and the file of its statuses.
func wrapped(t *testing.T, script string, env ...string) (cmd *exec.Cmd, told string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	told = filepath.Join(t.TempDir(), "told")
	cmd = exec.Command(self, "/bin/sh", "-c", script)
	cmd.Env = append(append(os.Environ(), wrapVariable+"="+told), env...)
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
	})
	return cmd, told
}

func statuses(t *testing.T, told string) string {
	t.Helper()
	text, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

func TestCommandIsUntouchedAndTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		script   string
		stdin    string
		out, err string
		code     int
		statuses string
		env      string
	}{
		{name: "success", script: "echo out; echo err >&2", out: "out\n", err: "err\n", statuses: "pending planning applied"},
		{name: "exit code", script: "exit 42", code: 42, statuses: "pending planning errored"},
		{
			name: "every step", script: "printf 'planned\\nasking\\n'; read a; printf 'approved\\napplying\\ncompleted\\n'", stdin: "yes\n",
			out:      "planned\nasking\napproved\napplying\ncompleted\n",
			statuses: "pending planning planned confirmed applying applied",
		},
		{name: "input", script: "cat", stdin: "one\ntwo", out: "one\ntwo", statuses: "pending planning applied"},
		{
			name: "input that nobody reads", script: "exit 0", stdin: strings.Repeat("x", 1<<20),
			statuses: "pending planning applied",
		},
		{name: "bytes that are no text", script: `printf '\000\377\033[31m\r\n'`, out: "\x00\xff\x1b[31m\r\n", statuses: "pending planning applied"},
		{name: "output without a line end", script: "printf asking", out: "asking", statuses: "pending planning applied"},
		{name: "recognizer that panics", script: "printf 'planned\\npanic\\napplying\\n'; exit 3", out: "planned\npanic\napplying\n", code: 3, statuses: "pending planning errored"},
		{name: "no run", script: "echo planned; exit 5", out: "planned\n", code: 5, env: "CARILLON_TEST_UNREPORTED=1"},
		{
			name: "something left in the background", script: "sleep 60 & echo $! >&2; echo out",
			out: "out\n", statuses: "pending planning applied",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd, told := wrapped(t, tt.script, tt.env)
			var out, errs bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tt.stdin), &out, &errs
			if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != tt.code {
				t.Errorf("ended with %v, want exit code %d", err, tt.code)
			}
			if tt.name == "something left in the background" {
				end(t, strings.TrimSpace(errs.String()))
				errs.Reset()
			}
			if out.String() != tt.out || errs.String() != tt.err {
				t.Errorf("output is %q and %q", &out, &errs)
			}
			if got := statuses(t, told); got != tt.statuses {
				t.Errorf("statuses are %q, want %q", got, tt.statuses)
			}
		})
	}
}

// TestFactsDoNotHoldUpTheCommand lets the command itself be what the facts wait for.
func TestFactsDoNotHoldUpTheCommand(t *testing.T) {
	t.Parallel()
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd, told := wrapped(t, `echo applying; echo run-1 > "$CARILLON_TEST_GATE"`, "CARILLON_TEST_GATE="+gate)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "applying\n" {
		t.Fatalf("%v: %s", err, out)
	}
	if got := statuses(t, told); got != "pending planning planned applying applied" {
		t.Errorf("statuses are %q", got)
	}
}

// end ends the process that a test has left in the background.
func end(t *testing.T, pid string) {
	t.Helper()
	if err := exec.Command("kill", pid).Run(); err != nil {
		t.Errorf("the process in the background: %v", err)
	}
}

func TestMuchOutputArrivesWhole(t *testing.T) {
	t.Parallel()
	cmd, _ := wrapped(t, "head -c 20000000 /dev/zero | tr '\\0' 'x'; head -c 1000000 /dev/zero >&2")
	hash := sha256.New()
	cmd.Stdout = hash
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(bytes.Repeat([]byte("x"), 20000000))
	if got := hash.Sum(nil); !bytes.Equal(got, want[:]) || errs.Len() != 1000000 {
		t.Errorf("output has the hash %s, standard error %d bytes", hex.EncodeToString(got), errs.Len())
	}
}

func TestOneFileForBothOutputsKeepsTheirOrder(t *testing.T) {
	t.Parallel()
	cmd, _ := wrapped(t, "i=0; while [ $i -lt 200 ]; do echo out $i; echo err $i >&2; i=$((i+1)); done")
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both // one pipe for both
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range 200 {
		want.WriteString(strings.ReplaceAll("out N\nerr N\n", "N", strconv.Itoa(i)))
	}
	if both.String() != want.String() {
		t.Errorf("the outputs overtook each other:\n%s", &both)
	}
}

func TestReaderThatGoesAwayEndsTheCommandAsEver(t *testing.T) {
	t.Parallel()
	cmd, told := wrapped(t, "while echo planned; do :; done")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 141 && code != -1 { // dash dies of it, other shells fail to write
		t.Errorf("exit code %d, want that of a broken pipe", code)
	}
	if got := statuses(t, told); !strings.HasPrefix(got, "pending planning") {
		t.Errorf("statuses are %q", got)
	}
}

func TestDeathBySignalIsMirrored(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			cmd, told := wrapped(t, "kill -"+strconv.Itoa(int(sig))+" $$")
			_ = cmd.Run()
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != sig {
				t.Errorf("ended with %v, want death by %v", cmd.ProcessState, sig)
			}
			if got := statuses(t, told); got != "pending planning canceled" {
				t.Errorf("statuses are %q", got)
			}
		})
	}
}

// trap is a script that counts how often it is signalled and says so at its end. It ends itself one moment after the
// first signal, so that a second one would be counted.
const trap = `n=0; trap 'n=$((n+1)); [ -n "$SAY" ] && echo interrupted' INT TERM; echo ready
while [ $n -eq 0 ]; do sleep 0.05; done; sleep 0.6; echo "signalled $n"; exit 7`

func TestSignalsArriveOnce(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		sig   syscall.Signal
		group bool // the whole group of the wrapper is signalled, as a terminal or a CI agent does
	}{
		{"INT to the wrapper", syscall.SIGINT, false},
		{"TERM to the wrapper", syscall.SIGTERM, false},
		{"INT to its group", syscall.SIGINT, true},
		{"TERM to its group", syscall.SIGTERM, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd, told := wrapped(t, trap, "SAY=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(out, make([]byte, len("ready\n"))); err != nil {
				t.Fatal(err)
			}
			pid := cmd.Process.Pid
			if tt.group {
				pid = -pid
			}
			if err := syscall.Kill(pid, tt.sig); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if cmd.ProcessState.ExitCode() != 7 || !strings.Contains(string(rest), "signalled 1\n") {
				t.Errorf("ended with %v and said %q", cmd.ProcessState, rest)
			}
			if got := statuses(t, told); got != "pending planning canceled" {
				t.Errorf("statuses are %q", got)
			}
		})
	}
}

// TestSignalThatTheCommandHasAlreadyIsNotDoubled signals command and wrapper, as a service manager does.
func TestSignalThatTheCommandHasAlreadyIsNotDoubled(t *testing.T) {
	t.Parallel()
	cmd, _ := wrapped(t, "echo $$; "+trap, "SAY=1")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	next := func() string {
		line, err := out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	pid := next()
	kill := func(pid string) {
		if err := exec.Command("kill", "-TERM", pid).Run(); err != nil {
			t.Fatal(err)
		}
	}
	if ready := next(); ready != "ready" {
		t.Fatalf("said %q", ready)
	}
	kill(pid)
	if first := next(); first != "interrupted" {
		t.Fatalf("said %q", first)
	}
	kill(strconv.Itoa(cmd.Process.Pid))
	if last := next(); last != "signalled 1" {
		t.Errorf("said %q", last)
	}
	_ = cmd.Wait()
}

func TestCommandThatCanNotStart(t *testing.T) {
	t.Parallel()
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
	}{
		{"nothing", nil, 127},
		{"unknown", []string{"no-such-command-anywhere"}, 127},
		{"unknown path", []string{"/no/such/command"}, 127},
		{"not executable", []string{plain}, 126},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var told []event.Event
			exit, err := runner.Run(t.Context(), runner.Options{
				Args: tt.args, Invocation: runner.Invocation{Recognizer: &toy{}},
				Emit: func(e event.Event) { told = append(told, e) },
			})
			if err == nil || exit.Status() != tt.code || len(told) != 0 {
				t.Errorf("exit %d, %v, told %v", exit.Status(), err, told)
			}
		})
	}
}

func TestEndOfContextAsksTheCommandToEnd(t *testing.T) {
	t.Parallel()
	out, far, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan runner.Exit, 1)
	go func() {
		exit, err := runner.Run(ctx, runner.Options{
			Args: []string{"/bin/sh", "-c", "echo ready; exec sleep 60"}, Stdout: far, Stderr: far, Stdin: far,
			Invocation: runner.Invocation{Recognizer: &toy{}},
		})
		if err != nil {
			t.Error(err)
		}
		ended <- exit
	}()
	if _, err := io.ReadFull(out, make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if exit := <-ended; exit.Signal != syscall.SIGTERM || exit.Status() != 143 {
		t.Errorf("ended with %+v", exit)
	}
	if err := errors.Join(out.Close(), far.Close()); err != nil {
		t.Error(err)
	}
}
