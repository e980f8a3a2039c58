package manage

import (
	"sync"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// cache keeps records that are looked up for every event or request. It is bounded: it holds two generations, and when
// the younger one is full it becomes the older one, whose unused entries are then forgotten.
//
// What it holds may lag behind other nodes until the next Refresh, never behind this node's own writes. A record that was
// read before a change and comes in after it is refused: readers say at which epoch they began to read.
type cache struct {
	mu         sync.Mutex
	limit      int // entries of one generation
	epoch      uint64
	young, old generation
}

type generation struct {
	records map[store.RecordKey]*cached
	names   map[nameKey]ident.ID
	wide    map[nameKey]ident.ID
}

// cached is a record with its decoded object, which is shared and must not be changed.
type cached struct {
	record store.Record
	name   string // the object's name, which the record may not index
	object any
}

// nameKey is one way to a record: its name in a parent, or an alias. A wide name is one that was found by searching below
// the parent; creating a nearer object of that name makes it wrong, so these are forgotten more readily.
type nameKey struct {
	kind   store.Kind
	parent ident.ID
	name   string
	alias  bool
	wide   bool
}

func newCache(size int) *cache {
	c := &cache{limit: max(size/2, 1)}
	c.young, c.old = newGeneration(), newGeneration()
	return c
}

func newGeneration() generation {
	return generation{
		records: make(map[store.RecordKey]*cached),
		names:   make(map[nameKey]ident.ID),
		wide:    make(map[nameKey]ident.ID),
	}
}

// get returns a record, nil when it is not here, and the epoch to hand to put after reading it from the store.
func (c *cache) get(key store.RecordKey) (*cached, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lookup(key), c.epoch
}

// find returns a record by name or alias, nil when it is not here, and the epoch.
func (c *cache) find(key nameKey) (*cached, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, ok := c.young.paths(key)[key]
	if !ok {
		if id, ok = c.old.paths(key)[key]; !ok {
			return nil, c.epoch
		}
		c.makeRoom()
		c.young.paths(key)[key] = id
	}
	found := c.lookup(store.RecordKey{Kind: key.kind, ID: id})
	if found == nil || !found.answers(key) {
		return nil, c.epoch
	}
	return found, c.epoch
}

// put keeps a record that was read at the epoch, and the ways that led to it.
func (c *cache) put(epoch uint64, entry *cached, ways ...nameKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	c.makeRoom()
	c.young.records[store.RecordKey{Kind: entry.record.Kind, ID: entry.record.ID}] = entry
	for _, way := range ways {
		c.young.paths(way)[way] = entry.record.ID
	}
}

// forget drops a record that changed, and every wide way: which of them still hold is not known.
func (c *cache) forget(key store.RecordKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.young.records, key)
	delete(c.old.records, key)
	if key.Kind == store.KindProject || key.Kind == store.KindWorkspace {
		clear(c.young.wide)
		clear(c.old.wide)
	}
}

// clear drops everything.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.young, c.old = newGeneration(), newGeneration()
}

// size returns how many records are held.
func (c *cache) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young.records) + len(c.old.records)
}

// lookup finds a record in either generation and keeps it young. The lock is held.
func (c *cache) lookup(key store.RecordKey) *cached {
	if entry := c.young.records[key]; entry != nil {
		return entry
	}
	entry := c.old.records[key]
	if entry != nil {
		c.makeRoom()
		c.young.records[key] = entry
	}
	return entry
}

// makeRoom ends the younger generation when it is full. The lock is held.
func (c *cache) makeRoom() {
	if len(c.young.records) >= c.limit || len(c.young.names) >= 2*c.limit || len(c.young.wide) >= 2*c.limit {
		c.old, c.young = c.young, newGeneration()
	}
}

func (g generation) paths(key nameKey) map[nameKey]ident.ID {
	if key.wide {
		return g.wide
	}
	return g.names
}

// answers reports whether the record still has the name or alias: it may have been renamed or moved since the way to it
// was noted.
func (e *cached) answers(key nameKey) bool {
	switch {
	case key.alias:
		for _, alias := range e.record.Aliases {
			if alias == key.name {
				return true
			}
		}
		return false
	case key.wide:
		return e.name == key.name
	}
	return e.record.Parent == key.parent && e.record.Name == key.name
}
