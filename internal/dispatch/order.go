package dispatch

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// order is a list of rows that lanes want read.
type order struct {
	keys    []delivery.Key
	entries map[*lane][]*entry
}

// order gathers what lanes want, up to about n rows.
func (s *scheduler) order(n int) order {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := order{entries: make(map[*lane][]*entry)}
	for len(s.hungry) > 0 && len(o.keys) < n {
		l := s.hungry[0]
		s.hungry[0] = nil
		s.hungry = s.hungry[1:]
		l.asked = false
		if l.dropped {
			continue
		}
		wanted := l.read(l.wants())
		if len(wanted) == 0 {
			continue
		}
		o.entries[l] = wanted
		for _, e := range wanted {
			o.keys = append(o.keys, delivery.Key{Shard: l.shard.number, ID: e.id})
		}
	}
	if len(s.hungry) == 0 {
		s.hungry = nil
	}
	return o
}

// deliver gives lanes the rows that they ordered.
func (s *scheduler) deliver(o order, rows []delivery.Delivery, now int64) {
	byID := make(map[ident.ID]*delivery.Delivery, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for l, wanted := range o.entries {
		if l.dropped {
			continue
		}
		l.arrived(wanted, byID, now)
		s.touch(l, now)
	}
	s.pump(now)
}
