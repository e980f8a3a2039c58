package dialect

import (
	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// Single is one attempt that somebody waits for: a verification, a ping, a redelivery at once. It takes the same road as
// every other attempt from signing on, and is recorded like them, but it does not wait in a lane.
type Single struct {
	Subscription *subscription.Subscription
	Secrets      subscription.Secrets
	Message      *delivery.Message

	// Delivery names the attempt in the history; its ID, Cause and Origin are set by the caller.
	Delivery delivery.Delivery
}
