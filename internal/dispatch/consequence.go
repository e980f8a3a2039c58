package dispatch

import (
	"fmt"
	"strconv"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// What a notifier event can say.
const (
	actionFailing   = "failing"
	actionDisabled  = "disabled"
	actionRecovered = "recovered"
	actionExhausted = "exhausted"
)

// answerFor does what else follows from an attempt, before the attempt is recorded: were we to die in between, the
// attempt would be made again, and this with it. The events carry keys, so that a repeat makes no second one.
func (d *Dispatcher) answerFor(c *composition, a *delivery.Attempt, v verdict, reason string) {
	if v.remember {
		d.remember(d.flying, a.Delivery.Destination)
	}
	var events []event.Event
	tell := func(action string, s *subscription.Subscription, key, reason string) {
		if s != nil && c.occurrence != nil && !c.occurrence.isNotifier() {
			events = append(events, d.notifierEvent(c, a, action, s, key, reason))
		}
	}
	since := strconv.FormatInt(v.since, 36)
	if v.failing {
		tell(actionFailing, c.target, a.Delivery.Destination.String()+"/"+since, describe(a.Result))
	}
	if v.recovered {
		tell(actionRecovered, c.target, a.Delivery.Destination.String()+"/"+since, "")
	}
	if v.state == delivery.Exhausted {
		tell(actionExhausted, c.target, a.Delivery.ID.String(), reason+": "+describe(a.Result))
	}
	for _, off := range v.off {
		s := d.deps.Index.Get(off.subscription)
		if s == nil || !d.switchOff(off) {
			continue
		}
		tell(actionDisabled, s, s.ID.String()+"/"+strconv.FormatInt(s.Version, 10), off.reason)
	}
	d.notify(events)
}

// switchOff switches a subscription off; what is pending for it is cancelled when that becomes known.
func (d *Dispatcher) switchOff(off switchOff) bool {
	if d.deps.Switch == nil {
		return false
	}
	if err := d.deps.Switch(d.flying, off.subscription, off.reason); err != nil {
		d.deps.Log.Error("switching a subscription off", "subscription", off.subscription, "err", err)
		d.scheduler.notSwitched(off.subscription)
		return false
	}
	return true
}

func (d *Dispatcher) notify(events []event.Event) {
	if len(events) == 0 || d.deps.Notify == nil {
		return
	}
	if err := d.deps.Notify(d.flying, events); err != nil {
		d.deps.Log.Error("telling of a destination", "err", err)
	}
}

// notifierEvent says what became of a destination or a delivery. It happens in the organization, and in the place that
// the subscription is listed under when the delivery's event happened there.
func (d *Dispatcher) notifierEvent(c *composition, a *delivery.Attempt, action string, s *subscription.Subscription, key, reason string) event.Event {
	about := c.occurrence.event
	e := event.Event{
		Key: "notifier/" + action + "/" + key, Kind: event.KindNotifier, Action: action, OccurredAt: d.deps.Now().UTC(),
		Organization: about.Organization,
		Notifier: &event.Notifier{
			Subscription: s.ID.String(), SubscriptionName: s.Name, Destination: s.Address, Reason: reason,
		},
		Source: event.Source{Kind: "notifier"},
	}
	if action == actionExhausted {
		e.Notifier.Delivery, e.Notifier.Event = a.Delivery.ID.String(), a.Delivery.Event.String()
		e.Notifier.Attempts = a.Delivery.Attempts
	}
	switch scope := s.Scope(); {
	case scope.Level == subscription.LevelWorkspace && about.Workspace != nil && about.Workspace.ID == scope.ID:
		e.Workspace, e.Project = about.Workspace, about.Project
	case scope.Level == subscription.LevelProject && about.Project != nil && about.Project.ID == scope.ID:
		e.Project = about.Project
	}
	return e
}

// describe says in a few words how an attempt failed.
func describe(r delivery.Result) string {
	if r.Class == delivery.ClassAnswered {
		return fmt.Sprintf("HTTP %d", r.Status)
	}
	return string(r.Class)
}

// notSwitched lets a subscription be switched off again: the first try failed.
func (s *scheduler) notSwitched(id ident.ID) {
	s.eachLane(func(l *lane) {
		if p := l.profiles[id]; p != nil {
			p.switching = false
		}
	})
}
