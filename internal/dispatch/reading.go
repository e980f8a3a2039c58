package dispatch

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

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
