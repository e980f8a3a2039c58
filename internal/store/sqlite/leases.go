package sqlite

import (
	"context"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
)

// node is the number of the one node.
const node = 0

// leases grant all shards to the one process that has the database's lock. They live in memory: nobody else can ask. A
// lease therefore never ends by itself; only Leave ends it.
type leases struct {
	mu     sync.RWMutex // read-locked while a commit that they fence is under way
	name   string
	ends   time.Time
	joined bool
	owned  [delivery.Shards]bool
	epochs [delivery.Shards]int64
}

// epochsPerOpening leaves room for that many takeovers of a shard until the database is opened again.
const epochsPerOpening = 1 << 24

// start makes every epoch greater than those of earlier openings.
func (l *leases) start(opened int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for shard := range l.epochs {
		l.epochs[shard] = opened * epochsPerOpening
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
		c.Owners[shard] = store.Lease{Node: -1, Epoch: l.epochs[shard]}
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
		l.owned[shard] = true
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
		if shard >= 0 && shard < delivery.Shards {
			l.owned[shard] = false
		}
	}
	return nil
}

// Leave releases everything.
func (s *Store) Leave(ctx context.Context, number int) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	l := &s.leases
	l.mu.Lock()
	defer l.mu.Unlock()
	if number == node {
		l.joined = false
		clear(l.owned[:])
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
