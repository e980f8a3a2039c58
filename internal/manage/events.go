package manage

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Events takes events in for those who may send them, and reads them. An event may be read by who may read its workspace,
// its project or its organization.
type Events struct{ m *Manage }

var _ dialect.Events = Events{}

// Events returns the events.
func (m *Manage) Events() Events { return Events{m} }

// Accept takes events in. Each needs the writer's role where it happened; what is not known yet is judged by the
// narrowest place that is.
func (x Events) Accept(ctx context.Context, p estate.Principal, events []event.Event) ([]dialect.Receipt, error) {
	for i := range events {
		if err := x.m.MaySend(ctx, p, &events[i]); err != nil {
			return nil, err
		}
	}
	if x.m.accept == nil {
		return nil, errNotWired
	}
	return x.m.accept(ctx, events)
}

// MaySend returns nil when the principal may send the event, or the fault to answer with.
func (m *Manage) MaySend(ctx context.Context, p estate.Principal, e *event.Event) error {
	at, err := m.placeOfEvent(ctx, e)
	if missing(err) {
		return fault.Missing("organization", e.Organization.Name)
	}
	if err != nil {
		return err
	}
	if p.May(estate.RoleWriter, at) {
		return nil
	}
	if !p.Sees(ofOrganization(at.OrganizationID)) {
		return fault.Missing("organization", e.Organization.Name)
	}
	return forbidden(estate.RoleWriter)
}

// placeOfEvent says where an event happened, as far as it is known; an unknown organization is store.ErrNotFound.
func (m *Manage) placeOfEvent(ctx context.Context, e *event.Event) (estate.Place, error) {
	organization, err := m.findOrganization(ctx, e)
	if err != nil {
		return estate.Place{}, err
	}
	project, workspace, err := m.findPlace(ctx, organization, e)
	at := ofOrganization(organization.ID)
	switch {
	case err != nil:
		return at, err
	case workspace != nil:
		at = ofWorkspace(workspace)
	case project != nil:
		at = ofProject(project)
	}
	return at, nil
}

// Run returns a run's events in their sequence, by the run's ID or by an external identifier.
func (x Events) Run(ctx context.Context, p estate.Principal, ref estate.Ref) ([]event.Event, error) {
	id := ref.ID
	if id == 0 {
		organizations, some := within(p, nil)
		if !some || ref.Alias == "" {
			return nil, fault.Missing("run", refText(ref))
		}
		var err error
		if id, err = x.m.store.RunByAlias(ctx, ref.Alias, organizations); errors.Is(err, store.ErrNotFound) {
			return nil, fault.Missing("run", refText(ref))
		} else if err != nil {
			return nil, fmt.Errorf("find the run: %w", err)
		}
	}
	stored, err := x.m.store.RunEvents(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read the run: %w", err)
	}
	if len(stored) == 0 || !readsEvent(p, &stored[0]) {
		return nil, fault.Missing("run", refText(ref))
	}
	return decodeEvents(stored)
}

// Get returns one event.
func (x Events) Get(ctx context.Context, p estate.Principal, id ident.ID) (event.Event, error) {
	stored, err := x.m.store.Events(ctx, []ident.ID{id})
	if err != nil {
		return event.Event{}, fmt.Errorf("read the event: %w", err)
	}
	if len(stored) == 0 || !readsEvent(p, &stored[0]) {
		return event.Event{}, fault.Missing("event", id.String())
	}
	found, err := decodeEvents(stored)
	if err != nil {
		return event.Event{}, err
	}
	return found[0], nil
}

// List lists the events that the filter chooses and the principal may read.
func (x Events) List(ctx context.Context, p estate.Principal, filter store.EventFilter, page store.Page) ([]event.Event, error) {
	return x.list(p, filter, page, func(filter store.EventFilter, page store.Page) ([]store.Event, error) {
		return x.m.store.ListEvents(ctx, filter, page)
	})
}

// Runs lists the first event of each run that the filter chooses and the principal may read.
func (x Events) Runs(ctx context.Context, p estate.Principal, filter store.EventFilter, page store.Page) ([]event.Event, error) {
	return x.list(p, filter, page, func(filter store.EventFilter, page store.Page) ([]store.Event, error) {
		return x.m.store.ListRuns(ctx, filter, page)
	})
}

func (x Events) list(p estate.Principal, filter store.EventFilter, page store.Page, read func(store.EventFilter, store.Page) ([]store.Event, error)) ([]event.Event, error) {
	organizations, some := within(p, filter.Organizations)
	if !some {
		return []event.Event{}, nil
	}
	filter.Organizations = organizations
	stored, err := readable(page,
		func(page store.Page) ([]store.Event, error) { return read(filter, page) },
		func(e *store.Event) ident.ID { return e.ID },
		func(e *store.Event) (bool, error) { return readsEvent(p, e), nil })
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return decodeEvents(stored)
}

// readsEvent reports whether the principal may read an event.
func readsEvent(p estate.Principal, e *store.Event) bool {
	return p.May(estate.RoleReader, estate.Place{OrganizationID: e.Organization, ProjectID: e.Project, WorkspaceID: e.Workspace})
}

func decodeEvents(stored []store.Event) ([]event.Event, error) {
	events := make([]event.Event, 0, len(stored))
	for i := range stored {
		e, err := event.Decode(stored[i].Body)
		if err != nil {
			return nil, fmt.Errorf("decode event %s: %w", stored[i].ID, err)
		}
		events = append(events, *e)
	}
	return events, nil
}
