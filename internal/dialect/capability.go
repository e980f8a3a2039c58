package dialect

import "carillon/internal/subscription"

// Further capabilities of a dialect that concern how its subscriptions are managed. A dialect that implements none of
// them gets what each comment names as the rule.

// LateAddressCheck is a dialect whose platform judges an address when it sends, not when a subscription is saved.
// Otherwise an address that the guard would refuse can not be saved.
type LateAddressCheck interface {
	ChecksAddressLate() bool
}

// Validator is a dialect with rules of its own for subscriptions. It is asked at every save, whichever face it came
// through, after the general rules. Its errors are *fault.Error.
type Validator interface {
	Validate(s *subscription.Subscription, plain subscription.Secrets) error
}

// Detached is a dialect whose subscriptions can outlive the places they listen to. Otherwise a subscription goes with the
// last of its scopes; one that is detached stays, without a scope, and listens to nothing.
type Detached interface {
	OutlivesScopes(s *subscription.Subscription) bool
}

// Audience is a dialect whose mail subscriptions can address everybody: the members of the team for a subscription of a
// team, those of the organization otherwise. Without it only the listed addresses and users get mail.
type Audience interface {
	AllMembers(s *subscription.Subscription) bool
}
