package manage

import (
	"slices"
	"sync"

	"carillon/internal/estate"
	"carillon/internal/ident"
)

// directory holds who belongs where: every organization's ID and every membership. It answers what would otherwise need
// a search through all organizations at each request.
type directory struct {
	mu            sync.RWMutex
	organizations map[ident.ID]bool
	memberships   map[ident.ID]member
	byUser        map[ident.ID][]ident.ID // memberships, oldest first
}

// member is what the directory keeps of a membership.
type member struct {
	id           ident.ID
	organization ident.ID
	user         ident.ID
	role         estate.Role
	active       bool
}

// reset empties the directory.
func (d *directory) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.organizations = make(map[ident.ID]bool)
	d.memberships = make(map[ident.ID]member)
	d.byUser = make(map[ident.ID][]ident.ID)
}

func (d *directory) putOrganization(id ident.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.organizations[id] = true
}

func (d *directory) dropOrganization(id ident.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.organizations, id)
}

// allOrganizations lists the organizations, oldest first.
func (d *directory) allOrganizations() []ident.ID {
	d.mu.RLock()
	defer d.mu.RUnlock()
	ids := make([]ident.ID, 0, len(d.organizations))
	for id := range d.organizations {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (d *directory) putMembership(m *estate.Membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(m.ID)
	d.memberships[m.ID] = member{m.ID, m.OrganizationID, m.UserID, m.Role, m.Status == StatusActive}
	ids := append(slices.Clone(d.byUser[m.UserID]), m.ID)
	slices.Sort(ids)
	d.byUser[m.UserID] = ids
}

func (d *directory) dropMembership(id ident.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drop(id)
}

// drop removes a membership. The lock is held.
func (d *directory) drop(id ident.ID) {
	old, ok := d.memberships[id]
	if !ok {
		return
	}
	delete(d.memberships, id)
	rest := slices.DeleteFunc(slices.Clone(d.byUser[old.user]), func(other ident.ID) bool { return other == id })
	if len(rest) == 0 {
		delete(d.byUser, old.user)
	} else {
		d.byUser[old.user] = rest
	}
}

// ofUser lists a user's memberships, oldest first.
func (d *directory) ofUser(user ident.ID) []member {
	d.mu.RLock()
	defer d.mu.RUnlock()
	found := make([]member, 0, len(d.byUser[user]))
	for _, id := range d.byUser[user] {
		found = append(found, d.memberships[id])
	}
	return found
}

// ofOrganization lists an organization's memberships, oldest first.
func (d *directory) ofOrganization(organization ident.ID) []member {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var found []member
	for _, m := range d.memberships {
		if m.organization == organization {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b member) int { return int(a.id - b.id) })
	return found
}

// belongs reports whether a user has a membership in an organization.
func (d *directory) belongs(user, organization ident.ID) bool {
	return slices.ContainsFunc(d.ofUser(user), func(m member) bool { return m.organization == organization })
}

// grants are a user's rights by its memberships: those that are active and carry a role.
func (d *directory) grants(user ident.ID) []estate.Grant {
	var grants []estate.Grant
	for _, m := range d.ofUser(user) {
		if m.active && m.role.Valid() {
			grants = append(grants, estate.Grant{OrganizationID: m.organization, Role: m.role})
		}
	}
	return grants
}
