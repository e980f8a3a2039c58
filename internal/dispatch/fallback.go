package dispatch

import "carillon/internal/delivery"

// fallback returns the delivery to the fallback subscription of one whose delivery is exhausted, if there is one that
// can take it. What a fallback exhausts itself goes no further, so that two that name each other make no loop.
func (d *Dispatcher) fallback(c *composition, row *delivery.Delivery) []delivery.Delivery {
	if c.target == nil || c.occurrence == nil || c.target.Delivery.Fallback == 0 || row.Cause == delivery.CauseFallback {
		return nil
	}
	to := d.deps.Index.Get(c.target.Delivery.Fallback)
	if to == nil || !to.Enabled || to.ID == row.Subscription || to.OrganizationID != c.target.OrganizationID {
		return nil
	}
	speaker := d.dialects[to.Dialect]
	if speaker == nil {
		return nil
	}
	notices, err := c.occurrence.of(speaker)
	if err != nil || len(notices) == 0 {
		d.deps.Log.Warn("a fallback has nothing to say of the event", "delivery", row.ID, "subscription", to.ID, "dialect", to.Dialect)
		return nil
	}
	notice := 0
	if to.Dialect == c.target.Dialect && row.Notice < len(notices) {
		notice = row.Notice
	}
	return []delivery.Delivery{{
		ID: d.deps.IDs.New(), Event: row.Event, Organization: row.Organization,
		Subscription: to.ID, Version: to.Version, Destination: to.Destination, Notice: notice,
		Run: row.Run, Sequence: row.Sequence, Due: d.deps.Now().UTC(),
		Cause: delivery.CauseFallback, Origin: row.ID, Unordered: d.policy(to).Unordered,
	}}
}
