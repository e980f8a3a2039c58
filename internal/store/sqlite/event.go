package sqlite

import (
	"context"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	eventColumns = `SELECT id, organization, project, workspace, run, sequence, deliveries, kind, key, run_alias, body FROM event `
	eventByID    = eventColumns + `WHERE id = ?`
	lastOfRun    = eventColumns + `INDEXED BY event_run WHERE run = ? ORDER BY sequence DESC LIMIT 1`
	eventsOfRun  = eventColumns + `INDEXED BY event_run WHERE run = ? ORDER BY sequence`
	runOfAlias   = `SELECT run, organization FROM event INDEXED BY event_alias WHERE run_alias = ? AND run IS NOT NULL ORDER BY id DESC`
)

// scanEvent reads a row of eventColumns.
func scanEvent(s *stmt) store.Event {
	return store.Event{
		ID: ident.ID(s.colInt(0)), Organization: ident.ID(s.colInt(1)), Project: ident.ID(s.colInt(2)),
		Workspace: ident.ID(s.colInt(3)), Run: ident.ID(s.colInt(4)), Sequence: s.colInt(5), Deliveries: int(s.colInt(6)),
		Kind: s.colText(7), Key: s.colText(8), RunAlias: s.colText(9), Body: s.colBytes(10),
	}
}

// Events reads events by ID.
func (s *Store) Events(ctx context.Context, ids []ident.ID) (events []store.Event, err error) {
	err = s.view(ctx, func(c *conn) error {
		for _, id := range ids {
			_, err := c.one(eventByID, func(s *stmt) { s.int(int64(id)) }, func(s *stmt) error {
				events = append(events, scanEvent(s))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

// LastOfRun returns the run's event with the highest sequence.
func (s *Store) LastOfRun(ctx context.Context, run ident.ID) (e store.Event, err error) {
	err = s.view(ctx, func(c *conn) error {
		found, err := c.one(lastOfRun, func(s *stmt) { s.int(int64(run)) }, func(s *stmt) error { e = scanEvent(s); return nil })
		return orNotFound(found, err)
	})
	if err != nil {
		return store.Event{}, fmt.Errorf("read the last event of a run: %w", err)
	}
	return e, nil
}

// RunEvents lists the events of one run.
func (s *Store) RunEvents(ctx context.Context, run ident.ID) (events []store.Event, err error) {
	err = s.browse(ctx, func(c *conn) error {
		return c.each(eventsOfRun, func(s *stmt) { s.int(int64(run)) }, func(s *stmt) (bool, error) {
			events = append(events, scanEvent(s))
			return true, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the events of a run: %w", err)
	}
	return events, nil
}

// RunByAlias finds a run by its external identifier; of several the newest.
func (s *Store) RunByAlias(ctx context.Context, alias string, organizations []ident.ID) (run ident.ID, err error) {
	in := among(organizations)
	err = s.browse(ctx, func(c *conn) error {
		err := c.each(runOfAlias, func(s *stmt) { s.string(alias) }, func(s *stmt) (bool, error) {
			if in(ident.ID(s.colInt(1))) {
				run = ident.ID(s.colInt(0))
			}
			return run == 0, nil
		})
		return orNotFound(run != 0, err)
	})
	if err != nil {
		return 0, fmt.Errorf("find a run: %w", err)
	}
	return run, nil
}

// orNotFound is err, or ErrNotFound when nothing was found.
func orNotFound(found bool, err error) error {
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// among returns a test whether an organization is one of those; nil means all.
func among(organizations []ident.ID) func(ident.ID) bool {
	if organizations == nil {
		return func(ident.ID) bool { return true }
	}
	set := make(map[ident.ID]bool, len(organizations))
	for _, id := range organizations {
		set[id] = true
	}
	return func(id ident.ID) bool { return set[id] }
}
