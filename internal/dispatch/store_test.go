package dispatch_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// memory is a store in memory that several nodes can share: what the dispatcher needs of one, with fencing, leases and
// hints, and with ways to make it slow or fail.
type memory struct {
	mu       sync.Mutex
	events   map[ident.ID]store.Event
	queue    map[delivery.Key]delivery.Delivery
	attempts []delivery.Attempt
	books    store.Books
	nodes    map[int]store.Node
	owners   map[int]store.Lease
	watchers map[int]func(store.Hint)
	watches  int
	reads    map[string]int
	silent   bool                                        // gives no hints
	trouble  func(operation string, node int) error      // fails an operation
	before   func(ctx context.Context, operation string) // called before each
}

func newMemory() *memory {
	m := &memory{
		events: map[ident.ID]store.Event{}, queue: map[delivery.Key]delivery.Delivery{}, nodes: map[int]store.Node{},
		owners: map[int]store.Lease{}, watchers: map[int]func(store.Hint){}, reads: map[string]int{},
	}
	for shard := range delivery.Shards {
		m.owners[shard] = store.Lease{Node: -1, Released: true}
	}
	return m
}

// begin locks the store for an operation, unless it is to fail.
func (m *memory) begin(ctx context.Context, operation string, node int) error {
	if m.before != nil {
		m.before(ctx, operation)
	}
	m.mu.Lock()
	m.reads[operation]++
	err := ctx.Err()
	if err == nil && m.trouble != nil {
		err = m.trouble(operation, node)
	}
	if err != nil {
		m.mu.Unlock()
	}
	return err
}

func (m *memory) Commit(ctx context.Context, b *store.Batch) ([]store.Verdict, error) {
	if err := m.begin(ctx, "Commit", b.Owner); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if b.Epochs != nil {
		for _, a := range b.Attempts {
			if err := m.fence(b, a.Delivery.Shard()); err != nil {
				return nil, err
			}
		}
		for _, d := range b.Moves {
			if err := m.fence(b, d.Shard()); err != nil {
				return nil, err
			}
		}
	}
	hint := store.Hint{Node: b.Owner}
	add := func(d delivery.Delivery) {
		m.queue[d.Key()] = d
		m.books.Accepted++
		hint.Shards = append(hint.Shards, d.Shard())
		if hint.Lowest == 0 || d.ID < hint.Lowest {
			hint.Lowest = d.ID
		}
	}
	for _, a := range b.Accepts {
		m.events[a.Event.ID] = a.Event
		for _, d := range a.Deliveries {
			add(d)
		}
	}
	for _, d := range b.Queue {
		add(d)
	}
	for _, a := range b.Attempts {
		m.attempts = append(m.attempts, a)
		if _, pending := m.queue[a.Delivery.Key()]; pending && a.State != delivery.Pending {
			delete(m.queue, a.Delivery.Key())
			m.count(a.State)
		}
	}
	for _, d := range b.Moves {
		if row, ok := m.queue[d.Key()]; ok {
			row.Attempts, row.Due = d.Attempts, d.Due
			m.queue[d.Key()] = row
		}
	}
	if len(hint.Shards) > 0 && !m.silent {
		for _, notice := range m.watchers {
			notice(hint)
		}
	}
	return nil, nil
}

func (m *memory) count(s delivery.State) {
	switch s {
	case delivery.Delivered:
		m.books.Delivered++
	case delivery.Exhausted:
		m.books.Exhausted++
	case delivery.Cancelled:
		m.books.Cancelled++
	}
}

func (m *memory) fence(b *store.Batch, shard int) error {
	epoch, ok := b.Epochs[shard]
	if o := m.owners[shard]; !ok || o.Node != b.Owner || o.Epoch != epoch {
		return store.ErrFenced
	}
	return nil
}

