package committer

import (
	"slices"
	"sync"
	"time"

	"carillon/internal/store"
)

// acceptance is one call of Accept that waits. Its results are set before done is closed.
type acceptance struct {
	accepts  []store.Accept
	rows     int
	verdicts []store.Verdict
	err      error
	done     chan struct{}
}

// writer gathers and commits. Others put into its queues; its goroutine alone takes out.
type writer struct {
	c    *Committer
	wake chan struct{} // something changed that the goroutine may wait for

	mu       sync.Mutex
	space    sync.Cond // a record may be put in, or never more
	accepts  []*acceptance
	records  []Record
	rows     int       // of records
	oldest   time.Time // when the first of records came
	busy     int       // rows of accepts that wait or are being stored
	crowd    crowd     // how many accepts to expect
	stopping bool

	trouble trouble // of the goroutine alone
	lost    int     // records that were given up; read after the end
	batch   store.Batch
}

func newWriter(c *Committer) *writer {
	w := &writer{c: c, wake: make(chan struct{}, 1)}
	w.space.L = &w.mu
	return w
}

// load says how much an accept would have to wait for.
func (w *writer) load() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.busy
}

// accept puts an acceptance in; false means that the writer is stopping.
func (w *writer) accept(a *acceptance) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopping {
		return false
	}
	w.accepts = append(w.accepts, a)
	w.busy += a.rows
	if n := len(w.accepts); n == 1 || w.crowd.complete(n) || w.busy >= w.c.o.MaxRows {
		w.nudge()
	}
	return true
}

// withdraw takes an acceptance back out; false means that its turn has come.
func (w *writer) withdraw(a *acceptance) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.accepts, a)
	if i < 0 {
		return false
	}
	w.accepts = slices.Delete(w.accepts, i, i+1)
	w.busy -= a.rows
	return true
}

// record puts a record in and waits for room; false means that the writer is stopping.
func (w *writer) record(r Record) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.rows >= queueLimit*w.c.o.MaxRows && !w.stopping {
		w.space.Wait()
	}
	if w.stopping {
		return false
	}
	if len(w.records) == 0 {
		w.oldest = time.Now()
	}
	before := w.rows
	w.records = append(w.records, r)
	w.rows += r.rows()
	if before == 0 || (before < w.c.o.MaxRows && w.rows >= w.c.o.MaxRows) {
		w.nudge()
	}
	return true
}

func (w *writer) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopping = true
	w.space.Broadcast()
	w.nudge()
}

func (w *writer) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run commits until the writer is stopped and nothing waits, or until the committer must end.
func (w *writer) run() {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		if w.c.ctx.Err() != nil {
			w.giveUp()
			return
		}
		wait, over := w.next()
		if over {
			return
		}
		if wait <= 0 {
			w.flush()
			continue
		}
		var fire <-chan time.Time
		if wait < never {
			timer.Reset(wait)
			fire = timer.C
		}
		select {
		case <-w.wake:
		case <-fire:
		case <-w.c.ctx.Done():
		}
	}
}

// never is how long a writer waits that has nothing to do: it is woken.
const never = time.Duration(1<<63 - 1)

// next says how long there is nothing to do.
func (w *writer) next() (wait time.Duration, over bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if len(w.accepts) > 0 {
		if w.stopping || w.busy >= w.c.o.MaxRows {
			return 0, false
		}
		return w.crowd.wait(len(w.accepts), now), false
	}
	wait = never
	if w.trouble.any() {
		wait = w.trouble.until.Sub(now)
	}
	switch {
	case w.trouble.holds():
	case len(w.records) == 0:
		over = w.stopping && !w.trouble.any()
	case w.stopping || w.rows >= w.c.o.MaxRows:
		wait = 0
	default:
		wait = min(wait, w.oldest.Add(w.c.o.MaxDelay).Sub(now))
	}
	return wait, over
}

// take takes out what the next commit stores. Accepts and records get half of it each before one of them gets more.
func (w *writer) take() (accepts []*acceptance, records []Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	rows, accepted, recorded := 0, 0, 0
	fill := func(limit int) {
		for recorded < len(w.records) && !w.trouble.holds() && (rows == 0 || rows+w.records[recorded].rows() <= limit) {
			rows += w.records[recorded].rows()
			recorded++
		}
	}
	fill(w.c.o.MaxRows / 2)
	for accepted < len(w.accepts) && (accepted == 0 || rows+w.accepts[accepted].rows <= w.c.o.MaxRows) {
		rows += w.accepts[accepted].rows
		accepted++
	}
	fill(w.c.o.MaxRows)
	accepts = slices.Clone(w.accepts[:accepted])
	w.accepts = slices.Delete(w.accepts, 0, accepted)
	records = slices.Clone(w.records[:recorded])
	w.records = slices.Delete(w.records, 0, recorded)
	w.oldest = time.Time{} // what stays behind has waited long enough
	for i := range records {
		w.rows -= records[i].rows()
	}
	if recorded > 0 {
		w.space.Broadcast()
	}
	w.crowd.took(accepted)
	return accepts, records
}
