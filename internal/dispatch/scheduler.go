package dispatch

import (
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// scheduler holds every lane of this node and decides what is tried next. It does no I/O and reads no clock: it is given
// the time, and hands attempts out by launch. Whatever changes it ends with pump, so that a due delivery starts at once.
type scheduler struct {
	index  *subscription.Index
	policy func(*subscription.Subscription) delivery.Policy

	launch func(*flight)           // starts an attempt; must not block
	arm    func(wait int64)        // calls tick after that many nanoseconds, instead of an earlier request
	ask    func()                  // says that some lane wants rows
	drain  func()                  // says that a shard that is to be released is idle
	fenced func()                  // says that the store refused a record: the lease is gone
	leased func() bool             // whether the lease holds at this moment
	ticks  func() int64            // the monotonic time
	node   func() int              // this node's number
	seed   func(destination *lane) // gives a new lane what is remembered of its destination

	mu       sync.Mutex
	shards   [delivery.Shards]shard
	ring     ring
	timers   heap[*lane]
	hungry   []*lane // lanes that want rows
	armedAt  int64
	inflight int
	settling int
	limit    int // of attempts in flight
	rows     int
	rowLimit int // above which lanes hold as few rows as they can
	owed     int
	bornAt   int64 // when this process began
	others   others
	stopping bool
	idle     chan struct{} // closed when stopping and nothing is in flight or being recorded
}

func newScheduler(limit, rowLimit int) *scheduler {
	s := &scheduler{
		limit: limit, rowLimit: rowLimit, armedAt: never, idle: make(chan struct{}),
		timers: heap[*lane]{
			before: func(a, b *lane) bool { return a.wakeAt < b.wakeAt },
			place:  func(l *lane) *int32 { return &l.place },
		},
	}
	for i := range s.shards {
		s.shards[i].number = i
	}
	return s
}

// lane returns the lane of a destination in a shard that is held, making it if need be.
func (s *scheduler) lane(home *shard, destination ident.ID) *lane {
	l := home.lanes[destination]
	if l == nil {
		l = newLane(s, home, destination)
		home.lanes[destination] = l
		if s.seed != nil {
			s.seed(l)
		}
	}
	return l
}

// insert takes a delivery into its lane; one of a shard that is not held is ignored. A fresh one can not have been sent
// by anybody.
func (s *scheduler) insert(row *delivery.Delivery, fresh bool, now int64) {
	home := &s.shards[row.Shard()]
	if !home.held || home.draining {
		return
	}
	if _, settled := home.finished[row.ID]; settled {
		return
	}
	l := s.lane(home, row.Destination)
	if home.scanning || !s.others.none(s.ticks()) {
		if key, ordered := orderOf(row); ordered {
			home.saw(key, row.Sequence)
		}
	}
	if l.insert(row, fresh, now) {
		l.usedAt = now
		s.touch(l, now)
	}
}

// isOurs reports whether this process gave an identifier.
func (s *scheduler) isOurs(id ident.ID) bool {
	return id.Node() == s.node() && id.Time().UnixNano() >= s.bornAt
}

// touch puts a lane where its state says: into the ring when it may start something, under the timers when it may later,
// into the list of lanes that want rows.
func (s *scheduler) touch(l *lane, now int64) {
	if l.dropped {
		return
	}
	l.ripen(now)
	if !l.asked && l.wants() > 0 && !l.shard.draining {
		l.asked = true
		s.hungry = append(s.hungry, l)
		s.ask()
	}
	switch at := l.next(now); {
	case at <= now:
		if !l.queued {
			l.queued = true
			s.ring.push(l)
		}
		s.unwake(l)
	case at == never:
		s.unwake(l)
	default:
		s.wake(l, at)
	}
}

func (s *scheduler) wake(l *lane, at int64) {
	if l.place < 0 {
		l.wakeAt = at
		s.timers.push(l)
	} else if l.wakeAt != at {
		l.wakeAt = at
		s.timers.fix(l)
	}
}

func (s *scheduler) unwake(l *lane) {
	if l.place >= 0 {
		s.timers.remove(l)
	}
}

// pump starts what may start, one attempt a lane and turn, and arms the timer for what may later.
func (s *scheduler) pump(now int64) {
	for f := s.take(now); f != nil; f = s.take(now) {
		s.launch(f)
	}
	s.rearm(now)
}

// take hands out the next attempt, nil when none may start.
func (s *scheduler) take(now int64) *flight {
	for !s.stopping && s.inflight < s.limit && s.ring.len() > 0 && s.leased() {
		l := s.ring.pop()
		l.queued = false
		if l.dropped {
			continue
		}
		f := l.start(now)
		s.touch(l, now)
		if f != nil {
			s.inflight++
			return f
		}
	}
	return nil
}

// longestNap bounds a wait for the next due delivery, so that a clock that is set forward is noticed.
const longestNap = int64(time.Minute)

func (s *scheduler) rearm(now int64) {
	first := s.timers.top()
	if first == nil || s.stopping {
		return
	}
	if at := min(first.wakeAt, now+longestNap); at < s.armedAt {
		s.armedAt = at
		s.arm(max(at-now, 0))
	}
}

// tick moves lanes whose time has come into the ring.
func (s *scheduler) tick(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armedAt = never
	for first := s.timers.top(); first != nil && first.wakeAt <= now; first = s.timers.top() {
		s.timers.remove(first)
		s.touch(first, now)
	}
	s.pump(now)
}
