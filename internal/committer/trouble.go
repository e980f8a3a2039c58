package committer

import (
	"errors"
	"time"

	"carillon/internal/store"
)

// The waits between tries to store what failed: they double.
const (
	firstWait = 50 * time.Millisecond
	lastWait  = 5 * time.Second
)

// sieveAfter is after how many failures the records are tried one by one: perhaps a single one is what the database
// refuses. sieveFailures in a row say that it refuses everything.
const (
	sieveAfter    = 3
	sieveFailures = 8
)

// trouble keeps records that could not be stored. While nobody knows why, all others wait behind them, so that they do not
// pile up in memory; once the others could be stored, the few that are refused are tried again beside the work.
type trouble struct {
	records  []Record
	failures int
	until    time.Time
	isolated bool // others could be stored
}

func (t *trouble) any() bool { return len(t.records) > 0 }

// holds reports whether other records must wait.
func (t *trouble) holds() bool { return t.any() && !t.isolated }

func (t *trouble) due(now time.Time) bool { return t.any() && !now.Before(t.until) }

// over notes that the database stores something again: what waits is tried soon, though never at once again and again.
func (t *trouble) over() {
	if t.holds() {
		t.until = time.Time{}
	}
}

// add keeps records that failed just now.
func (t *trouble) add(w *writer, records []Record, err error) {
	if len(records) == 0 {
		return
	}
	if !t.holds() {
		w.c.o.Log.Error("records could not be stored and are kept", "records", len(records), "error", err)
		t.failures, t.isolated = 0, false
	}
	t.keep(append(t.records, records...))
}

// keep waits longer than before.
func (t *trouble) keep(records []Record) {
	wait := lastWait
	if t.failures < 7 {
		wait = min(lastWait, firstWait<<t.failures)
	}
	t.records, t.until = records, time.Now().Add(wait)
	t.failures++
}

// retry tries to store what could not be stored before.
func (w *writer) retry() {
	t := &w.trouble
	records := t.records
	if t.failures < sieveAfter && !t.isolated {
		t.records = nil
		_, err := w.commit(nil, records)
		switch {
		case err == nil:
			finish(records, nil)
			w.c.o.Log.Info("records that had been kept are stored", "records", len(records))
		case errors.Is(err, store.ErrFenced):
			w.divide(records)
		default:
			t.keep(records)
		}
		return
	}
	w.sieve(records)
}

// sieve tries to store the records one by one.
func (w *writer) sieve(records []Record) {
	t := &w.trouble
	t.records = nil
	var left []Record
	stored := 0
	for i := range records {
		one := records[i : i+1]
		_, err := w.commit(nil, one)
		switch {
		case err == nil:
			stored++
			finish(one, nil)
		case errors.Is(err, store.ErrFenced):
			stored++
			w.c.metrics.dropped(1)
			finish(one, err)
		default:
			left = append(left, records[i])
		}
		if stored == 0 && len(left) == sieveFailures {
			// The next time begins with others: these may be the only ones that are refused.
			left = append(records[i+1:len(records):len(records)], left...)
			break
		}
	}
	if stored > 0 {
		t.isolated = true
		w.c.o.Log.Error("the database refuses some records; they are kept and tried again", "records", len(left), "stored", stored)
	}
	if len(left) > 0 {
		t.keep(left)
	}
}

// giveUp ends with what could not be stored in time.
func (w *writer) giveUp() {
	w.mu.Lock()
	w.stopping = true
	accepts, records := w.accepts, append(w.trouble.records, w.records...)
	w.accepts, w.records, w.rows = nil, nil, 0
	w.space.Broadcast()
	w.mu.Unlock()
	w.refused(accepts, ErrStopped)
	w.lost = len(records)
	finish(records, ErrStopped)
}
