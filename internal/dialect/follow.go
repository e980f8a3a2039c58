package dialect

import (
	"encoding/json"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Follower is a dialect whose subscriptions can follow a shared destination: a document of kind store.KindEndpoint, named
// in Subscription.EndpointID. What the document says is laid over each subscription that names it, in the transaction that
// saves either of them, so that the copies are never out of step; the document can not be deleted while it is named.
// Without this capability a subscription has a destination of its own.
type Follower interface {
	// Follow lays a shared destination over a subscription. It is pure. Its errors are *fault.Error.
	Follow(d SharedDestination, s *subscription.Subscription, plain *subscription.Secrets) error
}

// SharedDestination is a document that subscriptions follow, with its secrets in the clear.
type SharedDestination struct {
	ID      ident.ID
	Body    json.RawMessage
	Secrets map[string]string
}
