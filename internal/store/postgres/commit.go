package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"carillon/internal/store"
)

// commitTries bounds how often a batch is sent: each time something was learned of why it could not be stored.
const commitTries = 10

// Commit sends the batch optimistically, as if everything in it were new, in one round trip. What the server then refuses
// is looked into and the rest sent again; that is rare.
func (s *Store) Commit(ctx context.Context, batch *store.Batch) ([]store.Verdict, error) {
	if batch.Size() == 0 {
		return nil, nil
	}
	shards, err := fenced(batch)
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	if err := checkClasses(batch.Attempts); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	var w *writer
	select {
	case w = <-s.slots:
	case <-ctx.Done():
		return nil, fmt.Errorf("commit: %w", ctx.Err())
	}
	defer func() { s.slots <- w }()
	verdicts, err := s.commit(ctx, w, batch, shards)
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return verdicts, nil
}

func (s *Store) commit(ctx context.Context, w *writer, batch *store.Batch, shards shardSet) ([]store.Verdict, error) {
	var verdicts []store.Verdict
	late := false
	var err error
	for range commitTries {
		w.gather(batch, verdicts)
		if err = s.send(ctx, w, batch, shards, late); err == nil {
			w.stored()
			return verdicts, nil
		}
		switch refusalOf(err) {
		case refusedFence:
			return nil, store.ErrFenced
		case refusedEvent:
			if verdicts, err = s.judge(ctx, batch.Accepts); err != nil {
				return nil, err
			}
		case refusedRow:
			late = true
		case refusedPartition:
			if err = s.makeFor(ctx, batch.Attempts); err != nil {
				return nil, err
			}
		case refusedOrder: // two transactions waited for each other; this one was chosen to give way
		default:
			if !pgconn.SafeToRetry(err) {
				s.renewPools(err)
				return nil, err
			}
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("given up after %d tries: %w", commitTries, err)
}

// send makes one try: all statements in one message, one implicit transaction, one answer.
func (s *Store) send(ctx context.Context, w *writer, batch *store.Batch, shards shardSet, late bool) error {
	conn, err := s.writes.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	message := w.message(batch, shards, late, s.members.node(), s.instance)
	result := conn.Conn().PgConn().ExecBatch(ctx, message)
	for result.NextResult() {
		if _, err = result.ResultReader().Close(); err != nil {
			break
		}
	}
	if closeErr := result.Close(); err == nil {
		err = closeErr
	}
	return err
}
