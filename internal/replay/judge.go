package replay

import (
	"context"
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// verdict is what a replay does with one of the deliveries that its filter chose. Without a reason it is sent again, to
// the subscription.
type verdict struct {
	subscription *subscription.Subscription
	skipped      Skips // one of its counts is 1, or none
}

func (v verdict) skips() bool { return v.skipped != Skips{} }

// judge decides what a replay with the filter does with a delivery that the filter chose.
//
// A delivery and its repetitions are one thing to the receiver: it gets it once per replay, and not at all while one of
// them is pending. Who asked for what was not delivered does not mean what a repetition has delivered since.
func (s *Service) judge(ctx context.Context, filter store.DeliveryFilter, chosen *store.Summary) (verdict, error) {
	d := &chosen.Delivery
	sub := s.Index.Get(d.Subscription)
	switch {
	case chosen.State == delivery.Pending:
		return verdict{skipped: Skips{Pending: 1}}, nil
	case d.Event == 0:
		return verdict{skipped: Skips{Test: 1}}, nil
	case sub == nil:
		return verdict{skipped: Skips{Deleted: 1}}, nil
	case !sub.Enabled:
		return verdict{skipped: Skips{Disabled: 1}}, nil
	}
	family, err := s.family(ctx, store.DeliveryFilter{Organizations: filter.Organizations}, d, store.Page{})
	if err != nil {
		return verdict{}, err
	}
	has := func(state delivery.State) bool {
		return slices.ContainsFunc(family, func(m store.Summary) bool { return m.State == state })
	}
	switch {
	case has(delivery.Pending):
		return verdict{skipped: Skips{Pending: 1}}, nil
	case len(filter.States) > 0 && !slices.Contains(filter.States, delivery.Delivered) && has(delivery.Delivered):
		return verdict{skipped: Skips{Delivered: 1}}, nil
	case d.Origin == 0:
		return verdict{subscription: sub}, nil
	}
	earlier, err := s.family(ctx, filter, d, store.Page{Before: d.ID})
	if err != nil {
		return verdict{}, err
	}
	if len(earlier) > 0 {
		return verdict{skipped: Skips{Repeated: 1}}, nil
	}
	return verdict{subscription: sub}, nil
}

// familyPage is how many deliveries of one event to one subscription are read at a time.
const familyPage = 100

// family lists a delivery with those that repeat the same one, as far as the filter chooses them.
func (s *Service) family(ctx context.Context, filter store.DeliveryFilter, d *delivery.Delivery, page store.Page) ([]store.Summary, error) {
	filter.Event, filter.Subscription = d.Event, d.Subscription
	page.Limit = familyPage
	var family []store.Summary
	for {
		some, err := s.Store.ListDeliveries(ctx, filter, page)
		if err != nil {
			return nil, fmt.Errorf("list what repeats delivery %s: %w", d.ID, err)
		}
		for i := range some {
			if some[i].Delivery.Stable() == d.Stable() {
				family = append(family, some[i])
			}
		}
		if len(some) < familyPage {
			return family, nil
		}
		page.After = some[len(some)-1].Delivery.ID
	}
}
