package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
)

// read runs one reading statement and returns its rows. A read that lost its connection is made once more: when a server
// restarts, every idle connection is a broken one.
func read[T any](ctx context.Context, s *Store, fn pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	items, err := readOnce(ctx, s, fn, sql, args)
	if lost(err) {
		s.renewPools(err)
		items, err = readOnce(ctx, s, fn, sql, args)
	}
	return items, err
}

func readOnce[T any](ctx context.Context, s *Store, fn pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	rows, err := s.reads.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.AppendRows([]T(nil), rows, fn)
}

// numbers turns identifiers into what a bigint[] parameter takes. A nil list stays nil: NULL.
func numbers(ids []ident.ID) []int64 {
	if ids == nil {
		return nil
	}
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	return out
}
