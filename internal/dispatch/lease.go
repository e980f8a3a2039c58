package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"carillon/internal/store"
)

// lease is this node's hold on its shards. It ends by this process's own monotonic clock, whatever the store says: a
// process that was paused for longer than its lease finds it over before it does anything with it.
type lease struct {
	start time.Time    // base of the monotonic times
	until atomic.Int64 // nanoseconds after start; 0 before the first renewal
	owned atomic.Pointer[ownership]

	mu      sync.Mutex
	node    int           // -1 before joining
	session int           // rises when the lease is lost
	epochs  map[int]int64 // of what is owned
	granted map[int]int64 // the newest epochs that were granted since joining, whether or not they are held still
}

// ownership is what fences a commit. Nobody changes it.
type ownership struct {
	node   int
	epochs map[int]int64
}

// elapsed is the monotonic time.
func (l *lease) elapsed() time.Duration { return time.Since(l.start) }

// valid reports whether the lease holds at this moment.
func (l *lease) valid() bool { return int64(l.elapsed()) < l.until.Load() }

// extend lets the lease hold until a monotonic time.
func (l *lease) extend(until time.Duration) { l.until.Store(int64(until)) }

// expire ends the lease until it is renewed.
func (l *lease) expire() { l.until.Store(0) }

// joined returns the node's number and the session of its lease.
func (l *lease) joined() (node, session int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.node, l.session
}

// become begins under a number that was just given.
func (l *lease) become(node int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node, l.epochs, l.granted = node, nil, nil
	l.session++
	l.publish()
}

// lose ends a session: nothing is owned any more.
func (l *lease) lose() {
	l.expire()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.epochs = nil
	l.session++
	l.publish()
}

// grants returns the epochs that were granted since joining.
func (l *lease) grants() map[int]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.granted)
}

// leave ends the lease for good.
func (l *lease) leave() {
	l.expire()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.node, l.epochs = -1, nil
	l.session++
	l.publish()
}

// own adds shards to what is owned, unless the lease was lost since the session.
func (l *lease) own(session int, epochs map[int]int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != session {
		return false
	}
	if l.epochs == nil {
		l.epochs = make(map[int]int64, len(epochs))
	}
	if l.granted == nil {
		l.granted = make(map[int]int64, len(epochs))
	}
	maps.Copy(l.epochs, epochs)
	maps.Copy(l.granted, epochs)
	l.publish()
	return true
}

// disown removes shards from what is owned.
func (l *lease) disown(shards []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, shard := range shards {
		delete(l.epochs, shard)
		delete(l.granted, shard)
	}
	l.publish()
}

func (l *lease) publish() {
	l.owned.Store(&ownership{node: l.node, epochs: maps.Clone(l.epochs)})
}

// Owner returns this node's number and the shards that it owns with their epochs, for fencing commits. Without a lease
// that holds, it owns nothing. The map is not to be changed.
func (d *Dispatcher) Owner() (node int, epochs map[int]int64) {
	o := d.lease.owned.Load()
	if o == nil {
		return -1, map[int]int64{}
	}
	if o.epochs == nil || !d.lease.valid() {
		return o.node, map[int]int64{}
	}
	return o.node, o.epochs
}

// sighting is what a renewal learned of the leases, and when it began, in monotonic time.
type sighting struct {
	cluster store.Cluster
	at      time.Duration
}

// join registers this node and renews its lease for the first time. The identifiers that it makes from now on carry its
// number and come after every one that was made under it before.
func (d *Dispatcher) join(ctx context.Context) (sighting, error) {
	node, err := d.deps.Store.Join(ctx, d.deps.NodeName, d.deps.LeaseTTL)
	if err != nil {
		return sighting{}, fmt.Errorf("join the installation: %w", err)
	}
	newest, err := d.deps.Store.Newest(ctx, node)
	if err != nil {
		return sighting{}, fmt.Errorf("read the newest identifier: %w", err)
	}
	if err := d.deps.IDs.SetNode(node); err != nil {
		return sighting{}, fmt.Errorf("number the node: %w", err)
	}
	d.deps.IDs.Advance(newest)
	d.lease.become(node)
	begun := d.lease.elapsed()
	cluster, err := d.deps.Store.Renew(ctx, node, d.deps.LeaseTTL)
	if err != nil {
		return sighting{}, fmt.Errorf("renew the lease: %w", err)
	}
	d.lease.extend(begun + d.deps.LeaseTTL)
	return sighting{cluster, begun}, nil
}

// beat is how often the lease is renewed.
func (d *Dispatcher) beat() time.Duration { return d.deps.LeaseTTL / 5 }

// keepLease renews the lease until the dispatcher halts. It does nothing else: nothing that takes long may delay it.
func (d *Dispatcher) keepLease() {
	ticker := time.NewTicker(d.beat())
	defer ticker.Stop()
	for {
		select {
		case <-d.running.Done():
			return
		case <-ticker.C:
			d.renew()
		}
	}
}

// renew extends the lease and hands what it learned to who balances. A lease that is over is given up with everything
// that was owned under it.
func (d *Dispatcher) renew() {
	node, _ := d.lease.joined()
	begun := d.lease.elapsed()
	ctx, cancel := context.WithTimeout(d.running, d.patience(begun))
	defer cancel()
	seen := sighting{at: begun}
	err := store.ErrFenced
	if node >= 0 {
		seen.cluster, err = d.deps.Store.Renew(ctx, node, d.deps.LeaseTTL)
	}
	switch {
	case err == nil:
		lapsed := !d.lease.valid()
		if lapsed {
			d.forfeit() // it is ours again, but commits may have been refused meanwhile: begin anew
		}
		d.lease.extend(begun + d.deps.LeaseTTL)
	case d.running.Err() != nil:
		return
	case errors.Is(err, store.ErrFenced):
		d.forfeit()
		if seen, err = d.join(ctx); err != nil {
			d.deps.Log.Error("joining the installation again", "err", err)
			return
		}
	default:
		d.deps.Log.Error("renewing the lease", "err", err)
		if !d.lease.valid() {
			d.forfeit()
		}
		return
	}
	if d.lease.valid() {
		d.report(seen)
	}
}

// patience is how long a renewal may take: until the lease ends, but not less than a beat.
func (d *Dispatcher) patience(now time.Duration) time.Duration {
	return max(time.Duration(d.lease.until.Load())-now, d.beat())
}

// forfeit drops everything that was owned.
func (d *Dispatcher) forfeit() {
	d.lease.lose()
	if n := d.scheduler.dropAll(); n > 0 {
		d.deps.Log.Warn("the lease was lost: other nodes may take over what this one was sending", "shards", n)
	}
}

// report gives the newest state of the leases to who balances, in place of an older one.
func (d *Dispatcher) report(seen sighting) {
	select {
	case <-d.clusters:
	default:
	}
	select {
	case d.clusters <- seen:
	default:
	}
}
