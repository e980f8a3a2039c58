package cli_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fullAt is where the files of a node end whose disk is full: less than its database holds already.
const fullAt = 32 << 10

// TestFullDisk lets no file of a running node grow, as a full disk does: events are refused and the log says why, nothing
// that was accepted is lost, and the node goes on by itself when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := chaosOnSQLite(t)
	stop := s.load()
	s.untilAnswers(http.StatusAccepted, 40)
	s.nodes[0].limitFiles(fullAt)
	s.untilAnswers(http.StatusServiceUnavailable, 30)
	s.nodes[0].limitFiles(unix.RLIM_INFINITY)
	s.untilAnswers(http.StatusAccepted, s.accepts()+40)
	stop()
	s.nodes[0].untilBalanced()
	s.judge()
	s.judgeOnce()
	s.nodes[0].sayFull()
}

// TestFullDiskUntilRestart ends the node while its disk is full: what was accepted before is delivered by the next one.
func TestFullDiskUntilRestart(t *testing.T) {
	t.Parallel()
	s := chaosOnSQLite(t)
	stop := s.load()
	s.untilAnswers(http.StatusAccepted, 40)
	s.nodes[0].limitFiles(fullAt)
	s.untilAnswers(http.StatusServiceUnavailable, 30)
	s.nodes[0].sayFull()
	s.replace(0)
	s.untilAnswers(http.StatusAccepted, s.accepts()+40)
	stop()
	s.nodes[0].untilBalanced()
	s.judge()
}

// limitFiles bounds the size of every file that the process writes.
func (n *node) limitFiles(size uint64) {
	n.t.Helper()
	limit := unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(n.command.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		n.t.Fatal(err)
	}
}

// sayFull checks that the log tells an operator what is wrong.
func (n *node) sayFull() {
	n.t.Helper()
	if log := n.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "could not be stored") {
		n.t.Errorf("the log does not say that the disk is full:\n%s", log)
	}
}
