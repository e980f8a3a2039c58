package tfe

import (
	"strconv"
	"sync"
	"time"

	"carillon/internal/ident"
)

// rateLimit bounds what one token may ask for within a minute (O11).
type rateLimit struct {
	most int // negative for no bound

	mu   sync.Mutex
	used map[ident.ID][]time.Time
}

const (
	defaultVerifications = 10
	rateWindow           = time.Minute
	rateTokens           = 10_000 // tokens that are remembered before the idle ones are dropped
)

func newRateLimit(most int) *rateLimit {
	if most == 0 {
		most = defaultVerifications
	}
	return &rateLimit{most: most, used: make(map[ident.ID][]time.Time)}
}

// take counts one use, or fails with a *limitError that says when the next is free.
func (l *rateLimit) take(token ident.ID, now time.Time) error {
	if l.most < 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	recent := newer(l.used[token], now.Add(-rateWindow))
	if len(recent) >= l.most {
		l.used[token] = recent
		return &limitError{wait: recent[0].Add(rateWindow).Sub(now)}
	}
	l.used[token] = append(recent, now)
	if len(l.used) > rateTokens {
		l.forget(now)
	}
	return nil
}

// forget drops the tokens that are not in use. The lock is held.
func (l *rateLimit) forget(now time.Time) {
	for token, times := range l.used {
		if len(newer(times, now.Add(-rateWindow))) == 0 {
			delete(l.used, token)
		}
	}
}

// newer keeps the moments after since; times are in their order.
func newer(times []time.Time, since time.Time) []time.Time {
	for i, t := range times {
		if t.After(since) {
			return append([]time.Time(nil), times[i:]...)
		}
	}
	return nil
}

// limitError says that a token asked too often.
type limitError struct{ wait time.Duration }

// Error says how long to wait.
func (e *limitError) Error() string { return "too many verifications: wait " + e.wait.String() }

// reset spells the wait as a plain decimal: anything else ends the client's process (§8).
func (e *limitError) reset() string { return strconv.FormatFloat(e.wait.Seconds(), 'f', 3, 64) }
