package spool

import (
	"math/rand/v2"
	"time"
)

const (
	pauseFirst = 250 * time.Millisecond
	pauseMax   = 15 * time.Second
)

// pause is the growing time between failed attempts.
type pause struct{ next time.Duration }

// take returns the time to wait, a fifth more or less, and doubles the next.
func (p *pause) take() time.Duration {
	if p.next == 0 {
		p.next = pauseFirst
	}
	wait := time.Duration(float64(p.next) * (0.8 + 0.4*rand.Float64()))
	p.next = min(2*p.next, pauseMax)
	return wait
}

func (p *pause) reset() { p.next = 0 }
