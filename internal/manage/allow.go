package manage

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// demand returns nil when the principal has the role at the place. Otherwise it says NotFound of the thing when the
// principal may not even know that the place exists, and Forbidden when it does.
func demand(p estate.Principal, role estate.Role, at estate.Place, noun, name string) error {
	switch {
	case p.May(role, at):
		return nil
	case !p.Sees(at):
		return fault.Missing(noun, name)
	}
	return forbidden(role)
}

// forbidden says which role would have sufficed.
func forbidden(role estate.Role) error {
	return fault.New(fault.Forbidden, "Your token may not do this here: it needs the role %q. Ask an owner of the organization for it.", string(role))
}

// forbiddenButSite is for what only the installation's administrators do.
func forbiddenButSite() error {
	return fault.New(fault.Forbidden, "Only an administrator of this installation may do this.")
}

// ofOrganization, ofProject and ofWorkspace are the places of objects.
func ofOrganization(id ident.ID) estate.Place { return estate.Place{OrganizationID: id} }

func ofProject(p *estate.Project) estate.Place {
	return estate.Place{OrganizationID: p.OrganizationID, ProjectID: p.ID}
}

func ofWorkspace(w *estate.Workspace) estate.Place {
	return estate.Place{OrganizationID: w.OrganizationID, ProjectID: w.ProjectID, WorkspaceID: w.ID}
}

// placeOfScope says where a subscription's scope stands. A scope that is gone stands in its organization: whoever may
// manage that may clean up.
func (m *Manage) placeOfScope(ctx context.Context, organization ident.ID, scope subscription.Scope) (estate.Place, error) {
	at := ofOrganization(organization)
	switch scope.Level {
	case subscription.LevelProject:
		at.ProjectID = scope.ID
	case subscription.LevelWorkspace:
		workspace, err := byID[estate.Workspace](ctx, m, store.KindWorkspace, scope.ID)
		if missing(err) || (err == nil && workspace.OrganizationID != organization) {
			return at, nil
		}
		if err != nil {
			return at, err
		}
		at = ofWorkspace(workspace)
	}
	return at, nil
}

// placesOf says where a subscription's scopes stand, the organization when it has none.
func (m *Manage) placesOf(ctx context.Context, s *subscription.Subscription) ([]estate.Place, error) {
	if len(s.Scopes) == 0 {
		return []estate.Place{ofOrganization(s.OrganizationID)}, nil
	}
	places := make([]estate.Place, 0, len(s.Scopes))
	for _, scope := range s.Scopes {
		at, err := m.placeOfScope(ctx, s.OrganizationID, scope)
		if err != nil {
			return nil, err
		}
		places = append(places, at)
	}
	return places, nil
}

// readsAny reports whether the principal may read at one of the places.
func readsAny(p estate.Principal, places []estate.Place) bool {
	for _, at := range places {
		if p.May(estate.RoleReader, at) {
			return true
		}
	}
	return false
}

// reads reports whether the principal may read a subscription: at any of its scopes.
func (m *Manage) reads(ctx context.Context, p estate.Principal, s *subscription.Subscription) (bool, error) {
	if p.May(estate.RoleReader, ofOrganization(s.OrganizationID)) {
		return true, nil
	}
	if len(p.Grants) == 0 {
		return false, nil
	}
	places, err := m.placesOf(ctx, s)
	return err == nil && readsAny(p, places), err
}

// edits reports whether the principal may change a subscription: it needs the role at every scope, because a
// subscription carries news out of each of them.
func (m *Manage) edits(ctx context.Context, p estate.Principal, s *subscription.Subscription) (bool, error) {
	if p.May(estate.RoleAdmin, ofOrganization(s.OrganizationID)) {
		return true, nil
	}
	if len(p.Grants) == 0 {
		return false, nil
	}
	places, err := m.placesOf(ctx, s)
	if err != nil {
		return false, err
	}
	for _, at := range places {
		if !p.May(estate.RoleAdmin, at) {
			return false, nil
		}
	}
	return true, nil
}
