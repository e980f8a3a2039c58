package manage

import (
	"context"
	"slices"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// cascade collects what goes when an object is deleted. Every record is removed on condition that it is still as it was
// read, and whatever is made below an object touches that object: so nothing that another node makes at the same moment
// is left behind.
//
// Versions of subscriptions stay: the log shows what was sent, and a workspace's last words are still on their way. Sweep
// removes them when nothing refers to them any more.
type cascade struct{ *Manage }

func (m *Manage) cascade() cascade { return cascade{m} }

// organization removes everything in an organization.
func (c cascade) organization(ctx context.Context, id ident.ID) ([]store.Change, error) {
	var changes []store.Change
	remove := func(r *store.Record) error {
		changes = append(changes, drop(r))
		return nil
	}
	removeProject := func(r *store.Record) error {
		changes = append(changes, drop(r))
		return c.each(ctx, store.KindWorkspace, r.ID, func(r *store.Record) error {
			changes = append(changes, drop(r))
			return c.each(ctx, store.KindCounter, r.ID, remove)
		})
	}
	if err := c.each(ctx, store.KindProject, id, removeProject); err != nil {
		return nil, err
	}
	kinds := []store.Kind{store.KindTeam, store.KindMembership, store.KindSource, store.KindEndpoint, store.KindPolicy, store.KindSetting}
	for _, kind := range kinds {
		if err := c.each(ctx, kind, id, remove); err != nil {
			return nil, err
		}
	}
	// A replay writes how far it is every second; whatever it has come to, it goes.
	err := c.each(ctx, store.KindReplay, id, func(r *store.Record) error {
		changes = append(changes, store.Delete(store.KindReplay, r.ID))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range c.index.All(func(s *subscription.Subscription) bool { return s.OrganizationID == id }) {
		changes = append(changes, store.Delete(store.KindSubscription, s.ID))
	}
	tokens, err := c.withdraw(ctx, func(_ *estate.Token, g estate.Grant) bool { return g.OrganizationID == id })
	return append(changes, tokens...), err
}

// project removes what stands in a project, nested projects included.
func (c cascade) project(ctx context.Context, o *estate.Project) ([]store.Change, error) {
	tree, err := c.projectTree(ctx, o.ID, o.OrganizationID)
	if err != nil {
		return nil, err
	}
	var changes []store.Change
	var gone []subscription.Scope
	for _, id := range tree {
		gone = append(gone, subscription.Scope{Level: subscription.LevelProject, ID: id})
		err := c.each(ctx, store.KindWorkspace, id, func(r *store.Record) error {
			gone = append(gone, subscription.Scope{Level: subscription.LevelWorkspace, ID: r.ID})
			changes = append(changes, drop(r))
			return nil
		})
		if err != nil {
			return nil, err
		}
		if id == o.ID {
			continue // the collection removes the project itself
		}
		r, err := c.store.Get(ctx, store.KindProject, id)
		if err != nil {
			return nil, err
		}
		changes = append(changes, drop(&r))
	}
	return c.withScopes(ctx, o.OrganizationID, gone, changes)
}

// projectTree lists a project and all that stand below it.
func (c cascade) projectTree(ctx context.Context, root, organization ident.ID) ([]ident.ID, error) {
	all, err := listAll[estate.Project](ctx, c.Manage, store.KindProject, organization)
	if err != nil {
		return nil, err
	}
	tree := []ident.ID{root}
	for i := 0; i < len(tree); i++ {
		for _, p := range all {
			if p.ParentID == tree[i] && !slices.Contains(tree, p.ID) {
				tree = append(tree, p.ID)
			}
		}
	}
	return tree, nil
}

// workspace removes what stands in a workspace.
func (c cascade) workspace(ctx context.Context, o *estate.Workspace) ([]store.Change, error) {
	return c.withScopes(ctx, o.OrganizationID, []subscription.Scope{{Level: subscription.LevelWorkspace, ID: o.ID}}, nil)
}

// team removes the subscriptions of a team.
func (c cascade) team(ctx context.Context, o *estate.Team) ([]store.Change, error) {
	return c.withScopes(ctx, o.OrganizationID, []subscription.Scope{{Level: subscription.LevelTeam, ID: o.ID}}, nil)
}

// withScopes appends what happens to the subscriptions and documents of places that go.
func (c cascade) withScopes(ctx context.Context, organization ident.ID, gone []subscription.Scope, changes []store.Change) ([]store.Change, error) {
	leaving := make(map[subscription.Scope]bool, len(gone))
	for _, scope := range gone {
		leaving[scope] = true
	}
	listens := func(s *subscription.Subscription) bool {
		return slices.ContainsFunc(s.Scopes, func(scope subscription.Scope) bool { return leaving[scope] })
	}
	for _, s := range c.index.All(listens) {
		more, err := c.detach(ctx, s, leaving)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	for _, scope := range gone {
		if scope.Level != subscription.LevelWorkspace {
			continue
		}
		err := c.each(ctx, store.KindCounter, scope.ID, func(r *store.Record) error {
			changes = append(changes, drop(r))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	documents, err := c.documentsOf(ctx, organization, leaving)
	return append(changes, documents...), err
}

// detach takes places from a subscription. One that has none left goes, unless its dialect says that it outlives them.
func (c cascade) detach(ctx context.Context, s *subscription.Subscription, leaving map[subscription.Scope]bool) ([]store.Change, error) {
	next := s.Clone()
	next.Scopes = slices.DeleteFunc(next.Scopes, func(scope subscription.Scope) bool { return leaving[scope] })
	if len(next.Scopes) == 0 && !c.outlives(s) {
		return []store.Change{store.Delete(store.KindSubscription, s.ID)}, nil
	}
	r, err := c.store.Get(ctx, store.KindSubscription, s.ID)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	next.Version, next.UpdatedAt = s.Version+1, c.utcNow()
	return c.versionChanges(next, r.Revision)
}

// outlives asks a subscription's dialect whether it stays without a place.
func (c cascade) outlives(s *subscription.Subscription) bool {
	detached, ok := c.dialects[s.Dialect].(dialect.Detached)
	return ok && detached.OutlivesScopes(s)
}

// documentsOf removes the dialects' documents that stand in the places.
func (c cascade) documentsOf(ctx context.Context, organization ident.ID, leaving map[subscription.Scope]bool) ([]store.Change, error) {
	var changes []store.Change
	for _, kind := range documentKinds {
		err := c.each(ctx, kind, organization, func(r *store.Record) error {
			d, err := decode[document](r)
			if err != nil {
				return err
			}
			if leaving[subscription.Scope{Level: subscription.LevelProject, ID: d.ProjectID}] ||
				leaving[subscription.Scope{Level: subscription.LevelWorkspace, ID: d.WorkspaceID}] {
				changes = append(changes, drop(r))
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// membership takes a member out of the teams, and away from its user what the organization had granted.
func (c cascade) membership(ctx context.Context, o *estate.Membership) ([]store.Change, error) {
	changes, err := c.leaveTeams(ctx, o.OrganizationID, o.ID)
	if err != nil {
		return nil, err
	}
	tokens, err := c.withdraw(ctx, func(t *estate.Token, g estate.Grant) bool {
		return t.UserID == o.UserID && g.OrganizationID == o.OrganizationID
	})
	return append(changes, tokens...), err
}

// leaveTeams takes a membership out of the organization's teams.
func (c cascade) leaveTeams(ctx context.Context, organization, membership ident.ID) ([]store.Change, error) {
	var changes []store.Change
	err := c.each(ctx, store.KindTeam, organization, func(r *store.Record) error {
		team, err := decode[estate.Team](r)
		if err != nil || !slices.Contains(team.MemberIDs, membership) {
			return err
		}
		team.MemberIDs = slices.DeleteFunc(team.MemberIDs, func(id ident.ID) bool { return id == membership })
		if r.Body, err = encode(team); err == nil {
			changes = append(changes, store.Update(r))
		}
		return err
	})
	return changes, err
}

// user removes a user's memberships and tokens.
func (c cascade) user(ctx context.Context, id ident.ID) ([]store.Change, error) {
	var changes []store.Change
	for _, m := range c.directory.ofUser(id) {
		r, err := c.store.Get(ctx, store.KindMembership, m.id)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		teams, err := c.leaveTeams(ctx, m.organization, m.id)
		if err != nil {
			return nil, err
		}
		changes = append(append(changes, teams...), drop(&r))
	}
	err := c.each(ctx, store.KindToken, 0, func(r *store.Record) error {
		t, err := decode[estate.Token](r)
		if err == nil && t.UserID == id {
			changes = append(changes, drop(r))
		}
		return err
	})
	return changes, err
}

// withdraw takes grants from tokens. A token that was given nothing else goes: an empty one would fall back to its
// user's memberships.
func (c cascade) withdraw(ctx context.Context, takes func(*estate.Token, estate.Grant) bool) ([]store.Change, error) {
	var changes []store.Change
	err := c.each(ctx, store.KindToken, 0, func(r *store.Record) error {
		t, err := decode[estate.Token](r)
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(t.Grants), func(g estate.Grant) bool { return takes(t, g) })
		switch {
		case len(left) == len(t.Grants):
			return nil
		case len(left) == 0 && !t.SiteAdmin:
			changes = append(changes, drop(r))
			return nil
		}
		t.Grants = left
		if r.Body, err = encode(t); err == nil {
			changes = append(changes, store.Update(r))
		}
		return err
	})
	return changes, err
}
