package httpapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
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
