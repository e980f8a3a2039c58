package manage

import (
	"context"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// maxTags bounds how many tags a workspace has.
const maxTags = 200

// Workspaces manages what runs work on. A workspace's name is unique in its project. List and names take a project or an
// organization as the parent; of several workspaces of one name the one in the default project comes first, then the
// one in the oldest project. A workspace that is made without a project stands in the organization's default project.
func (m *Manage) Workspaces() dialect.Collection[estate.Workspace] { return m.workspaces() }

func (m *Manage) workspaces() collection[estate.Workspace] {
	return collection[estate.Workspace]{m, workspaces{m}}
}

type workspaces struct{ *Manage }

func (workspaces) kind() store.Kind { return store.KindWorkspace }
func (workspaces) noun() string     { return "workspace" }

func (workspaces) common(o *estate.Workspace) *estate.Common { return &o.Common }

func (workspaces) record(o *estate.Workspace) (ident.ID, string, []string) {
	return o.ProjectID, o.Name, aliases(o.ExternalIDs, o.OrganizationID)
}

func (workspaces) organization(o *estate.Workspace) ident.ID { return o.OrganizationID }

func (workspaces) sees(_ context.Context, p estate.Principal, o *estate.Workspace) (bool, error) {
	return p.Sees(ofWorkspace(o)), nil
}

// allow lets whoever manages the project make and remove workspaces in it; a workspace's own admin changes it, its owner
// may remove it.
func (r workspaces) allow(ctx context.Context, p estate.Principal, what act, o *estate.Workspace) error {
	if what == creating {
		if err := r.fillPlace(ctx, o); err != nil {
			return err
		}
	}
	project := estate.Place{OrganizationID: o.OrganizationID, ProjectID: o.ProjectID}
	switch {
	case what == creating:
		return demand(p, estate.RoleAdmin, project, "project", o.ProjectID.String())
	case p.May(estate.RoleAdmin, project):
		return nil
	case what == deleting:
		return demand(p, estate.RoleOwner, ofWorkspace(o), "workspace", o.Name)
	}
	return demand(p, estate.RoleAdmin, ofWorkspace(o), "workspace", o.Name)
}

// fillPlace completes a workspace that names only its project or only its organization.
func (r workspaces) fillPlace(ctx context.Context, o *estate.Workspace) error {
	if o.ProjectID == 0 {
		organization, err := byID[estate.Organization](ctx, r.Manage, store.KindOrganization, o.OrganizationID)
		if missing(err) {
			return fault.Missing("organization", o.OrganizationID.String())
		}
		if err != nil {
			return err
		}
		o.ProjectID = organization.DefaultProjectID
		return nil
	}
	project, err := byID[estate.Project](ctx, r.Manage, store.KindProject, o.ProjectID)
	if missing(err) || (err == nil && o.OrganizationID != 0 && o.OrganizationID != project.OrganizationID) {
		return fault.Missing("project", o.ProjectID.String())
	}
	if err == nil {
		o.OrganizationID = project.OrganizationID
	}
	return err
}

func (workspaces) restore(o, old *estate.Workspace) bool {
	o.OrganizationID = old.OrganizationID
	return o.ProjectID != old.ProjectID
}

func (r workspaces) prepare(ctx context.Context, o, old *estate.Workspace) ([]store.Change, error) {
	var faults fault.Collector
	checkName(&faults, "/name", o.Name)
	checkCommon(&faults, &o.Common)
	checkText(&faults, "/description", o.Description)
	if len(o.Tags) > maxTags {
		faults.Add("/tags", "There are too many tags (maximum is %d).", maxTags)
	}
	if err := faults.Err(); err != nil || (old != nil && o.ProjectID == old.ProjectID) {
		return nil, err
	}
	record, err := r.requireRecord(ctx, store.KindProject, o.ProjectID, "/project_id", "project")
	if err != nil {
		return nil, err
	}
	project, err := decode[estate.Project](&record)
	if err != nil {
		return nil, err
	}
	if project.OrganizationID != o.OrganizationID {
		return nil, fault.At("/project_id", "There is no project %q in the organization.", o.ProjectID)
	}
	return []store.Change{touch(record)}, nil
}

func (r workspaces) announce(ctx context.Context, o *estate.Workspace) error {
	return r.announceDeleted(ctx, []estate.Workspace{*o})
}

// announceStep is how many workspaces are announced at a time.
const announceStep = 100

// announceDeleted raises workspace/deleted while the workspaces and their subscriptions are still there to be matched.
// The key makes repeating it harmless.
func (m *Manage) announceDeleted(ctx context.Context, gone []estate.Workspace) error {
	if m.accept == nil {
		return errNotWired
	}
	events := make([]event.Event, 0, len(gone))
	for _, o := range gone {
		organization, err := byID[estate.Organization](ctx, m, store.KindOrganization, o.OrganizationID)
		if err != nil {
			return err
		}
		project, err := byID[estate.Project](ctx, m, store.KindProject, o.ProjectID)
		if err != nil {
			return err
		}
		events = append(events, event.Event{
			Key: "workspace-deleted/" + o.ID.String(), Kind: event.KindWorkspace, Action: "deleted", OccurredAt: m.utcNow(),
			Organization: event.Organization{ID: organization.ID, Name: organization.Name},
			Project:      &event.Project{ID: project.ID, Name: project.Name},
			Workspace:    &event.Workspace{ID: o.ID, Name: o.Name},
			Source:       event.Source{Kind: "api"},
		})
	}
	_, err := m.accept(ctx, events)
	return err
}

func (r workspaces) below(ctx context.Context, o *estate.Workspace) ([]store.Change, error) {
	return r.cascade().workspace(ctx, o)
}

func (r workspaces) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.Workspace, error) {
	if parent == 0 && p.SiteAdmin {
		return listAll[estate.Workspace](ctx, r.Manage, store.KindWorkspace, 0)
	}
	var parents []ident.ID
	switch project, err := byID[estate.Project](ctx, r.Manage, store.KindProject, parent); {
	case parent != 0 && err == nil:
		if !p.Sees(ofProject(project)) {
			return nil, fault.Missing("project", parent.String())
		}
		parents = []ident.ID{parent}
	case parent != 0 && !missing(err):
		return nil, err
	default:
		within, err := listIn[estate.Project](ctx, r.Manage, store.KindProject, p, parent)
		if err != nil {
			return nil, err
		}
		for i := range within {
			parents = append(parents, within[i].ID)
		}
	}
	var all []estate.Workspace
	for _, id := range parents {
		some, err := listAll[estate.Workspace](ctx, r.Manage, store.KindWorkspace, id)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return oldestFirst(all, func(o *estate.Workspace) ident.ID { return o.ID }), nil
}

func (r workspaces) named(ctx context.Context, _ estate.Principal, parent ident.ID, name string) (store.Record, error) {
	found, err := r.store.ByName(ctx, store.KindWorkspace, parent, name)
	if !missing(err) {
		return found, err
	}
	return r.anywhere(ctx, parent, name)
}

// anywhere searches the projects of an organization for a workspace of the name.
func (r workspaces) anywhere(ctx context.Context, organization ident.ID, name string) (store.Record, error) {
	o, err := byID[estate.Organization](ctx, r.Manage, store.KindOrganization, organization)
	if err != nil {
		return store.Record{}, err
	}
	found, err := r.store.ByName(ctx, store.KindWorkspace, o.DefaultProjectID, name)
	if !missing(err) {
		return found, err
	}
	var projectIDs []ident.ID
	err = r.each(ctx, store.KindProject, organization, func(record *store.Record) error {
		projectIDs = append(projectIDs, record.ID)
		return nil
	})
	if err != nil {
		return store.Record{}, err
	}
	for _, id := range projectIDs {
		if found, err = r.store.ByName(ctx, store.KindWorkspace, id, name); !missing(err) {
			return found, err
		}
	}
	return store.Record{}, store.ErrNotFound
}
