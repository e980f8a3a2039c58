package smtp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// sessions bounds the Sends that talk to the server, and keeps their sessions for the next. A session is only made when
// none waits, so that there are never more of them than slots.
type sessions struct {
	timeout time.Duration
	slots   chan struct{} // holds one for each Send under way

	mu     sync.Mutex
	idle   []*session // the most recently used last
	closed bool
}

var errNoSlot = errors.New("all sessions are in use")

// acquire waits for a slot; release gives it back.
func (p *sessions) acquire(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &sessionError{"the mail server is too slow", errNoSlot}
	}
}

func (p *sessions) release() { <-p.slots }

// take returns a session that waits, or nil.
func (p *sessions) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if last.timer.Stop() { // otherwise it is being ended
			return last
		}
	}
	return nil
}

// put keeps a session for the next message, for a while, or ends it.
func (p *sessions) put(s *session) {
	if !s.unbind() {
		s.drop() // its context ended meanwhile, and may have touched it
		return
	}
	p.mu.Lock()
	keep := !p.closed && s.sent < maxMessages
	if keep {
		s.timer = time.AfterFunc(p.timeout, func() { p.expire(s) })
		p.idle = append(p.idle, s)
	}
	p.mu.Unlock()
	if !keep {
		s.quit()
	}
}

func (p *sessions) expire(s *session) {
	p.mu.Lock()
	p.idle = slices.DeleteFunc(p.idle, func(other *session) bool { return other == s })
	p.mu.Unlock()
	s.quit()
}

// close ends what waits and keeps nothing more.
func (p *sessions) close() {
	p.mu.Lock()
	p.closed = true
	waiting := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, s := range waiting {
		if s.timer.Stop() {
			s.quit()
		}
	}
}
