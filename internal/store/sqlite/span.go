package sqlite

import (
	"carillon/internal/ident"
	"carillon/internal/store"
)

// span is the part of a list that a page asks for: the IDs from lo to hi, both included, from one end.
type span struct {
	lo, hi ident.ID
	newest bool
	limit  int
}

// spanOf combines a page's cursors with a range of time. A span without any ID has lo above hi.
func spanOf(p store.Page, r store.Range) span {
	s := span{lo: 1, hi: maxID, newest: p.Newest, limit: p.Limit}
	if s.limit == 0 {
		s.limit = 50
	}
	if p.After == maxID {
		s.hi = 0
	} else if p.After > 0 {
		s.lo = p.After + 1
	}
	if p.Before > 0 {
		s.hi = min(s.hi, p.Before-1)
	}
	if !r.From.IsZero() {
		s.lo = max(s.lo, ident.At(r.From))
	}
	if !r.To.IsZero() {
		s.hi = min(s.hi, ident.At(r.To)-1)
	}
	return s
}

// order ends a statement that reads a span.
func (s span) order(column string) string {
	if s.newest {
		return " ORDER BY " + column + " DESC"
	}
	return " ORDER BY " + column
}

// before reports whether a comes before b in the span's order.
func (s span) before(a, b ident.ID) bool {
	if s.newest {
		return a > b
	}
	return a < b
}

// source is a list in the order of a span that is read item by item. A source that has ended says so again and again.
type source[T any] interface {
	next() (item T, id ident.ID, ok bool, err error)
	close()
}

// merge reads several sources as one list in the order of the span. It ends when take returns false. An item that two
// sources have is taken once.
func merge[T any](at span, sources []source[T], take func(T) (bool, error)) error {
	type head struct {
		item T
		id   ident.ID
		from source[T]
	}
	var heads []head
	pull := func(from source[T]) error {
		item, id, ok, err := from.next()
		if ok {
			heads = append(heads, head{item, id, from})
		}
		return err
	}
	for _, from := range sources {
		if err := pull(from); err != nil {
			return err
		}
	}
	var last ident.ID
	for len(heads) > 0 {
		best := 0
		for i := range heads {
			if at.before(heads[i].id, heads[best].id) {
				best = i
			}
		}
		h := heads[best]
		heads[best] = heads[len(heads)-1]
		heads = heads[:len(heads)-1]
		if h.id != last {
			if more, err := take(h.item); err != nil || !more {
				return err
			}
		}
		last = h.id
		if err := pull(h.from); err != nil {
			return err
		}
	}
	return nil
}

func closeAll[T any](sources []source[T]) {
	for _, s := range sources {
		s.close()
	}
}
