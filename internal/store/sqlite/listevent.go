package sqlite

import (
	"context"
	"fmt"
	"slices"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// The ways into the events. Each reads in the order of IDs from an index, so that a page costs what it shows.
const (
	eventsInRun          = "WHERE run = ? AND id BETWEEN ? AND ?" // a run is short: it is sorted
	eventsInWorkspace    = "INDEXED BY event_workspace WHERE workspace = ? AND id BETWEEN ? AND ?"
	eventsInOrganization = "INDEXED BY event_organization WHERE organization = ? AND id BETWEEN ? AND ?"
	eventsAnywhere       = "WHERE id BETWEEN ? AND ?"

	// startsRun keeps the first event that is stored of each run.
	startsRun = " AND run IS NOT NULL AND sequence = (SELECT min(f.sequence) FROM event f WHERE f.run = event.run)"
)

// mergedOrganizations is up to how many organizations are read each from its own end of the index; more are filtered from
// the list of all.
const mergedOrganizations = 16

// ListEvents lists events.
func (s *Store) ListEvents(ctx context.Context, filter store.EventFilter, page store.Page) ([]store.Event, error) {
	return s.listEvents(ctx, filter, page, "")
}

// ListRuns lists the first event of each run.
func (s *Store) ListRuns(ctx context.Context, filter store.EventFilter, page store.Page) ([]store.Event, error) {
	return s.listEvents(ctx, filter, page, startsRun)
}

func (s *Store) listEvents(ctx context.Context, filter store.EventFilter, page store.Page, only string) (events []store.Event, err error) {
	at := spanOf(page, filter.Range)
	err = s.browse(ctx, func(c *conn) error {
		sources, err := c.eventSources(filter, at, only)
		defer closeAll(sources)
		if err != nil {
			return err
		}
		return merge(at, sources, func(e store.Event) (bool, error) {
			events = append(events, e)
			return len(events) < at.limit, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return events, nil
}

// eventSources chooses the way in that leaves the least to filter.
func (c *conn) eventSources(f store.EventFilter, at span, only string) (sources []source[store.Event], err error) {
	add := func(way string, key ident.ID) {
		if err != nil {
			return
		}
		var s *stmt
		if s, err = c.prepare(eventColumns + way + only + at.order("id")); err != nil {
			return
		}
		if key != 0 {
			s.int(int64(key))
		}
		s.int(int64(at.lo)).int(int64(at.hi))
		sources = append(sources, &eventSource{s: s, filter: f, in: among(f.Organizations)})
	}
	switch {
	case f.Run != 0:
		add(eventsInRun, f.Run)
	case f.Workspace != 0:
		add(eventsInWorkspace, f.Workspace)
	case f.Organizations != nil && len(f.Organizations) <= mergedOrganizations:
		for _, organization := range distinct(f.Organizations) {
			add(eventsInOrganization, organization)
		}
	default:
		add(eventsAnywhere, 0)
	}
	return sources, err
}

// eventSource reads events from a statement and skips those that the filter does not choose.
type eventSource struct {
	s      *stmt
	filter store.EventFilter
	in     func(ident.ID) bool
	ended  bool
}

func (e *eventSource) next() (store.Event, ident.ID, bool, error) {
	for !e.ended {
		more, err := e.s.step()
		if err != nil {
			return store.Event{}, 0, false, err
		}
		if e.ended = !more; more && e.chosen() {
			event := scanEvent(e.s)
			return event, event.ID, true, nil
		}
	}
	return store.Event{}, 0, false, nil
}

// chosen looks at single columns: most rows that a filter rejects are never copied.
func (e *eventSource) chosen() bool {
	f := &e.filter
	return e.in(ident.ID(e.s.colInt(1))) &&
		(f.Project == 0 || ident.ID(e.s.colInt(2)) == f.Project) &&
		(f.Workspace == 0 || ident.ID(e.s.colInt(3)) == f.Workspace) &&
		(f.Run == 0 || ident.ID(e.s.colInt(4)) == f.Run) &&
		(f.Kinds == nil || slices.Contains(f.Kinds, e.s.colText(7)))
}

func (e *eventSource) close() { e.s.done() }

// distinct drops repetitions: a source for each would list everything twice.
func distinct(ids []ident.ID) []ident.ID {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
