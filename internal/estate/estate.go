// Package estate holds who and what notifications are about: organizations, projects, workspaces, teams, users, their
// memberships, inbound sources, tokens, and the roles that decide who may see and change what.
//
// The types are plain values. The package decides permissions (see Principal) and never stores or serves anything.
package estate

import (
	"encoding/json"
	"time"

	"carillon/internal/ident"
	"carillon/internal/seal"
)

// Common is what every object of the estate has.
type Common struct {
	ID   ident.ID `json:"id"`
	Name string   `json:"name"`

	// ExternalIDs are the object's identifiers on other platforms, by dialect. An object that moved here keeps them; a
	// dialect derives one from ID where none is given.
	ExternalIDs map[string]string `json:"external_ids,omitempty"`

	// Extra keeps, by dialect, what a platform's client sent and expects back, untouched.
	Extra map[string]json.RawMessage `json:"extra,omitempty"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Organization is the tenant: nothing crosses its border.
type Organization struct {
	Common
	DisplayName      string   `json:"display_name,omitempty"`
	Email            string   `json:"email,omitempty"`
	AvatarURL        string   `json:"avatar_url,omitempty"`
	DefaultProjectID ident.ID `json:"default_project_id,omitzero"`
}

// Project groups workspaces: a project, an environment, a space. Projects may nest (spaces do).
type Project struct {
	Common
	OrganizationID ident.ID `json:"organization_id"`
	ParentID       ident.ID `json:"parent_id,omitzero"`
	Description    string   `json:"description,omitempty"`
	Inherits       bool     `json:"inherits,omitempty"` // takes over what is attached to its parent
}

// Workspace is what runs work on: a workspace, a stack, a module. Its name is unique in its project.
type Workspace struct {
	Common
	OrganizationID ident.ID `json:"organization_id"`
	ProjectID      ident.ID `json:"project_id"`
	Description    string   `json:"description,omitempty"`
	Tags           []string `json:"tags,omitempty"`
	ExecutionMode  string   `json:"execution_mode,omitempty"`
	Module         bool     `json:"module,omitempty"`
	Repository     string   `json:"repository,omitempty"`
	Branch         string   `json:"branch,omitempty"`
	VCS            string   `json:"vcs,omitempty"`
	URL            string   `json:"url,omitempty"`
	AutoApply      bool     `json:"auto_apply,omitempty"`
}

// Team is a group of members of an organization.
type Team struct {
	Common
	OrganizationID ident.ID   `json:"organization_id"`
	MemberIDs      []ident.ID `json:"member_ids,omitempty"` // memberships
}

// User is a person or a machine user. Users belong to the installation; memberships tie them to organizations. Name is
// the login.
type User struct {
	Common
	Email     string `json:"email,omitempty"`
	FullName  string `json:"full_name,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
	Service   bool   `json:"service,omitempty"`
}

// Membership ties a user to an organization. Its name is the user's mail address, unique in the organization.
type Membership struct {
	Common
	OrganizationID ident.ID `json:"organization_id"`
	UserID         ident.ID `json:"user_id"`
	Status         string   `json:"status"` // "invited" or "active"
	Role           Role     `json:"role,omitempty"`
}

// InboundSource is a door for one platform's webhooks into one organization: /in/{id}.
type InboundSource struct {
	Common
	OrganizationID ident.ID          `json:"organization_id"`
	Dialect        string            `json:"dialect"`
	Secret         seal.Sealed       `json:"secret,omitempty"`
	Unsigned       bool              `json:"unsigned,omitempty"` // accept without a signature: only by explicit choice
	Project        string            `json:"project,omitempty"`  // where workspaces go that the payload does not place
	Options        map[string]string `json:"options,omitempty"`
	VerifiedAt     time.Time         `json:"verified_at,omitzero"`

	// PriorSecret still opens the door until PriorUntil, while the platform is told the new secret.
	PriorSecret seal.Sealed `json:"prior_secret,omitempty"`
	PriorUntil  time.Time   `json:"prior_until,omitzero"`
}

// Token is an API token. Only the SHA-256 of its text is kept: tokens are long and random, a slow hash would add cost
// to each request and no safety.
type Token struct {
	Common
	Hash       string    `json:"hash"` // hex SHA-256 of the token's text
	UserID     ident.ID  `json:"user_id,omitzero"`
	SiteAdmin  bool      `json:"site_admin,omitempty"`
	Grants     []Grant   `json:"grants,omitempty"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	Hint       string    `json:"hint,omitempty"` // the last four characters, for people
}

// Ref points at an object in one of three ways: by ID; by Name within Parent; by Alias, an external identifier written
// "dialect:identifier". External identifiers belong to their organization, which Parent may name; without it, the
// organizations of who asks are searched, the oldest first.
type Ref struct {
	ID     ident.ID
	Parent ident.ID
	Name   string
	Alias  string
}

// ByID points at an object by its ID.
func ByID(id ident.ID) Ref { return Ref{ID: id} }

// ByName points at an object by its name within a parent; organizations and users have the zero parent.
func ByName(parent ident.ID, name string) Ref { return Ref{Parent: parent, Name: name} }

// ByAlias points at an object by its external identifier in a dialect.
func ByAlias(dialect, identifier string) Ref { return Ref{Alias: Alias(dialect, identifier)} }

// Alias spells an external identifier as the stores index it.
func Alias(dialect, identifier string) string { return dialect + ":" + identifier }
