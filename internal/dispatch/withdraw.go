package dispatch

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// withdrawal is what became of the wish to end a delivery without a further attempt.
type withdrawal uint8

const (
	withdrawn withdrawal = iota // taken out of its lane: to be recorded
	inFlight                    // it ends with the attempt that is being made, unless that succeeds
	ended                       // it is being recorded as ended already
	unknown                     // not in a lane of this node
	notOurs                     // its shard belongs to another node
)

// withdraw takes a delivery out of its lane so that its end can be recorded. The flight is returned for settled.
func (s *scheduler) withdraw(row *delivery.Delivery, now int64) (*flight, withdrawal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home := &s.shards[row.Shard()]
	if !home.held {
		return nil, notOurs
	}
	l := home.lanes[row.Destination]
	if l == nil {
		return nil, unknown
	}
	e, was := l.pick(row.ID, now)
	if was != withdrawn {
		return nil, was
	}
	e.stage = settling
	home.settling++
	s.settling++
	l.owe(-1)
	l.leave(e, now)
	l.clear(e)
	s.touch(l, now)
	s.pump(now)
	return &flight{lane: l, shard: home, entry: e, row: *row, tenure: home.tenure}, withdrawn
}

// pick takes a delivery out of whatever part of the lane it is in.
func (l *lane) pick(id ident.ID, now int64) (*entry, withdrawal) {
	if row, ok := l.shard.deferred.take(id); ok {
		e := l.enter(id)
		e.sequence = row.Sequence
		l.owe(1)
		return e, withdrawn
	}
	if s, ok := l.tail.remove(id); ok {
		e := l.enter(id)
		e.repeat = s.repeat()
		return e, withdrawn
	}
	switch e := l.entries[id]; {
	case e == nil:
		return nil, unknown
	case e.stage == flying:
		e.cancelled = true
		return nil, inFlight
	case e.stage == settling:
		e.cancelled = true
		return nil, ended
	default:
		l.displace(e)
		return e, withdrawn
	}
}
