package http

import (
	"sync"
	"time"
)

// key names a host for the pool.
type key struct {
	secure bool
	addr   string
}

// pool keeps connections that wait for their next request: the most recently used first, the longest unused given up when
// there are too many or when their time is over. A kept connection costs no goroutine.
type pool struct {
	max     int
	timeout time.Duration

	mu     sync.Mutex
	idle   map[key]*conn // the most recently used of each host; conn.below leads to the others
	newest *conn         // of all; conn.older and conn.newer lead through them
	oldest *conn
	count  int
	timer  *time.Timer // runs while anything is kept
	closed bool
	http2  map[key]bool // hosts that chose HTTP/2
}

// maxHTTP2 bounds what is remembered of hosts; forgetting one costs a handshake.
const maxHTTP2 = 1 << 14

// get returns a kept connection that is still open, with its deadline set, or nil.
func (p *pool) get(k key, end time.Time) *conn {
	for {
		p.mu.Lock()
		c := p.idle[k]
		if c != nil {
			p.remove(c)
		}
		p.mu.Unlock()
		if c == nil || c.revive(end) {
			return c
		}
		c.close()
	}
}

// put keeps a connection if it can serve another request, and closes it otherwise.
func (p *pool) put(c *conn) {
	if !c.reusable {
		c.close()
		return
	}
	c.used, c.idleSince = true, time.Now()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		c.close()
		return
	}
	p.add(c)
	var surplus *conn
	if p.count > p.max {
		surplus = p.oldest
		p.remove(surplus)
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(p.timeout, p.expire)
	}
	p.mu.Unlock()
	if surplus != nil {
		surplus.close()
	}
}

// expire closes what was not used for too long, and comes again when the next one is due.
func (p *pool) expire() {
	var expired []*conn
	p.mu.Lock()
	now := time.Now()
	for p.oldest != nil && now.Sub(p.oldest.idleSince) >= p.timeout {
		c := p.oldest
		p.remove(c)
		expired = append(expired, c)
	}
	switch {
	case p.closed:
	case p.oldest == nil:
		p.timer = nil
	default:
		p.timer.Reset(p.timeout - now.Sub(p.oldest.idleSince))
	}
	p.mu.Unlock()
	for _, c := range expired {
		c.close()
	}
}

// close drops what is kept and keeps nothing more.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	c := p.newest
	p.idle, p.newest, p.oldest, p.count = nil, nil, nil, 0
	p.mu.Unlock()
	for ; c != nil; c = c.older {
		c.close()
	}
}

// add puts a connection first, in its host's stack and in the list of all. The lock is held.
func (p *pool) add(c *conn) {
	if p.idle == nil {
		p.idle = map[key]*conn{}
	}
	c.below, c.above = p.idle[c.key], nil
	if c.below != nil {
		c.below.above = c
	}
	p.idle[c.key] = c
	c.older, c.newer = p.newest, nil
	if c.older != nil {
		c.older.newer = c
	} else {
		p.oldest = c
	}
	p.newest = c
	p.count++
}

// remove takes a connection out of both. The lock is held.
func (p *pool) remove(c *conn) {
	switch {
	case c.above != nil:
		c.above.below = c.below
	case c.below != nil:
		p.idle[c.key] = c.below
	default:
		delete(p.idle, c.key)
	}
	if c.below != nil {
		c.below.above = c.above
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		p.newest = c.older
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		p.oldest = c.newer
	}
	c.above, c.below, c.newer, c.older = nil, nil, nil, nil
	p.count--
}

func (p *pool) speaksHTTP2(k key) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.http2[k]
}

func (p *pool) markHTTP2(k key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.http2 == nil || len(p.http2) >= maxHTTP2 {
		p.http2 = map[key]bool{}
	}
	p.http2[k] = true
}
