package manage

import (
	"slices"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	defaultLimit = 50  // of a page that names none
	maxRounds    = 100 // pages read for one page of what may be seen
)

// within restricts the organizations of a filter to those in which the principal has any right; some is false when none
// are left. Nil means all and is left to the installation's administrators.
func within(p estate.Principal, asked []ident.ID) (organizations []ident.ID, some bool) {
	if p.SiteAdmin {
		return asked, asked == nil || len(asked) > 0
	}
	own := p.Organizations()
	if asked != nil {
		own = slices.DeleteFunc(own, func(id ident.ID) bool { return !slices.Contains(asked, id) })
	}
	return own, len(own) > 0
}

// readsAll reports whether the principal may read everything in the organizations.
func readsAll(p estate.Principal, organizations []ident.ID) bool {
	if p.SiteAdmin {
		return true
	}
	return !slices.ContainsFunc(organizations, func(id ident.ID) bool { return !p.May(estate.RoleReader, ofOrganization(id)) })
}

// readable reads one page of those items that keep accepts. It reads on while too few of a page are accepted, up to a
// bound that only somebody meets who may see next to nothing of a large installation.
func readable[T any](page store.Page, read func(store.Page) ([]T, error), id func(*T) ident.ID, keep func(*T) (bool, error)) ([]T, error) {
	if page.Limit <= 0 {
		page.Limit = defaultLimit
	}
	found := []T{}
	for range maxRounds {
		some, err := read(page)
		if err != nil {
			return nil, err
		}
		for i := range some {
			ok, err := keep(&some[i])
			if err != nil {
				return nil, err
			}
			if ok && len(found) < page.Limit {
				found = append(found, some[i])
			}
		}
		if len(some) < page.Limit || len(found) == page.Limit {
			break
		}
		last := id(&some[len(some)-1])
		if page.Newest {
			page.Before = last
		} else {
			page.After = last
		}
	}
	return found, nil
}
