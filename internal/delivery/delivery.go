// Package delivery says what is owed and what was tried.
//
// A Delivery is one event owed to one subscription; an Attempt is one HTTP or SMTP try of it. What follows from an
// attempt is decided by Policy.Decide, a pure function of values. The package never sends, stores or waits.
package delivery

import (
	"time"

	"carillon/internal/ident"
)

// Shards is the number of shards that the queue is divided into. It is part of the stored format.
const Shards = 64

// ShardOf returns the shard of a destination: one owner holds the whole lane.
func ShardOf(destination ident.ID) int {
	v := uint64(destination)
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	return int(v>>40) % Shards
}

// Cause is why a delivery exists.
type Cause uint8

// The causes.
const (
	CauseEvent        Cause = iota // an event matched
	CauseRedelivery                // a person asked for one delivery again
	CauseReplay                    // a replay asked for many again
	CauseFallback                  // another subscription exhausted it
	CauseVerification              // a verification, ping or test; it has no event in the store
)

// Causes lists the causes.
func Causes() []Cause {
	return []Cause{CauseEvent, CauseRedelivery, CauseReplay, CauseFallback, CauseVerification}
}

// String names the cause for the API.
func (c Cause) String() string {
	return [...]string{"event", "redelivery", "replay", "fallback", "verification"}[c]
}

// Delivery is one event owed to one subscription: a row of the queue. It is small and holds no text.
type Delivery struct {
	ID           ident.ID
	Event        ident.ID
	Organization ident.ID
	Subscription ident.ID

	// Version is the subscription's version when the delivery was made; the body is rendered from it, on every attempt
	// alike. Address and secret are the subscription's current ones.
	Version int64

	Destination ident.ID
	Notice      int // position among the dialect's notices of the event

	// Run and Sequence order the deliveries of one run to one subscription; Run is zero for everything else.
	Run      ident.ID
	Sequence int64

	Attempts int       // made and recorded so far
	Due      time.Time // when the next attempt may start

	Cause  Cause
	Origin ident.ID // the delivery that this one repeats; zero for CauseEvent

	// Pinned keeps the delivery alive when its subscription is deleted: it then uses the version it was made with.
	Pinned bool

	// Unordered is the subscription's choice when the delivery was made.
	Unordered bool
}

// Shard returns the shard of the delivery.
func (d *Delivery) Shard() int { return ShardOf(d.Destination) }

// Key returns the delivery's key in the queue.
func (d *Delivery) Key() Key { return Key{Shard: d.Shard(), ID: d.ID} }

// Stable returns the identifier that stays the same when a delivery is repeated by hand: the origin's, or its own.
func (d *Delivery) Stable() ident.ID {
	if d.Origin != 0 {
		return d.Origin
	}
	return d.ID
}

// Key names a row of the queue.
type Key struct {
	Shard int
	ID    ident.ID
}

// State is what became of a delivery.
type State uint8

// The states. All but Pending are final.
const (
	Pending   State = iota
	Delivered       // the receiver answered with success
	Exhausted       // the policy's attempts are used up, or the answer was final
	Cancelled       // the subscription was disabled or deleted, or a person cancelled it
)

// String names the state for the API.
func (s State) String() string {
	return [...]string{"pending", "delivered", "exhausted", "cancelled"}[s]
}

// States lists the states.
func States() []State { return []State{Pending, Delivered, Exhausted, Cancelled} }

// Attempt is one try, as recorded. The final attempt of a delivery is also the delivery's place in the history.
type Attempt struct {
	Delivery Delivery // as it stood when the attempt ended; Attempts counts this one

	// Number counts the delivery's attempts from 1; 0 is a delivery that ended without being tried.
	Number int

	// Final is the state that the attempt left the delivery in; Pending means that it is due again at Delivery.Due.
	State State

	Result Result

	// Trigger is what the notice was called towards the receiver, for people and searches.
	Trigger string

	// Repeat marks an attempt that may repeat one that was sent but not recorded, because the node that made it died.
	Repeat bool

	// BodyHash is the first 8 bytes of SHA-256 of the body that was sent: it proves that the bytes a log shows are those
	// bytes. BodySize is its length.
	BodyHash uint64
	BodySize int

	Workspace ident.ID
	Address   string // redacted
	Node      int
}

// Class says how far an attempt came and what stopped it.
type Class string

// The classes. Only ClassAnswered has a status.
const (
	ClassAnswered  Class = "answered"  // the receiver answered, with whatever status
	ClassRefused   Class = "refused"   // connection refused
	ClassTimeout   Class = "timeout"   // no answer in time
	ClassClosed    Class = "closed"    // the connection broke
	ClassDNS       Class = "dns"       // the host name has no address
	ClassTLS       Class = "tls"       // the TLS handshake failed
	ClassForbidden Class = "forbidden" // the guard forbids the address
	ClassRender    Class = "render"    // the dialect could not render or sign
	ClassConfig    Class = "config"    // the subscription can not be served: no address, no recipient, no mail server
	ClassCancelled Class = "cancelled" // never tried: cancelled
	ClassProxy     Class = "proxy"     // our own egress proxy or mail server failed; not the destination's fault
	ClassStopped   Class = "stopped"   // we were stopped in the middle
)

// Classes lists every class.
func Classes() []Class {
	return []Class{
		ClassAnswered, ClassRefused, ClassTimeout, ClassClosed, ClassDNS, ClassTLS, ClassForbidden, ClassRender,
		ClassConfig, ClassCancelled, ClassProxy, ClassStopped,
	}
}

// Result is the outcome of one try.
type Result struct {
	Class     Class
	Status    int           // HTTP status, or the SMTP reply's code; 0 without an answer
	StartedAt time.Time     // UTC
	Duration  time.Duration // from start to the end of the answer's body
	Response  *Response     // nil without an answer

	// Detail is a short text for people who may see the subscription: it names the class, never an internal address.
	Detail string

	// RetryAfter is the receiver's wish, 0 without one.
	RetryAfter time.Duration

	// Advice is what the answer itself says about another try, where its status does not mean what it means in HTTP. It
	// serves Decide and is not part of the history.
	Advice Advice
}

// Advice is what an answer says about another try.
type Advice uint8

// The kinds of advice. A mail server rules another try out with 5yz and asks for one with 4yz.
const (
	AdviceNone  Advice = iota // the policy judges the status
	AdviceRetry               // try again, as long as the policy does
	AdviceFinal               // never again
)

// OK reports whether the receiver answered with success: any 2xx.
func (r Result) OK() bool { return r.Class == ClassAnswered && r.Status >= 200 && r.Status < 300 }

// Response is what a receiver answered, as far as it is kept.
type Response struct {
	Status    int
	Header    map[string][]string
	Body      []byte
	Truncated bool
}
