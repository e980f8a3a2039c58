package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"carillon/internal/ident"
)

// read runs one of the engine's reads and returns its rows.
func read[T any](ctx context.Context, s *Store, fn pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	return readFrom(ctx, s, s.reads, fn, sql, args)
}

// list runs one of people's reads.
func list[T any](ctx context.Context, s *Store, fn pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	return readFrom(ctx, s, s.lists, fn, sql, args)
}

// readFrom makes a read that lost its connection once more: when a server restarts, every idle connection is a broken one.
func readFrom[T any](ctx context.Context, s *Store, pool *pgxpool.Pool, fn pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	items, err := readOnce(ctx, pool, fn, sql, args)
	if lost(err) {
		s.renewPools(err)
		items, err = readOnce(ctx, pool, fn, sql, args)
	}
	return items, err
}

func readOnce[T any](ctx context.Context, pool *pgxpool.Pool, fn pgx.RowToFunc[T], sql string, args []any) ([]T, error) {
	rows, err := pool.Query(ctx, sql, args...)
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
