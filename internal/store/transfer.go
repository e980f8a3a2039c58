package store

import (
	"context"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// Exporter is what a store offers beside the contract so that everything can be copied out of it.
type Exporter interface {
	// Kinds lists the kinds of which there are records.
	Kinds(ctx context.Context) ([]Kind, error)

	// AttemptsAfter reads the attempts of the next deliveries above an ID, in the order of the deliveries. It reads about as
	// many as the limit says, and always all of a delivery; none are left when it reads none.
	AttemptsAfter(ctx context.Context, after ident.ID, limit int) ([]delivery.Attempt, error)
}

// Importer is what a store offers beside the contract so that another one's contents can be copied into it.
type Importer interface {
	// EnterBooks adds to the accounts what was accepted and ended elsewhere. Counted is not read: it is counted.
	EnterBooks(ctx context.Context, books Books) error
}
