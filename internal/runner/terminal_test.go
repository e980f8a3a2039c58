package runner_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
)

// inTerminal starts the command in a terminal of 40 lines of 100 columns and returns the user's side.
func inTerminal(t *testing.T, cmd *exec.Cmd) *os.File {
	t.Helper()
	user, err := pty.StartWithAttrs(cmd, &pty.Winsize{Rows: 40, Cols: 100}, &syscall.SysProcAttr{Setsid: true, Setctty: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = user.Close() })
	return user
}

// readUntil reads the terminal until it shows the text, or to its end for "".
func readUntil(t *testing.T, user *os.File, text string) string {
	t.Helper()
	var seen bytes.Buffer
	buffer := make([]byte, 4096)
	for text == "" || !strings.Contains(seen.String(), text) {
		n, err := user.Read(buffer)
		seen.Write(buffer[:n])
		if err != nil && text != "" {
			t.Fatalf("the terminal never showed %q:\n%s", text, &seen)
		}
		if err != nil {
			break
		}
	}
	return seen.String()
}

func TestCommandHasATerminalWhereTheUserHasOne(t *testing.T) {
	t.Parallel()
	const script = `[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all three; stty size <&1; printf 'lines\n\033[1mbold\033[0m\n'; read a; echo "got $a"`
	cmd, told := wrapped(t, script)
	user := inTerminal(t, cmd)
	head := readUntil(t, user, "bold")
	if _, err := user.WriteString("answer\r"); err != nil {
		t.Fatal(err)
	}
	text := head + readUntil(t, user, "")
	_ = cmd.Wait()
	want := "all three\r\n40 100\r\nlines\r\n\x1b[1mbold\x1b[0m\r\nanswer\r\ngot answer\r\n"
	if text != want {
		t.Errorf("the terminal shows %q, want %q", text, want)
	}
	if got := statuses(t, told); got != "pending planning applied" {
		t.Errorf("statuses are %q", got)
	}
}

func TestCommandLearnsOfANewSize(t *testing.T) {
	t.Parallel()
	cmd, _ := wrapped(t, `trap 'stty size <&1' WINCH; echo ready; while read a; do :; done; while [ -z "$a" ]; do read a; done`)
	user := inTerminal(t, cmd)
	readUntil(t, user, "ready")
	if err := pty.Setsize(user, &pty.Winsize{Rows: 30, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	readUntil(t, user, "30 80")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// TestTerminalInterruptsOnce presses ^C: the terminal signals wrapper and command alike, and the wrapper must not add to
// it.
func TestTerminalInterruptsOnce(t *testing.T) {
	t.Parallel()
	cmd, told := wrapped(t, trap, "SAY=1")
	user := inTerminal(t, cmd)
	readUntil(t, user, "ready")
	if _, err := user.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	text := readUntil(t, user, "")
	_ = cmd.Wait()
	if !strings.Contains(text, "signalled 1\r\n") || cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("ended with %v, the terminal shows %q", cmd.ProcessState, text)
	}
	if got := statuses(t, told); got != "pending planning canceled" {
		t.Errorf("statuses are %q", got)
	}
}
