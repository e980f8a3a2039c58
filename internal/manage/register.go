package manage

import (
	"context"
	"errors"
	"maps"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Register tells an event where it happened: it fills the IDs and names of its organization, project, workspace and
// teams, and what the estate knows beside what the source said. A workspace, and its project, become known with their
// first event. It returns every place whose subscriptions the event reaches: those of the event itself, and the parents
// of a project that takes over what is attached to them. What it looks up for every event comes from memory.
func (m *Manage) Register(ctx context.Context, e *event.Event) ([]subscription.Scope, error) {
	organization, err := m.findOrganization(ctx, e)
	if missing(err) {
		return nil, fault.Missing("organization", e.Organization.Name)
	}
	if err != nil {
		return nil, err
	}
	project, workspace, err := m.settle(ctx, organization, e)
	if err != nil {
		return nil, err
	}
	return m.place(ctx, organization, project, workspace, e)
}

// settle finds the event's project and workspace, and makes those that are not known yet. Two nodes may make the same
// one at the same moment: whoever comes second finds the first one's.
func (m *Manage) settle(ctx context.Context, organization *estate.Organization, e *event.Event) (*estate.Project, *estate.Workspace, error) {
	for range tries {
		project, workspace, err := m.findPlace(ctx, organization, e)
		if err != nil {
			return nil, nil, err
		}
		made, err := m.makeKnown(ctx, organization, e, project, workspace)
		if err == nil && !made {
			return project, workspace, nil
		}
		if err != nil && !fault.Is(err, fault.Conflict) {
			return nil, nil, err
		}
		if err := m.current(ctx); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fault.New(fault.Unavailable, "The workspace could not be made known: others change it at the same time. Please try again.")
}

// makeKnown makes the project or the workspace of an event, whichever is missing first, and reports whether it did.
func (m *Manage) makeKnown(ctx context.Context, organization *estate.Organization, e *event.Event, project *estate.Project, workspace *estate.Workspace) (bool, error) {
	switch {
	case isDeletion(e):
		return false, nil
	case e.Project != nil && project == nil:
		_, err := m.projects().insert(ctx, estate.Project{
			Common:         estate.Common{Name: e.Project.Name, ExternalIDs: maps.Clone(e.Project.ExternalIDs)},
			OrganizationID: organization.ID,
		}, nil)
		return true, renamed(err, "/project")
	case e.Workspace == nil || workspace != nil:
		return false, nil
	}
	w := e.Workspace
	_, err := m.workspaces().insert(ctx, estate.Workspace{
		Common:         estate.Common{Name: w.Name, ExternalIDs: maps.Clone(w.ExternalIDs)},
		OrganizationID: organization.ID, ProjectID: project.ID, Description: w.Description, Tags: slices.Clone(w.Tags),
		Module: w.Module, Repository: w.Repository, VCS: w.VCS, URL: w.URL,
	}, nil)
	return true, renamed(err, "/workspace")
}

// isDeletion reports whether an event says that its workspace is gone: that makes nothing known.
func isDeletion(e *event.Event) bool { return e.Kind == event.KindWorkspace && e.Action == "deleted" }

// renamed points a fault at the part of the event that the object came from.
func renamed(err error, pointer string) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Field == "" {
		return err
	}
	moved := *f
	moved.Field = pointer + f.Field
	moved.More = slices.Clone(f.More)
	for i := range moved.More {
		moved.More[i].Pointer = pointer + moved.More[i].Pointer
	}
	return &moved
}

// findOrganization finds an event's organization by ID, external identifier or name, or fails with store.ErrNotFound.
func (m *Manage) findOrganization(ctx context.Context, e *event.Event) (*estate.Organization, error) {
	if e.Organization.ID != 0 {
		return byID[estate.Organization](ctx, m, store.KindOrganization, e.Organization.ID)
	}
	if e.Organization.Name != "" {
		found, err := byName[estate.Organization](ctx, m, store.KindOrganization, 0, e.Organization.Name)
		if !missing(err) {
			return found, err
		}
	}
	return byExternal[estate.Organization](ctx, m, store.KindOrganization, 0, e.Organization.ExternalIDs)
}

// byExternal finds an object by any of its external identifiers, or fails with store.ErrNotFound.
func byExternal[T any](ctx context.Context, m *Manage, kind store.Kind, organization ident.ID, external map[string]string) (*T, error) {
	for dialect, identifier := range external {
		found, err := byAlias[T](ctx, m, kind, aliasIn(organization, estate.Alias(dialect, identifier)))
		if !missing(err) {
			return found, err
		}
	}
	return nil, store.ErrNotFound
}

// findPlace finds an event's workspace and project. A workspace that is known decides over the project; without one, the
// project is the one named, or the organization's default. Either is nil when it is not known.
func (m *Manage) findPlace(ctx context.Context, organization *estate.Organization, e *event.Event) (*estate.Project, *estate.Workspace, error) {
	var project *estate.Project
	var err error
	if e.Project != nil {
		if project, err = m.findProject(ctx, organization.ID, e.Project); err != nil {
			return nil, nil, err
		}
	}
	if e.Workspace == nil {
		return project, nil, nil
	}
	workspace, err := m.findWorkspace(ctx, organization, project, e)
	if err != nil {
		return nil, nil, err
	}
	if workspace == nil && (project != nil || e.Project != nil) {
		return project, nil, nil
	}
	id := organization.DefaultProjectID
	if workspace != nil {
		id = workspace.ProjectID
	}
	project, err = byID[estate.Project](ctx, m, store.KindProject, id)
	return project, workspace, err
}

// findProject finds a project of the organization: by ID, external identifier, or name. It returns nil for an unknown one.
func (m *Manage) findProject(ctx context.Context, organization ident.ID, named *event.Project) (*estate.Project, error) {
	if named.ID != 0 {
		found, err := byID[estate.Project](ctx, m, store.KindProject, named.ID)
		if !missing(err) && (err != nil || found.OrganizationID == organization) {
			return found, err
		}
	}
	found, err := byExternal[estate.Project](ctx, m, store.KindProject, organization, named.ExternalIDs)
	if missing(err) {
		found, err = byName[estate.Project](ctx, m, store.KindProject, organization, named.Name)
	}
	if missing(err) {
		found, err = byWideName[estate.Project](ctx, m, store.KindProject, organization, named.Name,
			func(ctx context.Context) (store.Record, error) {
				return projects{m}.nested(ctx, organization, 0, named.Name)
			})
	}
	if missing(err) {
		return nil, nil
	}
	return found, err
}

// findWorkspace finds a workspace of the organization: by ID, external identifier, or name in the project. When the
// source names no project, a workspace of the name in any project is meant. It returns nil for an unknown one.
func (m *Manage) findWorkspace(ctx context.Context, organization *estate.Organization, project *estate.Project, e *event.Event) (*estate.Workspace, error) {
	named := e.Workspace
	if named.ID != 0 {
		found, err := byID[estate.Workspace](ctx, m, store.KindWorkspace, named.ID)
		if !missing(err) && (err != nil || found.OrganizationID == organization.ID) {
			return found, err
		}
	}
	found, err := byExternal[estate.Workspace](ctx, m, store.KindWorkspace, organization.ID, named.ExternalIDs)
	switch {
	case !missing(err):
	case project != nil:
		found, err = byName[estate.Workspace](ctx, m, store.KindWorkspace, project.ID, named.Name)
	case e.Project == nil:
		found, err = byWideName[estate.Workspace](ctx, m, store.KindWorkspace, organization.ID, named.Name,
			func(ctx context.Context) (store.Record, error) {
				return workspaces{m}.anywhere(ctx, organization.ID, named.Name)
			})
	}
	if missing(err) {
		return nil, nil
	}
	return found, err
}
