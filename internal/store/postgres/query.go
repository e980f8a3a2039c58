package postgres

import (
	"strconv"
	"strings"

	"carillon/internal/ident"
	"carillon/internal/store"
)

const defaultLimit = 50

// query is a statement that is put together from what a filter asks for. Values go into parameters, never into the text.
type query struct {
	args []any
}

// bind writes each value as a parameter in place of a question mark of the text.
func (q *query) bind(text string, values ...any) string {
	var b strings.Builder
	for _, value := range values {
		before, after, _ := strings.Cut(text, "?")
		q.args = append(q.args, value)
		b.WriteString(before)
		b.WriteString("$" + strconv.Itoa(len(q.args)))
		text = after
	}
	b.WriteString(text)
	return b.String()
}

// conditions are joined by AND.
type conditions []string

func (c conditions) where() string {
	if len(c) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c, " AND ")
}

// within bounds a column of identifiers by a range of time and a page's cursors.
func (q *query) within(column string, r store.Range, page store.Page) conditions {
	var c conditions
	bound := func(operator string, id ident.ID) { c = append(c, q.bind(column+operator+"?::bigint", int64(id))) }
	if !r.From.IsZero() {
		bound(" >= ", ident.At(r.From))
	}
	if !r.To.IsZero() {
		bound(" < ", ident.At(r.To))
	}
	if page.After != 0 {
		bound(" > ", page.After)
	}
	if page.Before != 0 {
		bound(" < ", page.Before)
	}
	return c
}

// organizations chooses rows of table d by organization. Several organizations that nothing else narrows down are read one
// by one: an index gives the rows of each in the order of their IDs, but not those of all. from is then what the
// statement must run over.
func (q *query) organizations(ids []ident.ID, narrowed bool) (c conditions, from string) {
	switch {
	case ids == nil:
		return nil, ""
	case len(ids) == 1:
		return conditions{q.bind("d.organization = ?::bigint", int64(ids[0]))}, ""
	case narrowed:
		return conditions{q.bind("d.organization = ANY(?::bigint[])", numbers(ids))}, ""
	}
	distinct := q.bind("(SELECT DISTINCT o FROM unnest(?::bigint[]) AS o) AS o (id)", numbers(ids))
	return conditions{"d.organization = o.id"}, distinct
}

// limit is how many rows a page holds.
func limit(page store.Page) int64 {
	if page.Limit <= 0 {
		return defaultLimit
	}
	return int64(page.Limit)
}

// order sorts by a column of identifiers and ends the page.
func (q *query) order(column string, page store.Page) string {
	if page.Newest {
		column += " DESC"
	}
	return q.bind(" ORDER BY "+column+" LIMIT ?::bigint", limit(page))
}

// over runs an inner statement for each row of from and ends the whole again; without from it is the inner statement.
func over(from, inner string, end func() string) string {
	if from == "" {
		return inner
	}
	return "SELECT d.* FROM " + from + " CROSS JOIN LATERAL (" + inner + ") d" + end()
}
