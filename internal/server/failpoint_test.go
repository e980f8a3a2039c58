package server

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

func TestFailpointsRefuseNonsense(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"x", "x=explode", "x=kill:0", "x=kill:a"} {
		if _, err := failpoints(spec); err == nil {
			t.Errorf("%q was accepted", spec)
		}
	}
	if hit, err := failpoints(""); hit != nil || err != nil {
		t.Errorf("no specification: %v", err)
	}
}

// TestFailpointKillsTheProcessAtItsHit runs this test binary again as the process that dies.
func TestFailpointKillsTheProcessAtItsHit(t *testing.T) {
	if spec := os.Getenv("CARILLON_TEST_FAILPOINT"); spec != "" {
		hit, err := failpoints(spec)
		if err != nil {
			t.Fatal(err)
		}
		hit("other")
		hit("step")
		os.Stdout.WriteString("alive after one\n")
		hit("step")
		os.Stdout.WriteString("alive after two\n")
		return
	}
	t.Parallel()
	command := exec.Command(os.Args[0], "-test.run=^TestFailpointKillsTheProcessAtItsHit$")
	command.Env = append(os.Environ(), "CARILLON_TEST_FAILPOINT=step=kill:2")
	out, err := command.Output()
	if !strings.Contains(string(out), "alive after one") || strings.Contains(string(out), "alive after two") {
		t.Errorf("output: %s", out)
	}
	status, ok := command.ProcessState.Sys().(syscall.WaitStatus)
	if err == nil || !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v (%v)", err, command.ProcessState)
	}
}
