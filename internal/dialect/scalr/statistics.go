package scalr

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// statisticsLimit bounds how far deliveries are counted.
const statisticsLimit = 100_000

// counts are the deliveries of a while.
type counts struct {
	Delivered int `json:"delivered"`
	Failed    int `json:"failed"`
	Total     int `json:"total"`
}

// statistics counts a webhook's deliveries of the last hour, day and week (§5.4).
func (c *call) statistics(s *subscription.Subscription) (any, error) {
	all := map[string]counts{}
	now := c.Now()
	for name, span := range map[string]time.Duration{"last-hour": time.Hour, "last-day": 24 * time.Hour, "last-week": 7 * 24 * time.Hour} {
		got, err := c.countsSince(s, now.Add(-span))
		if err != nil {
			return nil, err
		}
		all[name] = got
	}
	return all, nil
}

func (c *call) countsSince(s *subscription.Subscription, from time.Time) (counts, error) {
	var got counts
	for _, part := range []struct {
		into   *int
		states []delivery.State
	}{
		{&got.Delivered, []delivery.State{delivery.Delivered}},
		{&got.Failed, []delivery.State{delivery.Exhausted, delivery.Cancelled}},
		{&got.Total, nil},
	} {
		filter := store.DeliveryFilter{
			Organizations: []ident.ID{s.OrganizationID}, Subscription: s.ID, States: part.states, Range: store.Range{From: from},
		}
		n, err := c.Counts.Count(c, c.who, filter, statisticsLimit)
		if err != nil {
			return counts{}, err
		}
		*part.into = n
	}
	return got, nil
}
