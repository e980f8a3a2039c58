package postgres

import (
	"context"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	selectEvents = `SELECT ` + eventFields + ` FROM event d WHERE d.id = ANY($1::bigint[])`

	selectLastOfRun = `SELECT ` + eventFields + ` FROM event d WHERE d.run = $1::bigint AND d.run <> 0
		ORDER BY d.sequence DESC LIMIT 1`

	selectRunEvents = `SELECT ` + eventFields + ` FROM event d WHERE d.run = $1::bigint AND d.run <> 0 ORDER BY d.sequence`

	selectRunByAlias = `SELECT ` + eventFields + ` FROM event d WHERE d.run_alias = $1::text AND d.run_alias <> ''
		AND ($2::bigint[] IS NULL OR d.organization = ANY($2::bigint[])) ORDER BY d.id DESC LIMIT 1`
)

// Events implements store.Ledger.
func (s *Store) Events(ctx context.Context, ids []ident.ID) ([]store.Event, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	events, err := read(ctx, s, readEvent, selectEvents, numbers(ids))
	return events, wrap("read events", err)
}

// LastOfRun implements store.Ledger.
func (s *Store) LastOfRun(ctx context.Context, run ident.ID) (store.Event, error) {
	e, err := one(read(ctx, s, readEvent, selectLastOfRun, int64(run)))
	return e, wrap("read the last event of a run", err)
}

// RunEvents implements store.History.
func (s *Store) RunEvents(ctx context.Context, run ident.ID) ([]store.Event, error) {
	events, err := list(ctx, s, readEvent, selectRunEvents, int64(run))
	return events, wrap("read the events of a run", err)
}

// RunByAlias implements store.History.
func (s *Store) RunByAlias(ctx context.Context, alias string, organizations []ident.ID) (ident.ID, error) {
	e, err := one(list(ctx, s, readEvent, selectRunByAlias, clean(alias), numbers(organizations)))
	return e.Run, wrap("find a run by its alias", err)
}

// ListEvents implements store.History.
func (s *Store) ListEvents(ctx context.Context, filter store.EventFilter, page store.Page) ([]store.Event, error) {
	events, err := s.listEvents(ctx, filter, page)
	return events, wrap("list events", err)
}

// firstOfRun keeps the first event of each run. Looking each candidate's run up costs little: a run has few events.
const firstOfRun = `d.run <> 0 AND NOT EXISTS (SELECT 1 FROM event p WHERE p.run = d.run AND p.run <> 0 AND p.sequence < d.sequence)`

// ListRuns implements store.History.
func (s *Store) ListRuns(ctx context.Context, filter store.EventFilter, page store.Page) ([]store.Event, error) {
	events, err := s.listEvents(ctx, filter, page, firstOfRun)
	return events, wrap("list runs", err)
}

func (s *Store) listEvents(ctx context.Context, f store.EventFilter, page store.Page, more ...string) ([]store.Event, error) {
	q := &query{}
	where, from := q.organizations(f.Organizations, f.Run != 0 || f.Workspace != 0)
	where = append(where, more...)
	if f.Run != 0 {
		where = append(where, q.bind("d.run = ?::bigint AND d.run <> 0", int64(f.Run)))
	}
	if f.Workspace != 0 {
		where = append(where, q.bind("d.workspace = ?::bigint AND d.workspace <> 0", int64(f.Workspace)))
	}
	if f.Project != 0 {
		where = append(where, q.bind("d.project = ?::bigint", int64(f.Project)))
	}
	if f.Kinds != nil {
		where = append(where, q.bind("d.kind = ANY(?::text[])", f.Kinds))
	}
	where = append(where, q.within("d.id", f.Range, page)...)
	order := func() string { return q.order("d.id", page) }
	sql := over(from, "SELECT "+eventFields+" FROM event d"+where.where()+order(), order)
	return list(ctx, s, readEvent, sql, q.args...)
}
