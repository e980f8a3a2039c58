package runner

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// asidePause is how often the file is looked for. What is printed makes us look at once, so this only bounds how long
// something stays in the file that nothing is printed of.
const asidePause = 50 * time.Millisecond

// aside is the file into which a command writes for us alone. It may hold secrets: it lies in a directory that nobody
// else can enter, and is taken out of there as soon as the command has made it. The command may make it anew for each of
// its phases; all of them are read, in their order.
type aside struct {
	dir  string
	path string
	open *os.File // what the command writes to now, gone from the directory already

	stop chan struct{}
	done chan struct{}
}

// newAside makes the place for the file. Without it the command runs all the same, and less is told.
func (s *session) newAside() *aside {
	if !s.o.Invocation.Reported() || s.o.Invocation.Aside == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "carillon-run-") // for its owner alone
	if err != nil {
		s.o.Log.Error("there is no place for the command's own log; only what it prints is told", "error", err)
		return nil
	}
	return &aside{dir: dir, path: filepath.Join(dir, "log"), stop: make(chan struct{}), done: make(chan struct{})}
}

// command is the command line that writes into the file.
func (a *aside) command(o Options) (args, env []string) {
	args, more := o.Invocation.Aside(a.path)
	return args, slices.Concat(o.Env, more)
}

// follow looks for news until end.
func (a *aside) follow(look func()) {
	defer close(a.done)
	tick := time.NewTicker(asidePause)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			look()
		case <-a.stop:
			return
		}
	}
}

// end stops follow.
func (a *aside) end() {
	close(a.stop)
	<-a.done
}

// poll reads what is new. A file that was made meanwhile is read after the rest of the one before it.
func (a *aside) poll(hear func([]byte)) {
	for {
		a.drain(hear)
		next, err := os.Open(a.path)
		if err != nil {
			return
		}
		_ = os.Remove(a.path)
		a.drain(hear)
		a.close()
		a.open = next
	}
}

func (a *aside) drain(hear func([]byte)) {
	if a.open == nil {
		return
	}
	buffer := make([]byte, 32<<10)
	for {
		n, err := a.open.Read(buffer)
		if n > 0 {
			hear(buffer[:n])
		}
		if err != nil || n == 0 {
			if err != nil && err != io.EOF {
				a.close()
			}
			return
		}
	}
}

func (a *aside) close() {
	if a.open != nil {
		_ = a.open.Close()
		a.open = nil
	}
}

// remove leaves nothing behind.
func (a *aside) remove() {
	if a == nil {
		return
	}
	a.close()
	_ = os.RemoveAll(a.dir)
}
