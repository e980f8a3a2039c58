package spacelift

import (
	"context"
	"encoding/json"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// SpaceCreate makes a space below another one (§6).
func (*root) SpaceCreate(ctx context.Context, args struct{ Input spaceInput }) (*space, error) {
	return change(ctx, "spaceCreate", "space.create", args, func(c *call) (*space, string, error) {
		if slug(args.Input.Name) == "" || len(args.Input.Name) > nameLimit {
			return nil, "", errName
		}
		parent := string(args.Input.ParentSpace)
		above, err := c.placeIn(ctx, &parent)
		if err != nil {
			return nil, "", err
		}
		id := slug(args.Input.Name) + "-" + newULID(c.Now())
		p := estate.Project{
			Common:         estate.Common{Name: args.Input.Name, ExternalIDs: map[string]string{Name: id}},
			OrganizationID: c.account.ID, ParentID: above.ID,
		}
		if err := args.Input.fill(&p); err != nil {
			return nil, "", err
		}
		if p, err = c.Projects.Create(ctx, c.who, p); err != nil {
			return nil, "", err
		}
		c.memory.clear()
		s, err := c.newSpace(ctx, &p)
		return s, id, err
	})
}

// fill writes an input into a project, but for its parent.
func (in spaceInput) fill(p *estate.Project) error {
	record, err := json.Marshal(spaceRecord{Labels: texts(in.Labels)})
	if err != nil {
		return err
	}
	p.Name, p.Description, p.Inherits = in.Name, in.Description, in.InheritEntities
	if p.Extra == nil {
		p.Extra = map[string]json.RawMessage{}
	}
	p.Extra[Name] = record
	return nil
}

// SpaceUpdate changes a space; root and legacy can not be changed.
func (*root) SpaceUpdate(ctx context.Context, args struct {
	Space graphql.ID
	Input spaceInput
}) (*space, error) {
	return change(ctx, "spaceUpdate", "space.update", args, func(c *call) (*space, string, error) {
		id := string(args.Space)
		p, err := c.changeable(ctx, id)
		switch {
		case err != nil:
			return nil, "", err
		case p == nil:
			return nil, "", noSpace(id)
		case slug(args.Input.Name) == "" || len(args.Input.Name) > nameLimit:
			return nil, "", errName
		}
		parent := string(args.Input.ParentSpace)
		above, err := c.placeIn(ctx, &parent)
		if err != nil {
			return nil, "", err
		}
		if inside, err := c.inside(ctx, above.ID, p.ID); err != nil || inside {
			if err == nil {
				err = problem("a space can not be inside itself")
			}
			return nil, "", err
		}
		updated, err := c.Projects.Update(ctx, c.who, p.ID, func(p *estate.Project) error {
			p.ParentID = above.ID
			return args.Input.fill(p)
		})
		if err != nil {
			return nil, "", err
		}
		c.memory.clear()
		s, err := c.newSpace(ctx, &updated)
		return s, id, err
	})
}

// changeable finds the project of a space that may be changed or deleted, nil when there is none.
func (c *call) changeable(ctx context.Context, id string) (*estate.Project, error) {
	if id == spaceRoot || id == spaceLegacy {
		return nil, problem(`space "` + id + `" can not be changed`)
	}
	return c.projectOf(ctx, id)
}

// inside reports whether a project is another one or stands below it.
func (c *call) inside(ctx context.Context, project, above ident.ID) (bool, error) {
	for range maxSpaceDepth {
		if project == above {
			return true, nil
		}
		p, err := c.projectByID(ctx, project)
		if err != nil || p == nil || p.ParentID == 0 {
			return false, err
		}
		project = p.ParentID
	}
	return true, nil
}

// maxSpaceDepth ends a walk up the tree.
const maxSpaceDepth = 64

// SpaceDelete deletes an empty space; one that is gone gives null.
func (*root) SpaceDelete(ctx context.Context, args struct{ Space graphql.ID }) (*space, error) {
	return change(ctx, "spaceDelete", "space.delete", args, func(c *call) (*space, string, error) {
		id := string(args.Space)
		p, err := c.changeable(ctx, id)
		switch {
		case err != nil:
			return nil, "", err
		case p == nil:
			return nil, "", errAbsent
		}
		s, err := c.newSpace(ctx, p)
		if err != nil {
			return nil, "", err
		}
		empty, err := c.empty(ctx, p.ID)
		switch {
		case err != nil:
			return nil, "", err
		case !empty:
			return nil, "", problem(`space "` + id + `" is not empty`)
		}
		return s, id, c.Projects.Delete(ctx, c.who, p.ID)
	})
}

// empty reports whether nothing is in a project, whoever may see it.
func (c *call) empty(ctx context.Context, project ident.ID) (bool, error) {
	all, system := &call{api: c.api, who: estate.System(), account: c.account}, estate.System()
	below, err := all.projects(ctx)
	if err != nil {
		return false, err
	}
	for i := range below {
		if below[i].ParentID == project {
			return false, nil
		}
	}
	workspaces, err := c.Workspaces.List(ctx, system, project)
	if err != nil || len(workspaces) > 0 {
		return false, err
	}
	scope := subscription.Scope{Level: subscription.LevelProject, ID: project}
	webhooks, err := c.Subscriptions.List(ctx, system, dialect.SubscriptionFilter{Organization: c.account.ID, Scope: &scope})
	if err != nil || len(webhooks) > 0 {
		return false, err
	}
	documents, err := c.Documents.List(ctx, system, estate.Place{OrganizationID: c.account.ID, ProjectID: project}, store.KindPolicy)
	return err == nil && len(documents) == 0, err
}
