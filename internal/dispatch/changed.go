package dispatch

import (
	"fmt"
	"slices"
	"sync"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// changes are the subscriptions that changed and whose pending deliveries are to be looked at.
type changes struct {
	signal chan struct{}

	mu  sync.Mutex
	ids []ident.ID
}

// take returns the oldest change.
func (c *changes) take() (id ident.ID, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.ids) == 0 {
		return 0, false
	}
	id = c.ids[0]
	c.ids = c.ids[1:]
	return id, true
}

// Changed says that a subscription has a new version or is gone; the index says which. What is pending for one that is
// gone or switched off is cancelled soon after, pinned deliveries excepted. New limits count from now on. It does not
// block.
func (d *Dispatcher) Changed(subscription ident.ID) {
	if d.state.Load() == stopped {
		return
	}
	d.changes.mu.Lock()
	if !slices.Contains(d.changes.ids, subscription) {
		d.changes.ids = append(d.changes.ids, subscription)
	}
	d.changes.mu.Unlock()
	poke(d.changes.signal)
}

// follow looks at one changed subscription after the other until the dispatcher halts.
func (d *Dispatcher) follow() {
	for {
		select {
		case <-d.running.Done():
			return
		case <-d.changes.signal:
		}
		for id, ok := d.changes.take(); ok; id, ok = d.changes.take() {
			if err := d.apply(id); err != nil {
				if d.running.Err() != nil {
					return
				}
				d.deps.Log.Error("cancelling what a subscription is owed", "subscription", id, "err", err)
				if !d.pause(retryRead) {
					return
				}
				d.Changed(id)
			}
		}
	}
}

// apply brings the lanes in line with the current version of a subscription.
func (d *Dispatcher) apply(id ident.ID) error {
	s := d.deps.Index.Get(id)
	if s == nil {
		for _, destination := range d.scheduler.unlearn(id) {
			d.remember(d.running, destination)
		}
	} else if d.scheduler.learn(s.Destination, id, d.nano()) {
		d.remember(d.running, s.Destination)
	}
	if !unwanted(s) {
		return nil
	}
	reason := reasonDeleted
	if s != nil {
		reason = reasonDisabled
	}
	var after ident.ID
	for {
		rows, err := d.deps.Store.QueueOf(d.running, id, after, enqueueAtOnce)
		if err != nil {
			return fmt.Errorf("read what it is owed: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		after = rows[len(rows)-1].ID
		rows = slices.DeleteFunc(rows, func(row delivery.Delivery) bool { return row.Pinned })
		d.cancelAll(rows, reason)
	}
}

// cancelAll ends deliveries of this node's shards that are not in flight. Those in flight end with their attempt. Each
// shard gets a record of its own: one that was lost meanwhile must not take the others with it.
func (d *Dispatcher) cancelAll(rows []delivery.Delivery, reason string) {
	d.prefetch(rows)
	byShard := make(map[int][]*flight)
	for i := range rows {
		if f, was := d.scheduler.withdraw(&rows[i], d.nano()); was == withdrawn {
			byShard[f.shard.number] = append(byShard[f.shard.number], f)
		}
	}
	for _, flights := range byShard {
		attempts := make([]delivery.Attempt, len(flights))
		for i, f := range flights {
			attempts[i].Delivery = f.row
			d.cancelled(&attempts[i], reason)
		}
		d.deps.Committer.Record(committer.Record{Attempts: attempts, Done: func(err error) {
			now := d.nano()
			for _, f := range flights {
				d.scheduler.settled(f, &f.row, delivery.Cancelled, err, now)
			}
		}})
	}
}

// cancelled completes the attempt that stands for an end without one.
func (d *Dispatcher) cancelled(a *delivery.Attempt, reason string) {
	a.Number, a.State = 0, delivery.Cancelled
	a.Result = delivery.Result{Class: delivery.ClassCancelled, StartedAt: d.deps.Now().UTC(), Detail: reason}
	a.Node, _ = d.lease.joined()
	row := &a.Delivery
	o, ok := d.events.get(row.Event)
	if ok {
		a.Workspace = o.workspace()
	}
	s, err := d.version(d.running, row.Subscription, row.Version)
	if err != nil {
		return
	}
	a.Address = s.Address
	speaker := d.dialects[s.Dialect]
	if speaker == nil || !ok {
		return
	}
	if notices, err := o.of(speaker); err == nil && row.Notice < len(notices) {
		a.Trigger = notices[row.Notice].Name
	}
}

// learn takes a subscription's current version into the lane of its destination, if there is one. It reports whether what
// is remembered of the destination changed: a new secret or another start wipe the slate, and so does switching off the
// last of the lane's subscriptions.
func (s *scheduler) learn(destination, id ident.ID, now int64) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.shards[delivery.ShardOf(destination)].lanes[destination]
	if l == nil {
		return false
	}
	before := l.memory() != nil
	l.profile(id)
	if l.off() {
		l.circuit.reset()
	}
	s.touch(l, now)
	s.pump(now)
	return before
}

// unlearn forgets a subscription that is gone, and how its destinations fared when it was the last one to use them. It
// returns those.
func (s *scheduler) unlearn(id ident.ID) (freed []ident.ID) {
	s.eachLane(func(l *lane) {
		if l.profiles[id] == nil {
			return
		}
		before := l.memory() != nil
		delete(l.profiles, id)
		l.limit()
		if len(l.profiles) == 0 {
			l.circuit.reset()
		}
		if before {
			freed = append(freed, l.destination)
		}
	})
	return freed
}
