package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// demand returns nil when the principal may administer the organization. What it may not see is not there.
func demand(p estate.Principal, organization ident.ID, noun, name string) error {
	at := estate.Place{OrganizationID: organization}
	switch {
	case p.May(estate.RoleAdmin, at):
		return nil
	case !p.Sees(at):
		return fault.Missing(noun, name)
	}
	return fault.New(fault.Forbidden, "Your token may not do this here: it needs the role %q in the organization.", string(estate.RoleAdmin))
}

// Get returns a replay with its progress, to those who may administer its organization.
func (s *Service) Get(ctx context.Context, p estate.Principal, id ident.ID) (*Replay, error) {
	r, err := s.load(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Missing("replay", id.String())
	}
	if err != nil {
		return nil, err
	}
	if err := demand(p, r.OrganizationID, "replay", id.String()); err != nil {
		return nil, err
	}
	return r, nil
}

// List lists the replays of an organization, or of all that the principal may administer when it is zero.
func (s *Service) List(ctx context.Context, p estate.Principal, organization ident.ID, page store.Page) ([]Replay, error) {
	if organization != 0 {
		if err := demand(p, organization, "organization", organization.String()); err != nil {
			return nil, err
		}
		return s.list(ctx, organization, page)
	}
	if p.SiteAdmin {
		return s.list(ctx, 0, page)
	}
	all := []Replay{}
	for _, id := range p.Organizations() {
		if !p.May(estate.RoleAdmin, estate.Place{OrganizationID: id}) {
			continue
		}
		some, err := s.list(ctx, id, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Replay) int {
		if page.Newest {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	if page.Limit > 0 && len(all) > page.Limit {
		all = all[:page.Limit]
	}
	return all, nil
}

func (s *Service) list(ctx context.Context, organization ident.ID, page store.Page) ([]Replay, error) {
	records, err := s.Store.List(ctx, store.KindReplay, organization, page)
	if err != nil {
		return nil, fmt.Errorf("list replays: %w", err)
	}
	all := make([]Replay, 0, len(records))
	for i := range records {
		r, err := decode(&records[i])
		if err != nil {
			return nil, err
		}
		all = append(all, *r)
	}
	return all, nil
}
