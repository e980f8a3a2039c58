package dispatch

// Beginning and end of the ownership of shards, with the scheduler's memory of them.

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// own begins an epoch of a shard. Destinations that something is remembered of get their lanes at once, to be seen.
func (s *scheduler) own(number int, epoch int64, unclean bool, known []ident.ID, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	home := &s.shards[number]
	if home.held {
		s.drop(home)
	}
	home.own(epoch, unclean, now)
	for _, destination := range known {
		s.lane(home, destination)
	}
}

// eachLane calls f for every lane, with the scheduler locked for one shard at a time.
func (s *scheduler) eachLane(f func(*lane)) {
	for i := range s.shards {
		s.inShard(i, f)
	}
}

func (s *scheduler) inShard(number int, f func(*lane)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.shards[number].lanes {
		f(l)
	}
}

// drop forgets everything of a shard that is not ours any more. What is in flight goes on, and is not recorded.
func (s *scheduler) drop(home *shard) {
	for _, l := range home.lanes {
		l.dropped = true
		s.unwake(l)
		s.rows -= l.rows
		s.owed -= l.owed
	}
	home.held, home.draining, home.scanning = false, false, false
	home.lanes, home.finished, home.deferred, home.recent = nil, nil, nil, nil
}

// dropAll forgets every shard, because the lease has ended, and returns how many there were.
func (s *scheduler) dropAll() (dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.shards {
		if s.shards[i].held {
			s.drop(&s.shards[i])
			dropped++
		}
	}
	return dropped
}

// dropThese forgets some shards.
func (s *scheduler) dropThese(numbers []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range numbers {
		if s.shards[number].held {
			s.drop(&s.shards[number])
		}
	}
}

// beginDrain stops new attempts of a shard that is to be released.
func (s *scheduler) beginDrain(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if home := &s.shards[number]; home.held {
		home.draining = true
		s.checkDrained(home)
	}
}

// drained drops the shards that were to be released and are at rest, and returns them. One that turned out not to be in
// order is kept.
func (s *scheduler) drained(now int64) (clean []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.shards {
		home := &s.shards[i]
		switch {
		case !home.held || !home.draining || !home.idle():
		case home.resolved():
			home.gone = home.epoch
			clean = append(clean, i)
			s.drop(home)
		default:
			home.draining = false
			for _, l := range home.lanes {
				s.touch(l, now)
			}
		}
	}
	s.pump(now)
	return clean
}

// reading is a read of the queue under way.
type reading struct {
	takeover bool     // of a whole shard, right after it was taken over
	from     ident.ID // where it begins
	parts    map[int]part
}

// part is what a reading knows of one shard.
type part struct {
	tenure int64
	ticket int64
}

// beginRead announces a read of the queue: until endRead is called, what is settled is remembered, so that a row that was
// read just before is not taken for a new one.
func (s *scheduler) beginRead(takeover bool, from ident.ID, shards ...int) reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := reading{takeover: takeover, from: from, parts: make(map[int]part, len(shards))}
	for _, number := range shards {
		if home := &s.shards[number]; home.held {
			home.reads++
			r.parts[number] = part{home.tenure, home.tickets}
		}
	}
	return r
}

// current returns the shard of a reading unless it was lost since, nil then.
func (s *scheduler) current(r reading, number int) *shard {
	p, asked := r.parts[number]
	if home := &s.shards[number]; asked && home.held && home.tenure == p.tenure {
		return home
	}
	return nil
}

// found takes in rows that a reading brought. While a shard that was taken over is read, other readings leave it alone:
// only that one knows which rows another node may have sent.
func (s *scheduler) found(r reading, rows []delivery.Delivery, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range rows {
		row := &rows[i]
		home := s.current(r, row.Shard())
		if home == nil || home.scanning != r.takeover || !s.admitBefore(home, r, row, now) {
			continue
		}
		if s.isOurs(row.ID) && !s.knows(home, row) {
			home.early[row.ID] = now
		}
		s.insert(row, !r.takeover, now)
	}
	s.pump(now)
}

// knows reports whether a delivery is in its lane.
func (s *scheduler) knows(home *shard, row *delivery.Delivery) bool {
	l := home.lanes[row.Destination]
	return l != nil && l.knows(row.ID)
}

// admitBefore takes in what was deferred of a row's run and comes before it or is it. It reports false when the reading
// does not show that nothing is missing before those: then the row has to wait with them.
func (s *scheduler) admitBefore(home *shard, r reading, row *delivery.Delivery, now int64) bool {
	if len(home.deferred) == 0 {
		return true
	}
	key, ordered := orderOf(row)
	var before []delivery.Delivery
	for _, d := range home.deferred {
		if !ordered || d.key != key || d.row.Sequence > row.Sequence {
			continue
		}
		if !r.takeover && (d.from < r.from || d.ticket > r.parts[home.number].ticket) {
			return false
		}
		before = append(before, d.row)
	}
	for i := range before {
		home.undefer(before[i].ID)
		s.insert(&before[i], true, now)
	}
	return true
}

// endRead ends a reading. After a complete one, deliveries that were deferred before it began take their places.
func (s *scheduler) endRead(r reading, complete bool, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, p := range r.parts {
		home := s.current(r, number)
		if home == nil {
			continue
		}
		switch {
		case complete && r.takeover:
			home.scanning = false
		case complete && !home.scanning:
			s.admit(home, r.from, p.ticket, now)
		}
		if home.reads--; home.reads == 0 {
			clear(home.finished)
		}
	}
	s.pump(now)
}

// admit takes in what was deferred up to a ticket and needed no more than what was read.
func (s *scheduler) admit(home *shard, from ident.ID, ticket int64, now int64) {
	for len(home.deferred) > 0 && home.deferred[0].ticket <= ticket && home.deferred[0].from >= from {
		row := home.deferred[0].row
		home.deferred = home.deferred[1:]
		s.insert(&row, true, now)
	}
}

// offer takes deliveries in that this node has just committed. Those whose run may have earlier ones in the store that
// were not seen yet are deferred; it returns the shards that are to be read for
// them, beginning at from.
func (s *scheduler) offer(rows []delivery.Delivery, from ident.ID, now int64) (unseen []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range rows {
		row := &rows[i]
		home := &s.shards[row.Shard()]
		if !home.held || home.draining {
			continue
		}
		if _, found := home.early[row.ID]; found {
			delete(home.early, row.ID)
			continue
		}
		l := s.lane(home, row.Destination)
		if key, ordered := orderOf(row); ordered && home.defers(key, row.Sequence, l, s.others.none(s.ticks())) {
			home.tickets++
			home.deferred = append(home.deferred, deferral{home.tickets, from, key, *row})
			if !home.scanning {
				unseen = append(unseen, home.number)
			}
			continue
		}
		s.insert(row, true, now)
	}
	s.pump(now)
	return unseen
}
