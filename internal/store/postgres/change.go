package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	selectRevision = `SELECT value FROM revision`

	// selectChanges reads the store's revision and floor, and beside them the changes above a revision: the last revision
	// that is read is read whole. Without changes it is one row of NULLs.
	selectChanges = `SELECT r.value, r.floor, c.revision, c.kind, c.id FROM revision r
		LEFT JOIN LATERAL (SELECT c.revision, c.ordinal, c.kind, c.id FROM record_change c WHERE c.revision > $1::bigint
			ORDER BY c.revision FETCH FIRST ($2::bigint) ROWS WITH TIES) c ON true
		ORDER BY c.ordinal`
)

// Revision implements store.Records.
func (s *Store) Revision(ctx context.Context) (int64, error) {
	revision, err := one(read(ctx, s, pgx.RowTo[int64], selectRevision))
	return revision, wrap("read the revision of records", err)
}

// changeRow is a row of selectChanges.
type changeRow struct {
	value, floor int64
	revision     *int64
	kind         *string
	id           *int64
}

// ChangedSince implements store.Records.
func (s *Store) ChangedSince(ctx context.Context, since int64, limit int) ([]store.RecordKey, int64, bool, error) {
	rows, err := read(ctx, s, func(row pgx.CollectableRow) (c changeRow, err error) {
		err = row.Scan(&c.value, &c.floor, &c.revision, &c.kind, &c.id)
		return c, err
	}, selectChanges, since, int64(max(1, limit)))
	if err != nil || len(rows) == 0 {
		return nil, 0, false, wrap("read what changed", err)
	}
	if now := rows[0]; since > now.value || since < now.floor {
		return nil, now.value, false, nil
	}
	changed, upTo := changesOf(rows, limit)
	return changed, upTo, true, nil
}

// changesOf returns the keys of rows, and how far they reach: to the store's revision, unless the limit ended them before.
func changesOf(rows []changeRow, limit int) (changed []store.RecordKey, upTo int64) {
	for _, row := range rows {
		if row.revision != nil {
			changed = append(changed, store.RecordKey{Kind: store.Kind(*row.kind), ID: ident.ID(*row.id)})
			upTo = *row.revision
		}
	}
	if len(changed) < limit {
		upTo = rows[0].value
	}
	return changed, upTo
}
