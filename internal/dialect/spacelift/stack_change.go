package spacelift

import (
	"context"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/fault"
)

// StackCreate makes a stack (§6): a record without execution.
func (*root) StackCreate(ctx context.Context, args struct {
	Input         stackInput
	ManageState   bool
	StackObjectID *string
	Slug          *string
}) (*stack, error) {
	return change(ctx, "stackCreate", "stack.create", args, func(c *call) (*stack, string, error) {
		id := value(args.Slug)
		if id == "" {
			id = slug(args.Input.Name)
		}
		in := args.Input
		w, err := c.makeStack(ctx, id, in.common(), stackRecord{ManagesState: args.ManageState, Stack: &in})
		if err != nil {
			return nil, "", err
		}
		s, err := c.newStack(ctx, w)
		return s, id, err
	})
}

// makeStack makes the workspace of a stack or module.
func (c *call) makeStack(ctx context.Context, id string, in common, record stackRecord) (*estate.Workspace, error) {
	word := "stack"
	if record.Module != nil {
		word = "module"
	}
	switch {
	case slug(in.name) == "" || len(in.name) > nameLimit || id == "":
		return nil, errName
	case slug(id) != id:
		return nil, problem(`"` + id + `" can not be the slug of a stack: use a-z, 0-9 and single dashes`)
	}
	there, err := c.taken(ctx, id)
	if err != nil {
		return nil, err
	}
	if there {
		return nil, problem("a " + word + ` with the ID "` + id + `" already exists`)
	}
	project, err := c.placeIn(ctx, in.space)
	if err != nil {
		return nil, err
	}
	w := estate.Workspace{
		Common:         estate.Common{Name: in.name, ExternalIDs: map[string]string{Name: id}},
		OrganizationID: c.account.ID, ProjectID: project.ID, Module: record.Module != nil,
	}
	in.fill(&w)
	record.Name, record.DescriptionIsNull = in.name, in.description == nil
	made, err := c.underFreeName(in.name, id, func(name string) (estate.Workspace, error) {
		w.Name, record.WorkspaceNamed = name, name
		if err := record.keep(&w); err != nil {
			return w, err
		}
		return c.Workspaces.Create(ctx, c.who, w)
	})
	if err != nil {
		return nil, err
	}
	c.memory.clear()
	return &made, nil
}

// underFreeName saves a workspace under a stack's name. Names of stacks and modules may repeat, those of the workspaces of
// a project may not: where the name is taken the identifier stands in for it, and that with a number of its own where a
// workspace from elsewhere has it.
func (c *call) underFreeName(name, id string, save func(name string) (estate.Workspace, error)) (w estate.Workspace, err error) {
	for _, name := range []string{name, id, id + "-" + strings.ToLower(newULID(c.Now()))} {
		if w, err = save(name); !nameIsTaken(err) {
			return w, err
		}
	}
	return w, err
}

// nameIsTaken reports whether a save failed because of the workspace's name.
func nameIsTaken(err error) bool {
	if !fault.Is(err, fault.Conflict) {
		return false
	}
	f, ok := asFault(err)
	return ok && f.Field == "/name"
}

// taken reports whether a stack or module has the identifier, whoever may see it.
func (c *call) taken(ctx context.Context, id string) (bool, error) {
	all := &call{api: c.api, who: estate.System(), account: c.account}
	w, err := all.findStack(ctx, id)
	return w != nil, err
}

// StackUpdate changes a stack; its identifier stays.
func (*root) StackUpdate(ctx context.Context, args struct {
	ID    graphql.ID
	Input stackInput
}) (*stack, error) {
	return change(ctx, "stackUpdate", "stack.update", args, func(c *call) (*stack, string, error) {
		in := args.Input
		w, err := c.updateStack(ctx, string(args.ID), false, in.common(), func(r *stackRecord) { r.Stack = &in })
		if err != nil {
			return nil, "", err
		}
		s, err := c.newStack(ctx, w)
		return s, string(args.ID), err
	})
}

// updateStack changes the workspace of a stack or module. A null space leaves it where it is.
func (c *call) updateStack(ctx context.Context, id string, module bool, in common, write func(*stackRecord)) (*estate.Workspace, error) {
	w, err := c.findStack(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case w == nil || w.Module != module:
		return nil, noStack(id)
	case slug(in.name) == "" || len(in.name) > nameLimit:
		return nil, errName
	}
	project := w.ProjectID
	if in.space != nil {
		p, err := c.placeIn(ctx, in.space)
		if err != nil {
			return nil, err
		}
		project = p.ID
	}
	save := func(name string) (estate.Workspace, error) {
		return c.Workspaces.Update(ctx, c.who, w.ID, func(w *estate.Workspace) error {
			record := recordOf(w)
			if w.ExternalIDs == nil {
				w.ExternalIDs = map[string]string{}
			}
			w.ExternalIDs[Name] = id // a rename must not change it
			w.Name, w.ProjectID = name, project
			in.fill(w)
			write(&record)
			record.Name, record.WorkspaceNamed, record.DescriptionIsNull = in.name, name, in.description == nil
			return record.keep(w)
		})
	}
	updated, err := c.underFreeName(in.name, id, save)
	if err != nil {
		return nil, err
	}
	c.memory.clear()
	return &updated, nil
}

func noStack(id string) problem { return problem(`stack or module "` + id + `" does not exist`) }

// StackDelete deletes a stack with its webhooks; one that is gone gives null.
func (*root) StackDelete(ctx context.Context, args struct {
	ID               graphql.ID
	DestroyResources *bool
}) (*stack, error) {
	return change(ctx, "stackDelete", "stack.delete", args, func(c *call) (*stack, string, error) {
		w, err := c.findStack(ctx, string(args.ID))
		switch {
		case err != nil:
			return nil, "", err
		case w == nil || w.Module:
			return nil, "", errAbsent
		}
		s, err := c.newStack(ctx, w)
		if err != nil {
			return nil, "", err
		}
		if s.ProtectFromDeletion {
			return nil, "", problem(`stack "` + string(args.ID) + `" is protected from deletion`)
		}
		if s.gone, err = c.integrationsOf(ctx, w.ID); err != nil {
			return nil, "", err
		}
		return s, string(args.ID), c.Workspaces.Delete(ctx, c.who, w.ID)
	})
}
