package delivery

import (
	"time"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Again returns the delivery that repeats d for the subscription as it is now: its body is that of the original, rendered
// from the same version; it goes to the destination that the subscription has at present, and begins with no attempt
// behind it. All repetitions name the same origin, and none outlives its subscription. Whether it keeps its run's order is
// the caller's choice: a single one was in order when it was first due.
func (d *Delivery) Again(id ident.ID, cause Cause, s *subscription.Subscription, due time.Time, unordered bool) Delivery {
	again := *d
	again.ID, again.Origin, again.Cause = id, d.Stable(), cause
	again.Destination, again.Attempts, again.Due = s.Destination, 0, due
	again.Pinned, again.Unordered = false, unordered
	return again
}
