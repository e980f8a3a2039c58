package httpapi

import (
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

type organizationDraft struct {
	Name        string            `json:"name"`
	DisplayName string            `json:"display_name"`
	Email       string            `json:"email"`
	AvatarURL   string            `json:"avatar_url"`
	ExternalIDs map[string]string `json:"external_ids"`
}

type organizationChange struct {
	Name        *string            `json:"name"`
	DisplayName *string            `json:"display_name"`
	Email       *string            `json:"email"`
	AvatarURL   *string            `json:"avatar_url"`
	ExternalIDs *map[string]string `json:"external_ids"`
}

type organizationView struct {
	commonView
	DisplayName      string   `json:"display_name,omitempty"`
	Email            string   `json:"email,omitempty"`
	AvatarURL        string   `json:"avatar_url,omitempty"`
	DefaultProjectID ident.ID `json:"default_project_id,omitzero"`
}

func (a *api) organizations() resource[estate.Organization, organizationDraft, organizationChange, organizationView] {
	return resource[estate.Organization, organizationDraft, organizationChange, organizationView]{
		api: a, collection: a.Services.Organizations, path: "/v1/organizations/",
		drafts: strict.For[organizationDraft](), changes: strict.For[organizationChange](),
		common: func(o *estate.Organization) *estate.Common { return &o.Common },
		find:   func(c *call) (estate.Organization, error) { return a.organization(c, c.r.PathValue("organization")) },
		parent: func(*call) (ident.ID, error) { return 0, nil },
		draft: func(_ *call, d organizationDraft) (estate.Organization, error) {
			return estate.Organization{
				Common:      estate.Common{Name: d.Name, ExternalIDs: d.ExternalIDs},
				DisplayName: d.DisplayName, Email: d.Email, AvatarURL: d.AvatarURL,
			}, nil
		},
		apply: func(_ *call, change organizationChange, o *estate.Organization) error {
			set(&o.Name, change.Name)
			set(&o.DisplayName, change.DisplayName)
			set(&o.Email, change.Email)
			set(&o.AvatarURL, change.AvatarURL)
			set(&o.ExternalIDs, change.ExternalIDs)
			return nil
		},
		view: func(o *estate.Organization) organizationView {
			return organizationView{viewCommon(&o.Common), o.DisplayName, o.Email, o.AvatarURL, o.DefaultProjectID}
		},
	}
}

// organization finds an organization by its ID or its name.
func (a *api) organization(c *call, text string) (estate.Organization, error) {
	return named(c, a.Services.Organizations, 0, text)
}

// named finds an object by its ID, or by its name within a parent. A name that looks like an ID is tried as both.
func named[T any](c *call, in getter[T], parent ident.ID, text string) (T, error) {
	if id, err := ident.Parse(text); err == nil {
		object, err := in.Get(c.r.Context(), c.p, estate.ByID(id))
		if !fault.Is(err, fault.NotFound) {
			return object, err
		}
	}
	return in.Get(c.r.Context(), c.p, estate.ByName(parent, text))
}
