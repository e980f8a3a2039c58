package manage

import (
	"context"
	"slices"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// maxDepth bounds how deep projects nest.
const maxDepth = 32

// Projects manages what groups workspaces. The name of a project at the top is unique in its organization; names of
// nested projects may repeat. List takes an organization, or a project whose direct children it then lists.
func (m *Manage) Projects() dialect.Collection[estate.Project] { return m.projects() }

func (m *Manage) projects() collection[estate.Project] {
	return collection[estate.Project]{m, projects{m}}
}

type projects struct{ *Manage }

func (projects) kind() store.Kind { return store.KindProject }
func (projects) noun() string     { return "project" }

func (projects) common(o *estate.Project) *estate.Common { return &o.Common }

// record leaves the names of nested projects out of the index: they may repeat.
func (projects) record(o *estate.Project) (ident.ID, string, []string) {
	name := o.Name
	if o.ParentID != 0 {
		name = ""
	}
	return o.OrganizationID, name, aliases(o.ExternalIDs, o.OrganizationID)
}

func (projects) organization(o *estate.Project) ident.ID { return o.OrganizationID }

func (projects) sees(_ context.Context, p estate.Principal, o *estate.Project) (bool, error) {
	return p.Sees(ofProject(o)), nil
}

// allow lets whoever manages the organization, or the parent project, make and remove projects; a project's own admin
// changes it, its owner may remove it.
func (projects) allow(_ context.Context, p estate.Principal, what act, o *estate.Project) error {
	above := estate.Place{OrganizationID: o.OrganizationID, ProjectID: o.ParentID}
	switch what {
	case creating:
		return demand(p, estate.RoleAdmin, above, "organization", o.OrganizationID.String())
	case deleting:
		if p.May(estate.RoleAdmin, above) {
			return nil
		}
		return demand(p, estate.RoleOwner, ofProject(o), "project", o.Name)
	}
	if p.May(estate.RoleAdmin, above) {
		return nil
	}
	return demand(p, estate.RoleAdmin, ofProject(o), "project", o.Name)
}

func (projects) restore(o, old *estate.Project) bool {
	o.OrganizationID = old.OrganizationID
	return o.ParentID != old.ParentID
}

func (r projects) prepare(ctx context.Context, o, old *estate.Project) ([]store.Change, error) {
	var faults fault.Collector
	checkName(&faults, "/name", o.Name)
	checkCommon(&faults, &o.Common)
	checkText(&faults, "/description", o.Description)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var conditions []store.Change
	if old == nil {
		organization, err := r.requireRecord(ctx, store.KindOrganization, o.OrganizationID, "/organization_id", "organization")
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, touch(organization))
	}
	if o.ParentID != 0 && (old == nil || o.ParentID != old.ParentID) {
		parent, err := r.requireParent(ctx, o)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, touch(parent))
	}
	return conditions, nil
}

// requireParent reads the parent project and refuses one of another organization or one that stands below the project.
func (r projects) requireParent(ctx context.Context, o *estate.Project) (store.Record, error) {
	record, err := r.requireRecord(ctx, store.KindProject, o.ParentID, "/parent_id", "project")
	if err != nil {
		return record, err
	}
	parent, err := decode[estate.Project](&record)
	if err != nil {
		return record, err
	}
	if parent.OrganizationID != o.OrganizationID {
		return record, fault.At("/parent_id", "There is no such project in the organization.")
	}
	for depth := 1; ; depth++ {
		switch {
		case parent.ID == o.ID:
			return record, fault.At("/parent_id", "A project can not stand inside itself.")
		case depth > maxDepth:
			return record, fault.At("/parent_id", "Projects can not nest deeper than %d levels.", maxDepth)
		case parent.ParentID == 0:
			return record, nil
		}
		if parent, err = byID[estate.Project](ctx, r.Manage, store.KindProject, parent.ParentID); err != nil {
			return record, err
		}
	}
}

// requireRecord reads a record that an object refers to; without it the object's field is wrong.
func (m *Manage) requireRecord(ctx context.Context, kind store.Kind, id ident.ID, pointer, noun string) (store.Record, error) {
	r, err := m.store.Get(ctx, kind, id)
	if missing(err) {
		return r, fault.At(pointer, "There is no %s %q.", noun, id)
	}
	return r, err
}

// announce raises workspace/deleted for each workspace that goes with the project.
func (r projects) announce(ctx context.Context, o *estate.Project) error {
	organization, err := byID[estate.Organization](ctx, r.Manage, store.KindOrganization, o.OrganizationID)
	if err != nil {
		return err
	}
	if organization.DefaultProjectID == o.ID {
		return fault.New(fault.Conflict, "The default project can not be deleted. Make another project the default first.")
	}
	below, err := r.cascade().projectTree(ctx, o.ID, o.OrganizationID)
	if err != nil {
		return err
	}
	for _, project := range below {
		all, err := listAll[estate.Workspace](ctx, r.Manage, store.KindWorkspace, project)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(all, announceStep) {
			if err := r.announceDeleted(ctx, some); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r projects) below(ctx context.Context, o *estate.Project) ([]store.Change, error) {
	return r.cascade().project(ctx, o)
}

func (r projects) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.Project, error) {
	if parent != 0 {
		record, err := r.store.Get(ctx, store.KindProject, parent)
		if err == nil {
			return r.children(ctx, p, &record)
		}
		if !missing(err) {
			return nil, err
		}
	}
	all, err := listIn[estate.Project](ctx, r.Manage, store.KindProject, p, parent)
	return oldestFirst(all, func(o *estate.Project) ident.ID { return o.ID }), err
}

// children lists the projects that stand directly in one that the principal may know of.
func (r projects) children(ctx context.Context, p estate.Principal, record *store.Record) ([]estate.Project, error) {
	project, err := decode[estate.Project](record)
	if err != nil {
		return nil, err
	}
	if !p.Sees(ofProject(project)) {
		return nil, fault.Missing("project", project.ID.String())
	}
	all, err := listAll[estate.Project](ctx, r.Manage, store.KindProject, project.OrganizationID)
	return slices.DeleteFunc(all, func(o estate.Project) bool { return o.ParentID != project.ID }), err
}

// named finds a project at the top of an organization, else the oldest nested one of that name. A project as the parent
// restricts the search to its children.
func (r projects) named(ctx context.Context, _ estate.Principal, parent ident.ID, name string) (store.Record, error) {
	found, err := r.store.ByName(ctx, store.KindProject, parent, name)
	if !missing(err) {
		return found, err
	}
	organization, within := parent, ident.ID(0)
	project, err := byID[estate.Project](ctx, r.Manage, store.KindProject, parent)
	switch {
	case err == nil:
		organization, within = project.OrganizationID, parent
	case !missing(err):
		return store.Record{}, err
	}
	return r.nested(ctx, organization, within, name)
}

// nested searches the nested projects of an organization by name.
func (r projects) nested(ctx context.Context, organization, within ident.ID, name string) (store.Record, error) {
	var found *store.Record
	err := r.each(ctx, store.KindProject, organization, func(record *store.Record) error {
		if found != nil || record.Name != "" || organization == 0 {
			return nil
		}
		o, err := decode[estate.Project](record)
		if err == nil && o.Name == name && (within == 0 || o.ParentID == within) {
			found = record
		}
		return err
	})
	if err != nil {
		return store.Record{}, err
	}
	if found == nil {
		return store.Record{}, store.ErrNotFound
	}
	return *found, nil
}
