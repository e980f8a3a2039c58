package httpapi

import (
	"slices"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/subscription"
)

// eventFor finds or makes the event that is asked about, and where it stands.
func (a *api) eventFor(c *call, d *previewDraft, of *subject) (*event.Event, []subscription.Scope, error) {
	if err := onlyOne(d); err != nil {
		return nil, nil, err
	}
	var e event.Event
	var err error
	switch {
	case d.EventID != 0:
		e, err = a.Events.Get(c.r.Context(), c.p, d.EventID)
	case len(d.Event) > 0:
		if e, err = event.Parse(d.Event); err != nil {
			err = at("/event", err)
		}
	default:
		return a.sampleFor(c, d.Sample, of)
	}
	if err != nil {
		return nil, nil, err
	}
	a.date(&e)
	places, err := a.placesOf(c, &e, &of.s)
	return &e, places, err
}

func onlyOne(d *previewDraft) error {
	given := 0
	for _, there := range []bool{d.EventID != 0, len(d.Event) > 0, d.Sample != ""} {
		if there {
			given++
		}
	}
	if given > 1 {
		return fault.New(fault.Invalid, `Give one of "event", "event_id" and "sample".`)
	}
	return nil
}

// sampleFor makes the sample that is asked for or, without one, the first that the subscription would get.
func (a *api) sampleFor(c *call, name string, of *subject) (*event.Event, []subscription.Scope, error) {
	if name != "" && !contains(sampleNames(), name) {
		return nil, nil, fault.At("/sample", "%s", unknownWord(name, sampleNames()))
	}
	var first *event.Event
	var firstPlaces []subscription.Scope
	for _, s := range samples() {
		if name != "" && s.name != name {
			continue
		}
		e, err := a.sampleAt(c, &of.s)
		if err != nil {
			return nil, nil, err
		}
		s.make(e)
		a.date(e)
		places, err := a.placesOf(c, e, &of.s)
		if err != nil {
			return nil, nil, err
		}
		notices := a.dialects[of.s.Dialect].Notices(e)
		if name != "" || slices.ContainsFunc(notices, func(n subscription.Notice) bool { return wants(&of.s, n, places) }) {
			return e, places, nil
		}
		if first == nil {
			first, firstPlaces = e, places
		}
	}
	return first, firstPlaces, nil
}

// wants reports whether the subscription would get the notice, were it switched on.
func wants(s *subscription.Subscription, notice subscription.Notice, places []subscription.Scope) bool {
	on := *s
	on.Enabled = true
	return subscription.Judge(&on, notice, places) == subscription.Matches
}

// firstWanted returns the position of the notice that a test sends: the first that the subscription would get, or the
// first at all.
func firstWanted(s *subscription.Subscription, notices []subscription.Notice, places []subscription.Scope) int {
	wanted := func(n subscription.Notice) bool { return wants(s, n, places) }
	return max(0, slices.IndexFunc(notices, wanted))
}

// sampleAt begins a sample event where the subscription listens.
func (a *api) sampleAt(c *call, s *subscription.Subscription) (*event.Event, error) {
	ctx := c.r.Context()
	o, err := a.Services.Organizations.Get(ctx, c.p, estate.ByID(s.OrganizationID))
	if err != nil {
		return nil, err
	}
	e := &event.Event{
		OccurredAt:   a.Services.Now().UTC(),
		Organization: event.Organization{ID: o.ID, Name: o.Name, DisplayName: o.DisplayName, AvatarURL: o.AvatarURL},
		Workspace:    &event.Workspace{ID: ident.Derive("sample", "workspace"), Name: "example-workspace"},
		Source:       event.Source{Kind: "sample"},
	}
	switch scope := s.Scope(); scope.Level {
	case subscription.LevelWorkspace:
		w, err := a.Services.Workspaces.Get(ctx, c.p, estate.ByID(scope.ID))
		if err != nil {
			return nil, err
		}
		e.Workspace = &event.Workspace{ID: w.ID, Name: w.Name}
	case subscription.LevelProject:
		p, err := a.Services.Projects.Get(ctx, c.p, estate.ByID(scope.ID))
		if err != nil {
			return nil, err
		}
		e.Project = &event.Project{ID: p.ID, Name: p.Name}
	case subscription.LevelTeam:
		t, err := a.Services.Teams.Get(ctx, c.p, estate.ByID(scope.ID))
		if err != nil {
			return nil, err
		}
		e.Teams = []event.Team{{ID: t.ID, Name: t.Name}}
	}
	return e, nil
}

// date gives an event that is not stored what accepting would give it.
func (a *api) date(e *event.Event) {
	now := a.Services.Now().UTC()
	if e.AcceptedAt.IsZero() {
		e.AcceptedAt = now
	}
	if e.OccurredAt.IsZero() {
		e.OccurredAt = e.AcceptedAt
	}
	if e.ID == 0 {
		e.ID = ident.At(e.AcceptedAt)
	}
}

// placesOf finds out where the event stands. An event of another organization has no business here.
func (a *api) placesOf(c *call, e *event.Event, s *subscription.Subscription) ([]subscription.Scope, error) {
	places, err := a.Places(c.r.Context(), e)
	if err != nil {
		return nil, err
	}
	if e.Organization.ID != s.OrganizationID {
		return nil, fault.At("/event/organization/name", "Is another organization than the subscription's.")
	}
	if e.Workspace != nil && e.Workspace.ID == 0 {
		e.Workspace.ID = ident.Derive("sample", "workspace", e.Workspace.Name)
	}
	if e.Run != nil && e.Run.ID == 0 && e.Workspace != nil {
		e.Run.ID = ingest.RunID(e.Workspace.ID, e.Run.SourceID)
	}
	return places, nil
}
