package httpapi

import (
	"encoding/base64"
	"strings"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// The sizes of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// list is the answer of every list. Next is the cursor of the following page, absent on the last one.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// paged lists the parameters of a list that has pages.
func paged(parameters ...string) []string { return append(parameters, "limit", "cursor", "order") }

// page is what a caller asked for; it knows how to cut and continue.
type page struct{ store.Page }

type order string

const (
	newest order = "newest"
	oldest order = "oldest"
)

// page reads limit, cursor and order. One more than asked for is read, to know whether another page follows.
func (q *query) page(otherwise order) page {
	var p page
	p.Limit = q.number("limit", 1, maxLimit, defaultLimit) + 1
	chosen := oneOf(q, "order", []order{newest, oldest})
	if chosen == "" {
		chosen = otherwise
	}
	p.Newest = chosen == newest
	text := q.text("cursor")
	if text == "" {
		return p
	}
	id, of, ok := readCursor(text)
	switch {
	case !ok:
		q.faults.Add("?cursor", "Is no cursor that a list gave; leave it out to begin at the start.")
	case of != chosen:
		q.faults.Add("?cursor", "Belongs to a list in the other order; ask for order=%s.", of)
	case p.Newest:
		p.Before = id
	default:
		p.After = id
	}
	return p
}

// The cursor is opaque to callers: they must not take it apart.
func cursorOf(id ident.ID, of order) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(of) + "." + id.String()))
}

func readCursor(text string) (ident.ID, order, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, "", false
	}
	of, spelled, ok := strings.Cut(string(raw), ".")
	id, err := ident.Parse(spelled)
	return id, order(of), ok && err == nil && (order(of) == newest || order(of) == oldest)
}

// cut makes the answer from one item more than the page holds, if there are so many.
func cut[T, V any](p page, items []T, id func(*T) ident.ID, view func(*T) V) list[V] {
	answer := list[V]{Items: make([]V, 0, len(items))}
	for i := range items {
		if i == p.Limit-1 {
			of := oldest
			if p.Newest {
				of = newest
			}
			answer.Next = cursorOf(id(&items[i-1]), of)
			break
		}
		answer.Items = append(answer.Items, view(&items[i]))
	}
	return answer
}

// within takes the page out of a list that is complete and oldest first.
func within[T any](p page, all []T, id func(*T) ident.ID) []T {
	var items []T
	for i := range all {
		at := i
		if p.Newest {
			at = len(all) - 1 - i
		}
		each := id(&all[at])
		if (p.After == 0 || each > p.After) && (p.Before == 0 || each < p.Before) {
			if items = append(items, all[at]); len(items) == p.Limit {
				break
			}
		}
	}
	return items
}
