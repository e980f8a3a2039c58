// Package transfer copies everything that a store holds into another one that is empty: records, events, attempts, the
// queue and the accounts. Identifiers stay as they are, so that links, logs and idempotency keys hold.
//
// It knows the contract only, no database. It never changes the source, and never adds to a target that holds anything.
package transfer

import (
	"context"
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Source is where everything is read.
type Source interface {
	store.Store
	store.Exporter
}

// Target is where everything is written. It is read too, to compare.
type Target interface {
	store.Store
	store.Exporter
	store.Importer
}

// Counts is how much of everything there is.
type Counts struct {
	Records    int
	Events     int
	Attempts   int
	Deliveries int // pending
}

// Report is told how far the copying is. What names the step.
type Report func(what string, done int)

// The sizes of what is read and written at a time.
const (
	page      = 500
	eventPage = 200 // bodies may be large
)

// Copy copies and compares. What is pending comes last, so that nothing is delivered from a copy that was not finished;
// one that was interrupted must be removed before the next try.
func Copy(ctx context.Context, from Source, to Target, report Report) (Counts, error) {
	if err := requireEmpty(ctx, to); err != nil {
		return Counts{}, err
	}
	c := copier{from: from, to: to, report: report}
	for _, step := range []func(context.Context) error{c.records, c.events, c.attempts, c.queue, c.books} {
		if err := step(ctx); err != nil {
			return c.counts, err
		}
	}
	return c.counts, compare(ctx, from, to, report)
}

// requireEmpty refuses a target that was ever used.
func requireEmpty(ctx context.Context, to Target) error {
	revision, err := to.Revision(ctx)
	if err != nil {
		return err
	}
	events, err := to.ListEvents(ctx, store.EventFilter{}, store.Page{Limit: 1})
	if err != nil {
		return err
	}
	attempts, err := to.AttemptsAfter(ctx, 0, 1)
	if err != nil {
		return err
	}
	books, err := to.Books(ctx)
	if err != nil {
		return err
	}
	if revision != 0 || len(events) > 0 || len(attempts) > 0 || books != (store.Books{}) {
		return fault.New(fault.Conflict, "The target database is not empty; give an empty one. If an earlier copy was interrupted, remove that database and make it anew.")
	}
	return nil
}

// copier copies one kind of thing after the other.
type copier struct {
	from   Source
	to     Target
	report Report
	counts Counts
}

func (c *copier) events(ctx context.Context) error {
	return eachEvents(ctx, c.from, func(events []store.Event) error {
		batch := store.Batch{Accepts: make([]store.Accept, len(events))}
		for i := range events {
			batch.Accepts[i].Event = events[i]
		}
		verdicts, err := c.to.Commit(ctx, &batch)
		if err != nil {
			return fmt.Errorf("store events: %w", err)
		}
		for i, v := range verdicts {
			if v != (store.Verdict{}) {
				return fmt.Errorf("event %s was refused: the target has its key or its place in the run already", events[i].ID)
			}
		}
		c.counts.Events += len(events)
		c.report("events", c.counts.Events)
		return nil
	})
}

func (c *copier) attempts(ctx context.Context) error {
	return eachAttempts(ctx, c.from, func(attempts []delivery.Attempt) error {
		if _, err := c.to.Commit(ctx, &store.Batch{Attempts: attempts}); err != nil {
			return fmt.Errorf("store attempts: %w", err)
		}
		c.counts.Attempts += len(attempts)
		c.report("attempts", c.counts.Attempts)
		return nil
	})
}

func (c *copier) queue(ctx context.Context) error {
	return eachPending(ctx, c.from, func(rows []delivery.Delivery) error {
		if _, err := c.to.Commit(ctx, &store.Batch{Queue: rows}); err != nil {
			return fmt.Errorf("store pending deliveries: %w", err)
		}
		c.counts.Deliveries += len(rows)
		c.report("pending deliveries", c.counts.Deliveries)
		return nil
	})
}

// books enters what ended in the source. What is pending was entered when it was queued.
func (c *copier) books(ctx context.Context) error {
	books, err := c.from.Books(ctx)
	if err != nil {
		return err
	}
	books.Accepted -= int64(c.counts.Deliveries)
	return c.to.EnterBooks(ctx, books)
}

func eachEvents(ctx context.Context, s store.Store, take func([]store.Event) error) error {
	var after ident.ID
	for {
		events, err := s.ListEvents(ctx, store.EventFilter{}, store.Page{After: after, Limit: eventPage})
		if err != nil || len(events) == 0 {
			return err
		}
		if err := take(events); err != nil {
			return err
		}
		after = events[len(events)-1].ID
	}
}

func eachAttempts(ctx context.Context, s store.Exporter, take func([]delivery.Attempt) error) error {
	var after ident.ID
	for {
		attempts, err := s.AttemptsAfter(ctx, after, page)
		if err != nil || len(attempts) == 0 {
			return err
		}
		if err := take(attempts); err != nil {
			return err
		}
		after = attempts[len(attempts)-1].Delivery.ID
	}
}

func eachPending(ctx context.Context, s store.Store, take func([]delivery.Delivery) error) error {
	for shard := range delivery.Shards {
		var after ident.ID
		for {
			rows, err := s.Queue(ctx, shard, after, page)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				break
			}
			if err := take(rows); err != nil {
				return err
			}
			after = rows[len(rows)-1].ID
		}
	}
	return nil
}
