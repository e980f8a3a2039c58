package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is the server's first process, a child of this one.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process was waited for
}

// startProcess starts the command with its output in a file. The thread that starts the child waits for it too: where
// the system can end a child together with its parent, it goes by that thread.
func startProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		defer log.Close()
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // its exit status is nobody's concern: it is told by a signal to end
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks for what PostgreSQL calls a fast shutdown.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("PostgreSQL (process %d) did not stop within %s", p.pid(), stopTimeout), p.kill())
	}
}

// kill ends the first process and then its children, by their ids: left alone they would notice only after a while, and
// a new server would not start over them.
func (p *process) kill() error {
	children, lookErr := childrenOf(p.pid())
	if lookErr != nil {
		lookErr = fmt.Errorf("find PostgreSQL's processes: %w", lookErr)
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	<-p.ended
	for _, pid := range children {
		if child, err := os.FindProcess(pid); err == nil {
			_ = child.Kill() // it may have followed its parent already
		}
	}
	return errors.Join(lookErr, awaitGone(children))
}

// awaitGone waits until the processes are no more, so that their sockets and shared memory are free.
func awaitGone(pids []int) error {
	deadline := time.NewTimer(stopTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for alive(pid) {
			select {
			case <-deadline.C:
				return fmt.Errorf("PostgreSQL's process %d does not end", pid)
			case <-tick.C:
			}
		}
	}
	return nil
}
