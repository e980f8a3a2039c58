package dialect

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Manager is a dialect that serves its platform's management API.
type Manager interface {
	// Mount registers the API's routes. The patterns are complete paths; no two dialects register the same.
	Mount(mux *http.ServeMux, s Services)

	// Discovery returns the dialect's keys of /.well-known/terraform.json, nil if it has none.
	Discovery() map[string]any
}

// Services is what a management API works with. Every method checks the principal's rights; what it may not see is
// NotFound. All errors that are the caller's fault are *fault.Error.
type Services struct {
	Organizations Collection[estate.Organization]
	Projects      Collection[estate.Project]
	Workspaces    Collection[estate.Workspace]
	Teams         Collection[estate.Team]
	Users         Collection[estate.User]
	Memberships   Collection[estate.Membership]
	Subscriptions Subscriptions
	Documents     Documents
	Sealed        SealedDocuments
	Deliveries    Deliveries
	Counts        DeliveryCounts
	Walk          DeliveryWalk
	Events        Events
	Access        Access
	Sessions      Sessions
	Site          Site
	Log           *slog.Logger
	Now           func() time.Time
}

// Collection manages the objects of one kind.
type Collection[T any] interface {
	// Create stores a new object; its ID and times are given here. Names are unique in their parent (fault.Conflict, field
	// "/name"); so are external identifiers.
	Create(ctx context.Context, p estate.Principal, object T) (T, error)

	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (T, error)

	// List lists the objects of a parent that the principal sees, oldest first; a zero parent lists those of every parent.
	List(ctx context.Context, p estate.Principal, parent ident.ID) ([]T, error)

	// Update changes an object: change gets a copy and may refuse by returning an error.
	Update(ctx context.Context, p estate.Principal, id ident.ID, change func(*T) error) (T, error)

	// Delete removes an object and everything below it, subscriptions included. Deleting a workspace raises the event
	// workspace/deleted first.
	Delete(ctx context.Context, p estate.Principal, id ident.ID) error
}

// SaveOptions say how a subscription is saved.
type SaveOptions struct {
	// Verify sends the dialect's verification when the saved subscription would be enabled; unless it is answered with
	// success nothing is saved and the error is fault.Unverified, caused by a *VerificationError.
	Verify bool

	// Test is sent for Verify instead of the dialect's own verification. It is complete but for address and signature.
	Test *delivery.Message

	// Limit is the most subscriptions of the dialect that the first scope may have; 0 means no limit. Beyond it the fault is
	// fault.Conflict with field "/limit".
	Limit int

	// Overlap keeps the secret before this change signing for so long beside the new one; 0 drops it at once.
	Overlap time.Duration

	// Strict refuses triggers that the dialect does not list for the level of the first scope. A dialect that checks its own
	// triggers leaves it off.
	Strict bool
}

// VerificationError says how a verification failed.
type VerificationError struct{ Attempt delivery.Attempt }

// Error names the status or the class of the failure.
func (e *VerificationError) Error() string {
	if e.Attempt.Result.Class == delivery.ClassAnswered {
		return "verification failed: HTTP " + http.StatusText(e.Attempt.Result.Status)
	}
	return "verification failed: " + string(e.Attempt.Result.Class)
}

// Subscriptions manages subscriptions. Changing them needs the admin role at their first scope.
type Subscriptions interface {
	Create(ctx context.Context, p estate.Principal, s subscription.Subscription, plain subscription.Secrets, o SaveOptions) (subscription.Subscription, error)
	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (subscription.Subscription, error)

	// List lists the subscriptions that filter chooses and the principal sees, oldest first.
	List(ctx context.Context, p estate.Principal, filter SubscriptionFilter) ([]subscription.Subscription, error)

	// Update makes a new version: change gets a copy and the plain secrets, and may change both.
	Update(ctx context.Context, p estate.Principal, id ident.ID, o SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error)

	// Delete removes a subscription and cancels what it is owed.
	Delete(ctx context.Context, p estate.Principal, id ident.ID) error

	// Reveal returns the plain secrets to those who may edit the subscription.
	Reveal(ctx context.Context, p estate.Principal, id ident.ID) (subscription.Secrets, error)

	// Verify sends the dialect's verification and keeps the answer. The error is fault.Unverified unless it was a success.
	Verify(ctx context.Context, p estate.Principal, id ident.ID) (delivery.Attempt, error)

	// Send sends a message of the dialect's making, such as a ping, through the subscription's lane: one attempt, recorded.
	// That the receiver failed is not an error; the attempt says so.
	Send(ctx context.Context, p estate.Principal, id ident.ID, msg *delivery.Message) (delivery.Attempt, error)

	// LastAnswer returns the newest attempt that got an answer, nil if there is none.
	LastAnswer(ctx context.Context, p estate.Principal, id ident.ID) (*delivery.Attempt, error)
}

