package httpapi

import (
	"fmt"
	"net/http"
	"time"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/manage"
	"carillon/internal/strict"
)

type tokenDraft struct {
	Name      string       `json:"name"`
	UserID    ident.ID     `json:"user_id"`
	SiteAdmin bool         `json:"site_admin"`
	Grants    []grantDraft `json:"grants"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// grantDraft names its places by ID or by name.
type grantDraft struct {
	Organization string      `json:"organization"`
	Project      string      `json:"project"`
	Workspace    string      `json:"workspace"`
	Role         estate.Role `json:"role"`
}

var tokenDrafts = strict.For[tokenDraft]()

// tokenView is what an answer shows of a token. Token is its text, in the answer that made it and never again.
type tokenView struct {
	ID         ident.ID       `json:"id"`
	Name       string         `json:"name"`
	Token      string         `json:"token,omitempty"`
	Hint       string         `json:"hint,omitempty"` // the last characters
	UserID     ident.ID       `json:"user_id,omitzero"`
	SiteAdmin  bool           `json:"site_admin"`
	Grants     []estate.Grant `json:"grants"`
	CreatedAt  time.Time      `json:"created_at"`
	ExpiresAt  time.Time      `json:"expires_at,omitzero"`
	LastUsedAt time.Time      `json:"last_used_at,omitzero"`
}

func viewToken(t *estate.Token) tokenView {
	return tokenView{
		ID: t.ID, Name: t.Name, Hint: t.Hint, UserID: t.UserID, SiteAdmin: t.SiteAdmin, Grants: nonNil(t.Grants),
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt,
	}
}

// nonNil makes an absent list an empty one: answers say [] rather than null.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func tokenID(t *estate.Token) ident.ID { return t.ID }

// listTokens lists the tokens that the caller may revoke, oldest first.
func (a *api) listTokens(c *call) error {
	page := c.q.page(oldest)
	if err := c.q.err(); err != nil {
		return err
	}
	all, err := a.Tokens.List(c.r.Context(), c.p)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, within(page, all, tokenID), tokenID, viewToken))
}

// createToken makes a token and shows its text this once.
func (a *api) createToken(c *call) error {
	d, err := decode(c, tokenDrafts)
	if err != nil {
		return err
	}
	t := estate.Token{Common: estate.Common{Name: d.Name}, UserID: d.UserID, SiteAdmin: d.SiteAdmin, ExpiresAt: d.ExpiresAt}
	for i, g := range d.Grants {
		grant, err := a.grant(c, g)
		if err != nil {
			return at(fmt.Sprintf("/grants/%d", i), err)
		}
		t.Grants = append(t.Grants, grant)
	}
	made, text, err := a.Tokens.Create(c.r.Context(), c.p, t, manage.Shape{})
	if err != nil {
		return err
	}
	view := viewToken(&made)
	view.Token = text
	c.w.Header().Set("Cache-Control", "no-store")
	return c.answer(http.StatusCreated, view)
}

// grant finds the places that a grant names.
func (a *api) grant(c *call, d grantDraft) (g estate.Grant, err error) {
	g.Role = d.Role
	if !d.Role.Valid() {
		return g, fault.At("/role", "%s", unknownWord(d.Role, estate.Roles()))
	}
	o, err := a.organization(c, d.Organization)
	if fault.Is(err, fault.NotFound) {
		return g, fault.At("/organization", "There is no organization %q, or you may not see it.", d.Organization)
	}
	if err != nil {
		return g, err
	}
	g.OrganizationID = o.ID
	if g.ProjectID, err = a.project(c, o.ID, d.Project, "/project"); err != nil || d.Workspace == "" {
		return g, err
	}
	w, err := a.workspace(c, o.ID, g.ProjectID, d.Workspace, "/workspace")
	g.WorkspaceID = w.ID
	return g, err
}

func (a *api) revokeToken(c *call) error {
	id, err := c.pathID("token", "token")
	if err != nil {
		return err
	}
	if err := a.Tokens.Revoke(c.r.Context(), c.p, id); err != nil {
		return err
	}
	return c.none()
}
