package replay

import (
	"context"
	"errors"
	"time"

	"carillon/internal/store"
)

const (
	// leaseTTL is how long a replay stays with a node that is not heard of. Clocks may be apart by half of it.
	leaseTTL = 15 * time.Second

	// renewWhen is how much of a lease is left at least.
	renewWhen = 10 * time.Second

	// lookEvery is how often a node looks for replays that nobody works on.
	lookEvery = 5 * time.Second

	// troublePause is how long a replay waits after an error.
	troublePause = 3 * time.Second
)

// Start begins to work on the replays that are there, and on those that are made.
func (s *Service) Start() {
	s.loop.Go(func() {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		for {
			if err := s.find(s.working); err != nil && s.running.Err() == nil {
				s.Log.Error("looking for replays", "err", err)
			}
			select {
			case <-s.running.Done():
				return
			case <-s.poke:
			case <-ticker.C:
			}
		}
	})
}

// Stop ends the work softly: what is being queued is queued, and other nodes may go on at once. When ctx ends first the
// rest is given up, and taken up again by whoever finds the lease expired. The engine must still run.
func (s *Service) Stop(ctx context.Context) error {
	s.halt()
	done := make(chan struct{})
	go func() {
		s.loop.Wait()
		s.tasks.Wait()
		close(done)
	}()
	defer s.abandon()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.abandon()
		<-done
		return ctx.Err()
	}
}

// nudge makes this node look at once.
func (s *Service) nudge() { signal(s.poke) }

// signal wakes who waits on a channel of capacity one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// findPage is how many replays are read at a time.
const findPage = 100

// find takes up the replays that nobody works on, and wakes those of this node that somebody cancelled.
func (s *Service) find(ctx context.Context) error {
	page := store.Page{After: s.settled, Limit: findPage}
	leading := true
	for {
		some, err := s.list(ctx, 0, page)
		if err != nil {
			return err
		}
		for i := range some {
			r := &some[i]
			if leading = leading && r.finished(); leading {
				s.settled = r.ID // what is finished stays so: it need not be read again
			}
			if err := s.take(ctx, r); err != nil {
				return err
			}
		}
		if len(some) < findPage {
			return nil
		}
		page.After = some[len(some)-1].ID
	}
}

// held reports whether a lease keeps this node from working on its replay.
func (s *Service) held(l Lease, now time.Time) bool {
	dead := l.Holder == "" || (s.Alone && l.Holder != s.holder)
	return !dead && now.Before(l.Until)
}

// take begins to work on a replay unless somebody else does, or nothing is left to do.
func (s *Service) take(ctx context.Context, r *Replay) error {
	if r.finished() || s.running.Err() != nil {
		return nil
	}
	s.mu.Lock()
	t := s.active[r.ID]
	s.mu.Unlock()
	if t != nil {
		if r.State == Cancelled {
			signal(t.wake)
		}
		return nil
	}
	now := s.utcNow()
	if s.held(r.Lease, now) {
		return nil
	}
	r.Lease = Lease{Holder: s.holder, Until: now.Add(leaseTTL)}
	err := s.write(ctx, r)
	if errors.Is(err, store.ErrRevision) {
		return nil // another node was faster
	}
	if err != nil {
		return err
	}
	t = newTask(s, r)
	s.mu.Lock()
	s.active[r.ID] = t
	s.mu.Unlock()
	s.tasks.Go(func() {
		t.run()
		s.mu.Lock()
		delete(s.active, r.ID)
		s.mu.Unlock()
	})
	return nil
}
