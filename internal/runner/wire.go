package runner

import (
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	// lull is how long a command's outputs may be silent after its end before we stop listening: something that it left
	// running in the background may keep them open for ever.
	lull = 300 * time.Millisecond

	// remainder bounds what is read after the end; no pipe holds more than that.
	remainder = 1 << 20
)

// wire carries one output of the command to the user: a pseudo terminal where the user has a terminal, else a pipe.
type wire struct {
	stream   Stream
	near     *os.File // our end
	far      *os.File // the command's end
	out      *os.File // the user's
	terminal bool
	over     atomic.Bool // the command has ended
	writing  atomic.Bool // the user's side is being written to
	done     chan struct{}
}

// lay connects the command's outputs. An output that can not be wired is left as it is: the user sees it, we do not.
func (s *session) lay() {
	out, err := newWire(Output, s.o.Stdout)
	if err != nil {
		s.o.Log.Error("standard output can not be watched; only the exit code is told", "error", err)
		return
	}
	s.wires = append(s.wires, out)
	s.cmd.Stdout = out.far
	if sameFile(s.o.Stdout, s.o.Stderr) {
		s.cmd.Stderr = out.far // one wire, or the two would overtake each other
		return
	}
	failures, err := newWire(Errors, s.o.Stderr)
	if err != nil {
		s.o.Log.Error("standard error can not be watched", "error", err)
		return
	}
	s.wires = append(s.wires, failures)
	s.cmd.Stderr = failures.far
}

func newWire(stream Stream, out *os.File) (*wire, error) {
	w := &wire{stream: stream, out: out, done: make(chan struct{})}
	var err error
	if !isTerminal(out) {
		w.near, w.far, err = os.Pipe()
		return w, err
	}
	w.terminal = true
	if w.near, w.far, err = pty.Open(); err != nil {
		return nil, err
	}
	// The user's terminal turns line feeds into line ends already; a second time would show.
	if err := makeTransparent(w.far); err != nil {
		_, _ = w.near.Close(), w.far.Close()
		return nil, err
	}
	w.resize()
	return w, nil
}

// started is called after the command was started, or was not: its end is its own now.
func (w *wire) started(ok bool) {
	_ = w.far.Close()
	if !ok {
		_ = w.near.Close()
	}
}

// carry copies until the command's end closes. The user goes first; what is heard is heard after it was shown.
func (w *wire) carry(hear func(Stream, []byte)) {
	defer close(w.done)
	defer w.near.Close()
	buffer := make([]byte, 32<<10)
	for left := remainder; left > 0; {
		n, err := w.near.Read(buffer)
		if n > 0 {
			w.writing.Store(true)
			_, failed := w.out.Write(buffer[:n])
			w.writing.Store(false)
			hear(w.stream, buffer[:n])
			if failed != nil {
				return // nobody reads any more: closing our end tells the command, as it would have been told
			}
		}
		if err != nil && !w.listensOn(err) {
			return
		}
		if w.over.Load() {
			left -= n
			_ = w.near.SetReadDeadline(time.Now().Add(lull))
		}
	}
}

// listensOn says whether a failed read is only the interruption by which drain passes its word on.
func (w *wire) listensOn(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && w.over.CompareAndSwap(false, true)
}

// drain waits until everything that the command wrote before its end has passed.
func (w *wire) drain() {
	if err := w.near.SetReadDeadline(time.Unix(1, 0)); err != nil {
		select { // no deadlines on this kind of file
		case <-w.done:
		case <-time.After(lull):
			return
		}
	}
	<-w.done
}

// resize gives the command's terminal the size of the user's.
func (w *wire) resize() {
	if w.terminal {
		_ = pty.InheritSize(w.out, w.near)
	}
}

func sameFile(a, b *os.File) bool {
	infoA, errA := a.Stat()
	infoB, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), readTermios)
	return err == nil
}

// hasTerminal says whether one of the files is the terminal that controls this process.
func hasTerminal(files ...*os.File) bool {
	for _, f := range files {
		if _, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP); err == nil {
			return true
		}
	}
	return false
}

// inForeground says whether that terminal now sends its signals to our process group.
func inForeground(files ...*os.File) bool {
	for _, f := range files {
		if group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP); err == nil {
			return group == unix.Getpgrp()
		}
	}
	return false
}
