package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// Leases are judged by the database's clock: clock_timestamp is the moment itself, now the beginning of the transaction.
const (
	joinCluster = `SELECT join_cluster($1::bigint, $2::text, $3::bigint * interval '1 microsecond')`

	renewNode = `UPDATE node SET expires = clock_timestamp() + $3::bigint * interval '1 microsecond'
		WHERE number = $1::smallint AND incarnation = $2::bigint AND expires > clock_timestamp()`

	selectNodes  = `SELECT number, name, expires, clock_timestamp() FROM node WHERE expires > clock_timestamp() ORDER BY number`
	selectShards = `SELECT shard, coalesce(owner, -1), epoch, released FROM shard`

	// lockOwners locks the claiming node against losing its own lease, and against the fence (see its migration) every node
	// that would lose shards. claimShards goes by the same moment, so that it takes from nobody who was not locked.
	lockOwners = `SELECT number FROM node WHERE number = $1::smallint
		OR expires <= now() AND number IN (SELECT owner FROM shard WHERE shard = ANY($2::smallint[]))
		ORDER BY number FOR UPDATE`

	claimShards = `UPDATE shard s SET owner = $1::smallint, epoch = s.epoch + 1, released = false
		FROM unnest($3::smallint[], $4::bigint[]) AS seen (shard, epoch)
		WHERE s.shard = seen.shard AND s.epoch = seen.epoch
			AND NOT EXISTS (SELECT 1 FROM node o WHERE o.number = s.owner AND o.expires > now())
			AND EXISTS (SELECT 1 FROM node n WHERE n.number = $1::smallint AND n.incarnation = $2::bigint AND n.expires > clock_timestamp())
		RETURNING s.shard, s.epoch`

	lockSelf      = `SELECT 1 FROM node WHERE number = $1::smallint AND incarnation = $2::bigint FOR UPDATE`
	releaseShards = `UPDATE shard SET owner = NULL, released = true WHERE owner = $1::smallint AND shard = ANY($3::smallint[])
		AND EXISTS (SELECT 1 FROM node WHERE number = $1::smallint AND incarnation = $2::bigint)`
	releaseAll = `UPDATE shard SET owner = NULL, released = true WHERE owner = $1::smallint
		AND EXISTS (SELECT 1 FROM node WHERE number = $1::smallint AND incarnation = $2::bigint)`
	vacateAll = `UPDATE shard SET owner = NULL WHERE owner = $1::smallint
		AND EXISTS (SELECT 1 FROM node WHERE number = $1::smallint AND incarnation = $2::bigint)`
	deleteNode = `DELETE FROM node WHERE number = $1::smallint AND incarnation = $2::bigint`
)

// Join implements store.Leases. It takes the lowest number that is free or whose lease has ended.
func (s *Store) Join(ctx context.Context, name string, ttl time.Duration) (int, error) {
	incarnation := 1 + rand.Int64N(1<<62)
	var number *int16
	if err := s.leases.QueryRow(ctx, joinCluster, incarnation, clean(name), ttl.Microseconds()).Scan(&number); err != nil {
		s.renewPools(err)
		return 0, fmt.Errorf("join the cluster: %w", err)
	}
	if number == nil {
		return 0, fmt.Errorf("join the cluster: all %d numbers are taken by living nodes", ident.MaxNode+1)
	}
	node := int(*number)
	s.members.joined(node, incarnation)
	return node, nil
}

// Renew implements store.Leases, in one round trip.
func (s *Store) Renew(ctx context.Context, node int, ttl time.Duration) (store.Cluster, error) {
	c := store.Cluster{Owners: map[int]store.Lease{}}
	var batch pgx.Batch
	batch.Queue(renewNode, int16(node), s.members.incarnation(node), ttl.Microseconds()).Fn = func(r pgx.BatchResults) error {
		tag, err := r.Exec()
		if err == nil && tag.RowsAffected() == 0 {
			err = store.ErrFenced
		}
		return err
	}
	batch.Queue(selectNodes).Query(func(rows pgx.Rows) error {
		var n store.Node
		_, err := pgx.ForEachRow(rows, []any{&n.Number, &n.Name, &n.Expires, &c.Now}, func() error {
			c.Nodes = append(c.Nodes, n)
			return nil
		})
		return err
	})
	batch.Queue(selectShards).Query(func(rows pgx.Rows) error {
		var shard int
		var lease store.Lease
		_, err := pgx.ForEachRow(rows, []any{&shard, &lease.Node, &lease.Epoch, &lease.Released}, func() error {
			c.Owners[shard] = lease
			return nil
		})
		return err
	})
	if err := s.leases.SendBatch(ctx, &batch).Close(); err != nil {
		s.renewPools(err)
		return store.Cluster{}, fmt.Errorf("renew the lease of node %d: %w", node, err)
	}
	return c, nil
}

// Claim implements store.Leases.
func (s *Store) Claim(ctx context.Context, node int, seen map[int]int64) (map[int]int64, error) {
	shards, epochs := make([]int16, 0, len(seen)), make([]int64, 0, len(seen))
	for shard := range seen {
		shards = append(shards, int16(shard))
	}
	slices.Sort(shards) // everybody locks in the same order
	for _, shard := range shards {
		epochs = append(epochs, seen[int(shard)])
	}
	claimed := map[int]int64{}
	var batch pgx.Batch
	batch.Queue(lockOwners, int16(node), shards)
	batch.Queue(claimShards, int16(node), s.members.incarnation(node), shards, epochs).Query(func(rows pgx.Rows) error {
		var shard int
		var epoch int64
		_, err := pgx.ForEachRow(rows, []any{&shard, &epoch}, func() error {
			claimed[shard] = epoch
			return nil
		})
		return err
	})
	if err := s.leases.SendBatch(ctx, &batch).Close(); err != nil {
		s.renewPools(err)
		return nil, fmt.Errorf("claim shards for node %d: %w", node, err)
	}
	return claimed, nil
}

// Release implements store.Leases.
func (s *Store) Release(ctx context.Context, node int, shards []int) error {
	incarnation := s.members.incarnation(node)
	var batch pgx.Batch
	batch.Queue(lockSelf, int16(node), incarnation)
	batch.Queue(releaseShards, int16(node), incarnation, smallints(shards))
	return s.sendLeases(ctx, &batch, fmt.Sprintf("release shards of node %d", node))
}

// Leave implements store.Leases.
func (s *Store) Leave(ctx context.Context, node int) error { return s.leave(ctx, node, releaseAll) }

// vacate is Leave for a node that does not say that everything it sent is recorded.
func (s *Store) vacate(ctx context.Context, node int) error { return s.leave(ctx, node, vacateAll) }

func (s *Store) leave(ctx context.Context, node int, give string) error {
	incarnation := s.members.incarnation(node)
	var batch pgx.Batch
	batch.Queue(lockSelf, int16(node), incarnation)
	batch.Queue(give, int16(node), incarnation)
	batch.Queue(deleteNode, int16(node), incarnation)
	if err := s.sendLeases(ctx, &batch, fmt.Sprintf("take node %d out of the cluster", node)); err != nil {
		return err
	}
	s.members.left(node)
	return nil
}

func (s *Store) sendLeases(ctx context.Context, batch *pgx.Batch, doing string) error {
	err := s.leases.SendBatch(ctx, batch).Close()
	if err != nil {
		s.renewPools(err)
	}
	return wrap(doing, err)
}
