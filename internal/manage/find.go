package manage

import (
	"context"
	"errors"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// find returns an object and its record, or fault.NotFound when the principal may not know of it.
func (c collection[T]) find(ctx context.Context, p estate.Principal, ref estate.Ref) (*T, store.Record, error) {
	if err := c.current(ctx); err != nil {
		return nil, store.Record{}, err
	}
	r, err := c.locate(ctx, p, ref)
	if missing(err) {
		return nil, r, fault.Missing(c.rules.noun(), refText(ref))
	}
	if err != nil {
		return nil, r, err
	}
	object, err := decode[T](&r)
	if err != nil {
		return nil, r, err
	}
	sees, err := c.rules.sees(ctx, p, object)
	if err != nil {
		return nil, r, err
	}
	if !sees {
		return nil, r, fault.Missing(c.rules.noun(), refText(ref))
	}
	return object, r, nil
}

// locate reads the record that a reference points at.
func (c collection[T]) locate(ctx context.Context, p estate.Principal, ref estate.Ref) (store.Record, error) {
	switch {
	case ref.ID != 0:
		return c.store.Get(ctx, c.rules.kind(), ref.ID)
	case ref.Alias != "":
		return c.byAliasFor(ctx, p, c.rules.kind(), ref)
	case ref.Name != "":
		return c.rules.named(ctx, p, ref.Parent, ref.Name)
	}
	return store.Record{}, store.ErrNotFound
}

// byAliasFor finds a record by an external identifier: in the reference's parent when that is an organization, else in
// each organization that the principal could see, the oldest first, and among what belongs to nobody.
func (m *Manage) byAliasFor(ctx context.Context, p estate.Principal, kind store.Kind, ref estate.Ref) (store.Record, error) {
	within := []ident.ID{ref.Parent}
	if ref.Parent == 0 {
		within = append(within, m.organizationsOf(p)...)
	}
	for _, organization := range within {
		r, err := m.store.ByAlias(ctx, kind, aliasIn(organization, ref.Alias))
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return r, err
		}
	}
	return store.Record{}, store.ErrNotFound
}

// organizationsOf lists the organizations in which the principal has any right, the oldest first.
func (m *Manage) organizationsOf(p estate.Principal) []ident.ID {
	if p.SiteAdmin {
		return m.directory.allOrganizations()
	}
	return p.Organizations()
}

// refText spells a reference for a message, as the caller wrote it.
func refText(ref estate.Ref) string {
	switch {
	case ref.ID != 0:
		return ref.ID.String()
	case ref.Alias != "":
		return ref.Alias
	}
	return ref.Name
}
