// Package httpapi serves Carillon's own API: /v1, and /in, the doors for webhooks of other platforms.
//
// A handler reads a request strictly, asks the services, and spells the answer; rights, rules and storage are theirs. What
// an answer shows of secrets is decided here: destination addresses whole only to those who may edit, bodies of answers
// only to those who may write, secrets to nobody. The document api/openapi.yaml describes every route; tests hold both
// against each other.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Events reads single events and lists runs, beside what dialects need of events.
type Events interface {
	dialect.Events
	Get(ctx context.Context, p estate.Principal, id ident.ID) (event.Event, error)

	// Runs lists the first event of each run.
	Runs(ctx context.Context, p estate.Principal, filter store.EventFilter, page store.Page) ([]event.Event, error)
}

// Deliveries reads the log, sends again, and cancels.
type Deliveries interface {
	dialect.Deliveries
	Cancel(ctx context.Context, p estate.Principal, id ident.ID) error
}

// Tokens manages API tokens.
type Tokens interface {
	Create(ctx context.Context, p estate.Principal, t estate.Token, shape manage.Shape) (estate.Token, string, error)
	List(ctx context.Context, p estate.Principal) ([]estate.Token, error)
	Revoke(ctx context.Context, p estate.Principal, id ident.ID) error
}

// Sources manages the doors of other platforms' webhooks.
type Sources interface {
	Create(ctx context.Context, p estate.Principal, s estate.InboundSource, secret string) (estate.InboundSource, string, error)
	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (estate.InboundSource, error)
	List(ctx context.Context, p estate.Principal, organization ident.ID) ([]estate.InboundSource, error)
	Update(ctx context.Context, p estate.Principal, id ident.ID, overlap time.Duration, change func(*estate.InboundSource, *string) error) (estate.InboundSource, error)
	Delete(ctx context.Context, p estate.Principal, id ident.ID) error

	// Door is what is needed to judge a request that comes in.
	Door(ctx context.Context, id ident.ID) (manage.Door, error)
	MarkVerified(ctx context.Context, id ident.ID, at time.Time) error
}

// Audit reads the audit log.
type Audit interface {
	List(ctx context.Context, p estate.Principal, organization ident.ID, page store.Page) ([]manage.AuditEntry, error)
}

// Deps is what the API needs. Services.Deliveries and Services.Events are not used: Deliveries and Events are.
type Deps struct {
	Services   dialect.Services
	Dialects   []dialect.Dialect
	Events     Events
	Deliveries Deliveries
	Replays    Replays
	Tokens     Tokens
	Sources    Sources
	Audit      Audit

	// MaySend returns nil when the principal may send the event, or the fault to answer with.
	MaySend func(ctx context.Context, p estate.Principal, e *event.Event) error

	// Accept takes events in, without asking whose they are: ingest's way in.
	Accept func(ctx context.Context, events []event.Event) ([]dialect.Receipt, error)

	// LastOfRun returns the newest step of a run that the caller was found to see.
	LastOfRun func(ctx context.Context, run ident.ID) (store.Event, error)

	// Explain says which subscriptions an event reached, which not, and why.
	Explain func(ctx context.Context, e *event.Event) ([]ingest.Explanation, error)

	// Places fills in where an event stands and returns every place where somebody may listen. It makes nothing known.
	Places func(ctx context.Context, e *event.Event) ([]subscription.Scope, error)

	// Compose makes the message that a delivery would be sent as, signed, for a subscription that need not be saved.
	Compose func(in dialect.Input, plain subscription.Secrets) (*delivery.Message, error)

	// Recipients returns the addresses that a mail subscription's messages go to.
	Recipients func(ctx context.Context, s *subscription.Subscription, e *event.Event) ([]string, error)

	// Destinations says how destinations fare.
	Destinations Destinations

	// Books returns the accounts of all deliveries.
	Books func(ctx context.Context) (store.Books, error)
}

// New returns the handler of /v1 and /in.
func New(d Deps) http.Handler {
	a := &api{Deps: d, dialects: make(map[string]dialect.Dialect, len(d.Dialects))}
	for _, each := range d.Dialects {
		a.dialects[each.Name()] = each
		a.names = append(a.names, each.Name())
	}
	return a.mount()
}

// api is the API with what it needs.
type api struct {
	Deps
	dialects map[string]dialect.Dialect
	names    []string // of the dialects, in the order of the list
}
