package dispatch

import (
	"context"
	"errors"
	"time"

	"carillon/internal/fault"
)

// partingTime is how long a stop takes at most to give shards back, whatever became of its context.
const partingTime = 3 * time.Second

// Start joins the installation, claims shards and begins to deliver. When it returns, a node that is alone owns every
// shard, and what is offered to it starts at once; what was pending is read meanwhile. A node that joins others returns
// when they know of it: accepting events before could upset the order of a run. The context bounds the start alone.
func (d *Dispatcher) Start(ctx context.Context) error {
	if !d.state.CompareAndSwap(created, started) {
		return errors.New("a dispatcher is started once")
	}
	if err := d.recall(ctx); err != nil {
		return err
	}
	seen, err := d.join(ctx)
	if err != nil {
		return err
	}
	if err := d.balance(ctx, seen); err != nil {
		return err
	}
	for _, task := range []func(){d.keepLease, d.keepBalance, d.feed, d.find, d.listen, d.sweep, d.follow} {
		d.tasks.Go(task)
	}
	if d.scheduler.company() && !sleep(ctx, newcomerWaits*d.beat()) {
		return ctx.Err()
	}
	return nil
}

// Stop ends dispatching softly: nothing new starts, what is in flight ends and is recorded. When ctx ends first, what is
// still in flight is given up; it will be sent again, and be marked as possibly repeated. Shards are then given back.
func (d *Dispatcher) Stop(ctx context.Context) error {
	if d.state.Swap(stopped) != started {
		return nil
	}
	d.scheduler.stop()
	var err error
	select {
	case <-d.scheduler.idle:
	case <-ctx.Done():
		err = ctx.Err()
	}
	d.ground()
	d.halt()
	// What waits for a store that does not answer can not be waited for: the committer, which stops next, frees it.
	if !within(partingTime, d.flights.Wait) || !within(partingTime, d.tasks.Wait) {
		d.deps.Log.Error("dispatching stopped before everything had ended")
	}
	d.disarm()
	return errors.Join(err, d.part(context.WithoutCancel(ctx)))
}

// within waits, and reports whether the wait ended in time.
func within(limit time.Duration, wait func()) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	done := make(chan struct{})
	go func() {
		wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// part gives back every shard in which nothing is left open. When there is another one it stays ours until its lease
// ends: what the committer still holds is recorded, and whoever takes it over knows that something may have been sent
// that is not.
func (d *Dispatcher) part(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, partingTime)
	defer cancel()
	clean, all := d.scheduler.surrender()
	node, _ := d.lease.joined()
	if node < 0 {
		return nil
	}
	if all {
		d.lease.leave()
		return d.deps.Store.Leave(ctx, node)
	}
	d.lease.disown(clean)
	return d.deps.Store.Release(ctx, node, clean)
}

// open returns the fault of a call that needs a running dispatcher, nil while it runs.
func (d *Dispatcher) open() error {
	if d.state.Load() != started {
		return fault.New(fault.Unavailable, "Nothing is sent at the moment: the server is starting or stopping. Try again.")
	}
	return nil
}

// arm sets the one timer that wakes the scheduler. It is called with the scheduler locked.
func (d *Dispatcher) arm(wait int64) {
	if d.timer == nil {
		d.timer = time.AfterFunc(time.Duration(wait), func() { d.scheduler.tick(d.nano()) })
		return
	}
	d.timer.Reset(time.Duration(wait))
}

// disarm ends the timer for good: a scheduler that is stopping arms it no more.
func (d *Dispatcher) disarm() {
	d.scheduler.mu.Lock()
	defer d.scheduler.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

// stop lets nothing new start.
func (s *scheduler) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	s.checkIdle()
}

// surrender drops every shard. It returns those that are clean, and whether all are.
func (s *scheduler) surrender() (clean []int, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all = true
	for i := range s.shards {
		home := &s.shards[i]
		if !home.held {
			continue
		}
		if home.idle() && home.resolved() {
			clean = append(clean, i)
		} else {
			all = false
		}
		s.drop(home)
	}
	return clean, all
}
