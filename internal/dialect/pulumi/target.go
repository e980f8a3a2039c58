package pulumi

import (
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// target is what the webhooks of a path belong to. A stack need not be known: it becomes so with its first webhook (§5.6).
type target struct {
	organization estate.Organization
	level        subscription.Level
	project      string
	name         string // of the stack or environment
	projectID    ident.ID
	id           ident.ID // of the scope; zero for a stack that is not known
}

func (t *target) scope() subscription.Scope { return subscription.Scope{Level: t.level, ID: t.id} }

func (t *target) place() estate.Place {
	at := estate.Place{OrganizationID: t.organization.ID, ProjectID: t.projectID}
	if t.level == subscription.LevelWorkspace {
		at.WorkspaceID = t.id
	}
	return at
}

// reading serves those who may read at the target, changing those who may change webhooks there (§7).
func reading(find func(*call) (*target, error), then func(*call, *target) (answer, error)) handler {
	return allowed(find, estate.RoleReader, then)
}

func changing(find func(*call) (*target, error), then func(*call, *target) (answer, error)) handler {
	return allowed(find, estate.RoleAdmin, then)
}

func allowed(find func(*call) (*target, error), role estate.Role, then func(*call, *target) (answer, error)) handler {
	return func(c *call) (answer, error) {
		t, err := find(c)
		if err != nil {
			return answer{}, err
		}
		if !c.who.May(role, t.place()) {
			return answer{}, newProblem(403, "the token does not have the role %q here.", role)
		}
		return then(c, t)
	}
}

// theOrganization finds the organization of the path. One that the token does not see is not there.
func (c *call) theOrganization() (estate.Organization, error) {
	o, err := c.Organizations.Get(c, c.who, estate.ByName(0, c.path("org")))
	if fault.Is(err, fault.NotFound) {
		return o, notFound("Organization '%s' not found", c.path("org"))
	}
	return o, err
}

func organizationTarget(c *call) (*target, error) {
	o, err := c.theOrganization()
	if err != nil {
		return nil, err
	}
	return &target{organization: o, level: subscription.LevelOrganization, id: o.ID}, nil
}

// stackTarget finds the stack of the path, as far as it is known.
func stackTarget(c *call) (*target, error) {
	o, err := c.theOrganization()
	if err != nil {
		return nil, err
	}
	t := &target{organization: o, level: subscription.LevelWorkspace, project: c.path("project"), name: c.path("stack")}
	project, err := c.Projects.Get(c, c.who, estate.ByName(o.ID, t.project))
	if fault.Is(err, fault.NotFound) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	t.projectID = project.ID
	stack, err := c.Workspaces.Get(c, c.who, estate.ByName(project.ID, t.name))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	t.id = stack.ID
	return t, nil
}

// environmentTarget names the environment of the path. Environments are kept nowhere.
func environmentTarget(c *call) (*target, error) {
	o, err := c.theOrganization()
	if err != nil {
		return nil, err
	}
	t := &target{organization: o, level: subscription.LevelEnvironment, project: c.path("project"), name: c.path("env")}
	t.id = subscription.EnvironmentScopeID(o.ID, t.project, t.name)
	return t, nil
}

// makeKnown makes a stack known that is not. Nobody is told: it may have been there for long.
func (c *call) makeKnown(t *target) (estate.Workspace, error) {
	if t.projectID == 0 {
		project, err := c.Projects.Create(c, c.who, estate.Project{
			Common: estate.Common{Name: t.project}, OrganizationID: t.organization.ID,
		})
		if fault.Is(err, fault.Conflict) { // somebody else made it meanwhile
			project, err = c.Projects.Get(c, c.who, estate.ByName(t.organization.ID, t.project))
		}
		if err != nil {
			return estate.Workspace{}, named("project", err)
		}
		t.projectID = project.ID
	}
	stack, err := c.Workspaces.Create(c, c.who, estate.Workspace{
		Common: estate.Common{Name: t.name}, OrganizationID: t.organization.ID, ProjectID: t.projectID,
	})
	t.id = stack.ID
	return stack, named("stack", err)
}

// named says of which object the services found the name to be wrong.
func named(what string, err error) error {
	if fault.Is(err, fault.Invalid) {
		return badRequest("Invalid %s name", what)
	}
	return err
}

// actor is who asks, as events name people.
func (c *call) actor() (*event.Actor, error) {
	user, err := c.user()
	if err != nil {
		return nil, err
	}
	return &event.Actor{Name: user.Name, FullName: user.FullName, Email: user.Email, AvatarURL: user.AvatarURL}, nil
}

// user is who asks. A token without a user is one all the same: clients want a name (§6.1).
func (c *call) user() (estate.User, error) {
	if c.who.UserID != 0 {
		return c.Users.Get(c, c.who, estate.ByID(c.who.UserID))
	}
	name := c.who.Name
	if name == "" {
		name = "carillon"
	}
	return estate.User{Common: estate.Common{ID: c.who.TokenID, Name: name}, Service: true}, nil
}
