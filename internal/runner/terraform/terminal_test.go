package terraform_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// screen is a terminal with a command in its foreground.
type screen struct {
	t       *testing.T
	cmd     *exec.Cmd
	user    *os.File
	seen    bytes.Buffer
	found   int // how much of what was seen until has passed
	arrived chan []byte
}

// open starts the command in a terminal of 100 columns.
func open(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	user, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(user, &pty.Winsize{Rows: 40, Cols: 100}); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, cmd: cmd, user: user, arrived: make(chan []byte)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(s.arrived)
		for {
			buffer := make([]byte, 4096)
			n, err := user.Read(buffer)
			if n > 0 {
				s.arrived <- buffer[:n]
			}
			if err != nil {
				return // the last one has closed the terminal
			}
		}
	}()
	return s
}

// until reads the screen until it shows the text, after what earlier calls found.
func (s *screen) until(text string) {
	s.t.Helper()
	for {
		if at := bytes.Index(s.seen.Bytes()[s.found:], []byte(text)); at >= 0 {
			s.found += at + len(text)
			return
		}
		chunk, ok := <-s.arrived
		if !ok {
			s.t.Fatalf("the screen never showed %q:\n%s", text, &s.seen)
		}
		s.seen.Write(chunk)
	}
}

func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.user.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// end reads the rest and returns the screen and the exit code.
func (s *screen) end() (text []byte, code int) {
	s.t.Helper()
	for chunk := range s.arrived {
		s.seen.Write(chunk)
	}
	_ = s.cmd.Wait()
	_ = s.user.Close()
	return s.seen.Bytes(), s.cmd.ProcessState.ExitCode()
}

// bare returns the command as it is without the wrapper.
func bare(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, quiet()
	return cmd
}

const ctrlC = "\x03"

// TestRealTerminalShowsTheSame runs each command in a terminal, bare and wrapped, and compares what the screen got.
func TestRealTerminalShowsTheSame(t *testing.T) {
	t.Parallel()
	tool, ok := findTerraform(t)
	if !ok {
		return
	}
	tests := []struct {
		name, config string
		args         []string
		play         func(*screen)
		code         int
		statuses     string
	}{
		{
			name: "plan", config: "data", args: []string{"plan"},
			statuses: "pending planning planned_and_finished",
		},
		{
			name: "plan without colours", config: "data", args: []string{"plan", "-no-color"},
			statuses: "pending planning planned_and_finished",
		},
		{
			name: "apply, yes", config: "data", args: []string{"apply"},
			play:     func(s *screen) { s.until("Enter a value:"); s.press("yes\r") },
			statuses: "pending planning planned? confirmed applying applied",
		},
		{
			name: "apply, no", config: "data", args: []string{"apply"},
			play: func(s *screen) { s.until("Enter a value:"); s.press("no\r") },
			code: 1, statuses: "pending planning planned? discarded",
		},
		{
			name: "apply, variable asked for", config: "asking", args: []string{"apply"},
			play: func(s *screen) {
				s.until("Enter a value:")
				s.press("forty-two\r")
				s.until("Do you want to perform these actions?")
				s.until("Enter a value:")
				s.press("yes\r")
			},
			statuses: "pending planning planned? confirmed applying applied",
		},
		{
			name: "apply, ^C at the prompt", config: "data", args: []string{"apply"},
			play: func(s *screen) { s.until("Enter a value:"); s.press(ctrlC) },
			code: 1, statuses: "pending planning planned? canceled",
		},
		{
			name: "apply, ^C while applying", config: "slow", args: []string{"apply", "-auto-approve"},
			play: func(s *screen) {
				s.until("exec sleep")
				waitForFile(s.t, filepath.Join(s.cmd.Dir, "started"))
				s.press(ctrlC)
			},
			code: 1, statuses: "pending planning planned applying canceled",
		},
		{
			name: "apply, error", config: "error", args: []string{"apply", "-auto-approve"},
			code: 1, statuses: "pending planning planned applying errored",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			play := func(cmd *exec.Cmd) (string, int) {
				s := open(t, cmd)
				if tt.play != nil {
					tt.play(s)
				}
				text, code := s.end()
				// What follows an interrupt is left to chance: how much was halted, and whether it is spoken of.
				before, _, _ := bytes.Cut(text, []byte("^C"))
				if bytes.Contains(text, []byte("Two interrupts")) {
					t.Error("the command was interrupted twice")
				}
				return comparable(before), code
			}
			args := append([]string{tool}, tt.args...)
			want, wantCode := play(bare(prepare(t, tool, tt.config), args...))
			cmd, events := wrapped(t, prepare(t, tool, tt.config), args...)
			got, code := play(cmd)
			if got != want {
				t.Errorf("the screen shows\n%q\nwant\n%q", got, want)
			}
			if code != wantCode || code != tt.code {
				t.Errorf("exit code %d, bare %d, want %d", code, wantCode, tt.code)
			}
			if got := statuses(t, events); got != tt.statuses {
				t.Errorf("statuses are %q, want %q", got, tt.statuses)
			}
		})
	}
}
