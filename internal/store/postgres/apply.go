package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"carillon/internal/store"
)

const (
	// nextRevision takes the row that makes changes wait for each other, and with it the next revision.
	nextRevision = `UPDATE revision SET value = value + 1, changes = changes + $1::bigint RETURNING value, changes`

	insertRecord = `INSERT INTO record (kind, id, parent, name, aliases, body, revision)
		VALUES ($1::text, $2::bigint, $3::bigint, $4::text, $5::text[], $6::bytea, $7::bigint)`

	replaceRecord = insertRecord + ` ON CONFLICT (kind, id) DO UPDATE SET parent = excluded.parent, name = excluded.name,
		aliases = excluded.aliases, body = excluded.body, revision = excluded.revision`

	updateRecord = `UPDATE record SET parent = $3::bigint, name = $4::text, aliases = $5::text[], body = $6::bytea,
		revision = $7::bigint WHERE kind = $1::text AND id = $2::bigint AND revision = $8::bigint`

	// deleteRecord also says whether the record is there in another revision than the one expected.
	deleteRecord = `WITH gone AS (
			DELETE FROM record WHERE kind = $1::text AND id = $2::bigint AND ($3::bigint = -1 OR revision = $3::bigint) RETURNING 1)
		SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM gone)
			AND EXISTS (SELECT 1 FROM record WHERE kind = $1::text AND id = $2::bigint)`

	deleteAliases = `DELETE FROM record_alias WHERE kind = $1::text AND id = $2::bigint`
	insertAlias   = `INSERT INTO record_alias (kind, alias, id) VALUES ($1::text, $2::text, $3::bigint)`
	insertChange  = `INSERT INTO record_change (ordinal, revision, kind, id) VALUES ($1::bigint, $2::bigint, $3::text, $4::bigint)`

	// cutChanges keeps the newest changes. The floor is the last revision of which something was cut.
	cutChanges = `WITH cut AS (DELETE FROM record_change WHERE ordinal <= $1::bigint RETURNING revision)
		UPDATE revision SET floor = (SELECT max(revision) FROM cut) WHERE EXISTS (SELECT 1 FROM cut)`
)

// Apply implements store.Records. The changes are made one after another in one transaction; whoever applies next waits
// for its end.
func (s *Store) Apply(ctx context.Context, changes []store.Change) (revision int64, err error) {
	err = pgx.BeginFunc(ctx, s.reads, func(tx pgx.Tx) error {
		var ordinal int64
		if err := tx.QueryRow(ctx, nextRevision, len(changes)).Scan(&revision, &ordinal); err != nil {
			return err
		}
		return s.applyAll(ctx, tx, changes, revision, ordinal)
	})
	if err != nil {
		s.renewPools(err)
		return 0, fmt.Errorf("apply changes of records: %w", err)
	}
	for _, change := range changes {
		if change.Put != nil {
			change.Put.Revision = revision
		}
	}
	return revision, nil
}

// applyAll sends the statements of all changes together. ordinal is that of the last change.
func (s *Store) applyAll(ctx context.Context, tx pgx.Tx, changes []store.Change, revision, ordinal int64) error {
	var batch pgx.Batch
	for i, change := range changes {
		key := keyOf(change)
		if change.Put != nil {
			queuePut(&batch, change, revision)
		} else {
			queueDelete(&batch, change)
		}
		batch.Queue(insertChange, ordinal-int64(len(changes)-1-i), revision, string(key.Kind), int64(key.ID))
	}
	batch.Queue(cutChanges, ordinal-store.ChangesKept)
	hint := store.Hint{Records: true}
	batch.Queue("SELECT pg_notify($1::text, $2::text)", channel, encodeHint(s.instance, s.members.node(), hint))
	return tx.SendBatch(ctx, &batch).Close()
}

func keyOf(change store.Change) store.RecordKey {
	if change.Put != nil {
		return store.RecordKey{Kind: change.Put.Kind, ID: change.Put.ID}
	}
	return *change.Delete
}

// queuePut writes a record under its condition, and then its aliases.
func queuePut(batch *pgx.Batch, change store.Change, revision int64) {
	r := change.Put
	aliases := aliasesOf(r)
	args := []any{string(r.Kind), int64(r.ID), int64(r.Parent), clean(r.Name), aliases, orEmpty(r.Body), revision}
	var put *pgx.QueuedQuery
	switch change.Expect {
	case store.AnyRevision:
		put = batch.Queue(replaceRecord, args...)
	case 0:
		put = batch.Queue(insertRecord, args...)
	default:
		put = batch.Queue(updateRecord, append(args, change.Expect)...)
	}
	put.Fn = func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		if err != nil {
			return taken(err, &store.TakenError{Kind: r.Kind, Name: r.Name})
		}
		if tag.RowsAffected() == 0 {
			return store.ErrRevision
		}
		return nil
	}
	batch.Queue(deleteAliases, string(r.Kind), int64(r.ID))
	for _, alias := range aliases {
		batch.Queue(insertAlias, string(r.Kind), alias, int64(r.ID)).Fn = func(results pgx.BatchResults) error {
			_, err := results.Exec()
			return taken(err, &store.TakenError{Kind: r.Kind, Alias: alias})
		}
	}
}

func queueDelete(batch *pgx.Batch, change store.Change) {
	key := change.Delete
	batch.Queue(deleteRecord, string(key.Kind), int64(key.ID), change.Expect).Query(func(rows pgx.Rows) error {
		other, err := pgx.CollectRows(rows, pgx.RowTo[int32])
		if err == nil && len(other) > 0 {
			err = store.ErrRevision
		}
		return err
	})
	batch.Queue(deleteAliases, string(key.Kind), int64(key.ID))
}

// taken translates a violated constraint: the record's own key means that it exists although it must not, the others that
// a name or an alias is in use.
func taken(err error, what *store.TakenError) error {
	if !hasCode(err, codeUnique) {
		return err
	}
	if constraintOf(err) == "record_id" {
		return store.ErrRevision
	}
	return what
}

// aliasesOf returns a record's aliases, each once.
func aliasesOf(r *store.Record) []string {
	aliases := make([]string, 0, len(r.Aliases))
	for _, alias := range r.Aliases {
		if alias = clean(alias); !slices.Contains(aliases, alias) {
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// orEmpty turns nil into no bytes: a NULL body would be refused.
func orEmpty(body []byte) []byte {
	if body == nil {
		return []byte{}
	}
	return body
}
