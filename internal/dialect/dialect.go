// Package dialect is the contract of a platform's way of notifying: what it says of an event, in which bytes, signed
// how, retried when; and how its own webhooks are read and its own management API is served.
//
// A dialect is one package below this directory and one line in the server's list. Every dialect implements Dialect; what
// else it can do it shows by implementing one of the capability interfaces (Verifier, Pinger, Receiver, Manager, …), found
// by type assertion. The methods of Dialect are pure: no clock, no store, no network.
package dialect

import (
	"net/http"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Dialect renders events in a platform's format.
type Dialect interface {
	// Name is the dialect's short name in lower case: stored, shown, part of metrics.
	Name() string

	// Title is the platform's name for people.
	Title() string

	// Notices returns what the dialect has to say of an event: often one notice, sometimes none or two. The order is part of
	// what is stored: a delivery names a notice by its position.
	Notices(e *event.Event) []subscription.Notice

	// Render returns the request or mail for one delivery, without address, signature and the headers that change from
	// attempt to attempt. Equal input gives equal bytes.
	Render(in Input) (*delivery.Message, error)

	// Sign completes a message for one attempt: it adds the signature and whatever else depends on the moment. It signs the
	// bytes of msg.Body as they are.
	Sign(msg *delivery.Message, s Signing)

	// Policy returns the platform's rules of retrying for a subscription.
	Policy(s *subscription.Subscription) delivery.Policy

	// Triggers lists what a subscription may name at a level, in the order in which a form shows them. None means that the
	// dialect has no such subscriptions there.
	Triggers(level subscription.Level) []Trigger

	// Channels lists the channels that the dialect offers.
	Channels() []subscription.Channel
}

// Trigger is one value that a subscription may name.
type Trigger struct {
	Value      string
	Title      string
	Group      string // heading in a form, may be empty
	Deprecated bool   // accepted, not offered
}

// Input is everything that Render depends on.
type Input struct {
	Event        *event.Event
	Notice       subscription.Notice
	Subscription *subscription.Subscription
	Delivery     *delivery.Delivery
	Prior        *event.Event // nil; reserved for messages that update an earlier one
	Recipients   []string     // resolved mail addresses, for ChannelEmail
	Site         Site
}

// Site is what messages say about this installation.
type Site struct {
	BaseURL string // public, without a trailing slash
	Product string // "Carillon"
	Version string
}

// UserAgent is the User-Agent of our requests.
func (s Site) UserAgent() string { return s.Product + "/" + s.Version + " (+" + s.BaseURL + ")" }

// Signing is what Sign depends on. Secrets holds the current secret first and then, while a rotation lasts, the prior one;
// it is empty when the subscription has none.
type Signing struct {
	Secrets      []string
	At           time.Time // start of the attempt
	Delivery     *delivery.Delivery
	Subscription *subscription.Subscription
	Site         Site
}

// Verifier is a dialect whose platform sends a test request when a subscription is saved or verified. The returned
// message is complete but for address and signature. A nil message means that the subscription's channel is not verified.
type Verifier interface {
	Verification(s *subscription.Subscription, site Site, at time.Time) (*delivery.Message, error)
}

// StandardHeaders is a dialect that says whether its deliveries carry the Standard Webhooks headers when a subscription
// does not decide. Without it they do.
type StandardHeaders interface {
	StandardByDefault() bool
}

// Suppressor is a dialect that sends nothing for some events even where a subscription matches, such as runs of
// workspaces that are executed locally.
type Suppressor interface {
	Suppresses(e *event.Event) bool
}

// Receiver is a dialect that reads its platform's own webhooks. Errors are *fault.Error.
type Receiver interface {
	// Receive verifies a request against the source's secrets, then parses it. Unsigned says that the source was made to
	// accept requests without a signature. The events carry keys, so that a repeat creates nothing.
	Receive(in Inbound) (Received, error)
}

// Inbound is one request at an inbound source.
type Inbound struct {
	Header   http.Header
	Body     []byte
	Secrets  []string
	Unsigned bool
	Options  map[string]string
	At       time.Time

	// Organization and Project are the source's; they fill what the payload does not say.
	Organization event.Organization
	Project      string
}

// Received is what a webhook said.
type Received struct {
	Events   []event.Event
	Verified bool // it was the platform's verification request
	Status   int  // the answer's status, 200 when 0
	Body     []byte
}

// Standard identifiers of Standard Webhooks headers, added by the engine where a subscription asks.
const (
	HeaderStandardID        = "webhook-id"
	HeaderStandardTimestamp = "webhook-timestamp"
	HeaderStandardSignature = "webhook-signature"
)

// ExternalID returns an object's identifier in a dialect: the one it was given, or the one derived from its ID.
func ExternalID(dialect string, external map[string]string, codec ident.Codec, id ident.ID) string {
	if given := external[dialect]; given != "" {
		return given
	}
	return codec.Encode(id)
}
