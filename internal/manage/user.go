package manage

import (
	"context"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// emailAlias is the alias under which users are found by their mail address, in lower case.
const emailAlias = "email"

// Users manages people and machine users of the installation. One sees oneself and those with whom one shares an
// organization in which one may read. List takes an organization, or the zero ID for everybody that one sees.
// One by a mail address is found by the alias "email:<address in lower case>".
func (m *Manage) Users() dialect.Collection[estate.User] { return m.users() }

func (m *Manage) users() collection[estate.User] { return collection[estate.User]{m, users{m}} }

type users struct{ *Manage }

func (users) kind() store.Kind { return store.KindUser }
func (users) noun() string     { return "user" }

func (users) common(o *estate.User) *estate.Common { return &o.Common }

func (users) record(o *estate.User) (ident.ID, string, []string) {
	list := aliases(o.ExternalIDs, 0)
	if o.Email != "" {
		list = append(list, byEmail(o.Email))
	}
	return 0, o.Name, list
}

func byEmail(address string) string { return estate.Alias(emailAlias, strings.ToLower(address)) }

func (users) organization(*estate.User) ident.ID { return 0 }

func (r users) sees(_ context.Context, p estate.Principal, o *estate.User) (bool, error) {
	if p.SiteAdmin || (p.UserID != 0 && p.UserID == o.ID) {
		return true, nil
	}
	for _, m := range r.directory.ofUser(o.ID) {
		if p.May(estate.RoleReader, ofOrganization(m.organization)) {
			return true, nil
		}
	}
	return false, nil
}

// allow lets people change themselves; everything else is for the installation's administrators. Others come to be
// known through memberships.
func (users) allow(_ context.Context, p estate.Principal, what act, o *estate.User) error {
	if p.SiteAdmin || (what == changing && p.UserID != 0 && p.UserID == o.ID) {
		return nil
	}
	return forbiddenButSite()
}

func (users) restore(_, _ *estate.User) bool { return false }

func (users) prepare(_ context.Context, o, _ *estate.User) ([]store.Change, error) {
	var faults fault.Collector
	checkName(&faults, "/name", o.Name)
	checkCommon(&faults, &o.Common)
	checkText(&faults, "/full_name", o.FullName)
	if o.Email != "" {
		checkAddress(&faults, "/email", o.Email)
	}
	return nil, faults.Err()
}

func (users) announce(context.Context, *estate.User) error { return nil }

func (r users) below(ctx context.Context, o *estate.User) ([]store.Change, error) {
	return r.cascade().user(ctx, o.ID)
}

func (r users) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.User, error) {
	if parent == 0 && p.SiteAdmin {
		return listAll[estate.User](ctx, r.Manage, store.KindUser, 0)
	}
	ids := make(map[ident.ID]bool)
	if parent != 0 {
		if err := r.requireOrganization(ctx, p, parent); err != nil {
			return nil, err
		}
		r.gather(ids, parent)
	} else {
		for _, organization := range p.Organizations() {
			r.gather(ids, organization)
		}
		if p.UserID != 0 {
			ids[p.UserID] = true
		}
	}
	var all []estate.User
	for id := range ids {
		o, err := copyByID[estate.User](ctx, r.Manage, store.KindUser, id)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, *o)
	}
	return oldestFirst(all, func(o *estate.User) ident.ID { return o.ID }), nil
}

func (r users) gather(ids map[ident.ID]bool, organization ident.ID) {
	for _, m := range r.directory.ofOrganization(organization) {
		ids[m.user] = true
	}
}

func (r users) named(ctx context.Context, _ estate.Principal, _ ident.ID, name string) (store.Record, error) {
	return r.store.ByName(ctx, store.KindUser, 0, name)
}
