package scalr

import (
	"context"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// deliveries are a log in memory. What was sent is made again from the event, as the engine does.
type deliveries struct {
	world   *world
	entries []entry // oldest first
}

// entry is a delivery with its event and the webhook that it went to, which may be gone since.
type entry struct {
	summary store.Summary
	e       *event.Event
	s       *subscription.Subscription
}

func (d *deliveries) chosen(filter store.DeliveryFilter) []entry {
	var list []entry
	for _, each := range slices.Backward(d.entries) {
		s := each.summary
		if (filter.Subscription == 0 || s.Delivery.Subscription == filter.Subscription) && (filter.States == nil || slices.Contains(filter.States, s.State)) {
			list = append(list, each)
		}
	}
	return list
}

func (d *deliveries) List(_ context.Context, _ estate.Principal, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error) {
	var list []store.Summary
	for _, each := range d.chosen(filter) {
		if len(list) < page.Limit {
			list = append(list, each.summary)
		}
	}
	return list, nil
}

func (d *deliveries) Walk(_ context.Context, _ estate.Principal, filter store.DeliveryFilter, visit func(*store.Summary, *subscription.Subscription) (bool, error)) error {
	for _, each := range d.chosen(filter) {
		if more, err := visit(&each.summary, each.s); err != nil || !more {
			return err
		}
	}
	return nil
}

func (d *deliveries) find(id ident.ID) (entry, error) {
	for _, each := range d.entries {
		if each.summary.Delivery.ID == id {
			return each, nil
		}
	}
	return entry{}, fault.Missing("delivery", id.String())
}

func (d *deliveries) Get(_ context.Context, _ estate.Principal, id ident.ID) (store.Summary, []delivery.Attempt, error) {
	each, err := d.find(id)
	return each.summary, nil, err
}

func (d *deliveries) Sent(_ context.Context, _ estate.Principal, a delivery.Attempt) (*delivery.Message, bool, error) {
	each, err := d.find(a.Delivery.ID)
	if err != nil || each.e == nil {
		return nil, false, fault.New(fault.NotFound, "It can not be shown any more.")
	}
	msg, err := New().Render(dialect.Input{Event: each.e, Notice: New().Notices(each.e)[0], Subscription: each.s, Site: sampleSite})
	if err != nil {
		return nil, false, err
	}
	msg.Header = msg.Header[:1] // the files show no headers of ours
	plain := d.world.subscriptions.secrets[each.s.ID]
	New().Sign(msg, dialect.Signing{Secrets: []string{plain.Secret}, At: a.Result.StartedAt, Delivery: &each.summary.Delivery})
	for i, key := range subscription.HeaderKeys(each.s.Headers) {
		value := plain.Headers[key]
		if each.s.Headers[i].Sensitive {
			value = "***"
		}
		msg.Add(each.s.Headers[i].Name, value)
	}
	return msg, true, nil
}

func (d *deliveries) Redeliver(context.Context, estate.Principal, ident.ID, bool) (delivery.Delivery, *delivery.Attempt, error) {
	return delivery.Delivery{}, nil, fault.New(fault.Unsupported, "Not here.")
}

// Count counts what lies in the log, or says what a test wants it to say.
func (d *deliveries) Count(_ context.Context, _ estate.Principal, filter store.DeliveryFilter, _ int) (int, error) {
	return len(d.chosen(filter)), nil
}
