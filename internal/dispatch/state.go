package dispatch

import (
	"cmp"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// LaneState is how one destination of this node fares, for people.
type LaneState struct {
	Destination   ident.ID
	Subscriptions []ident.ID // that were owed something since the lane was made, by ID
	Condition     Condition
	FailingSince  time.Time // of the first of the failures in a row; zero when healthy
	Failures      int       // attempts in a row
	Pending       int
	InFlight      int
	Oldest        time.Time // when the oldest pending delivery was made
	NextAttempt   time.Time // zero when nothing is pending, or it only waits for answers
	Concurrency   int
	PerSecond     float64 // 0 for no limit

	// LastClass and LastStatus are those of the newest attempt, empty before the first.
	LastClass  delivery.Class
	LastStatus int
	LastAt     time.Time
}

// Lanes returns the state of every destination that this node knows of, those that fare worst first.
func (d *Dispatcher) Lanes() []LaneState {
	states := d.scheduler.states(d.nano())
	slices.SortFunc(states, func(a, b LaneState) int {
		return cmp.Or(
			-cmp.Compare(a.Failures, b.Failures), -cmp.Compare(a.Pending, b.Pending), cmp.Compare(a.Destination, b.Destination),
		)
	})
	return states
}

func (s *scheduler) states(now int64) (all []LaneState) {
	s.eachLane(func(l *lane) { all = append(all, l.state(now)) })
	return all
}

// condition says how the lane fares.
func (l *lane) condition() Condition {
	if l.off() {
		return Disabled
	}
	return l.circuit.condition()
}

func (l *lane) state(now int64) LaneState {
	state := LaneState{
		Destination: l.destination, Subscriptions: l.subscriptions(), Condition: l.condition(), Failures: l.circuit.failures,
		Pending: l.owed, InFlight: l.inflight, Oldest: l.oldest(), Concurrency: l.concurrency,
		LastClass: l.last.Class, LastStatus: l.last.Status, LastAt: l.last.StartedAt,
	}
	if l.circuit.since != 0 {
		state.FailingSince = time.Unix(0, l.circuit.since).UTC()
	}
	if at := l.next(now); at != never {
		state.NextAttempt = time.Unix(0, max(at, now)).UTC()
	}
	if l.interval > 0 {
		state.PerSecond = float64(time.Second) / float64(l.interval)
	}
	return state
}

// manyEntries is above how many entries a lane is not searched for the oldest one that is not due.
const manyEntries = 1024

// oldest returns when the oldest pending delivery was made.
func (l *lane) oldest() time.Time {
	first := ident.ID(0)
	consider := func(id ident.ID) {
		if first == 0 || id < first {
			first = id
		}
	}
	for _, h := range []*heap[*entry]{&l.ready, &l.unread, &l.parked} {
		if h.len() > 0 {
			consider(h.top().id)
		}
	}
	if l.tail.len() > 0 {
		consider(l.tail.stubs[0].id)
	}
	if len(l.entries) <= manyEntries {
		for id, e := range l.entries {
			if e.stage != settling {
				consider(id)
			}
		}
	}
	if first == 0 {
		return time.Time{}
	}
	return first.Time()
}
