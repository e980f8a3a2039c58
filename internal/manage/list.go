package manage

import (
	"cmp"
	"context"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// listAll reads every object of a kind and parent, those of every parent when it is zero.
func listAll[T any](ctx context.Context, m *Manage, kind store.Kind, parent ident.ID) ([]T, error) {
	var all []T
	err := m.each(ctx, kind, parent, func(r *store.Record) error {
		object, err := decode[T](r)
		if err == nil {
			all = append(all, *object)
		}
		return err
	})
	return all, err
}

// listIn reads the objects of one organization, or of each that the principal could see when it is zero. An organization
// that the principal may not know of is NotFound.
func listIn[T any](ctx context.Context, m *Manage, kind store.Kind, p estate.Principal, organization ident.ID) ([]T, error) {
	if organization != 0 {
		if err := m.requireOrganization(ctx, p, organization); err != nil {
			return nil, err
		}
		return listAll[T](ctx, m, kind, organization)
	}
	if p.SiteAdmin {
		return listAll[T](ctx, m, kind, 0)
	}
	var all []T
	for _, id := range p.Organizations() {
		some, err := listAll[T](ctx, m, kind, id)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// requireOrganization answers NotFound for an organization that is not there or that the principal may not know of.
func (m *Manage) requireOrganization(ctx context.Context, p estate.Principal, id ident.ID) error {
	if _, err := m.store.Get(ctx, store.KindOrganization, id); err != nil {
		if missing(err) {
			return fault.Missing("organization", id.String())
		}
		return err
	}
	if !p.Sees(ofOrganization(id)) {
		return fault.Missing("organization", id.String())
	}
	return nil
}

// oldestFirst sorts objects by their IDs, which rise with time.
func oldestFirst[T any](objects []T, id func(*T) ident.ID) []T {
	slices.SortFunc(objects, func(a, b T) int { return cmp.Compare(id(&a), id(&b)) })
	return objects
}
