package postgres

// The statements of Commit. They take columns as arrays, so that a batch of any size is the same few statements, and are
// prepared on every connection of the writers.
const (
	hotFence        = "fence"
	hotLanes        = "lanes"
	hotEvents       = "events"
	hotQueue        = "queue"
	hotQueueLate    = "queue_late"
	hotAttempts     = "attempts"
	hotAttemptsLate = "attempts_late"
	hotMoves        = "moves"
	hotSettle       = "settle"
	hotNewest       = "newest"
	hotHint         = "hint"
)

const insertEvents = `INSERT INTO event
	(id, organization, project, workspace, run, sequence, deliveries, kind, key, run_alias, body)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
	$8::text[], $9::text[], $10::text[], $11::bytea[])`

const insertQueue = `INSERT INTO queue
	(id, event, organization, subscription, version, destination, run, sequence, due, origin,
	notice, attempts, shard, cause, pinned, unordered)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
	$8::bigint[], $9::bigint[], $10::bigint[], $11::integer[], $12::integer[], $13::smallint[], $14::smallint[],
	$15::boolean[], $16::boolean[])`

const insertAttempts = `INSERT INTO attempt
	(delivery, event, organization, subscription, version, destination, run, sequence, due, origin, workspace,
	started, duration, retry_after, body_hash, notice, attempts, number, place, status, body_size,
	cause, state, class, node, pinned, unordered, repeat, trigger, address, detail, response)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
	$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
	$16::integer[], $17::integer[], $18::integer[], $19::integer[], $20::integer[], $21::integer[],
	$22::smallint[], $23::smallint[], $24::smallint[], $25::smallint[], $26::boolean[], $27::boolean[], $28::boolean[],
	$29::text[], $30::text[], $31::text[], $32::bytea[])`

// skipKnown leaves out what is there already. It costs more than the plain insert, so it is used only after that failed:
// when a writer that did not learn whether it had committed repeats itself.
const skipKnown = ` ON CONFLICT DO NOTHING`

// addToBook adds to the accounts of one writer of a node. Only that writer touches the row.
const addToBook = ` ON CONFLICT (node, writer) DO UPDATE SET
	accepted = book.accepted + excluded.accepted, delivered = book.delivered + excluded.delivered,
	exhausted = book.exhausted + excluded.exhausted, cancelled = book.cancelled + excluded.cancelled,
	newest = greatest(book.newest, excluded.newest)`

// hotStatements are their texts by name. Rows are looked up by joining with the arrays: ANY over two columns would look up
// each shard with each ID.
var hotStatements = map[string]string{
	hotFence: `SELECT fence($1::smallint, $2::smallint[], $3::bigint[])`,

	hotLanes: `INSERT INTO lane (destination, subscription, shard)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::smallint[]) ON CONFLICT DO NOTHING`,

	hotEvents: insertEvents,
	hotQueue:  insertQueue,

	// Counts what it adds by itself: the caller does not know what was there.
	hotQueueLate: `WITH added AS (` + insertQueue + skipKnown + ` RETURNING 1)
		INSERT INTO book (node, writer, accepted) SELECT $17::smallint, $18::smallint, count(*) FROM added` + addToBook,

	hotAttempts:     insertAttempts,
	hotAttemptsLate: insertAttempts + skipKnown,

	hotMoves: `UPDATE queue q SET attempts = u.attempts, due = u.due
		FROM unnest($1::smallint[], $2::bigint[], $3::integer[], $4::bigint[]) AS u (shard, id, attempts, due)
		WHERE q.shard = u.shard AND q.id = u.id`,

	// Takes final deliveries out of the queue and books them. What it counts is what it removed, so that the accounts follow
	// the queue even when a record is repeated, or was never queued.
	hotSettle: `WITH gone AS (
			DELETE FROM queue q USING unnest($1::smallint[], $2::bigint[], $3::smallint[]) AS u (shard, id, state)
			WHERE q.shard = u.shard AND q.id = u.id RETURNING u.state)
		INSERT INTO book (node, writer, accepted, newest, delivered, exhausted, cancelled)
		SELECT $4::smallint, $5::smallint, $6::bigint, $7::bigint,
			count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2), count(*) FILTER (WHERE state = 3)
		FROM gone` + addToBook,

	hotNewest: `INSERT INTO book (node, writer, newest) VALUES ($1::smallint, $2::smallint, $3::bigint)` + addToBook,

	hotHint: `SELECT pg_notify('` + channel + `', $1::text)`,
}
