package tfe

import (
	"net/url"
	"strconv"
)

const (
	pageSize    = 20
	pageMaximum = 100
)

// paging is what a request says about pages (§5.7).
type paging struct {
	number, size int
	asked        bool
}

// pagination is a list's meta.pagination.
type pagination struct {
	Current    int  `json:"current-page"`
	Size       int  `json:"page-size"`
	Prev       *int `json:"prev-page"`
	Next       *int `json:"next-page"`
	TotalPages int  `json:"total-pages"`
	TotalCount int  `json:"total-count"`
}

type pageMeta struct {
	Pagination pagination `json:"pagination"`
}

// pageLinks are absolute, with encoded brackets.
type pageLinks struct {
	Self  string  `json:"self"`
	First string  `json:"first"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
	Last  string  `json:"last"`
}

// paging reads the query. Nonsense counts as the default, and a page that is too large is cut; every other parameter is
// ignored, however long (§5.2).
func (c *call) paging() paging {
	query := c.request.URL.Query()
	p := paging{number: 1, size: pageSize, asked: query.Has("page[number]") || query.Has("page[size]")}
	if n, err := strconv.Atoi(query.Get("page[number]")); err == nil && n >= 1 {
		p.number = n
	}
	if n, err := strconv.Atoi(query.Get("page[size]")); err == nil && n >= 1 {
		p.size = min(n, pageMaximum)
	}
	return p
}

// bounds returns which of total items are on the page.
func (p paging) bounds(total int) (from, to int) {
	if p.number > total/p.size+1 {
		return total, total
	}
	from = min((p.number-1)*p.size, total)
	return from, min(from+p.size, total)
}

// meta describes the page. Beyond the end the previous page is the last one; an empty list has one page.
func (p paging) meta(total int) pagination {
	pages := max(1, (total+p.size-1)/p.size)
	m := pagination{Current: p.number, Size: p.size, TotalPages: pages, TotalCount: total}
	if p.number > 1 {
		prev := min(p.number-1, pages)
		m.Prev = &prev
	}
	if p.number < pages {
		next := p.number + 1
		m.Next = &next
	}
	return m
}

// links leads to the neighbours of a page of the path.
func (p paging) links(base, path string, m pagination) pageLinks {
	at := func(number int) string {
		return base + path + "?" + url.QueryEscape("page[number]") + "=" + strconv.Itoa(number) + "&" +
			url.QueryEscape("page[size]") + "=" + strconv.Itoa(p.size)
	}
	maybe := func(number *int) *string {
		if number == nil {
			return nil
		}
		link := at(*number)
		return &link
	}
	return pageLinks{Self: at(p.number), First: at(1), Prev: maybe(m.Prev), Next: maybe(m.Next), Last: at(m.TotalPages)}
}

// pageOf renders a page of a list that is always paginated (§5.7).
func pageOf[T any](c *call, items []T, render func(T) (resource, error)) (answer, error) {
	p := c.paging()
	from, to := p.bounds(len(items))
	list := make([]resource, 0, to-from)
	for _, item := range items[from:to] {
		r, err := render(item)
		if err != nil {
			return answer{}, err
		}
		list = append(list, r)
	}
	return ok(document{Data: list, Meta: pageMeta{p.meta(len(items))}}), nil
}
