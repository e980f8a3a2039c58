package httpapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/strict"
	"carillon/internal/subscription"
)

// previewDraft asks what a subscription would send for an event: a given one, a stored one, or a sample. The
// subscription is one that is not saved yet, or the one that the path names.
type previewDraft struct {
	Subscription *subscriptionDraft `json:"subscription"`
	Event        json.RawMessage    `json:"event"`
	EventID      ident.ID           `json:"event_id"`
	Sample       string             `json:"sample"`
}

var previewDrafts = strict.For[previewDraft]()

// previewView is what would be sent.
type previewView struct {
	Event   event.Event         `json:"event"`
	Notices []noticePreviewView `json:"notices"`
}

// noticePreviewView is one thing that the dialect says of the event: whether the subscription would get it, and how it
// would look either way.
type noticePreviewView struct {
	Notice   string               `json:"notice"`
	Triggers []string             `json:"triggers"`
	Verdict  subscription.Verdict `json:"verdict"`
	Request  *requestView         `json:"request,omitempty"`
	Error    string               `json:"error,omitempty"` // why it could not be made
}

// subject is a subscription that is looked at, saved or not, with its secrets.
type subject struct {
	s     subscription.Subscription
	plain subscription.Secrets
}

// preview shows what a subscription would send before it is saved.
func (a *api) preview(c *call) error {
	d, err := decode(c, previewDrafts)
	if err != nil {
		return err
	}
	if d.Subscription == nil {
		return fault.At("/subscription", "Is missing.")
	}
	var of subject
	if of.s, of.plain, err = a.build(c, d.Subscription); err != nil {
		return at("/subscription", err)
	}
	if err := a.mayEditAt(c, &of.s); err != nil {
		return err
	}
	of.s.Version = 1
	return a.show(c, &d, &of)
}

// previewSaved shows what a saved subscription would send.
func (a *api) previewSaved(c *call) error {
	of, err := a.subjectOfPath(c)
	if err != nil {
		return err
	}
	d, err := a.optional(c)
	if err != nil {
		return err
	}
	return a.show(c, &d, of)
}

func (a *api) subjectOfPath(c *call) (*subject, error) {
	s, err := byPath(c, a.Services.Subscriptions, "subscription")
	if err != nil {
		return nil, err
	}
	plain, err := a.Services.Subscriptions.Reveal(c.r.Context(), c.p, s.ID)
	return &subject{s, plain}, err
}

// optional reads a request whose body may be absent, and may not name a subscription beside the path's.
func (a *api) optional(c *call) (d previewDraft, err error) {
	if c.r.ContentLength == 0 {
		return d, nil
	}
	if d, err = decode(c, previewDrafts); err == nil && d.Subscription != nil {
		err = fault.At("/subscription", "Is named by the path already; leave it out.")
	}
	return d, err
}

// mayEditAt lets those look at a draft who could save it.
func (a *api) mayEditAt(c *call, s *subscription.Subscription) error {
	for _, scope := range s.Scopes {
		place := estate.Place{OrganizationID: s.OrganizationID}
		switch scope.Level {
		case subscription.LevelProject:
			place.ProjectID = scope.ID
		case subscription.LevelWorkspace:
			w, err := a.Services.Workspaces.Get(c.r.Context(), c.p, estate.ByID(scope.ID))
			if err != nil {
				return err
			}
			place.ProjectID, place.WorkspaceID = w.ProjectID, w.ID
		}
		if !c.p.May(estate.RoleAdmin, place) {
			return fault.New(fault.Forbidden, "Looking at a subscription that is not saved needs the role %q at its scopes.", string(estate.RoleAdmin))
		}
	}
	return nil
}

