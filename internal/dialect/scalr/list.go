package scalr

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"carillon/internal/ident"
)

// listing is how a kind of object is searched and ordered (§5.1).
type listing[T any] struct {
	id      func(*T) ident.ID
	name    func(*T) string
	sorts   map[string]func(*T) string
	filters map[string]func(item *T, value string) (bool, error)
}

// view is what a request asks of a list, beside its filters.
type view struct {
	query   url.Values
	paging  paging
	include []string
}

// newView reads what every list understands. Parameters that nobody knows are ignored, includes too (§5.1).
func (c *call) newView() (view, error) {
	query := c.request.URL.Query()
	p, err := newPaging(query)
	return view{query: query, paging: p, include: includes(query)}, err
}

// includes lists the related objects that a request asks for.
func includes(query url.Values) []string {
	var names []string
	for _, value := range query["include"] {
		names = append(names, strings.Split(value, ",")...)
	}
	return names
}

// chosen lists the filters of a request by name.
func (v view) chosen() map[string]string {
	all := map[string]string{}
	for name := range v.query {
		if rest, ok := strings.CutPrefix(name, "filter["); ok && strings.HasSuffix(rest, "]") {
			all[strings.TrimSuffix(rest, "]")] = v.query.Get(name)
		}
	}
	return all
}

// choose returns the items that a request asks for, in its order: the newest first, unless it sorts; with a search, those
// of exactly that name come first, because data sources read one page and look for it there (§5.1).
func choose[T any](v view, items []T, l listing[T]) ([]T, error) {
	items, err := filtered(v, items, l)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(l.id(&b), l.id(&a)) })
	search := v.query.Get("query")
	if search != "" && l.name != nil {
		items = slices.DeleteFunc(items, func(item T) bool {
			return !strings.Contains(strings.ToLower(l.name(&item)), strings.ToLower(search))
		})
	}
	switch {
	case v.query.Get("sort") != "":
		return items, sorted(v.query.Get("sort"), items, l)
	case search != "" && l.name != nil:
		slices.SortStableFunc(items, func(a, b T) int {
			return cmp.Compare(boolRank(l.name(&a) == search), boolRank(l.name(&b) == search))
		})
	}
	return items, nil
}

func boolRank(first bool) int {
	if first {
		return 0
	}
	return 1
}

// filtered keeps what passes every filter. One that the list does not have is an error.
func filtered[T any](v view, items []T, l listing[T]) ([]T, error) {
	kept := slices.Clone(items)
	for name, value := range v.chosen() {
		passes := l.filters[name]
		if passes == nil {
			return nil, badParameter("filter["+name+"]", "Unknown filter.")
		}
		var failed error
		kept = slices.DeleteFunc(kept, func(item T) bool {
			pass, err := passes(&item, value)
			if err != nil {
				failed = err
			}
			return !pass
		})
		if failed != nil {
			return nil, failed
		}
	}
	return kept, nil
}

// sorted orders items by keys like "name,-url".
func sorted[T any](keys string, items []T, l listing[T]) error {
	list := strings.Split(keys, ",")
	for _, key := range slices.Backward(list) {
		name := strings.TrimPrefix(key, "-")
		by := l.sorts[name]
		if by == nil {
			return badParameter("sort", "Unknown sort key.")
		}
		slices.SortStableFunc(items, func(a, b T) int {
			if strings.HasPrefix(key, "-") {
				a, b = b, a
			}
			return strings.Compare(by(&a), by(&b))
		})
	}
	return nil
}

// matches compares a filter's value with a text: exactly, "in:a,b" for any of several, "like:part" for a part (§6).
func matches(value, text string) bool {
	if list, ok := strings.CutPrefix(value, "in:"); ok {
		return slices.Contains(strings.Split(list, ","), text)
	}
	if part, ok := strings.CutPrefix(value, "like:"); ok {
		return strings.Contains(strings.ToLower(text), strings.ToLower(part))
	}
	return value == text
}

// boolean reads a filter that is "true" or "false".
func boolean(filter, value string) (bool, error) {
	switch value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, badParameter("filter["+filter+"]", "The filter must be 'true' or 'false'.")
}

// pageOf renders a page of what was chosen, and what its items are asked to include.
func pageOf[T any](c *call, v view, items []T, render func(*T) (resource, error)) (answer, error) {
	from, to := v.paging.bounds(len(items))
	doc := document{Included: []resource{}}
	list := make([]resource, 0, to-from)
	for i := range items[from:to] {
		r, err := render(&items[from+i])
		if err != nil {
			return answer{}, err
		}
		list = append(list, r)
		if doc.Included, err = c.includeInto(doc.Included, r, v.include); err != nil {
			return answer{}, err
		}
	}
	meta := v.paging.meta(len(items))
	doc.Data, doc.Meta = list, pageMeta{meta}
	doc.Links = v.paging.links(c.request.URL.EscapedPath(), v.query, meta)
	return ok(doc), nil
}

// answerWith answers with one resource and what it is asked to include.
func (c *call) answerWith(how func(any) answer, r resource) (answer, error) {
	included, err := c.includeInto([]resource{}, r, includes(c.request.URL.Query()))
	if err != nil {
		return answer{}, err
	}
	return how(document{Data: r, Included: included}), nil
}

// emptyPage answers for what there is none of.
func emptyPage(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, []resource{}, func(r *resource) (resource, error) { return *r, nil })
}
