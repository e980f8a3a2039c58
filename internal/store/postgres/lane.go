package postgres

import (
	"cmp"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// lane is a pair of the table of that name.
type lane struct {
	destination  ident.ID
	subscription ident.ID
}

// lanesKept bounds how many pairs a writer remembers. Forgetting costs some repeated inserts, nothing else.
const lanesKept = 1 << 18

// lanes notes which pairs a batch brings that its writer has not stored yet.
type lanes struct {
	known map[lane]struct{}
	fresh []lane
}

func (l *lanes) reset() { l.fresh = l.fresh[:0] }

func (l *lanes) saw(d *delivery.Delivery) {
	pair := lane{d.Destination, d.Subscription}
	if _, ok := l.known[pair]; !ok {
		l.fresh = append(l.fresh, pair)
	}
}

// columns adds the fresh pairs, each once, and in an order of their own: two writers that bring the same ones wait for
// each other, not for ever.
func (l *lanes) columns(a *arrays) {
	slices.SortFunc(l.fresh, func(x, y lane) int {
		return cmp.Or(cmp.Compare(x.destination, y.destination), cmp.Compare(x.subscription, y.subscription))
	})
	l.fresh = slices.Compact(l.fresh)
	n := len(l.fresh)
	a.int64s(n, func(i int) int64 { return int64(l.fresh[i].destination) })
	a.int64s(n, func(i int) int64 { return int64(l.fresh[i].subscription) })
	a.int16s(n, func(i int) int { return delivery.ShardOf(l.fresh[i].destination) })
}

// stored remembers the fresh pairs after the commit.
func (l *lanes) stored() {
	if l.known == nil || len(l.known)+len(l.fresh) > lanesKept {
		l.known = make(map[lane]struct{}, len(l.fresh))
	}
	for _, pair := range l.fresh {
		l.known[pair] = struct{}{}
	}
}
