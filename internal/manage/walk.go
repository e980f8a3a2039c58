package manage

import (
	"context"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

var _ dialect.DeliveryWalk = Deliveries{}

// walkPage is how many deliveries are read at a time.
const walkPage = 200

// Walk visits the deliveries that List would list, the newest first, with their subscriptions.
func (x Deliveries) Walk(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, visit func(*store.Summary, *subscription.Subscription) (bool, error)) error {
	if err := x.m.current(ctx); err != nil {
		return err
	}
	page := store.Page{Newest: true, Limit: walkPage}
	for {
		some, err := x.List(ctx, p, filter, page)
		if err != nil {
			return err
		}
		for i := range some {
			s, err := x.subscriptionOf(ctx, &some[i].Delivery)
			if err != nil {
				return err
			}
			if more, err := visit(&some[i], s); err != nil || !more {
				return err
			}
		}
		if len(some) < walkPage {
			return nil
		}
		page.Before = summaryID(&some[len(some)-1])
	}
}
