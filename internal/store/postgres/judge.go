package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// knownKey is an idempotency key as it is unique.
type knownKey struct {
	organization ident.ID
	key          string
}

// knownStep is a place in a run.
type knownStep struct {
	run      ident.ID
	sequence int64
}

// known is what the database holds of a batch's accepts.
type known struct {
	keys  map[knownKey]ident.ID
	steps map[knownStep]bool
}

// judge finds out which accepts of a refused batch are duplicates, or come with a sequence that is taken. It returns nil
// when there is none: whatever stood in the way has gone, and the batch may be sent again.
func (s *Store) judge(ctx context.Context, accepts []store.Accept) ([]store.Verdict, error) {
	k, err := s.lookUp(ctx, accepts)
	if err != nil {
		return nil, fmt.Errorf("look for duplicates: %w", err)
	}
	return k.judge(accepts), nil
}

// judge gives the verdicts, in the order of the accepts: one that is stored takes its key and its sequence from those
// behind it.
func (k known) judge(accepts []store.Accept) []store.Verdict {
	verdicts := make([]store.Verdict, len(accepts))
	refused := false
	for i := range accepts {
		e := &accepts[i].Event
		key := knownKey{e.Organization, clean(e.Key)}
		step := knownStep{e.Run, e.Sequence}
		if duplicate := k.keys[key]; e.Key != "" && duplicate != 0 {
			verdicts[i].Duplicate, refused = duplicate, true
			continue
		}
		if e.Run != 0 && k.steps[step] {
			verdicts[i].SequenceTaken, refused = true, true
			continue
		}
		k.keys[key], k.steps[step] = e.ID, true
	}
	if !refused {
		return nil
	}
	return verdicts
}

const (
	selectIDs  = `SELECT id FROM event WHERE id = ANY($1::bigint[]) LIMIT 1`
	selectKeys = `SELECT e.organization, e.key, e.id FROM unnest($1::bigint[], $2::text[]) AS u (organization, key)
		JOIN event e ON e.organization = u.organization AND e.key = u.key AND e.key <> ''`
	selectSteps = `SELECT e.run, e.sequence FROM unnest($1::bigint[], $2::bigint[]) AS u (run, sequence)
		JOIN event e ON e.run = u.run AND e.sequence = u.sequence AND e.run <> 0`
)

func (s *Store) lookUp(ctx context.Context, accepts []store.Accept) (known, error) {
	k := known{keys: map[knownKey]ident.ID{}, steps: map[knownStep]bool{}}
	var ids, organizations, runs, sequences []int64
	var keys []string
	for i := range accepts {
		e := &accepts[i].Event
		ids = append(ids, int64(e.ID))
		if e.Key != "" {
			organizations, keys = append(organizations, int64(e.Organization)), append(keys, clean(e.Key))
		}
		if e.Run != 0 {
			runs, sequences = append(runs, int64(e.Run)), append(sequences, e.Sequence)
		}
	}
	var batch pgx.Batch
	batch.Queue(selectKeys, organizations, keys).Query(func(rows pgx.Rows) error {
		var organization, id int64
		var key string
		_, err := pgx.ForEachRow(rows, []any{&organization, &key, &id}, func() error {
			k.keys[knownKey{ident.ID(organization), key}] = ident.ID(id)
			return nil
		})
		return err
	})
	batch.Queue(selectSteps, runs, sequences).Query(func(rows pgx.Rows) error {
		var run, sequence int64
		_, err := pgx.ForEachRow(rows, []any{&run, &sequence}, func() error {
			k.steps[knownStep{ident.ID(run), sequence}] = true
			return nil
		})
		return err
	})
	batch.Queue(selectIDs, ids).Query(func(rows pgx.Rows) error {
		same, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err == nil && len(same) > 0 && !k.has(ident.ID(same[0])) {
			err = fmt.Errorf("the identifier %s belongs to another event already", ident.ID(same[0]))
		}
		return err
	})
	return k, s.reads.SendBatch(ctx, &batch).Close()
}

// has reports whether an event that is stored already has one of the batch's keys: it is a duplicate then, whatever its ID.
func (k known) has(id ident.ID) bool {
	for _, stored := range k.keys {
		if stored == id {
			return true
		}
	}
	return false
}
