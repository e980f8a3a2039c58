package dispatch

// heap is a binary heap whose items know their place in it, so that any of them can be moved or removed. An item is in
// one heap at a time; out of it its place is -1.
type heap[T any] struct {
	items  []T
	before func(a, b T) bool
	place  func(item T) *int32
}

func (h *heap[T]) len() int { return len(h.items) }

// top returns the first item, the zero T when there is none.
func (h *heap[T]) top() (first T) {
	if len(h.items) > 0 {
		first = h.items[0]
	}
	return first
}

func (h *heap[T]) push(item T) {
	h.items = append(h.items, item)
	*h.place(item) = int32(len(h.items) - 1)
	h.up(len(h.items) - 1)
}

// pop removes and returns the first item of a heap that is not empty.
func (h *heap[T]) pop() T {
	first := h.items[0]
	h.remove(first)
	return first
}

// remove takes an item out; it must be in this heap.
func (h *heap[T]) remove(item T) {
	at, last := int(*h.place(item)), len(h.items)-1
	h.swap(at, last)
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	*h.place(item) = -1
	if at < last {
		h.settle(at)
	}
	if last == 0 {
		h.items = nil
	}
}

// fix restores the order after an item's rank changed.
func (h *heap[T]) fix(item T) { h.settle(int(*h.place(item))) }

func (h *heap[T]) settle(at int) {
	if !h.down(at) {
		h.up(at)
	}
}

func (h *heap[T]) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.place(h.items[i]), *h.place(h.items[j]) = int32(i), int32(j)
}

func (h *heap[T]) up(at int) {
	for at > 0 {
		parent := (at - 1) / 2
		if !h.before(h.items[at], h.items[parent]) {
			return
		}
		h.swap(at, parent)
		at = parent
	}
}

func (h *heap[T]) down(at int) (moved bool) {
	for {
		child := 2*at + 1
		if child >= len(h.items) {
			return moved
		}
		if child+1 < len(h.items) && h.before(h.items[child+1], h.items[child]) {
			child++
		}
		if !h.before(h.items[child], h.items[at]) {
			return moved
		}
		h.swap(at, child)
		at, moved = child, true
	}
}
