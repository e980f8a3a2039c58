package dispatch

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// flight is one attempt: what a lane hands out and gets back.
type flight struct {
	lane        *lane
	shard       *shard
	entry       *entry
	row         delivery.Delivery
	tenure      int64
	concurrency int
	probe       bool // the destination was failing when the attempt began
	repeat      bool
	cancelled   bool // it ends without an attempt
}

// slots is how many requests the destination may get at a time now.
func (l *lane) slots() int {
	if l.circuit.failing() {
		return 1
	}
	return l.concurrency
}

// next returns when the lane may start its next attempt: now or earlier for one that may start, never for a lane that
// waits for an answer, for rows, or for something to be owed.
func (l *lane) next(now int64) int64 {
	if l.dropped || l.shard.draining || l.inflight >= l.slots() {
		return never
	}
	due, overdue := now, false
	switch {
	case l.ready.len() > 0:
		overdue = l.circuit.failing() && l.overdue(l.ready.top(), now)
	case l.parked.len() > 0:
		due = l.parked.top().due
	default:
		return never
	}
	return max(due, l.circuit.opensAt(overdue), l.paceAt)
}

// start begins the attempt of the oldest delivery that is due; nil when nothing may start.
func (l *lane) start(now int64) *flight {
	l.ripen(now)
	if l.ready.len() == 0 || l.next(now) > now {
		return nil
	}
	e := l.ready.pop()
	e.stage = flying
	if e.chain != nil {
		e.chain.active = e
	}
	if l.interval > 0 {
		l.paceAt = now + l.interval
	}
	l.inflight++
	l.shard.inflight++
	l.usedAt = now
	return &flight{
		lane: l, shard: l.shard, entry: e, row: *e.row, tenure: l.shard.tenure, concurrency: l.concurrency,
		probe: l.circuit.failing(), repeat: e.repeat, cancelled: e.cancelled,
	}
}

// wants reports how many rows the lane should read now: none while enough may start, or while the destination fails and
// one at a time is plenty.
func (l *lane) wants() int {
	if l.reading > 0 || l.unread.len()+l.tail.len() == 0 {
		return 0
	}
	enough := max(l.concurrency, 8)
	if l.circuit.failing() {
		enough = 1
	}
	if l.ready.len() >= enough {
		return 0
	}
	if l.circuit.failing() || l.home.rows >= l.home.rowLimit {
		return max(enough-l.ready.len(), 2)
	}
	return min(l.window()/2-l.ready.len(), l.window()-l.rows)
}

// read takes up to n deliveries whose rows are to be read, the oldest first.
func (l *lane) read(n int) []*entry {
	var wanted []*entry
	for len(wanted) < n && l.unread.len() > 0 && (l.tail.len() == 0 || l.unread.top().id < l.tail.stubs[0].id) {
		wanted = append(wanted, l.unread.pop())
	}
	if rest := n - len(wanted); rest > 0 && l.tail.len() > 0 {
		for _, s := range l.tail.take(rest) {
			e := l.enter(s.id)
			e.repeat = s.repeat()
			wanted = append(wanted, e)
		}
	}
	for _, e := range wanted {
		e.stage = loading
	}
	l.reading += len(wanted)
	return wanted
}

// arrived takes the rows of entries that were to be read. Those without a row are gone from the store: somebody else
// ended them.
func (l *lane) arrived(wanted []*entry, rows map[ident.ID]*delivery.Delivery, now int64) {
	l.reading -= len(wanted)
	for _, e := range wanted {
		if e.stage != loading {
			continue
		}
		if row := rows[e.id]; row != nil {
			l.load(e, row, now)
			continue
		}
		l.owe(-1)
		l.leave(e, now)
		l.forget(e)
	}
	for _, e := range wanted {
		if e.stage == loading && e.row != nil {
			l.arrange(e, now)
		}
	}
}
