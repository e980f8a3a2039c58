package runner

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// session is one command while it runs.
type session struct {
	o       Options
	cmd     *exec.Cmd
	wires   []*wire
	relay   *relay
	journal *journal
	aside   *aside // nil when the command writes nothing for us alone
	started time.Time

	// apart says that the command has a process group of its own. It has one unless a terminal is there: with one it
	// must stay in ours, for the terminal sends ^C and ^Z to the whole group in the foreground, pagers and all.
	apart bool

	hearing sync.Mutex // guards the recognizer, which both outputs feed
	deaf    bool       // the recognizer has failed and is not asked again
}

func (s *session) start(ctx context.Context) error {
	args, env := s.o.Args, s.o.Env
	if s.aside = s.newAside(); s.aside != nil {
		args, env = s.aside.command(s.o)
	}
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Env = env
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.o.Stdin, s.o.Stdout, s.o.Stderr
	if s.o.Invocation.Reported() {
		s.lay()
	}
	s.apart = !hasTerminal(s.o.Stdin, s.o.Stdout, s.o.Stderr)
	if s.apart {
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	s.started = s.o.Now()
	err := ctx.Err()
	if err == nil {
		err = s.cmd.Start()
	}
	for _, w := range s.wires {
		w.started(err == nil)
	}
	if err != nil {
		s.aside.remove()
		return err
	}
	for _, w := range s.wires {
		go w.carry(s.hear)
	}
	if s.aside != nil {
		go s.aside.follow(s.overhear)
	}
	return nil
}

// attend passes signals on until the command has ended, and then waits for what it still had to say.
func (s *session) attend(ctx context.Context, signals <-chan os.Signal) Exit {
	ended := make(chan Exit, 1)
	go func() {
		_ = s.cmd.Wait() // its error only repeats the state
		ended <- exitOf(s.cmd.ProcessState)
	}()
	stop := ctx.Done()
	for {
		timer, cancel := s.relay.alarm()
		select {
		case exit := <-ended:
			cancel()
			for _, w := range s.wires {
				w.drain()
			}
			return exit
		case sig := <-signals:
			s.receive(sig.(syscall.Signal))
		case <-stop:
			s.deliver(syscall.SIGTERM)
			stop = nil
		case <-timer:
			muted := slices.ContainsFunc(s.wires, func(w *wire) bool { return w.writing.Load() })
			for _, sig := range s.relay.due(time.Now(), muted) {
				s.deliver(sig)
			}
		}
		cancel()
	}
}

// receive handles a signal that this process got.
func (s *session) receive(sig syscall.Signal) {
	switch sig {
	case syscall.SIGPIPE: // somebody stopped reading our output; the write has failed, that is enough
	case syscall.SIGWINCH:
		for _, w := range s.wires {
			w.resize()
		}
		if len(s.wires) > 0 {
			s.deliver(sig) // again: the command may have asked for the size before it was passed on
		}
	default:
		terminal := !s.apart && inForeground(s.o.Stdin, s.o.Stdout, s.o.Stderr)
		if s.relay.receive(sig, terminal, time.Now()) {
			s.deliver(sig)
		}
	}
}

// deliver sends the command a signal. Those that a terminal sends go to its whole group, as they would from a terminal;
// the others go to it alone: it passes on what its own children should hear, and a provider that is terminated under it
// takes the whole apply down.
func (s *session) deliver(sig syscall.Signal) {
	if s.apart && (sig == syscall.SIGINT || sig == syscall.SIGQUIT) {
		_ = syscall.Kill(-s.cmd.Process.Pid, sig)
		return
	}
	_ = s.cmd.Process.Signal(sig)
}

// hear shows the recognizer a chunk that has just passed. Whatever it does, the command goes on.
func (s *session) hear(stream Stream, chunk []byte) {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	if s.deaf {
		return
	}
	defer s.recoverDeaf()
	s.readAside() // it was written before what was just printed
	s.note(s.o.Invocation.Recognizer.Read(stream, chunk))
}

// overhear shows the recognizer what the command wrote for us alone since the last time.
func (s *session) overhear() {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	if s.deaf {
		s.aside.poll(func([]byte) {})
		return
	}
	defer s.recoverDeaf()
	s.readAside()
}

func (s *session) readAside() {
	if s.aside != nil {
		s.aside.poll(func(chunk []byte) { s.note(s.o.Invocation.Recognizer.Read(Aside, chunk)) })
	}
}

func (s *session) recoverDeaf() {
	if reason := recover(); reason != nil {
		s.deaf = true
		s.o.Log.Error("output could not be understood; only the exit code is told", "reason", reason)
	}
}

func (s *session) note(seen []Observation) {
	at := s.o.Now()
	for _, o := range seen {
		if o.Saw == Interrupted {
			s.relay.acknowledged(time.Now())
		}
		s.journal.add(entry{observation: o, at: at})
	}
}

// finish closes the journal with the command's end.
func (s *session) finish(exit Exit) {
	if s.aside != nil {
		s.aside.end()
		s.overhear()
		s.aside.remove()
	}
	s.hearing.Lock()
	defer s.hearing.Unlock()
	if s.o.Invocation.Reported() && !s.deaf {
		func() {
			defer s.recoverDeaf()
			s.note(s.o.Invocation.Recognizer.End())
		}()
	}
	s.journal.close(entry{exit: &exit, at: s.o.Now()})
}

// tell turns the journal into events, in a goroutine of its own: finding the facts and emitting may take their time.
func (s *session) tell(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !s.o.Invocation.Reported() {
			return
		}
		track := NewTrack(s.o.Invocation, s.o.Facts(context.WithoutCancel(ctx)))
		for _, e := range track.Begin(s.started) {
			s.o.Emit(e)
		}
		for entry := range s.journal.entries() {
			events := track.Observe(entry.observation, entry.at)
			if entry.exit != nil {
				events = track.End(*entry.exit, entry.at)
			}
			for _, e := range events {
				s.o.Emit(e)
			}
		}
	}()
	return done
}

func exitOf(state *os.ProcessState) Exit {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return Exit{Signal: status.Signal()}
	}
	return Exit{Code: state.ExitCode()}
}
