package sqlite

import (
	"context"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	insertEvent = `INSERT INTO event (id, organization, project, workspace, run, sequence, deliveries, kind, key, run_alias, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	insertQueue = `INSERT INTO queue (shard, id, subscription, aside, attempts, due, rest) VALUES (?, ?, ?, ?, ?, ?, ?)`
	addQueue    = `INSERT OR IGNORE INTO queue (shard, id, subscription, aside, attempts, due, rest) VALUES (?, ?, ?, ?, ?, ?, ?)`
	addAttempt  = `INSERT OR IGNORE INTO attempt (delivery, slot, subscription, cause, origin, state, status, rest)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
	deleteQueue = `DELETE FROM queue WHERE shard = ? AND id = ?`
	moveQueue   = `UPDATE queue SET attempts = ?, due = ? WHERE shard = ? AND id = ?`
	countBooks  = `UPDATE counter SET accepted = accepted + ?, delivered = delivered + ?, exhausted = exhausted + ?, cancelled = cancelled + ?`
	eventOfKey  = `SELECT id FROM event INDEXED BY event_key WHERE organization = ? AND key = ?`
	eventOfRun  = `SELECT id FROM event INDEXED BY event_run WHERE run = ? AND sequence = ?`
)

// finalSlot is where the final attempt of a delivery stands.
const finalSlot = 0

