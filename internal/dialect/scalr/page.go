package scalr

import (
	"net/url"
	"strconv"
)

const (
	pageSize    = 20
	pageMaximum = 100

	parameterNumber = "page[number]"
	parameterSize   = "page[size]"
)

// paging is what a request says about pages (§5.1).
type paging struct{ number, size int }

// pagination is a list's meta.pagination. Next is set whenever there is a next page: a client's loop would not end
// otherwise (§8).
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

type pageLinks struct {
	Self  string  `json:"self"`
	First string  `json:"first"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
	Last  string  `json:"last"`
}

// newPaging reads the query. A page that is too large is cut.
func newPaging(query url.Values) (paging, error) {
	p := paging{number: 1, size: pageSize}
	for name, target := range map[string]*int{parameterNumber: &p.number, parameterSize: &p.size} {
		text := query.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return p, badParameter(name, "The page must be a positive number.")
		}
		*target = n
	}
	p.size = min(p.size, pageMaximum)
	return p, nil
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

// links leads to the neighbours of a page, with the request's other parameters.
func (p paging) links(path string, query url.Values, m pagination) pageLinks {
	at := func(number int) string {
		next := url.Values{}
		for name, values := range query {
			next[name] = values
		}
		next.Set(parameterNumber, strconv.Itoa(number))
		next.Set(parameterSize, strconv.Itoa(p.size))
		return path + "?" + next.Encode()
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
