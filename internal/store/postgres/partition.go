package postgres

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// week is the span of IDs of one partition of the attempts.
var week = ident.At(ident.ID(0).Time().Add(7 * 24 * time.Hour))

const (
	// weeksAhead is how many partitions there are beyond the present one.
	weeksAhead = 2

	// partitionLock is the number of the advisory lock under which partitions are made.
	partitionLock = 0x0ca1_1110_0002

	// lockPatience bounds how long removing a partition waits for the table, and everybody else behind it.
	lockPatience = "200ms"
)

// partition is one week of attempts: those of deliveries whose IDs are from low on and below high.
type partition struct {
	low  ident.ID
	high ident.ID
}

func partitionOf(id ident.ID) partition {
	low := id - id%week
	if low > math.MaxInt64-week {
		return partition{low, math.MaxInt64} // the end of time, in the year 2059
	}
	return partition{low, low + week}
}

// A partition's table is named after the day on which it begins.
const (
	partitionPrefix = "attempt_"
	partitionDay    = "20060102"
)

func (p partition) name() string { return partitionPrefix + p.low.Time().Format(partitionDay) }

// makeAhead makes the present partition and those of the weeks to come.
func (s *Store) makeAhead(ctx context.Context) error {
	var wanted []partition
	for id := ident.At(s.now()); len(wanted) <= weeksAhead; id += week {
		wanted = append(wanted, partitionOf(id))
	}
	return s.makePartitions(ctx, wanted)
}

// makeFor makes the partitions that attempts need and nobody made ahead: those of deliveries from long ago, whose history
// was removed, or of a node whose clock is far ahead.
func (s *Store) makeFor(ctx context.Context, attempts []delivery.Attempt) error {
	seen := map[partition]bool{}
	var wanted []partition
	for i := range attempts {
		if p := partitionOf(attempts[i].Delivery.ID); !seen[p] {
			seen[p] = true
			wanted = append(wanted, p)
		}
	}
	return s.makePartitions(ctx, wanted)
}

// makePartitions makes those partitions that do not exist. A table is made first and attached then: unlike making it in
// place that does not wait for transactions that use the others.
func (s *Store) makePartitions(ctx context.Context, wanted []partition) error {
	err := pgx.BeginFunc(ctx, s.reads, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(partitionLock)); err != nil {
			return err
		}
		for _, p := range wanted {
			var exists bool
			if err := tx.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", p.name()).Scan(&exists); err != nil {
				return err
			}
			if exists {
				continue
			}
			table := pgx.Identifier{p.name()}.Sanitize()
			if _, err := tx.Exec(ctx, "CREATE TABLE "+table+" (LIKE attempt)"); err != nil {
				return err
			}
			attach := fmt.Sprintf("ALTER TABLE attempt ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", table, p.low, p.high)
			if _, err := tx.Exec(ctx, attach); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap("make partitions of the history", err)
}

const (
	selectOldest = `SELECT min(id) FROM event`

	// selectPartitions reads what partitions there are. Their bounds are what their names say.
	selectPartitions = `SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'attempt'::regclass ORDER BY c.relname`
)

// dropPartitions removes the partitions that lie below an ID and below the oldest event: all that they hold counts as
// removed. A partition that somebody reads at the moment is left for the next time.
func (s *Store) dropPartitions(ctx context.Context, below ident.ID) error {
	oldest, err := one(read(ctx, s, pgx.RowTo[*int64], selectOldest))
	if err != nil {
		return wrap("find the oldest event", err)
	}
	if oldest != nil {
		below = min(below, ident.ID(*oldest))
	}
	names, err := read(ctx, s, pgx.RowTo[string], selectPartitions)
	if err != nil {
		return wrap("list the partitions of the history", err)
	}
	for _, name := range names {
		begin, err := time.Parse(partitionDay, strings.TrimPrefix(name, partitionPrefix))
		if err != nil {
			return fmt.Errorf("a partition of the history has the name %s: %w", name, err)
		}
		if p := partitionOf(ident.At(begin)); p.high <= below {
			if err := s.dropPartition(ctx, p); err != nil {
				return wrap("remove the partition "+name, err)
			}
		}
	}
	return nil
}

func (s *Store) dropPartition(ctx context.Context, p partition) error {
	err := pgx.BeginFunc(ctx, s.reads, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '"+lockPatience+"'"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "DROP TABLE IF EXISTS "+pgx.Identifier{p.name()}.Sanitize())
		return err
	})
	if hasCode(err, codeLockTimeout) {
		s.log.InfoContext(ctx, "left a partition for later: it is in use", "partition", p.name())
		return nil
	}
	return err
}
