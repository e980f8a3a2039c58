package client

import "time"

// Organization is a tenant.
type Organization struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// Workspace is what runs work on.
type Workspace struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	OrganizationID string    `json:"organization_id"`
	ProjectID      string    `json:"project_id"`
	CreatedAt      time.Time `json:"created_at"`
}

// Token is an API token. Token, its text, is only in the answer that made it.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Token     string    `json:"token,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	SiteAdmin bool      `json:"site_admin"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Grant gives a role in an organization, a project or a workspace, each by name or ID.
type Grant struct {
	Organization string `json:"organization"`
	Project      string `json:"project,omitempty"`
	Workspace    string `json:"workspace,omitempty"`
	Role         string `json:"role"`
}

// TokenDraft makes a token.
type TokenDraft struct {
	Name      string     `json:"name"`
	SiteAdmin bool       `json:"site_admin,omitempty"`
	Grants    []Grant    `json:"grants,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// Books are the accounts of every delivery ever accepted: accepted = delivered + exhausted + cancelled + pending, and
// pending is what the queue holds.
type Books struct {
	Accepted  int64 `json:"accepted"`
	Delivered int64 `json:"delivered"`
	Exhausted int64 `json:"exhausted"`
	Cancelled int64 `json:"cancelled"`
	Pending   int64 `json:"pending"`
	Queued    int64 `json:"queued"`
	Balanced  bool  `json:"balanced"`
}