// rows returns the queue rows that keep wants, by ID.
func (m *memory) rows(keep func(delivery.Delivery) bool, limit int) []delivery.Delivery {
	var rows []delivery.Delivery
	for _, row := range m.queue {
		if keep(row) {
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b delivery.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return rows[:min(limit, len(rows))]
}

func (m *memory) Queue(ctx context.Context, shard int, after ident.ID, limit int) ([]delivery.Delivery, error) {
	if err := m.begin(ctx, "Queue", -1); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return m.rows(func(d delivery.Delivery) bool { return d.Shard() == shard && d.ID > after }, limit), nil
}

func (m *memory) QueueSince(ctx context.Context, shards []int, from ident.ID, limit int) ([]delivery.Delivery, error) {
	if err := m.begin(ctx, "QueueSince", -1); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return m.rows(func(d delivery.Delivery) bool { return d.ID >= from && slices.Contains(shards, d.Shard()) }, limit), nil
}

func (m *memory) QueueRows(ctx context.Context, keys []delivery.Key) (rows []delivery.Delivery, err error) {
	if err := m.begin(ctx, "QueueRows", -1); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	for _, key := range keys {
		if row, ok := m.queue[key]; ok {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (m *memory) QueueOf(ctx context.Context, subscription, after ident.ID, limit int) ([]delivery.Delivery, error) {
	if err := m.begin(ctx, "QueueOf", -1); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return m.rows(func(d delivery.Delivery) bool { return d.Subscription == subscription && d.ID > after }, limit), nil
}

func (m *memory) Events(ctx context.Context, ids []ident.ID) (events []store.Event, err error) {
	if err := m.begin(ctx, "Events", -1); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	for _, id := range ids {
		if e, ok := m.events[id]; ok {
			events = append(events, e)
		}
	}
	return events, nil
}

func (m *memory) LastOfRun(context.Context, ident.ID) (store.Event, error) {
	return store.Event{}, store.ErrNotFound
}

func (m *memory) Newest(_ context.Context, node int) (newest ident.ID, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.queue {
		if row.ID.Node() == node {
			newest = max(newest, row.ID)
		}
	}
	return newest, nil
}

func (m *memory) Books(context.Context) (store.Books, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	books := m.books
	books.Counted = int64(len(m.queue))
	return books, nil
}

func (m *memory) Join(ctx context.Context, name string, ttl time.Duration) (int, error) {
	if err := m.begin(ctx, "Join", -1); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	for node := range ident.MaxNode {
		if n, taken := m.nodes[node]; !taken || !n.Expires.After(time.Now()) {
			m.nodes[node] = store.Node{Number: node, Name: name, Expires: time.Now().Add(ttl)}
			for shard, o := range m.owners { // the number begins anew: what was owned under it before is free
				if o.Node == node {
					m.owners[shard] = store.Lease{Node: -1, Epoch: o.Epoch + 1}
				}
			}
			return node, nil
		}
	}
	return 0, errors.New("no number is free")
}

func (m *memory) Renew(ctx context.Context, node int, ttl time.Duration) (store.Cluster, error) {
	if err := m.begin(ctx, "Renew", node); err != nil {
		return store.Cluster{}, err
	}
	defer m.mu.Unlock()
	n, ok := m.nodes[node]
	if !ok || !n.Expires.After(time.Now()) {
		return store.Cluster{}, store.ErrFenced
	}
	n.Expires = time.Now().Add(ttl)
	m.nodes[node] = n
	return store.Cluster{Now: time.Now(), Nodes: slices.Collect(maps.Values(m.nodes)), Owners: maps.Clone(m.owners)}, nil
}

func (m *memory) Claim(ctx context.Context, node int, seen map[int]int64) (map[int]int64, error) {
	if err := m.begin(ctx, "Claim", node); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	got := map[int]int64{}
	for shard, epoch := range seen {
		o := m.owners[shard]
		n, living := m.nodes[o.Node]
		living = living && n.Expires.After(time.Now())
		if o.Epoch != epoch || (o.Node >= 0 && living) {
			continue
		}
		m.owners[shard] = store.Lease{Node: node, Epoch: epoch + 1}
		got[shard] = epoch + 1
	}
	return got, nil
}

func (m *memory) Release(ctx context.Context, node int, shards []int) error {
	if err := m.begin(ctx, "Release", node); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, shard := range shards {
		if o := m.owners[shard]; o.Node == node {
			m.owners[shard] = store.Lease{Node: -1, Epoch: o.Epoch, Released: true}
		}
	}
	return nil
}

func (m *memory) Leave(ctx context.Context, node int) error {
	if err := m.Release(ctx, node, slices.Collect(maps.Keys(m.owners))); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.nodes, node)
	return nil
}

func (m *memory) Watch(ctx context.Context, notice func(store.Hint)) error {
	if m.silent {
		return nil
	}
	m.mu.Lock()
	m.watches++
	id := m.watches
	m.watchers[id] = notice
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.watchers, id)
	return ctx.Err()
}

// history returns the attempts of a delivery.
func (m *memory) history(id ident.ID) (found []delivery.Attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.attempts {
		if a.Delivery.ID == id {
			found = append(found, a)
		}
	}
	return found
}

// pending returns how many rows are in the queue.
func (m *memory) pending() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.queue)
}

// all returns every attempt.
func (m *memory) all() []delivery.Attempt {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.attempts)
}

// asked returns how often an operation was called.
func (m *memory) asked(operation string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads[operation]
}
