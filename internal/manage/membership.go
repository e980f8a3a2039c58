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

// The states of a membership. Only an active one gives its user rights.
const (
	StatusInvited = "invited"
	StatusActive  = "active"
)

// Memberships ties users to organizations. A membership that names no user gets the user of its mail address, who is made
// when there is none. List takes an organization, or a user.
func (m *Manage) Memberships() dialect.Collection[estate.Membership] {
	return collection[estate.Membership]{m, memberships{m}}
}

type memberships struct{ *Manage }

func (memberships) kind() store.Kind { return store.KindMembership }
func (memberships) noun() string     { return "membership" }

func (memberships) common(o *estate.Membership) *estate.Common { return &o.Common }

// record indexes the mail address in lower case: people spell their addresses in more than one way.
func (memberships) record(o *estate.Membership) (ident.ID, string, []string) {
	return o.OrganizationID, strings.ToLower(o.Name), aliases(o.ExternalIDs, o.OrganizationID)
}

func (memberships) organization(o *estate.Membership) ident.ID { return o.OrganizationID }

func (memberships) sees(_ context.Context, p estate.Principal, o *estate.Membership) (bool, error) {
	own := p.UserID != 0 && p.UserID == o.UserID
	return own || p.May(estate.RoleReader, ofOrganization(o.OrganizationID)), nil
}

func (memberships) allow(_ context.Context, p estate.Principal, what act, o *estate.Membership) error {
	if what == creating {
		return demand(p, estate.RoleOwner, ofOrganization(o.OrganizationID), "organization", o.OrganizationID.String())
	}
	if p.May(estate.RoleOwner, ofOrganization(o.OrganizationID)) {
		return nil
	}
	return forbidden(estate.RoleOwner)
}

func (memberships) restore(o, old *estate.Membership) bool {
	o.OrganizationID, o.UserID, o.Name = old.OrganizationID, old.UserID, old.Name
	return false
}

func (r memberships) prepare(ctx context.Context, o, old *estate.Membership) ([]store.Change, error) {
	if o.Status == "" {
		o.Status = StatusActive
	}
	var faults fault.Collector
	if o.Status != StatusActive && o.Status != StatusInvited {
		faults.Add("/status", "The status must be %q or %q.", StatusActive, StatusInvited)
	}
	if o.Role != "" && !o.Role.Valid() {
		faults.Add("/role", "%q is not a role; there are %q.", clip(string(o.Role)), estate.Roles())
	}
	checkCommon(&faults, &o.Common)
	if o.UserID == 0 {
		checkAddress(&faults, "/name", o.Name)
	}
	if err := faults.Err(); err != nil || old != nil {
		return nil, err
	}
	organization, err := r.requireRecord(ctx, store.KindOrganization, o.OrganizationID, "/organization_id", "organization")
	if err != nil {
		return nil, err
	}
	user, err := r.user(ctx, o)
	if err != nil {
		return nil, err
	}
	if r.directory.belongs(o.UserID, o.OrganizationID) {
		return nil, &fault.Error{Code: fault.Conflict, Field: "/name", Message: "This user belongs to the organization already."}
	}
	return []store.Change{touch(organization), user}, nil
}

// user finds or makes the membership's user, and returns the change that keeps it or makes it.
func (r memberships) user(ctx context.Context, o *estate.Membership) (store.Change, error) {
	var found store.Record
	var err error
	if o.UserID != 0 {
		found, err = r.requireRecord(ctx, store.KindUser, o.UserID, "/user_id", "user")
	} else {
		found, err = r.store.ByAlias(ctx, store.KindUser, byEmail(o.Name))
	}
	if missing(err) {
		return r.invite(ctx, o)
	}
	if err != nil {
		return store.Change{}, err
	}
	user, err := decode[estate.User](&found)
	if err != nil {
		return store.Change{}, err
	}
	o.UserID = user.ID
	if o.Name == "" {
		if o.Name = user.Email; o.Name == "" {
			o.Name = user.Name
		}
	}
	return touch(found), nil
}

// invite makes the user of a mail address. The login is the address's local part; when that is taken, its ID makes it
// unique.
func (r memberships) invite(ctx context.Context, o *estate.Membership) (store.Change, error) {
	user := estate.User{
		Common: estate.Common{ID: r.ids.New(), CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}, Email: o.Name,
	}
	local, _, _ := strings.Cut(o.Name, "@")
	user.Name = local
	switch _, err := r.store.ByName(ctx, store.KindUser, 0, local); {
	case err == nil:
		user.Name = local + "-" + user.ID.String()
	case !missing(err):
		return store.Change{}, err
	}
	made, err := r.users().encode(&user)
	if err != nil {
		return store.Change{}, err
	}
	o.UserID = user.ID
	return store.Insert(made), nil
}

func (memberships) announce(context.Context, *estate.Membership) error { return nil }

func (r memberships) below(ctx context.Context, o *estate.Membership) ([]store.Change, error) {
	return r.cascade().membership(ctx, o)
}

func (r memberships) list(ctx context.Context, p estate.Principal, parent ident.ID) ([]estate.Membership, error) {
	if parent != 0 {
		switch _, err := r.store.Get(ctx, store.KindUser, parent); {
		case err == nil:
			return r.ofUser(ctx, parent)
		case !missing(err):
			return nil, err
		}
	}
	all, err := listIn[estate.Membership](ctx, r.Manage, store.KindMembership, p, parent)
	return oldestFirst(all, func(o *estate.Membership) ident.ID { return o.ID }), err
}

// ofUser lists the memberships of a user.
func (r memberships) ofUser(ctx context.Context, user ident.ID) ([]estate.Membership, error) {
	var all []estate.Membership
	for _, m := range r.directory.ofUser(user) {
		o, err := copyByID[estate.Membership](ctx, r.Manage, store.KindMembership, m.id)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, *o)
	}
	return all, nil
}

func (r memberships) named(ctx context.Context, _ estate.Principal, parent ident.ID, name string) (store.Record, error) {
	return r.store.ByName(ctx, store.KindMembership, parent, strings.ToLower(name))
}
