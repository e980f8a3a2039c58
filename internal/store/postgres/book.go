package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const selectNewest = `SELECT coalesce(max(newest), 0) FROM book WHERE node = $1::smallint`

// Newest implements store.Ledger. The book remembers it even when what had the ID was removed.
func (s *Store) Newest(ctx context.Context, node int) (ident.ID, error) {
	newest, err := one(read(ctx, s, pgx.RowTo[int64], selectNewest, int16(node)))
	return ident.ID(newest), wrap("read the newest identifier", err)
}

// selectBooks is one statement, so that it sees the accounts and the queue at one moment.
const selectBooks = `SELECT coalesce(sum(accepted), 0)::bigint, coalesce(sum(delivered), 0)::bigint,
	coalesce(sum(exhausted), 0)::bigint, coalesce(sum(cancelled), 0)::bigint, (SELECT count(*) FROM queue) FROM book`

// Books implements store.Ledger.
func (s *Store) Books(ctx context.Context) (store.Books, error) {
	books, err := one(read(ctx, s, func(row pgx.CollectableRow) (store.Books, error) {
		d := decoder{raw: row.RawValues()}
		return store.Books{
			Accepted: d.int64(), Delivered: d.int64(), Exhausted: d.int64(), Cancelled: d.int64(), Counted: d.int64(),
		}, nil
	}, selectBooks))
	return books, wrap("read the books", err)
}
