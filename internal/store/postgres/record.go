package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const recordFields = `d.kind, d.id, d.parent, d.name, d.aliases, d.body, d.revision`

const (
	selectRecord = `SELECT ` + recordFields + ` FROM record d WHERE d.kind = $1::text AND d.id = $2::bigint`

	selectRecordByName = `SELECT ` + recordFields + ` FROM record d
		WHERE d.kind = $1::text AND d.parent = $2::bigint AND d.name = $3::text AND d.name <> ''`

	selectRecordByAlias = `SELECT ` + recordFields + ` FROM record_alias a JOIN record d ON d.kind = a.kind AND d.id = a.id
		WHERE a.kind = $1::text AND a.alias = $2::text`
)

func readRecord(row pgx.CollectableRow) (store.Record, error) {
	var r store.Record
	err := row.Scan(&r.Kind, &r.ID, &r.Parent, &r.Name, &r.Aliases, &r.Body, &r.Revision)
	return r, err
}

// Get implements store.Records.
func (s *Store) Get(ctx context.Context, kind store.Kind, id ident.ID) (store.Record, error) {
	r, err := one(read(ctx, s, readRecord, selectRecord, string(kind), int64(id)))
	return r, wrap("read a record", err)
}

// ByName implements store.Records.
func (s *Store) ByName(ctx context.Context, kind store.Kind, parent ident.ID, name string) (store.Record, error) {
	r, err := one(read(ctx, s, readRecord, selectRecordByName, string(kind), int64(parent), clean(name)))
	return r, wrap("read a record by its name", err)
}

// ByAlias implements store.Records.
func (s *Store) ByAlias(ctx context.Context, kind store.Kind, alias string) (store.Record, error) {
	r, err := one(read(ctx, s, readRecord, selectRecordByAlias, string(kind), clean(alias)))
	return r, wrap("read a record by its alias", err)
}

// List implements store.Records.
func (s *Store) List(ctx context.Context, kind store.Kind, parent ident.ID, page store.Page) ([]store.Record, error) {
	q := &query{}
	where := append(q.ofParent(kind, parent), q.within("d.id", store.Range{}, page)...)
	sql := "SELECT " + recordFields + " FROM record d" + where.where() + q.order("d.id", page)
	records, err := read(ctx, s, readRecord, sql, q.args...)
	return records, wrap("list records", err)
}

// Count implements store.Records.
func (s *Store) Count(ctx context.Context, kind store.Kind, parent ident.ID) (int, error) {
	q := &query{}
	sql := "SELECT count(*) FROM record d" + q.ofParent(kind, parent).where()
	count, err := one(read(ctx, s, pgx.RowTo[int64], sql, q.args...))
	return int(count), wrap("count records", err)
}

func (q *query) ofParent(kind store.Kind, parent ident.ID) conditions {
	where := conditions{q.bind("d.kind = ?::text", string(kind))}
	if parent != 0 {
		where = append(where, q.bind("d.parent = ?::bigint", int64(parent)))
	}
	return where
}