// show makes every notice of the event and says whether the subscription would get it.
func (a *api) show(c *call, d *previewDraft, of *subject) error {
	e, places, err := a.eventFor(c, d, of)
	if err != nil {
		return err
	}
	view := previewView{Event: *e, Notices: []noticePreviewView{}}
	spoken := a.dialects[of.s.Dialect]
	for n, notice := range spoken.Notices(e) {
		verdict := subscription.Judge(&of.s, notice, places)
		if suppressor, ok := spoken.(dialect.Suppressor); ok && verdict == subscription.Matches && suppressor.Suppresses(e) {
			verdict = subscription.Suppressed
		}
		shown := noticePreviewView{Notice: notice.Name, Triggers: nonNil(notice.Triggers), Verdict: verdict}
		msg, err := a.compose(c, e, n, notice, of)
		if err != nil {
			if shown.Error, err = reason(err); err != nil {
				return err
			}
		} else {
			request := viewMessage(mask(msg))
			shown.Request = &request
		}
		view.Notices = append(view.Notices, shown)
	}
	return c.answer(http.StatusOK, view)
}

// reason is what a caller may know of why a message could not be made; other errors are ours.
func reason(err error) (string, error) {
	if code := fault.CodeOf(err); code == fault.Internal {
		return "", err
	}
	return problemOf(err).Detail, nil
}

// compose makes the message of one notice.
func (a *api) compose(c *call, e *event.Event, position int, notice subscription.Notice, of *subject) (*delivery.Message, error) {
	in, err := a.input(c, e, position, notice, of)
	if err != nil {
		return nil, err
	}
	return a.Compose(in, of.plain)
}

// input is what a message is rendered from.
func (a *api) input(c *call, e *event.Event, position int, notice subscription.Notice, of *subject) (in dialect.Input, err error) {
	in = dialect.Input{
		Event: e, Notice: notice, Subscription: &of.s, Delivery: previewDelivery(e, position, &of.s), Site: a.Services.Site,
	}
	if of.s.Channel == subscription.ChannelEmail {
		in.Recipients, err = a.Recipients(c.r.Context(), &of.s, e)
	}
	return in, err
}

// previewDelivery is the delivery that would be made.
func previewDelivery(e *event.Event, position int, s *subscription.Subscription) *delivery.Delivery {
	d := &delivery.Delivery{
		ID: e.ID + ident.ID(position+1)*ident.Step, Event: e.ID, Organization: s.OrganizationID, Subscription: s.ID,
		Version: s.Version, Destination: s.Destination, Notice: position, Due: e.AcceptedAt, Cause: delivery.CauseVerification,
	}
	if e.Kind == event.KindRun {
		d.Run, d.Sequence = e.Run.ID, e.Run.Sequence
	}
	return d
}

// mask hides what a log would hide.
func mask(msg *delivery.Message) *delivery.Message {
	for i := range msg.Header {
		for _, name := range msg.Masked {
			if strings.EqualFold(msg.Header[i].Name, name) {
				msg.Header[i].Value = "***"
			}
		}
	}
	return msg
}

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

// testSubscription sends what the subscription would send for a sample or a given event: one attempt, now, recorded.
func (a *api) testSubscription(c *call) error {
	of, err := a.subjectOfPath(c)
	if err != nil {
		return err
	}
	d, err := a.optional(c)
	if err != nil {
		return err
	}
	e, places, err := a.eventFor(c, &d, of)
	if err != nil {
		return err
	}
	spoken := a.dialects[of.s.Dialect]
	notices := spoken.Notices(e)
	if len(notices) == 0 {
		return fault.New(fault.Unsupported, "The dialect %s has nothing to say of this event; choose another one.", of.s.Dialect)
	}
	position := firstWanted(&of.s, notices, places)
	in, err := a.input(c, e, position, notices[position], of)
	if err != nil {
		return err
	}
	msg, err := spoken.Render(in)
	if err != nil {
		return err
	}
	attempt, err := a.Services.Subscriptions.Send(c.r.Context(), c.p, of.s.ID, msg)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, viewAttempt(&attempt, whole))
}
