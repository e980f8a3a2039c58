package dialect

import (
	"context"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

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

// Stepper is a dialect whose platform counts a run's states in words of its own, of which several neutral statuses may be
// one. The engine counts where the word changes, in the order in which it accepts the events of the run, and keeps the
// count in the event (event.Run.Steps). A step that arrives after a later one of its run leaves the state as it is.
type Stepper interface {
	// Step returns the word for the state that a run's event leaves it in. Before is the word that the run had, "" at first;
	// "" as the answer says nothing of the state. It is pure, as the methods of Dialect are.
	Step(e *event.Event, before string) string
}

// Completer is a dialect that keeps facts of its own beside a subscription, in its settings. It is asked at every save,
// whichever face it came through, before anything is checked.
type Completer interface {
	Complete(c Completion) error
}

// Completion is a subscription that is about to be saved. Complete may change its settings, and nothing else.
type Completion struct {
	Subscription *subscription.Subscription
	Plain        subscription.Secrets
	Was          subscription.Secrets // as they are stored; the zero Secrets for a new subscription
	Organization string               // the name of the subscription's organization

	// Fingerprint is that of Sessions.
	Fingerprint func(purpose, text string) string
}

// Numberer is a dialect whose platform numbers what the source of an event may not number. Counters names the counters of
// the event's workspace from which it needs a number, if Event.Numbers has none yet.
type Numberer interface {
	Counters(e *event.Event) []string
}

// Worker is a dialect that has work done for it: deliveries of subscriptions of ChannelWork, which it makes itself. Their
// address begins with the dialect's name and a colon.
type Worker interface {
	// Work does the work of one message. It may be done again, so it must not do anything twice. A *fault.Error says that
	// trying again is of no use, unless it is fault.Unavailable.
	Work(ctx context.Context, s Services, msg *delivery.Message) error
}

// OpenAddresses is a dialect whose platform shows a subscription's address to whoever may read the subscription.
// Otherwise only those who may change it see more than its redacted form.
type OpenAddresses interface {
	ShowsAddresses() bool
}
