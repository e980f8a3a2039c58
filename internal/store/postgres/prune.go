package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
)

// blockMargin is more than the time that the IDs of one event's deliveries can span.
const blockMargin = time.Minute

const (
	// selectOldPending finds events below an ID that have a pending delivery: their own by their IDs, a little beyond the
	// bound, and repeats by the index of repeats.
	selectOldPending = `SELECT DISTINCT d.event FROM unnest($1::smallint[]) AS s (shard)
			JOIN queue d ON d.shard = s.shard AND d.id < $3::bigint WHERE d.event < $2::bigint
		UNION
		SELECT d.event FROM queue d WHERE d.cause <> 0 AND d.event < $2::bigint`

	deleteEvents = `DELETE FROM event WHERE id IN (
			SELECT id FROM event WHERE id < $1::bigint AND id <> ALL($2::bigint[]) ORDER BY id LIMIT $3::bigint FOR UPDATE)
		RETURNING id`

	raiseFloor = `UPDATE retention SET floor = greatest(floor, $1::bigint)`
)

// Prune implements store.History. It deletes the events alone: below the floor, which it raises, attempts without their
// event count as removed, and their partition is dropped when the last event has left it. Deleting them one by one would
// cost as much again as writing them did.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	bound := ident.At(before)
	removed, err := s.pruneEvents(ctx, bound, limit)
	if err != nil {
		return 0, fmt.Errorf("prune the history: %w", err)
	}
	if removed == limit {
		return removed, nil // the caller goes on; partitions are seen to at the end
	}
	if err := s.dropPartitions(ctx, bound); err != nil {
		return removed, fmt.Errorf("prune the history: %w", err)
	}
	return removed, wrap("prune the history", s.makeAhead(ctx))
}

func (s *Store) pruneEvents(ctx context.Context, bound ident.ID, limit int) (removed int, err error) {
	pending, err := read(ctx, s, pgx.RowTo[int64], selectOldPending, allShards(), int64(bound), int64(bound)+int64(ident.At(ident.ID(0).Time().Add(blockMargin))))
	if err != nil {
		return 0, err
	}
	if pending == nil {
		pending = []int64{} // not NULL, with which nothing compares
	}
	err = pgx.BeginFunc(ctx, s.reads, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, deleteEvents, int64(bound), pending, int64(limit))
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		removed = len(ids)
		floor := bound // everything below it that may go has gone
		if removed == limit {
			floor = 0
			for _, id := range ids {
				floor = max(floor, ident.ID(id)+1)
			}
		}
		_, err = tx.Exec(ctx, raiseFloor, int64(floor))
		return err
	})
	return removed, err
}
