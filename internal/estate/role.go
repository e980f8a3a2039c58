package estate

import (
	"slices"

	"carillon/internal/ident"
)

// Role is what a token may do within a scope. Each role includes those below it.
type Role string

// The roles, from the weakest.
const (
	RoleReader Role = "reader" // may read, without secrets and destination addresses
	RoleWriter Role = "writer" // may also send events
	RoleAdmin  Role = "admin"  // may also manage subscriptions, and what the scope contains
	RoleOwner  Role = "owner"  // may also manage members, tokens, and delete the scope itself
)

var roleOrder = []Role{RoleReader, RoleWriter, RoleAdmin, RoleOwner}

// Roles lists the roles from the weakest to the strongest.
func Roles() []Role { return slices.Clone(roleOrder) }

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return slices.Contains(roleOrder, r) }

// Includes reports whether r may do what needed may do. The empty role includes nothing.
func (r Role) Includes(needed Role) bool {
	return r.Valid() && slices.Index(roleOrder, r) >= slices.Index(roleOrder, needed)
}

// Grant gives a role in an organization, or only in one project or one workspace of it.
type Grant struct {
	OrganizationID ident.ID `json:"organization_id"`
	ProjectID      ident.ID `json:"project_id,omitzero"`
	WorkspaceID    ident.ID `json:"workspace_id,omitzero"`
	Role           Role     `json:"role"`
}

// Place says where an object stands, from the organization down. Parts that do not apply are zero.
type Place struct {
	OrganizationID ident.ID
	ProjectID      ident.ID
	WorkspaceID    ident.ID
}

// Principal is who asks: a token that was looked up. It is a value and decides by itself.
type Principal struct {
	TokenID   ident.ID
	UserID    ident.ID
	Name      string // for the audit log
	SiteAdmin bool
	Grants    []Grant
}

// System is the principal of Carillon's own work.
func System() Principal { return Principal{Name: "carillon", SiteAdmin: true} }

// May reports whether the principal has the role at the place. A grant on an organization covers its projects and
// workspaces, one on a project its workspaces.
func (p Principal) May(role Role, at Place) bool {
	if p.SiteAdmin {
		return true
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool { return g.covers(at) && g.Role.Includes(role) })
}

// Sees reports whether the principal may read at the place, or reach something below it: a workspace's reader sees the
// organization's name.
func (p Principal) Sees(at Place) bool {
	if p.May(RoleReader, at) {
		return true
	}
	return slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return g.OrganizationID == at.OrganizationID && at.WorkspaceID == 0 &&
			(at.ProjectID == 0 || g.ProjectID == at.ProjectID)
	})
}

func (g Grant) covers(at Place) bool {
	switch {
	case g.OrganizationID != at.OrganizationID || at.OrganizationID == 0:
		return false
	case g.WorkspaceID != 0:
		return g.WorkspaceID == at.WorkspaceID
	case g.ProjectID != 0:
		return g.ProjectID == at.ProjectID
	}
	return true
}

// Organizations lists the organizations in which the principal has any grant; nil for a site admin, who sees all.
func (p Principal) Organizations() []ident.ID {
	if p.SiteAdmin {
		return nil
	}
	ids := make([]ident.ID, 0, len(p.Grants))
	for _, g := range p.Grants {
		if !slices.Contains(ids, g.OrganizationID) {
			ids = append(ids, g.OrganizationID)
		}
	}
	return ids
}
