package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// memory is what is remembered of a destination over restarts: that it is failing, and how many deliveries in a row each
// subscription lost. It is written when it changes, which is seldom, and is nil for a destination that is well.
type memory struct {
	FailingSince time.Time        `json:"failing_since,omitzero"`
	ToldSince    time.Time        `json:"told_since,omitzero"`
	Ended        map[ident.ID]int `json:"ended,omitempty"`
}

// memory returns what is to be remembered of the lane's destination, nil for nothing.
func (l *lane) memory() *memory {
	var m memory
	if l.circuit.failing() {
		m.FailingSince = time.Unix(0, l.circuit.since).UTC()
	}
	if l.circuit.told != 0 {
		m.ToldSince = time.Unix(0, l.circuit.told).UTC()
	}
	for id, p := range l.profiles {
		if p.ended > 0 {
			if m.Ended == nil {
				m.Ended = make(map[ident.ID]int)
			}
			m.Ended[id] = p.ended
		}
	}
	if m.FailingSince.IsZero() && m.ToldSince.IsZero() && m.Ended == nil {
		return nil
	}
	return &m
}

// recall gives a new lane what is remembered of its destination. A failing one begins with a probe.
func (l *lane) recall(m *memory) {
	if !m.FailingSince.IsZero() {
		l.circuit.since, l.circuit.failures, l.circuit.probeWait = m.FailingSince.UnixNano(), failingAfter, firstProbe
	}
	if !m.ToldSince.IsZero() {
		l.circuit.told = m.ToldSince.UnixNano()
	}
	for id, ended := range m.Ended {
		if l.home.index.Get(id) != nil {
			l.profile(id).ended = ended
		}
	}
}

// notes are what is remembered of all destinations.
type notes struct {
	writing sync.Mutex // keeps the writes in the order of what they say

	mu sync.Mutex
	of map[ident.ID]*memory
}

func (n *notes) get(destination ident.ID) *memory {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.of[destination]
}

// inShard lists the destinations of a shard that something is remembered of.
func (n *notes) inShard(number int) (destinations []ident.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for destination := range n.of {
		if delivery.ShardOf(destination) == number {
			destinations = append(destinations, destination)
		}
	}
	return destinations
}

func (n *notes) set(destination ident.ID, m *memory) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if m == nil {
		delete(n.of, destination)
		return
	}
	if n.of == nil {
		n.of = make(map[ident.ID]*memory)
	}
	n.of[destination] = m
}

// remember keeps what is known of a destination over restarts. Each write says what is true when its turn comes.
func (d *Dispatcher) remember(ctx context.Context, destination ident.ID) {
	if d.deps.Remember == nil {
		return
	}
	d.notes.writing.Lock()
	defer d.notes.writing.Unlock()
	m := d.scheduler.memoryOf(destination)
	d.notes.set(destination, m)
	var body []byte
	var err error
	if m != nil {
		body, err = json.Marshal(m)
	}
	if err == nil {
		err = d.deps.Remember(ctx, destination, body)
	}
	if err != nil {
		d.deps.Log.Error("remembering the state of a destination", "err", err)
	}
}

// recall reads what is remembered of destinations. Those that no subscription has any more are forgotten.
func (d *Dispatcher) recall(ctx context.Context) error {
	if d.deps.Recall == nil {
		return nil
	}
	bodies, err := d.deps.Recall(ctx)
	if err != nil {
		return fmt.Errorf("recall the state of destinations: %w", err)
	}
	used := make(map[ident.ID]bool, len(bodies))
	if len(bodies) > 0 {
		d.deps.Index.All(func(s *subscription.Subscription) bool {
			used[s.Destination] = true
			return false
		})
	}
	all := make(map[ident.ID]*memory, len(bodies))
	for destination, body := range bodies {
		var m memory
		if err := json.Unmarshal(body, &m); err != nil {
			d.deps.Log.Error("reading the state of a destination", "err", err)
		} else if used[destination] {
			all[destination] = &m
		} else if d.deps.Remember != nil {
			if err := d.deps.Remember(ctx, destination, nil); err != nil {
				d.deps.Log.Error("forgetting a destination", "err", err)
			}
		}
	}
	d.notes.mu.Lock()
	defer d.notes.mu.Unlock()
	d.notes.of = maps.Clone(all)
	return nil
}

// memoryOf returns what is to be remembered of a destination.
func (s *scheduler) memoryOf(destination ident.ID) *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.shards[delivery.ShardOf(destination)].lanes[destination]; l != nil {
		return l.memory()
	}
	return nil
}
