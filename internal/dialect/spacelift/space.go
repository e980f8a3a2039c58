package spacelift

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// Spaces that always exist (§6). Legacy is the organization's default project. Root is a project too, made when something
// is first put into it: until then it is only shown.
const (
	spaceRoot   = "root"
	spaceLegacy = "legacy"
)

// space is the schema's Space.
type space struct {
	ID              graphql.ID
	Name            string
	Description     string
	InheritEntities bool
	ParentSpace     *graphql.ID
	Labels          []string
	AccessLevel     string

	project ident.ID // zero while root is only shown
}

// spaceRecord is what a space has beyond a project.
type spaceRecord struct {
	Labels []string `json:"labels,omitempty"`
}

// spaceInput is the schema's SpaceInput.
type spaceInput struct {
	Name            string
	Description     string
	InheritEntities bool
	ParentSpace     graphql.ID
	Labels          *[]string
}

// spaceID names a project as a space (§6). Projects that came from elsewhere get an identifier that follows from theirs.
func (c *call) spaceID(p *estate.Project) string {
	switch given := p.ExternalIDs[Name]; {
	case p.ID == c.account.DefaultProjectID:
		return spaceLegacy
	case given != "":
		return given
	}
	return strings.TrimPrefix(slug(p.Name)+"-"+ulid(p.ID), "-")
}

// newSpace shows a project as a space.
func (c *call) newSpace(ctx context.Context, p *estate.Project) (*space, error) {
	s := &space{
		ID: graphql.ID(c.spaceID(p)), Name: p.Name, Description: p.Description, InheritEntities: p.Inherits,
		Labels: []string{}, AccessLevel: c.accessLevel(p.ID), project: p.ID,
	}
	var record spaceRecord
	if raw := p.Extra[Name]; len(raw) > 0 && json.Unmarshal(raw, &record) == nil && record.Labels != nil {
		s.Labels = record.Labels
	}
	switch s.ID {
	case spaceRoot:
		s.Name, s.InheritEntities = spaceRoot, false
		return s, nil
	case spaceLegacy:
		s.Name, s.InheritEntities = spaceLegacy, true
	}
	parent := graphql.ID(spaceRoot)
	if p.ParentID != 0 {
		above, err := c.projectByID(ctx, p.ParentID)
		if err != nil {
			return nil, err
		}
		if above != nil {
			parent = graphql.ID(c.spaceID(above))
		}
	}
	s.ParentSpace = &parent
	return s, nil
}

// shownRoot is the root space before anything was put into it.
func (c *call) shownRoot() *space {
	return &space{ID: spaceRoot, Name: spaceRoot, Labels: []string{}, AccessLevel: c.accessLevel(0)}
}

// accessLevel is what the caller may do in a space.
func (c *call) accessLevel(project ident.ID) string {
	at := estate.Place{OrganizationID: c.account.ID, ProjectID: project}
	switch {
	case c.who.May(estate.RoleAdmin, at):
		return "ADMIN"
	case c.who.May(estate.RoleWriter, at):
		return "WRITE"
	}
	return "READ"
}

// projectByID returns a project that the caller sees, nil for any other.
func (c *call) projectByID(ctx context.Context, id ident.ID) (*estate.Project, error) {
	all, err := c.projects(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == id {
			return &all[i], nil
		}
	}
	return nil, nil
}

// projectOf finds the project of a space by the space's identifier, nil when there is none that the caller sees.
func (c *call) projectOf(ctx context.Context, id string) (*estate.Project, error) {
	all, err := c.projects(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if c.spaceID(&all[i]) == id {
			return &all[i], nil
		}
	}
	// A project that was renamed elsewhere is still found by the part that does not change.
	if tail := id[max(0, len(id)-ulidLength):]; len(tail) == ulidLength {
		if project, ok := fromULID(tail); ok {
			p, err := c.projectByID(ctx, project)
			if p != nil && p.ExternalIDs[Name] == "" && p.ID != c.account.DefaultProjectID {
				return p, err
			}
		}
	}
	return nil, nil
}

const ulidLength = 26

// placeIn returns the project of a space that something is to be put into; root is made when it is first needed. The
// default is the legacy space (§6).
func (c *call) placeIn(ctx context.Context, id *string) (*estate.Project, error) {
	if id == nil {
		legacy := spaceLegacy
		id = &legacy
	}
	p, err := c.projectOf(ctx, *id)
	switch {
	case err != nil:
		return nil, err
	case p != nil:
		return p, nil
	case *id == spaceRoot:
		return c.makeRoot(ctx)
	}
	return nil, noSpace(*id)
}

func noSpace(id string) problem { return problem(`space "` + id + `" does not exist`) }

// makeRoot makes the project that stands for the root space. Who may put something into it is asked when that is done.
func (c *call) makeRoot(ctx context.Context) (*estate.Project, error) {
	root, err := c.Projects.Get(ctx, estate.System(), estate.Ref{Parent: c.account.ID, Alias: estate.Alias(Name, spaceRoot)})
	if fault.Is(err, fault.NotFound) {
		root, err = c.Projects.Create(ctx, estate.System(), estate.Project{
			Common:         estate.Common{Name: spaceRoot, ExternalIDs: map[string]string{Name: spaceRoot}},
			OrganizationID: c.account.ID,
		})
	}
	if fault.Is(err, fault.Conflict) {
		root, err = c.adoptRoot(ctx)
	}
	if err != nil {
		return nil, err
	}
	c.memory.clear()
	return &root, nil
}

// adoptRoot takes a project that happens to be called root.
func (c *call) adoptRoot(ctx context.Context) (estate.Project, error) {
	named, err := c.Projects.Get(ctx, estate.System(), estate.ByName(c.account.ID, spaceRoot))
	if err != nil {
		return named, err
	}
	return c.Projects.Update(ctx, estate.System(), named.ID, func(p *estate.Project) error {
		if p.ExternalIDs == nil {
			p.ExternalIDs = map[string]string{}
		}
		p.ExternalIDs[Name] = spaceRoot
		return nil
	})
}

// spaces lists the spaces that the caller sees, by identifier.
func (c *call) spaces(ctx context.Context) ([]*space, error) {
	all, err := c.projects(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]*space, 0, len(all)+1)
	for i := range all {
		s, err := c.newSpace(ctx, &all[i])
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if !slices.ContainsFunc(list, func(s *space) bool { return s.ID == spaceRoot }) {
		list = append(list, c.shownRoot())
	}
	slices.SortFunc(list, func(a, b *space) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return list, nil
}

// spaceOf shows the space that a project is.
func (c *call) spaceOf(ctx context.Context, project ident.ID) (*space, error) {
	p, err := c.projectByID(ctx, project)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return c.shownRoot(), nil
	}
	return c.newSpace(ctx, p)
}

// Space returns a space, null when there is none.
func (*root) Space(ctx context.Context, args struct{ ID graphql.ID }) (*space, error) {
	return ask(ctx, func(c *call) (*space, error) {
		p, err := c.projectOf(ctx, string(args.ID))
		switch {
		case err != nil:
			return nil, err
		case p == nil && args.ID == spaceRoot:
			return c.shownRoot(), nil
		case p == nil:
			return nil, nil
		}
		return c.newSpace(ctx, p)
	})
}

// Spaces lists the spaces.
func (*root) Spaces(ctx context.Context) ([]*space, error) {
	return ask(ctx, func(c *call) ([]*space, error) { return c.spaces(ctx) })
}
