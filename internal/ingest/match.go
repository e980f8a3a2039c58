package ingest

import (
	"fmt"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// match finds who gets the event: each dialect that somebody in its places speaks says what it has to say of it, and the
// index knows who asked for that.
func (i *Ingest) match(e *event.Event, places []subscription.Scope) (matched []matching, err error) {
	if e.Kind == event.KindTest {
		return nil, nil // a test goes where the one who asks for it points, never to others
	}
	for _, name := range i.index.Dialects(places) {
		d := i.dialects[name]
		if d == nil {
			return nil, fmt.Errorf("match event: no dialect named %q", name)
		}
		if suppresses(d, e) {
			continue
		}
		for _, m := range i.index.Match(name, d.Notices(e), places) {
			matched = append(matched, matching{m, m.Subscription.Delivery.Unordered || d.Policy(m.Subscription).Unordered})
		}
	}
	return matched, nil
}

// matching is one delivery in the making.
type matching struct {
	subscription.Match
	unordered bool
}

func suppresses(d dialect.Dialect, e *event.Event) bool {
	s, ok := d.(dialect.Suppressor)
	return ok && s.Suppresses(e)
}

// owe makes the deliveries of an event. Their identifiers follow the event's.
func owe(e *event.Event, matched []matching) []delivery.Delivery {
	if len(matched) == 0 {
		return nil
	}
	deliveries := make([]delivery.Delivery, len(matched))
	for n, m := range matched {
		d := &deliveries[n]
		d.ID = e.ID + ident.ID(n+1)*ident.Step
		d.Event = e.ID
		d.Organization = e.Organization.ID
		d.Subscription = m.Subscription.ID
		d.Version = m.Subscription.Version
		d.Destination = m.Subscription.Destination
		d.Notice = m.Notice
		d.Due = e.AcceptedAt
		d.Unordered = m.unordered
		if e.Kind == event.KindRun {
			d.Run, d.Sequence = e.Run.ID, e.Run.Sequence
		}
		// Who asked to hear of the end of a workspace still hears of it, although the subscription goes with it.
		d.Pinned = e.Kind == event.KindWorkspace && e.Action == actionDeleted
	}
	return deliveries
}

const actionDeleted = "deleted"
