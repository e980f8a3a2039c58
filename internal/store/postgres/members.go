package postgres

import (
	"maps"
	"slices"
	"sync"
)

// members are the leases that this store holds: usually one. A node's number may be given to another process when its lease
// has ended; the incarnation tells them apart.
type members struct {
	mu           sync.Mutex
	incarnations map[int]int64
	latest       int
}

func (m *members) joined(node int, incarnation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.incarnations == nil {
		m.incarnations = map[int]int64{}
	}
	m.incarnations[node], m.latest = incarnation, node
}

func (m *members) left(node int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.incarnations, node)
}

// incarnation returns what tells the store's lease on a number from others'; 0 fits none.
func (m *members) incarnation(node int) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.incarnations[node]
}

// node returns the number that was joined under last, 0 before.
func (m *members) node() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest
}

// all returns the numbers that the store holds leases on.
func (m *members) all() []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.incarnations))
}
