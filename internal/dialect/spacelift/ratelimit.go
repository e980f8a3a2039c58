package spacelift

import (
	"strconv"
	"sync"
	"time"
)

const (
	failureWindow  = time.Minute
	failuresMost   = 20
	addressesKnown = 10_000
)

// failures counts wrong API keys by address (§5.1). Successes are never limited: a client exchanges its key four times for
// one apply (§7).
type failures struct {
	most int
	now  func() time.Time

	mu sync.Mutex
	at map[string]*window
}

// window counts what failed since its start.
type window struct {
	start time.Time
	count int
}

// newFailures allows most failures a minute: 20 when it is 0, any number when it is negative.
func newFailures(most int, now func() time.Time) *failures {
	if most == 0 {
		most = failuresMost
	}
	return &failures{most: most, now: now, at: make(map[string]*window)}
}

// limitError says how long to wait.
type limitError struct{ wait time.Duration }

// Error says what is wrong.
func (*limitError) Error() string { return "too many wrong API keys" }

func (e *limitError) seconds() string { return strconv.Itoa(int(e.wait/time.Second) + 1) }

// check refuses an address that failed too often.
func (f *failures) check(address string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.at[address]
	if f.most < 0 || w == nil || w.count < f.most {
		return nil
	}
	if left := failureWindow - f.now().Sub(w.start); left > 0 {
		return &limitError{left}
	}
	delete(f.at, address)
	return nil
}

// add counts a failure.
func (f *failures) add(address string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if len(f.at) >= addressesKnown {
		f.forget(now)
	}
	w := f.at[address]
	if w == nil || now.Sub(w.start) >= failureWindow {
		w = &window{start: now}
		f.at[address] = w
	}
	w.count++
}

// forget drops the windows that are over, and all when that is not enough: memory is bounded.
func (f *failures) forget(now time.Time) {
	for address, w := range f.at {
		if now.Sub(w.start) >= failureWindow {
			delete(f.at, address)
		}
	}
	if len(f.at) >= addressesKnown {
		clear(f.at)
	}
}
