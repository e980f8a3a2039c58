package dispatch

import (
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// deferral is an offered delivery that waits until it is certain that nothing before it in its run is in the store
// unseen.
type deferral struct {
	ticket int64
	from   ident.ID // where a read must begin to find them
	key    chainKey
	row    delivery.Delivery
}

// deferrals are the deferred deliveries of a shard, by ticket.
type deferrals struct {
	list []deferral
	runs map[chainKey]int // how many of each run
}

func (d *deferrals) has(key chainKey) bool { return d.runs[key] > 0 }

func (d *deferrals) add(one deferral) {
	if d.runs == nil {
		d.runs = make(map[chainKey]int)
	}
	d.list = append(d.list, one)
	d.runs[one.key]++
}

// pop removes the first.
func (d *deferrals) pop() {
	d.forget(d.list[0].key)
	d.list = d.list[1:]
}

// take removes a delivery, and reports whether it was there.
func (d *deferrals) take(id ident.ID) (row delivery.Delivery, ok bool) {
	at := slices.IndexFunc(d.list, func(one deferral) bool { return one.row.ID == id })
	if at < 0 {
		return row, false
	}
	row = d.list[at].row
	d.forget(d.list[at].key)
	d.list = slices.Delete(d.list, at, at+1)
	return row, true
}

func (d *deferrals) forget(key chainKey) {
	if d.runs[key]--; d.runs[key] == 0 {
		delete(d.runs, key)
	}
}

// offer takes deliveries in that this node has just committed. Those whose run may have earlier ones in the store that
// were not seen yet are deferred; it returns the shards that are to be read for them, beginning at from.
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
			home.deferred.add(deferral{home.tickets, from, key, *row})
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

// admitBefore takes in what was deferred of a row's run and comes before it or is it. It reports false when the reading
// does not show that nothing is missing before those: then the row has to wait with them.
func (s *scheduler) admitBefore(home *shard, r reading, row *delivery.Delivery, now int64) bool {
	key, ordered := orderOf(row)
	if !ordered || !home.deferred.has(key) {
		return true
	}
	var before []delivery.Delivery
	for _, d := range home.deferred.list {
		if d.key != key || d.row.Sequence > row.Sequence {
			continue
		}
		if !r.takeover && (d.from < r.from || d.ticket > r.parts[home.number].ticket) {
			return false
		}
		before = append(before, d.row)
	}
	for i := range before {
		home.deferred.take(before[i].ID)
		s.insert(&before[i], true, now)
	}
	return true
}

// admit takes in what was deferred up to a ticket and needed no more than what was read.
func (s *scheduler) admit(home *shard, from ident.ID, ticket int64, now int64) {
	for len(home.deferred.list) > 0 {
		first := home.deferred.list[0]
		if first.ticket > ticket || first.from < from {
			return
		}
		home.deferred.pop()
		s.insert(&first.row, true, now)
	}
}

// defers reports whether an offered delivery must wait for a read of the store: an ordered one whose predecessor did not
// pass through here while other rows of its run may be unseen.
func (s *shard) defers(key chainKey, sequence int64, l *lane, alone bool) bool {
	if s.deferred.has(key) {
		return true
	}
	if sequence == 0 || (alone && !s.scanning) {
		return false
	}
	if c := l.chains[key]; c != nil && c.holds(sequence-1) {
		return false
	}
	last, seen := s.recent.get(key)
	return !seen || last < sequence-1
}

// saw remembers how far a run has come.
func (s *shard) saw(key chainKey, sequence int64) {
	if last, seen := s.recent.get(key); seen {
		if last >= sequence {
			return
		}
		s.recent.drop(key)
	}
	s.recent.put(key, sequence, 1)
}
