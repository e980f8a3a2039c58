package httpapi

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

type projectDraft struct {
	Name        string            `json:"name"`
	Description string            `json:"description"`
	ParentID    ident.ID          `json:"parent_id"`
	Inherits    bool              `json:"inherits"`
	ExternalIDs map[string]string `json:"external_ids"`
}

type projectChange struct {
	Name        *string            `json:"name"`
	Description *string            `json:"description"`
	ParentID    *ident.ID          `json:"parent_id"`
	Inherits    *bool              `json:"inherits"`
	ExternalIDs *map[string]string `json:"external_ids"`
}

type projectView struct {
	commonView
	OrganizationID ident.ID `json:"organization_id"`
	ParentID       ident.ID `json:"parent_id,omitzero"`
	Description    string   `json:"description,omitempty"`
	Inherits       bool     `json:"inherits"`
}

func (a *api) projects() resource[estate.Project, projectDraft, projectChange, projectView] {
	return resource[estate.Project, projectDraft, projectChange, projectView]{
		api: a, collection: a.Services.Projects, path: "/v1/projects/",
		drafts: strict.For[projectDraft](), changes: strict.For[projectChange](),
		common: func(o *estate.Project) *estate.Common { return &o.Common },
		find: func(c *call) (estate.Project, error) {
			return byPath(c, a.Services.Projects, "project")
		},
		parent: a.organizationOfList,
		draft: func(c *call, d projectDraft) (estate.Project, error) {
			organization, err := a.organizationOfPath(c)
			return estate.Project{
				Common:         estate.Common{Name: d.Name, ExternalIDs: d.ExternalIDs},
				OrganizationID: organization, ParentID: d.ParentID, Description: d.Description, Inherits: d.Inherits,
			}, err
		},
		apply: func(_ *call, change projectChange, o *estate.Project) error {
			set(&o.Name, change.Name)
			set(&o.Description, change.Description)
			set(&o.ParentID, change.ParentID)
			set(&o.Inherits, change.Inherits)
			set(&o.ExternalIDs, change.ExternalIDs)
			return nil
		},
		view: func(o *estate.Project) projectView {
			return projectView{viewCommon(&o.Common), o.OrganizationID, o.ParentID, o.Description, o.Inherits}
		},
	}
}

// getter is the part of a collection that finds one object.
type getter[T any] interface {
	Get(ctx context.Context, p estate.Principal, ref estate.Ref) (T, error)
}

// byPath finds the object whose ID stands in the path, under the name of its noun.
func byPath[T any](c *call, in getter[T], noun string) (T, error) {
	id, err := c.pathID(noun, noun)
	if err != nil {
		var zero T
		return zero, err
	}
	return in.Get(c.r.Context(), c.p, estate.ByID(id))
}

// organizationOfPath returns the ID of the organization that the path names.
func (a *api) organizationOfPath(c *call) (ident.ID, error) {
	o, err := a.organization(c, c.r.PathValue("organization"))
	return o.ID, err
}

// organizationOfList returns the ID of the organization whose objects are to be listed, zero for all.
func (a *api) organizationOfList(c *call) (ident.ID, error) {
	if c.r.PathValue("organization") == "" {
		return a.organizationOfQuery(c)
	}
	return a.organizationOfPath(c)
}

// organizationOfQuery returns the ID of the organization that the query names, zero when it names none.
func (a *api) organizationOfQuery(c *call) (ident.ID, error) {
	text := c.q.text("organization")
	if text == "" {
		return 0, nil
	}
	o, err := a.organization(c, text)
	if fault.Is(err, fault.NotFound) {
		return 0, fault.At("?organization", "There is no organization %q, or you may not see it.", text)
	}
	return o.ID, err
}