// Commit applies a batch in one transaction.
func (s *Store) Commit(ctx context.Context, batch *store.Batch) ([]store.Verdict, error) {
	s.leases.mu.RLock()
	defer s.leases.mu.RUnlock()
	if err := s.leases.check(batch); err != nil {
		return nil, err
	}
	var verdicts []store.Verdict
	err := s.update(ctx, func(c *conn) error {
		w := writer{c: c, lanes: &s.lanes}
		if err := w.apply(batch); err != nil {
			return err
		}
		verdicts = w.verdicts
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("commit a batch: %w", err)
	}
	return verdicts, nil
}

// writer applies one batch. Each row is a statement of its own: within a transaction that is as fast as many rows in one,
// and a row that is refused takes no other row with it.
type writer struct {
	c        *conn
	verdicts []store.Verdict
	books    store.Books
	lanes    *lanes
	packed   []byte // reused
}

func (w *writer) apply(b *store.Batch) error {
	if err := w.accept(b.Accepts); err != nil {
		return err
	}
	if err := w.queue(addQueue, b.Queue); err != nil {
		return err
	}
	if err := w.record(b.Attempts); err != nil {
		return err
	}
	if err := w.move(b.Moves); err != nil {
		return err
	}
	return w.count()
}

// accept stores events and their deliveries. That a key or a sequence is taken shows when the event is inserted, so
// nothing is looked up for events that are new.
func (w *writer) accept(accepts []store.Accept) error {
	if len(accepts) == 0 {
		return nil
	}
	insert, err := w.c.prepare(insertEvent)
	if err != nil {
		return err
	}
	defer insert.done()
	for i := range accepts {
		e := &accepts[i].Event
		insert.int(int64(e.ID)).int(int64(e.Organization)).int(int64(e.Project)).int(int64(e.Workspace)).some(int64(e.Run)).
			int(e.Sequence).int(int64(e.Deliveries)).string(e.Kind).text(e.Key).text(e.RunAlias).bytes(e.Body)
		err := insert.run()
		if isUnique(err) {
			verdict, err := w.judge(e, err)
			if err != nil {
				return err
			}
			if w.verdicts == nil {
				w.verdicts = make([]store.Verdict, len(accepts))
			}
			w.verdicts[i] = verdict
			continue
		}
		if err != nil {
			return fmt.Errorf("insert an event: %w", err)
		}
	}
	for i := range accepts {
		if w.verdicts != nil && w.verdicts[i] != (store.Verdict{}) {
			continue
		}
		if err := w.queue(insertQueue, accepts[i].Deliveries); err != nil {
			return err
		}
	}
	return nil
}

// judge finds out why an event was refused. A repeat of a known event has its sequence too; it is a duplicate first.
func (w *writer) judge(e *store.Event, refused error) (store.Verdict, error) {
	var known ident.ID
	read := func(s *stmt) error { known = ident.ID(s.colInt(0)); return nil }
	if e.Key != "" {
		found, err := w.c.one(eventOfKey, func(s *stmt) { s.int(int64(e.Organization)).string(e.Key) }, read)
		if found || err != nil {
			return store.Verdict{Duplicate: known}, err
		}
	}
	if e.Run != 0 {
		found, err := w.c.one(eventOfRun, func(s *stmt) { s.int(int64(e.Run)).int(e.Sequence) }, read)
		if found || err != nil {
			return store.Verdict{SequenceTaken: true}, err
		}
	}
	return store.Verdict{}, fmt.Errorf("insert event %s: %w", e.ID, refused)
}

// queue adds rows to the queue.
func (w *writer) queue(text string, deliveries []delivery.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	insert, err := w.c.prepare(text)
	if err != nil {
		return err
	}
	defer insert.done()
	for i := range deliveries {
		d := &deliveries[i]
		w.packed = packDelivery(append(w.packed[:0], byte(d.Cause)), d)
		insert.int(int64(d.Shard())).int(int64(d.ID)).int(int64(d.Subscription))
		if d.Cause == delivery.CauseEvent {
			insert.null()
		} else {
			insert.int(int64(d.Event))
		}
		insert.int(int64(d.Attempts)).int(packTime(d.Due)).bytes(w.packed)
		if err := insert.run(); err != nil {
			return fmt.Errorf("insert into the queue: %w", err)
		}
		w.books.Accepted += w.c.changes()
		if err := w.lanes.see(w.c, d); err != nil {
			return err
		}
	}
	return nil
}

// record appends attempts, and removes the deliveries that have ended from the queue. What was never queued is not in the
// accounts: they count rows that were removed.
func (w *writer) record(attempts []delivery.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	insert, err := w.c.prepare(addAttempt)
	if err != nil {
		return err
	}
	defer insert.done()
	remove, err := w.c.prepare(deleteQueue)
	if err != nil {
		return err
	}
	defer remove.done()
	for i := range attempts {
		a := &attempts[i]
		w.packed = packAttempt(w.packed[:0], a)
		slot := int64(finalSlot)
		if a.State == delivery.Pending {
			slot = int64(a.Number)
		}
		insert.int(int64(a.Delivery.ID)).int(slot).int(int64(a.Delivery.Subscription)).int(int64(a.Delivery.Cause)).
			some(int64(a.Delivery.Origin)).int(int64(a.State))
		if a.Result.Class == delivery.ClassAnswered {
			insert.int(int64(a.Result.Status))
		} else {
			insert.null()
		}
		if err := insert.bytes(w.packed).run(); err != nil {
			return fmt.Errorf("insert an attempt: %w", err)
		}
		if a.State == delivery.Pending {
			continue
		}
		if err := remove.int(int64(a.Delivery.Shard())).int(int64(a.Delivery.ID)).run(); err != nil {
			return fmt.Errorf("delete from the queue: %w", err)
		}
		removed := w.c.changes()
		w.ended(a.State, removed)
		if removed > 0 {
			continue
		}
		if err := w.lanes.see(w.c, &a.Delivery); err != nil { // it was never in the queue
			return err
		}
	}
	return nil
}

func (w *writer) ended(state delivery.State, rows int64) {
	switch state {
	case delivery.Delivered:
		w.books.Delivered += rows
	case delivery.Exhausted:
		w.books.Exhausted += rows
	case delivery.Cancelled:
		w.books.Cancelled += rows
	}
}

// move changes when rows of the queue are due and how often they were tried.
func (w *writer) move(moves []delivery.Delivery) error {
	if len(moves) == 0 {
		return nil
	}
	update, err := w.c.prepare(moveQueue)
	if err != nil {
		return err
	}
	defer update.done()
	for i := range moves {
		d := &moves[i]
		if err := update.int(int64(d.Attempts)).int(packTime(d.Due)).int(int64(d.Shard())).int(int64(d.ID)).run(); err != nil {
			return fmt.Errorf("move in the queue: %w", err)
		}
	}
	return nil
}

// count adds what the batch changed to the accounts.
func (w *writer) count() error {
	b := w.books
	if b == (store.Books{}) {
		return nil
	}
	_, err := w.c.one(countBooks, func(s *stmt) { s.int(b.Accepted).int(b.Delivered).int(b.Exhausted).int(b.Cancelled) }, nil)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}
