package dispatch

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/ident"
)

const (
	pageSize = 1000 // queue rows read at a time

	// retryRead is the wait after a read of the store that failed.
	retryRead = time.Second

	// sweepTime is how long one sweep over all shards takes: the net under everything else that finds rows.
	sweepTime = 10 * time.Minute
)

// scan reads the whole of a shard that was just taken over: what it finds there begins to be sent with the first page.
func (d *Dispatcher) scan(number int) {
	select {
	case d.scanners <- struct{}{}:
		defer func() { <-d.scanners }()
	case <-d.running.Done():
		return
	}
	for {
		err := d.readShard(number, true)
		if err == nil || d.running.Err() != nil {
			return
		}
		d.deps.Log.Error("reading a shard that was taken over", "shard", number, "err", err)
		if !d.pause(retryRead) {
			return
		}
	}
}

// readShard reads every row of a shard, in pages.
func (d *Dispatcher) readShard(number int, takeover bool) (err error) {
	r := d.scheduler.beginRead(takeover, 0, number)
	if len(r.parts) == 0 {
		return nil
	}
	since := ident.At(d.deps.Now().Add(-margin))
	defer func() {
		d.scheduler.endRead(r, err == nil, d.nano())
		if takeover {
			d.hints.want(since, number) // what other looks found meanwhile was left out
		}
	}()
	var after ident.ID
	for {
		rows, err := d.deps.Store.Queue(d.running, number, after, pageSize)
		if err != nil {
			return fmt.Errorf("read the queue: %w", err)
		}
		d.scheduler.found(r, rows, d.nano())
		if len(rows) < pageSize {
			return nil
		}
		after = rows[len(rows)-1].ID
	}
}

// sweep reads one shard after the other, slowly, and forgets lanes that have nothing to do. It finds what should not
// happen: a row that was committed, and that no hint, offer or take-over led to.
func (d *Dispatcher) sweep() {
	for number := 0; d.pause(sweepTime / shards); number = (number + 1) % shards {
		d.scheduler.tidy(number, d.nano())
		if err := d.readShard(number, false); err != nil && d.running.Err() == nil {
			d.deps.Log.Error("sweeping a shard", "shard", number, "err", err)
		}
	}
}

// pause waits, and reports false when the dispatcher halted meanwhile.
func (d *Dispatcher) pause(wait time.Duration) bool { return sleep(d.running, wait) }

// sleep waits, and reports false when the context ended meanwhile.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// idleLane is how long a lane without anything to do is kept, for its pace and its place in people's view.
const idleLane = int64(10 * time.Minute)

// tidy forgets the lanes of a shard that nothing is known of that could not be learned again.
func (s *scheduler) tidy(number int, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home := &s.shards[number]
	for id, found := range home.early {
		if now-found > idleLane {
			delete(home.early, id)
		}
	}
	for id, l := range home.lanes {
		if len(l.entries) == 0 && l.tail.len() == 0 && l.memory() == nil && now-l.usedAt > idleLane {
			l.dropped = true
			s.unwake(l)
			delete(home.lanes, id)
		}
	}
}
