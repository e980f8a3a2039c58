package dispatch

import "time"

const (
	// newcomerWaits is how many beats of the lease a node that joins others waits before it accepts anything. Each of them
	// has renewed its lease by then and knows of it, or knows that it may not know.
	newcomerWaits = 2

	// aftermath is how long after the last other node was seen what it accepted is looked for.
	aftermath = int64(30 * time.Second)
)

// others is what is known of other nodes: whether they may have accepted deliveries that are not known here. Times are
// monotonic.
type others struct {
	looked bool  // the leases were looked at
	solo   bool  // there was nobody else
	at     int64 // when that look began
	trust  int64 // how long it is to be believed
	metAt  int64 // when somebody else was last there; 0 for never
}

// none reports whether no other node can have accepted anything that is not known here.
func (o *others) none(now int64) bool { return o.solo && now-o.at < o.trust && !o.about(now) }

// about reports whether other nodes live, or did a short while ago.
func (o *others) about(now int64) bool {
	return o.looked && (!o.solo || (o.metAt != 0 && now-o.metAt < aftermath))
}

// sight notes whether this node is the only one that lives, by a look at the leases that began at a moment.
func (s *scheduler) sight(solo bool, at int64) {
	s.others.looked, s.others.solo, s.others.at = true, solo, at
	if !solo {
		s.others.metAt = s.ticks()
	}
}

// meet notes that another node lives: it committed something.
func (s *scheduler) meet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others.metAt = s.ticks()
}

// company reports whether other nodes live, or did a short while ago.
func (s *scheduler) company() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.others.about(s.ticks())
}
