package runner

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// relayed are the signals that this process takes so that the command gets them.
var relayed = []os.Signal{
	syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	syscall.SIGWINCH, syscall.SIGPIPE,
}

const (
	// courtesy is how long an interrupt is held back to see whether the command got it by itself.
	courtesy = 250 * time.Millisecond

	// courtesyTerminal is the same for a signal that a terminal has very probably sent to the command as well.
	courtesyTerminal = 3 * time.Second

	// echo is how much earlier than our copy of a signal the command may have spoken of its own.
	echo = time.Second
)

// relay decides whether a signal that reached this process is passed on.
//
// A second interrupt makes tools give up at once and lose what they were doing, so none may be doubled. Yet some senders
// signal this process alone (a supervisor, kill) and some signal everything there is (a terminal, a service manager that
// ends a control group, a CI agent that ends a tree of processes), and nothing says which it was. So an interrupt is held
// back for a moment: a command that has it already says so ("Interrupt received") or ends, and then it is dropped.
type relay struct {
	mu       sync.Mutex
	watched  bool // the output is read, so the command can be heard speaking of interrupts
	held     []heldSignal
	expected int       // signals passed on that the command has not spoken of yet
	spoke    time.Time // when it spoke of one that we had not passed on
}

type heldSignal struct {
	sig      syscall.Signal
	due      time.Time
	terminal bool // the command very probably has it
}

func newRelay(watched bool) *relay { return &relay{watched: watched} }

// receive takes a signal. terminal says that a terminal may have sent it to the command too. It reports whether to pass
// it on at once.
func (r *relay) receive(sig syscall.Signal, terminal bool, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	fromTerminal := terminal && (sig == syscall.SIGINT || sig == syscall.SIGQUIT)
	switch {
	case sig != syscall.SIGINT && sig != syscall.SIGTERM:
		return !fromTerminal
	case !r.watched:
		return !fromTerminal
	case !r.spoke.IsZero() && now.Sub(r.spoke) < echo:
		r.spoke = time.Time{}
		return false
	}
	wait := courtesy
	if fromTerminal {
		wait = courtesyTerminal
	}
	r.held = append(r.held, heldSignal{sig: sig, due: now.Add(wait), terminal: fromTerminal})
	return false
}

// acknowledged notes that the command spoke of an interrupt.
func (r *relay) acknowledged(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.expected > 0:
		r.expected--
	case len(r.held) > 0:
		r.held = r.held[1:]
	default:
		r.spoke = now
	}
}

// due returns the held signals whose time has come. While the user's side takes no output (muted), the command can not
// be heard: what a terminal sent stays held.
func (r *relay) due(now time.Time, muted bool) []syscall.Signal {
	r.mu.Lock()
	defer r.mu.Unlock()
	var signals []syscall.Signal
	for i := range r.held {
		if muted && r.held[i].terminal {
			r.held[i].due = now.Add(courtesyTerminal)
		}
	}
	r.held = slices.DeleteFunc(r.held, func(h heldSignal) bool {
		ripe := !now.Before(h.due)
		if ripe {
			signals = append(signals, h.sig)
			r.expected++
		}
		return ripe
	})
	return signals
}

// alarm returns a channel that fires when the next held signal is due; nil when none is held. cancel frees it.
func (r *relay) alarm() (fires <-chan time.Time, cancel func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) == 0 {
		return nil, func() {}
	}
	next := slices.MinFunc(r.held, func(a, b heldSignal) int { return a.due.Compare(b.due) })
	timer := time.NewTimer(time.Until(next.due))
	return timer.C, func() { timer.Stop() }
}
