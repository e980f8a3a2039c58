package postgres

import (
	"context"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

const selectQueue = `SELECT ` + queueFields + ` FROM queue d WHERE d.shard = $1::smallint AND d.id > $2::bigint
	ORDER BY d.id LIMIT $3::bigint`

// selectQueueSince reads each shard's part by itself, as a range of the primary key, and then the lowest of all.
const selectQueueSince = `SELECT d.* FROM unnest($1::smallint[]) AS s (shard)
	CROSS JOIN LATERAL (SELECT ` + queueFields + ` FROM queue d WHERE d.shard = s.shard AND d.id >= $2::bigint
		ORDER BY d.id LIMIT $3::bigint) d
	ORDER BY d.id LIMIT $3::bigint`

// selectQueueRows joins with the keys: two ANY conditions would look up every shard with every ID.
const selectQueueRows = `SELECT ` + queueFields + ` FROM unnest($1::smallint[], $2::bigint[]) AS u (shard, id)
	JOIN queue d ON d.shard = u.shard AND d.id = u.id`

// selectQueueOf looks into the shards of the subscription's destinations: usually one.
const selectQueueOf = `SELECT d.* FROM (SELECT DISTINCT l.shard FROM lane l WHERE l.subscription = $1::bigint) s
	CROSS JOIN LATERAL (SELECT ` + queueFields + ` FROM queue d
		WHERE d.shard = s.shard AND d.id > $2::bigint AND d.subscription = $1::bigint ORDER BY d.id LIMIT $3::bigint) d
	ORDER BY d.id LIMIT $3::bigint`

// Queue implements store.Ledger.
func (s *Store) Queue(ctx context.Context, shard int, after ident.ID, limit int) ([]delivery.Delivery, error) {
	rows, err := read(ctx, s, readDelivery, selectQueue, int16(shard), int64(after), int64(limit))
	return rows, wrap("read the queue", err)
}

// QueueSince implements store.Ledger.
func (s *Store) QueueSince(ctx context.Context, shards []int, from ident.ID, limit int) ([]delivery.Delivery, error) {
	if len(shards) == 0 {
		return nil, nil
	}
	rows, err := read(ctx, s, readDelivery, selectQueueSince, smallints(shards), int64(from), int64(limit))
	return rows, wrap("read what was added to the queue", err)
}

// QueueRows implements store.Ledger.
func (s *Store) QueueRows(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	shards, ids := make([]int16, len(keys)), make([]int64, len(keys))
	for i, key := range keys {
		shards[i], ids[i] = int16(key.Shard), int64(key.ID)
	}
	rows, err := read(ctx, s, readDelivery, selectQueueRows, shards, ids)
	return rows, wrap("read rows of the queue", err)
}

// QueueOf implements store.Ledger.
func (s *Store) QueueOf(ctx context.Context, subscription, after ident.ID, limit int) ([]delivery.Delivery, error) {
	rows, err := read(ctx, s, readDelivery, selectQueueOf, int64(subscription), int64(after), int64(limit))
	return rows, wrap("read a subscription's queue", err)
}

func smallints(numbers []int) []int16 {
	out := make([]int16, len(numbers))
	for i, n := range numbers {
		out[i] = int16(n)
	}
	return out
}

// allShards lists every shard, for statements that look into each.
func allShards() []int16 {
	out := make([]int16, delivery.Shards)
	for i := range out {
		out[i] = int16(i)
	}
	return out
}
