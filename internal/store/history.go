package store

import (
	"context"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// History is what people look at: events, runs, deliveries and attempts, newest first or oldest first, and what removes
// them when they are old.
type History interface {
	// ListEvents lists events.
	ListEvents(ctx context.Context, filter EventFilter, page Page) ([]Event, error)

	// ListRuns lists the first event of each run, in the order of the runs' beginnings.
	ListRuns(ctx context.Context, filter EventFilter, page Page) ([]Event, error)

	// RunEvents lists the events of one run in their sequence.
	RunEvents(ctx context.Context, run ident.ID) ([]Event, error)

	// RunByAlias finds a run of one of the organizations by its external identifier, or ErrNotFound. Nil organizations mean
	// all.
	RunByAlias(ctx context.Context, alias string, organizations []ident.ID) (ident.ID, error)

	// ListDeliveries lists deliveries: pending ones from the queue, the others from their final attempt.
	ListDeliveries(ctx context.Context, filter DeliveryFilter, page Page) ([]Summary, error)

	// CountDeliveries counts what ListDeliveries would list, up to a limit: the count is exact when it is below.
	CountDeliveries(ctx context.Context, filter DeliveryFilter, limit int) (int, error)

	// Delivery returns one delivery, or ErrNotFound.
	Delivery(ctx context.Context, id ident.ID) (Summary, error)

	// Attempts lists the attempts of a delivery and of those that repeat it by hand, in the order they were made.
	Attempts(ctx context.Context, id ident.ID) ([]delivery.Attempt, error)

	// LastAnswered returns a subscription's newest attempt that got an answer, or ErrNotFound.
	LastAnswered(ctx context.Context, subscription ident.ID) (delivery.Attempt, error)

	// Prune removes up to limit events from before the moment that have no pending delivery, with their attempts, and
	// returns how many it removed. The accounts do not change.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
}

// EventFilter chooses events; zero fields choose all.
type EventFilter struct {
	Organizations []ident.ID // nil means every organization
	Project       ident.ID
	Workspace     ident.ID
	Run           ident.ID
	Kinds         []string
	Range         Range
}

// DeliveryFilter chooses deliveries; zero fields choose all.
type DeliveryFilter struct {
	Organizations []ident.ID // nil means every organization
	Workspace     ident.ID
	Run           ident.ID
	Event         ident.ID
	Subscription  ident.ID
	Destination   ident.ID
	States        []delivery.State
	StatusFrom    int // the last answer's status, both ends included; 0 means no bound
	StatusTo      int
	Cause         *delivery.Cause
	Range         Range
}

// Summary is a delivery as lists show it. Last is its newest attempt, nil before the first.
type Summary struct {
	Delivery delivery.Delivery
	State    delivery.State
	Last     *delivery.Attempt
}
