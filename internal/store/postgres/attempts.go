package postgres

import (
	"cmp"
	"context"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

const (
	selectAttemptsAt = `SELECT ` + attemptFields + ` FROM unnest($1::bigint[], $2::bigint[]) AS u (delivery, place)
		JOIN attempt d ON d.delivery = u.delivery AND d.place = u.place`

	// selectAttempts reads a delivery's attempts and those of its repeats by hand: redeliveries and replays.
	selectAttempts = `SELECT ` + attemptFields + ` FROM attempt d WHERE d.delivery = $1::bigint AND ` + visible + `
		UNION ALL
		SELECT ` + attemptFields + ` FROM attempt d WHERE d.origin = $1::bigint AND d.origin <> 0 AND d.cause IN (1, 2) AND ` + visible

	// selectLastAnswered looks among the newest deliveries' first tries, which a lane makes nearly in the order of their IDs,
	// and among second tries by their own time.
	selectLastAnswered = `SELECT d.* FROM (
			(SELECT ` + attemptFields + ` FROM attempt d
			WHERE d.subscription = $1::bigint AND d.class = 1 AND d.number <= 1 AND ` + visible + `
			ORDER BY d.delivery DESC LIMIT 8)
			UNION ALL
			(SELECT ` + attemptFields + ` FROM attempt d
			WHERE d.subscription = $1::bigint AND d.class = 1 AND d.number > 1 AND ` + visible + `
			ORDER BY d.started DESC LIMIT 1)
		) d ORDER BY d.started DESC, d.delivery DESC LIMIT 1`
)

// Attempts implements store.History.
func (s *Store) Attempts(ctx context.Context, id ident.ID) ([]delivery.Attempt, error) {
	attempts, err := list(ctx, s, readAttempt, selectAttempts, int64(id))
	if err != nil {
		return nil, wrap("read the attempts of a delivery", err)
	}
	return inOrder(attempts), nil
}

// inOrder sorts attempts of several deliveries by when they were made. One that says no time stands where its delivery's
// earlier ones put it.
func inOrder(attempts []delivery.Attempt) []delivery.Attempt {
	slices.SortFunc(attempts, func(a, b delivery.Attempt) int {
		return cmp.Or(cmp.Compare(a.Delivery.ID, b.Delivery.ID), cmp.Compare(place(&a), place(&b)))
	})
	type timed struct {
		delivery.Attempt
		at time.Time
	}
	line := make([]timed, len(attempts))
	for i, a := range attempts {
		line[i] = timed{a, a.Result.StartedAt}
		if i > 0 && attempts[i-1].Delivery.ID == a.Delivery.ID && line[i].at.Before(line[i-1].at) {
			line[i].at = line[i-1].at
		}
	}
	slices.SortStableFunc(line, func(a, b timed) int { return a.at.Compare(b.at) })
	for i := range line {
		attempts[i] = line[i].Attempt
	}
	return attempts
}

// LastAnswered implements store.History.
func (s *Store) LastAnswered(ctx context.Context, subscription ident.ID) (delivery.Attempt, error) {
	a, err := one(list(ctx, s, readAttempt, selectLastAnswered, int64(subscription)))
	return a, wrap("read the last answer of a subscription", err)
}
