package dispatch

import (
	"math"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

const (
	// leastWindow is how many full rows a lane holds at most, unless it may have more in flight; what is behind them it
	// knows by number only.
	leastWindow = 64

	// never is a time that does not come.
	never = int64(math.MaxInt64)

	// shedAfter is how far in the future a delivery is due at least to lose its row, which is read again in time.
	shedAfter = int64(30 * time.Second)
)

// lane is what is owed to one destination, and how the destination fares. Its methods are called with the scheduler
// locked.
type lane struct {
	home        *scheduler
	shard       *shard
	destination ident.ID
	name        string // the destination's text: the key under which a transport keeps connections

	entries map[ident.ID]*entry
	chains  map[chainKey]*chain
	ready   heap[*entry] // due, with a row
	unread  heap[*entry] // due, without one
	parked  heap[*entry] // due later
	tail    tail

	owed     int // deliveries that are not settled
	rows     int // full rows held
	inflight int
	reading  int // rows being read

	profiles    map[ident.ID]*profile
	concurrency int
	interval    int64 // between two starts, 0 for no limit
	paceAt      int64 // when the rate allows the next start
	circuit     circuit

	place   int32 // among the timers
	wakeAt  int64
	queued  bool // in the ring
	asked   bool // in the list of lanes that want rows
	dropped bool
	usedAt  int64
	last    delivery.Result // of the newest attempt, without the response
}

func newLane(home *scheduler, s *shard, destination ident.ID) *lane {
	return &lane{
		home: home, shard: s, destination: destination, name: destination.String(), concurrency: defaultConcurrency,
		ready: newEntryHeap(older), unread: newEntryHeap(older), parked: newEntryHeap(sooner), place: -1,
	}
}

// knows reports whether a delivery is in the lane.
func (l *lane) knows(id ident.ID) bool { return l.entries[id] != nil || l.tail.has(id) }

// window is how many full rows the lane holds at most.
func (l *lane) window() int { return max(leastWindow, 4*l.concurrency) }

// full reports whether the lane may hold no further row. When all lanes together hold very many, each keeps only what
// it needs to get going.
func (l *lane) full() bool {
	return l.rows >= l.window() || (l.home.rows >= l.home.rowLimit && l.rows >= l.concurrency)
}

// insert takes a delivery in; it reports false for one that is known. Behind a full window it becomes a stub, unless it
// is due later or belongs before another one of its run that is not a stub.
func (l *lane) insert(row *delivery.Delivery, fresh bool, now int64) bool {
	if l.knows(row.ID) {
		return false
	}
	if l.profiles[row.Subscription] == nil {
		l.profile(row.Subscription)
	}
	l.owe(1)
	repeat := !fresh && l.shard.mayRepeat(row)
	if repeat {
		l.shard.suspects++
	}
	key, _ := orderOf(row)
	c := l.chains[key]
	if row.Due.UnixNano() <= now && (l.full() || l.tail.len() > 0) && (c == nil || c.endsBefore(row.Sequence)) {
		l.tail.add(newStub(row.ID, key.brief(), row.Sequence, repeat))
		return true
	}
	e := l.enter(row.ID)
	e.repeat = repeat
	l.load(e, row, now)
	if l.rows > l.window() {
		l.shed(e)
	}
	l.arrange(e, now)
	return true
}

func (l *lane) enter(id ident.ID) *entry {
	if l.entries == nil {
		l.entries = make(map[ident.ID]*entry)
	}
	e := &entry{id: id, place: -1}
	l.entries[id] = e
	return e
}

// load gives an entry its row, and its place in a chain when it has none yet.
func (l *lane) load(e *entry, row *delivery.Delivery, now int64) {
	l.keep(e, row)
	if e.joined {
		return
	}
	e.joined, e.due, e.sequence = true, row.Due.UnixNano(), row.Sequence
	if key, ordered := orderOf(row); ordered {
		l.join(e, key, now)
	}
}

// join puts an entry into the chain of its run. A head that it displaces waits for it.
func (l *lane) join(e *entry, key chainKey, now int64) {
	c := l.chains[key]
	if c == nil {
		if l.chains == nil {
			l.chains = make(map[chainKey]*chain)
		}
		c = &chain{key: key}
		l.chains[key] = c
	}
	e.chain = c
	if old := c.add(e); old != nil && l.displace(old) {
		l.arrange(old, now)
	}
}

// leave takes an entry out of its chain; the next of the run may start.
func (l *lane) leave(e *entry, now int64) {
	c := e.chain
	if c == nil {
		return
	}
	e.chain = nil
	c.remove(e)
	if c.active == e {
		c.active = nil
	}
	if len(c.entries) == 0 {
		delete(l.chains, c.key)
		return
	}
	l.promote(c, now)
}

// promote lets the head of a chain start when it only waited for its turn.
func (l *lane) promote(c *chain, now int64) {
	if head := c.head(); head.stage == waiting && c.admits(head) {
		l.arrange(head, now)
	}
}

// arrange puts an entry that is in no heap where its order, its due time and its row say.
func (l *lane) arrange(e *entry, now int64) {
	crowded := l.rows > l.window()/2 || l.home.rows > l.home.rowLimit
	switch {
	case e.chain != nil && !e.chain.admits(e):
		e.stage = waiting
		if crowded {
			l.shed(e)
		}
	case e.due > now:
		e.stage = parked
		if crowded || e.due-now > shedAfter {
			l.shed(e)
		}
		l.parked.push(e)
	case e.row == nil:
		e.stage = unread
		l.unread.push(e)
	default:
		e.stage = ready
		l.ready.push(e)
	}
}

// displace takes an entry out of its heap; false means that it is in none: in flight, being read or recorded.
func (l *lane) displace(e *entry) bool {
	switch e.stage {
	case ready:
		l.ready.remove(e)
	case unread:
		l.unread.remove(e)
	case parked:
		l.parked.remove(e)
	case waiting:
	default:
		return false
	}
	return true
}

// ripen moves what became due to where it may start.
func (l *lane) ripen(now int64) {
	for l.parked.len() > 0 && l.parked.top().due <= now {
		l.arrange(l.parked.pop(), now)
	}
}

func (l *lane) keep(e *entry, row *delivery.Delivery) {
	if e.row == nil {
		l.rows++
		l.home.rows++
	}
	own := *row
	e.row = &own
}

func (l *lane) shed(e *entry) {
	if e.row != nil {
		e.row = nil
		l.rows--
		l.home.rows--
	}
}

func (l *lane) owe(n int) {
	l.owed += n
	l.home.owed += n
}

// clear takes the suspicion from an entry that it may repeat an earlier attempt: it was tried, or never will be.
func (l *lane) clear(e *entry) {
	if e.repeat {
		e.repeat = false
		l.shard.suspects--
	}
}

// forget removes an entry for good.
func (l *lane) forget(e *entry) {
	l.shed(e)
	l.clear(e)
	delete(l.entries, e.id)
	if l.shard.reads > 0 {
		l.shard.finished[e.id] = struct{}{}
	}
}
