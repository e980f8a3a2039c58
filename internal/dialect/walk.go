package dialect

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// DeliveryWalk finds deliveries by what the store has no index for, such as the dialect that they are in.
type DeliveryWalk interface {
	// Walk visits the deliveries that Deliveries.List would list, the newest first, until visit returns false. The
	// subscription is as it is now, or as the delivery was made with when it is gone, nil when nothing is known of it any
	// more; it must not be changed.
	Walk(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, visit func(*store.Summary, *subscription.Subscription) (more bool, err error)) error
}
