package manage

import (
	"context"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// DefaultProject is the name of the project that every organization is made with.
const DefaultProject = "Default Project"

// Organizations manages the tenants. Only the installation's administrators create them.
func (m *Manage) Organizations() dialect.Collection[estate.Organization] {
	return collection[estate.Organization]{m, organizations{m}}
}

type organizations struct{ *Manage }

func (organizations) kind() store.Kind { return store.KindOrganization }
func (organizations) noun() string     { return "organization" }

func (organizations) common(o *estate.Organization) *estate.Common { return &o.Common }

func (organizations) record(o *estate.Organization) (ident.ID, string, []string) {
	return 0, o.Name, aliases(o.ExternalIDs, 0)
}

func (organizations) organization(o *estate.Organization) ident.ID { return o.ID }

func (organizations) sees(_ context.Context, p estate.Principal, o *estate.Organization) (bool, error) {
	return p.Sees(ofOrganization(o.ID)), nil
}

func (organizations) allow(_ context.Context, p estate.Principal, what act, o *estate.Organization) error {
	switch what {
	case creating:
		if !p.SiteAdmin {
			return forbiddenButSite()
		}
		return nil
	case deleting:
		return demand(p, estate.RoleOwner, ofOrganization(o.ID), "organization", o.Name)
	}
	return demand(p, estate.RoleAdmin, ofOrganization(o.ID), "organization", o.Name)
}

func (organizations) restore(_, _ *estate.Organization) bool { return false }

func (r organizations) prepare(ctx context.Context, o, old *estate.Organization) ([]store.Change, error) {
	var faults fault.Collector
	checkURLName(&faults, "/name", o.Name)
	checkCommon(&faults, &o.Common)
	if o.Email != "" {
		checkAddress(&faults, "/email", o.Email)
	}
	if old != nil && o.DefaultProjectID != old.DefaultProjectID {
		if err := r.checkDefaultProject(ctx, &faults, o); err != nil {
			return nil, err
		}
	}
	if err := faults.Err(); err != nil || old != nil {
		return nil, err
	}
	project := estate.Project{
		Common:         estate.Common{ID: r.ids.New(), Name: DefaultProject, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt},
		OrganizationID: o.ID,
	}
	o.DefaultProjectID = project.ID
	made, err := r.projects().encode(&project)
	if err != nil {
		return nil, err
	}
	return []store.Change{store.Insert(made)}, nil
}

func (r organizations) checkDefaultProject(ctx context.Context, faults *fault.Collector, o *estate.Organization) error {
	project, err := byID[estate.Project](ctx, r.Manage, store.KindProject, o.DefaultProjectID)
	if missing(err) || (err == nil && project.OrganizationID != o.ID) {
		faults.Add("/default_project_id", "There is no such project in the organization.")
		return nil
	}
	return err
}

// announce raises nothing: whoever could hear of it goes with the organization.
func (organizations) announce(context.Context, *estate.Organization) error { return nil }

func (r organizations) below(ctx context.Context, o *estate.Organization) ([]store.Change, error) {
	return r.cascade().organization(ctx, o.ID)
}

func (r organizations) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.Organization, error) {
	if parent != 0 {
		return nil, fault.New(fault.Invalid, "Organizations have no parent.")
	}
	if p.SiteAdmin {
		return listAll[estate.Organization](ctx, r.Manage, store.KindOrganization, 0)
	}
	var found []estate.Organization
	for _, id := range p.Organizations() {
		record, err := r.store.Get(ctx, store.KindOrganization, id)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		o, err := decode[estate.Organization](&record)
		if err != nil {
			return nil, err
		}
		found = append(found, *o)
	}
	return oldestFirst(found, func(o *estate.Organization) ident.ID { return o.ID }), nil
}

func (r organizations) named(ctx context.Context, _ estate.Principal, _ ident.ID, name string) (store.Record, error) {
	return r.store.ByName(ctx, store.KindOrganization, 0, name)
}
