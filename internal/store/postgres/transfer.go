package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

var (
	_ store.Exporter = (*Store)(nil)
	_ store.Importer = (*Store)(nil)
)

const (
	selectKinds = `SELECT DISTINCT kind FROM record ORDER BY kind`

	// selectAttemptsAfter takes deliveries whole: up to the one that the limit falls on.
	selectAttemptsAfter = `SELECT ` + attemptFields + ` FROM attempt d WHERE d.delivery > $1::bigint AND d.delivery <= (
			SELECT max(n.delivery) FROM (SELECT delivery FROM attempt WHERE delivery > $1::bigint ORDER BY delivery LIMIT $2::bigint) n)
		ORDER BY d.delivery, d.place`

	enterBooks = `INSERT INTO book (node, writer, accepted, delivered, exhausted, cancelled)
		VALUES (0, 0, $1::bigint, $2::bigint, $3::bigint, $4::bigint)` + addToBook
)

// Kinds implements store.Exporter.
func (s *Store) Kinds(ctx context.Context) ([]store.Kind, error) {
	kinds, err := list(ctx, s, pgx.RowTo[store.Kind], selectKinds)
	return kinds, wrap("list the kinds of records", err)
}

// AttemptsAfter implements store.Exporter. Attempts that wait for their partition to be removed are among them.
func (s *Store) AttemptsAfter(ctx context.Context, after ident.ID, limit int) ([]delivery.Attempt, error) {
	attempts, err := list(ctx, s, readAttempt, selectAttemptsAfter, int64(after), int64(limit))
	return attempts, wrap("read attempts", err)
}

// EnterBooks implements store.Importer.
func (s *Store) EnterBooks(ctx context.Context, b store.Books) error {
	_, err := s.reads.Exec(ctx, enterBooks, b.Accepted, b.Delivered, b.Exhausted, b.Cancelled)
	return wrap("enter into the books", err)
}
