package dispatch

import (
	"container/list"
	"sync"
)

// lru is a bounded cache: what was not used for longest goes first. It is safe for concurrent use.
type lru[K comparable, V any] struct {
	mu     sync.Mutex
	limit  int
	weight int
	order  list.List // of *slot, most recently used first
	slots  map[K]*list.Element
}

type slot[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

// newLRU returns a cache whose values may weigh limit together.
func newLRU[K comparable, V any](limit int) *lru[K, V] {
	return &lru[K, V]{limit: limit, slots: make(map[K]*list.Element)}
}

// get returns the value of a key.
func (c *lru[K, V]) get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, ok := c.slots[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(element)
	return element.Value.(*slot[K, V]).value, true
}

// put keeps a value under a key that has none yet, and returns what is kept: of two that were made at the same time the
// first one stays.
func (c *lru[K, V]) put(key K, value V, weight int) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.slots[key]; ok {
		c.order.MoveToFront(element)
		return element.Value.(*slot[K, V]).value
	}
	c.slots[key] = c.order.PushFront(&slot[K, V]{key, value, weight})
	c.weight += weight
	for c.weight > c.limit && c.order.Len() > 1 {
		c.forget(c.order.Back())
	}
	return value
}

// drop removes a key.
func (c *lru[K, V]) drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, ok := c.slots[key]; ok {
		c.forget(element)
	}
}

func (c *lru[K, V]) forget(element *list.Element) {
	old := c.order.Remove(element).(*slot[K, V])
	delete(c.slots, old.key)
	c.weight -= old.weight
}
