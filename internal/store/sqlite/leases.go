package sqlite

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// node is the number of the one node.
const node = 0

// leases grant all shards to the one process that has the database's lock. They live in memory: nobody else can ask. A
// lease therefore never ends by itself; only Leave ends it. The database keeps of them only that a process left with
// everything released, for the one after it.
type leases struct {
	mu       sync.RWMutex // read-locked while a commit that they fence is under way
	name     string
	ends     time.Time
	joined   bool
	clean    bool // the database says that this process left
	owned    [delivery.Shards]bool
	released [delivery.Shards]bool
	epochs   [delivery.Shards]int64
}

// epochsPerOpening leaves room for that many takeovers of a shard until the database is opened again.
const epochsPerOpening = 1 << 24

// start makes every epoch greater than those of earlier openings. Clean says that the one before released everything.
func (l *leases) start(opened int64, clean bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for shard := range l.epochs {
		l.epochs[shard] = opened * epochsPerOpening
		l.released[shard] = clean
	}
}

// check reports whether a batch may record. The caller holds the lock for reading until the batch is stored.
func (l *leases) check(b *store.Batch) error {
	if b.Epochs == nil {
		return nil
	}
	for i := range b.Attempts {
		if !l.holds(b, b.Attempts[i].Delivery.Shard()) {
			return store.ErrFenced
		}
	}
	for i := range b.Moves {
		if !l.holds(b, b.Moves[i].Shard()) {
			return store.ErrFenced
		}
	}
	return nil
}

func (l *leases) holds(b *store.Batch, shard int) bool {
	epoch, given := b.Epochs[shard]
	return given && b.Owner == node && l.owned[shard] && l.epochs[shard] == epoch
}

// Join registers the process as node 0. Who joins again starts anew: everything that the name before it owned is free.
func (s *Store) Join(ctx context.Context, name string, ttl time.Duration) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clean {
		if err := s.markClean(ctx, `UPDATE counter SET clean = 0`); err != nil {
			return 0, err
		}
		l.clean = false
	}
	l.name, l.joined, l.ends = name, true, s.now().Add(ttl)
	clear(l.owned[:])
	return node, nil
}

// Renew returns the state of the leases. It fails with ErrFenced for a node that has not joined.
func (s *Store) Renew(ctx context.Context, number int, ttl time.Duration) (store.Cluster, error) {
	if err := s.usable(ctx); err != nil {
		return store.Cluster{}, err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.joined || number != node {
		return store.Cluster{}, store.ErrFenced
	}
	now := s.now()
	l.ends = now.Add(ttl)
	c := store.Cluster{
		Now: now, Nodes: []store.Node{{Number: node, Name: l.name, Expires: l.ends}},
		Owners: make(map[int]store.Lease, delivery.Shards),
	}
	for shard, owned := range l.owned {
		c.Owners[shard] = store.Lease{Node: -1, Epoch: l.epochs[shard], Released: l.released[shard]}
		if owned {
			c.Owners[shard] = store.Lease{Node: node, Epoch: l.epochs[shard]}
		}
	}
	return c, nil
}

// Claim takes free shards over.
func (s *Store) Claim(ctx context.Context, number int, seen map[int]int64) (map[int]int64, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.joined || number != node {
		return nil, store.ErrFenced
	}
	epochs := map[int]int64{}
	for shard, epoch := range seen {
		if shard < 0 || shard >= delivery.Shards || l.owned[shard] || l.epochs[shard] != epoch {
			continue
		}
		l.epochs[shard]++
		l.owned[shard], l.released[shard] = true, false
		epochs[shard] = l.epochs[shard]
	}
	return epochs, nil
}

// Release gives shards up. It returns after the commits that they fence.
func (s *Store) Release(ctx context.Context, number int, shards []int) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.joined || number != node {
		return nil
	}
	for _, shard := range shards {
		if shard >= 0 && shard < delivery.Shards && l.owned[shard] {
			l.owned[shard], l.released[shard] = false, true
		}
	}
	return nil
}

// Leave releases everything, and notes in the database when there is nothing that an earlier process may have sent without
// recording it.
func (s *Store) Leave(ctx context.Context, number int) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if number != node || !l.joined {
		return nil
	}
	l.joined = false
	for shard, owned := range l.owned {
		l.owned[shard], l.released[shard] = false, l.released[shard] || owned
	}
	if slices.Contains(l.released[:], false) {
		return nil
	}
	l.clean = true
	return s.markClean(ctx, `UPDATE counter SET clean = opened`)
}

func (s *Store) markClean(ctx context.Context, statement string) error {
	if err := s.update(ctx, func(c *conn) error { return c.do(statement) }); err != nil {
		return fmt.Errorf("note how this process ends: %w", err)
	}
	return nil
}

// Watch returns at once: there is no other node that could commit anything.
func (s *Store) Watch(context.Context, func(store.Hint)) error { return nil }

// usable reports why nothing can be done now.
func (s *Store) usable(ctx context.Context) error {
	select {
	case <-s.closed:
		return errClosed
	default:
		return ctx.Err()
	}
}
