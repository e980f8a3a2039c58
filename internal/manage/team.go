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

// Teams manages groups of an organization's members.
func (m *Manage) Teams() dialect.Collection[estate.Team] {
	return collection[estate.Team]{m, teams{m}}
}

type teams struct{ *Manage }

func (teams) kind() store.Kind { return store.KindTeam }
func (teams) noun() string     { return "team" }

func (teams) common(o *estate.Team) *estate.Common { return &o.Common }

func (teams) record(o *estate.Team) (ident.ID, string, []string) {
	return o.OrganizationID, o.Name, aliases(o.ExternalIDs, o.OrganizationID)
}

func (teams) organization(o *estate.Team) ident.ID { return o.OrganizationID }

func (teams) sees(_ context.Context, p estate.Principal, o *estate.Team) (bool, error) {
	return p.May(estate.RoleReader, ofOrganization(o.OrganizationID)), nil
}

func (teams) allow(_ context.Context, p estate.Principal, what act, o *estate.Team) error {
	if what == creating {
		return demand(p, estate.RoleAdmin, ofOrganization(o.OrganizationID), "organization", o.OrganizationID.String())
	}
	return demand(p, estate.RoleAdmin, ofOrganization(o.OrganizationID), "team", o.Name)
}

func (teams) restore(o, old *estate.Team) bool {
	o.OrganizationID = old.OrganizationID
	return false
}

func (r teams) prepare(ctx context.Context, o, old *estate.Team) ([]store.Change, error) {
	var faults fault.Collector
	checkName(&faults, "/name", o.Name)
	checkCommon(&faults, &o.Common)
	slices.Sort(o.MemberIDs)
	o.MemberIDs = slices.Compact(o.MemberIDs)
	known := make(map[ident.ID]bool)
	for _, m := range r.directory.ofOrganization(o.OrganizationID) {
		known[m.id] = true
	}
	for _, id := range o.MemberIDs {
		if !known[id] && (old == nil || !slices.Contains(old.MemberIDs, id)) {
			faults.Add("/member_ids", "%q is not a membership of the organization.", id)
		}
	}
	if err := faults.Err(); err != nil || old != nil {
		return nil, err
	}
	organization, err := r.requireRecord(ctx, store.KindOrganization, o.OrganizationID, "/organization_id", "organization")
	if err != nil {
		return nil, err
	}
	return []store.Change{touch(organization)}, nil
}

func (teams) announce(context.Context, *estate.Team) error { return nil }

func (r teams) below(ctx context.Context, o *estate.Team) ([]store.Change, error) {
	return r.cascade().team(ctx, o)
}

func (r teams) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.Team, error) {
	all, err := listIn[estate.Team](ctx, r.Manage, store.KindTeam, p, parent)
	return oldestFirst(all, func(o *estate.Team) ident.ID { return o.ID }), err
}

func (r teams) named(ctx context.Context, _ estate.Principal, parent ident.ID, name string) (store.Record, error) {
	return r.store.ByName(ctx, store.KindTeam, parent, name)
}
