package spool

import (
	"context"
	"slices"
	"sync"
	"time"

	"carillon/internal/event"
)

// Spool takes the events of one process and sends them in the background. All its methods are safe for concurrent use.
type Spool struct {
	o    Options
	stop context.CancelFunc
	done chan struct{}
	wake chan struct{} // a new event, or the end
	last chan struct{} // closed by Close

	mu      sync.Mutex
	own     outbox
	closing bool

	courier courier  // used by the background goroutine alone, until it is done
	others  []string // files left behind by other processes that are still to be sent
	lost    int      // events of others that are kept
}

// Open starts a spool. It can not fail: when the disk takes nothing, events are sent all the same and the log says so.
func Open(o Options) *Spool {
	o = o.withDefaults()
	ctx, stop := context.WithCancel(context.Background())
	s := &Spool{
		o: o, stop: stop, courier: courier{o: o},
		done: make(chan struct{}), wake: make(chan struct{}, 1), last: make(chan struct{}),
	}
	dir, err := o.makeDirectory()
	if err == nil {
		s.others, err = leftovers(dir)
	}
	if err == nil {
		s.own.file, err = create(dir, time.Now())
	}
	if err != nil {
		o.Log.Warn("events can not be kept on disk: they are lost if the server is away", "error", err)
	}
	go s.work(ctx)
	return s
}

// Put takes an event. When it returns, the event is on disk.
func (s *Spool) Put(e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		s.o.Log.Error("an event came after the end and is lost", "event", e.Key)
		return
	}
	if s.own.file != nil && s.own.stored == len(s.own.pending) { // never one after a gap: the order in the file counts
		if err := s.own.file.add(&e); err != nil {
			s.o.Log.Warn("an event could not be kept on disk: it is lost if the server is away", "event", e.Key, "error", err)
		} else {
			s.own.stored++
		}
	}
	s.own.pending = append(s.own.pending, e)
	s.nudge()
}

// Close sends what is left, for no longer than Options.Wait and until ctx ends, and reports. What is not sent by then
// stays on disk.
func (s *Spool) Close(ctx context.Context) Report {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		close(s.last)
	}
	s.mu.Unlock()
	s.nudge()
	if s.o.Wait > 0 {
		timer := time.NewTimer(s.o.Wait)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.stop()
	<-s.done
	return s.settleUp()
}

func (s *Spool) settleUp() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	report := s.courier.report
	report.Kept = len(s.own.pending) + s.lost
	if s.own.file != nil {
		if err := s.own.file.release(len(s.own.pending) == 0); err != nil {
			s.o.Log.Warn("the spool could not be tidied", "error", err)
		}
		s.own.file = nil
	}
	if report.Kept == 0 {
		report.Reason = nil
	}
	return report
}

func (s *Spool) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// work sends until everything is sent and the spool closes, until ctx ends, or until the server will take nothing from
// this process. Files of other processes come when our own events are out: then the server is known to be there.
func (s *Spool) work(ctx context.Context) {
	defer close(s.done)
	var p pause
	last := s.last
	for ctx.Err() == nil && !s.courier.blocked {
		batch, closing := s.batch()
		switch {
		case len(batch) > 0:
			n, err := s.courier.step(ctx, batch, s.own.aside)
			s.deal(n)
			if closing {
				last = nil // this attempt came after the end; later pauses are not cut short any more
			}
			if err == nil || s.rest(ctx, p.take(), last) {
				p.reset()
			}
		case len(s.others) > 0 && s.courier.report.Sent > 0:
			s.forward(ctx)
		case closing:
			return
		default:
			select {
			case <-s.wake:
			case <-ctx.Done():
			}
		}
	}
}

// batch copies the first events that wait.
func (s *Spool) batch() (events []event.Event, closing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.own.pending[:min(batchSize, len(s.own.pending))]), s.closing
}

func (s *Spool) deal(n int) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own.dealt(n, s.o.Log)
}

// rest waits, and reports whether the end cut it short: then the server gets another chance at once.
func (s *Spool) rest(ctx context.Context, wait time.Duration, last <-chan struct{}) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-last:
		return true
	}
	return false
}

// forward sends the oldest file that another process left behind.
func (s *Spool) forward(ctx context.Context) {
	path := s.others[0]
	s.others = s.others[1:]
	kept, err := s.courier.deliver(ctx, path)
	s.lost += kept
	if err != nil {
		s.others = nil // the server is away again: the rest waits for another process
	}
}
