package dispatch

import (
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// chainKey names what is kept in order: the deliveries of one run to one subscription.
type chainKey struct {
	subscription ident.ID
	run          ident.ID
}

// orderOf returns the chain that a delivery belongs to; the zero key is none.
func orderOf(row *delivery.Delivery) (key chainKey, ordered bool) {
	if row.Run == 0 || row.Unordered {
		return chainKey{}, false
	}
	return chainKey{row.Subscription, row.Run}, true
}

// brief shortens a key to what a tail keeps of it. Two keys may share it: that costs an early read, never the order. Only
// the zero key, which stands for no order at all, is 0.
func (k chainKey) brief() uint32 {
	if k == (chainKey{}) {
		return 0
	}
	v := (uint64(k.subscription) * 0x9e3779b97f4a7c15) ^ uint64(k.run)
	v *= 0xff51afd7ed558ccd
	return uint32(v>>33) | 1
}

// chain is the order of one run towards one subscription: only its head may be tried, one attempt at a time.
type chain struct {
	key     chainKey
	entries []*entry // by sequence
	active  *entry   // the one in flight
}

// admits reports whether the order lets an entry be tried now.
func (c *chain) admits(e *entry) bool { return c.active == nil && c.entries[0] == e }

// head is the entry that comes next.
func (c *chain) head() *entry { return c.entries[0] }

// endsBefore reports whether everything in the chain comes before a sequence.
func (c *chain) endsBefore(sequence int64) bool {
	return c.entries[len(c.entries)-1].sequence <= sequence
}

// holds reports whether an entry of the sequence is there.
func (c *chain) holds(sequence int64) bool {
	return slices.ContainsFunc(c.entries, func(e *entry) bool { return e.sequence == sequence })
}

// add puts an entry into its place and returns the head that it displaced, nil if it became no head or the first.
func (c *chain) add(e *entry) (displaced *entry) {
	at := len(c.entries)
	for at > 0 && comesBefore(e, c.entries[at-1]) {
		at--
	}
	c.entries = slices.Insert(c.entries, at, e)
	if at == 0 && len(c.entries) > 1 {
		return c.entries[1]
	}
	return nil
}

// remove takes an entry out.
func (c *chain) remove(e *entry) {
	if at := slices.Index(c.entries, e); at >= 0 {
		c.entries = slices.Delete(c.entries, at, at+1)
	}
}

func comesBefore(a, b *entry) bool {
	if a.sequence != b.sequence {
		return a.sequence < b.sequence
	}
	return a.id < b.id
}
