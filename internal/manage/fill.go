package manage

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// What the source of an event said stays; the estate fills in what it left out. The estate's objects are shared, so
// nothing of them is handed over that could be changed.

func fillOrganization(to *event.Organization, from *estate.Organization) {
	to.ID, to.Name = from.ID, from.Name
	to.DisplayName = cmp.Or(to.DisplayName, from.DisplayName)
	to.AvatarURL = cmp.Or(to.AvatarURL, from.AvatarURL)
	to.ExternalIDs = merge(to.ExternalIDs, from.ExternalIDs)
}

// fillProject names the project where the estate has the workspace, even when the source named another one.
func fillProject(e *event.Event, from *estate.Project) {
	if from == nil {
		return
	}
	if e.Project == nil || !sameProject(e.Project, from) {
		e.Project = &event.Project{Name: from.Name}
	}
	e.Project.ID = from.ID
	e.Project.Name = cmp.Or(e.Project.Name, from.Name)
	e.Project.ExternalIDs = merge(e.Project.ExternalIDs, from.ExternalIDs)
}

// sameProject reports whether a source can have meant the project: by ID, name, or an external identifier.
func sameProject(named *event.Project, project *estate.Project) bool {
	if named.ID != 0 {
		return named.ID == project.ID
	}
	for dialect, identifier := range named.ExternalIDs {
		if project.ExternalIDs[dialect] == identifier {
			return true
		}
	}
	return named.Name == "" || named.Name == project.Name
}

func fillWorkspace(e *event.Event, from *estate.Workspace) {
	to := e.Workspace
	if to == nil || from == nil {
		return
	}
	to.ID = from.ID
	to.Name = cmp.Or(to.Name, from.Name)
	to.URL = cmp.Or(to.URL, from.URL)
	to.Description = cmp.Or(to.Description, from.Description)
	to.ExecutionMode = cmp.Or(to.ExecutionMode, from.ExecutionMode)
	to.Module = to.Module || from.Module
	to.Repository = cmp.Or(to.Repository, from.Repository)
	to.VCS = cmp.Or(to.VCS, from.VCS)
	if to.Tags == nil {
		to.Tags = slices.Clone(from.Tags)
	}
	to.ExternalIDs = merge(to.ExternalIDs, from.ExternalIDs)
}

// merge adds the identifiers that are not there yet.
func merge(to, from map[string]string) map[string]string {
	if len(from) == 0 {
		return to
	}
	merged := maps.Clone(from)
	maps.Copy(merged, to)
	return merged
}

// fillTeams completes the teams that an event names. A team that is not known keeps the zero ID and reaches nobody.
func (m *Manage) fillTeams(ctx context.Context, organization ident.ID, e *event.Event) error {
	for i := range e.Teams {
		named := &e.Teams[i]
		found, err := m.findTeam(ctx, organization, named)
		if missing(err) {
			named.ID = 0
			continue
		}
		if err != nil {
			return err
		}
		named.ID, named.Name = found.ID, found.Name
		named.ExternalIDs = merge(named.ExternalIDs, found.ExternalIDs)
	}
	return nil
}

func (m *Manage) findTeam(ctx context.Context, organization ident.ID, named *event.Team) (*estate.Team, error) {
	if named.ID != 0 {
		found, err := byID[estate.Team](ctx, m, store.KindTeam, named.ID)
		if err == nil && found.OrganizationID != organization {
			err = store.ErrNotFound
		}
		return found, err
	}
	found, err := byExternal[estate.Team](ctx, m, store.KindTeam, organization, named.ExternalIDs)
	if missing(err) {
		found, err = byName[estate.Team](ctx, m, store.KindTeam, organization, named.Name)
	}
	return found, err
}

// appendParents adds the parents of a project, up to the first one that does not take over what its parent has.
func (m *Manage) appendParents(ctx context.Context, places []subscription.Scope, project *estate.Project) ([]subscription.Scope, error) {
	for depth := 0; project != nil && project.Inherits && project.ParentID != 0 && depth < maxDepth; depth++ {
		parent, err := byID[estate.Project](ctx, m, store.KindProject, project.ParentID)
		if missing(err) {
			return places, nil
		}
		if err != nil {
			return nil, err
		}
		places = append(places, subscription.Scope{Level: subscription.LevelProject, ID: parent.ID})
		project = parent
	}
	return places, nil
}

// appendTeams adds every team of the organization to a change request that addresses none in particular.
func (m *Manage) appendTeams(ctx context.Context, places []subscription.Scope, e *event.Event) ([]subscription.Scope, error) {
	if e.Kind != event.KindChangeRequest || len(e.Teams) > 0 {
		return places, nil
	}
	err := m.each(ctx, store.KindTeam, e.Organization.ID, func(r *store.Record) error {
		places = append(places, subscription.Scope{Level: subscription.LevelTeam, ID: r.ID})
		return nil
	})
	return places, err
}