// SubscriptionFilter chooses subscriptions; zero fields choose all.
type SubscriptionFilter struct {
	Organization ident.ID
	Dialect      string
	Scope        *subscription.Scope // any of the subscription's scopes
}

// Documents keeps a dialect's own objects (shared endpoints, policies) as JSON records.
type Documents interface {
	Put(ctx context.Context, p estate.Principal, at estate.Place, r store.Record) (store.Record, error)
	Get(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) (store.Record, error)
	List(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind) ([]store.Record, error)
	Delete(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) error
}

// SealedDocuments keeps secrets beside a dialect's documents. They are sealed at rest and never part of a document's body.
type SealedDocuments interface {
	// Put is Documents.Put and, in the same transaction, replaces the secrets that are named; "" removes one, those that are
	// not named stay.
	Put(ctx context.Context, p estate.Principal, at estate.Place, r store.Record, secrets map[string]string) (store.Record, error)

	// Reveal returns the document's secrets to those who may change it.
	Reveal(ctx context.Context, p estate.Principal, at estate.Place, kind store.Kind, id ident.ID) (map[string]string, error)
}

// Deliveries reads the log and sends again.
type Deliveries interface {
	List(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error)
	Get(ctx context.Context, p estate.Principal, id ident.ID) (store.Summary, []delivery.Attempt, error)

	// Sent renders again what an attempt sent: the same bytes, headers with secrets masked. Exact is false when the bytes
	// can no longer be proven to be the same.
	Sent(ctx context.Context, p estate.Principal, a delivery.Attempt) (msg *delivery.Message, exact bool, err error)

	// Redeliver queues the delivery once more, or sends it at once when now is set and returns the attempt.
	Redeliver(ctx context.Context, p estate.Principal, id ident.ID, now bool) (delivery.Delivery, *delivery.Attempt, error)
}

// DeliveryCounts counts what Deliveries.List would list.
type DeliveryCounts interface {
	// Count is exact when it is below limit.
	Count(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, limit int) (int, error)
}

// Events takes events in and reads them.
type Events interface {
	// Accept stores events that a dialect's API gave rise to (a stack was created, an audit record).
	Accept(ctx context.Context, p estate.Principal, events []event.Event) ([]Receipt, error)

	// Run returns a run with all its events, by ID or by alias.
	Run(ctx context.Context, p estate.Principal, ref estate.Ref) ([]event.Event, error)

	// List lists events, newest first.
	List(ctx context.Context, p estate.Principal, filter store.EventFilter, page store.Page) ([]event.Event, error)
}

// Receipt is what became of an accepted event.
type Receipt struct {
	Event      ident.ID
	Run        ident.ID
	Sequence   int64
	Duplicate  bool // it was known already; Event is the known one
	Deliveries int
}

// Access finds who asks.
type Access interface {
	// Authenticate returns the principal of a token's text, or fault.Unauthorized.
	Authenticate(ctx context.Context, token string) (estate.Principal, error)
}

// Sessions are for platforms whose clients exchange a token for something of their own, such as a signed ticket.
type Sessions interface {
	// Fingerprint returns a keyed hash of a text in 64 hex digits: the same on every node and for as long as the oldest
	// master key is kept, and nothing that can be guessed from outside. Purposes keep the hashes of one use from another's.
	Fingerprint(purpose, text string) string

	// Resume returns the principal of a token whose text was proven before, or fault.Unauthorized when the token is gone or
	// has expired since.
	Resume(ctx context.Context, token ident.ID) (estate.Principal, error)
}
