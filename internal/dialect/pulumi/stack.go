package pulumi

import (
	"encoding/json"
	"net/http"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// stackExtra is what a client said of a stack and expects back.
type stackExtra struct {
	Tags map[string]string `json:"tags"`
}

func tagsOf(w *estate.Workspace) map[string]string {
	var kept stackExtra
	if raw := w.Extra[Name]; len(raw) > 0 && json.Unmarshal(raw, &kept) != nil {
		return map[string]string{}
	}
	if kept.Tags == nil {
		return map[string]string{}
	}
	return kept.Tags
}

// theStack finds the stack of the path for those who may read it.
func (c *call) theStack(role estate.Role) (*target, estate.Workspace, error) {
	t, err := stackTarget(c)
	if err != nil {
		return nil, estate.Workspace{}, err
	}
	if !c.who.May(role, t.place()) && c.who.May(estate.RoleReader, t.place()) {
		return nil, estate.Workspace{}, newProblem(http.StatusForbidden, "the token does not have the role %q here.", role)
	}
	missing := notFound("Stack '%s/%s/%s' not found", t.organization.Name, t.project, t.name)
	if t.id == 0 || !c.who.May(role, t.place()) {
		return nil, estate.Workspace{}, missing
	}
	stack, err := c.Workspaces.Get(c, c.who, estate.ByID(t.id))
	if fault.Is(err, fault.NotFound) {
		err = missing
	}
	return t, stack, err
}

func showStack(c *call) (answer, error) {
	t, stack, err := c.theStack(estate.RoleReader)
	if err != nil {
		return answer{}, err
	}
	return ok(object{
		{"id", stack.ID.String()}, {"orgName", t.organization.Name}, {"projectName", t.project}, {"stackName", stack.Name},
		{"activeUpdate", ""}, {"tags", tagsOf(&stack)}, {"version", 0},
	}), nil
}

// createStack makes a stack known and tells the organization's webhooks (§6.1).
func createStack(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	if !c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: o.ID}) {
		return answer{}, newProblem(http.StatusForbidden, "the token may not create stacks here.")
	}
	var in struct {
		StackName string            `json:"stackName"`
		Tags      map[string]string `json:"tags"`
	}
	if err := c.read(&in); err != nil {
		return answer{}, err
	}
	c.request.SetPathValue("stack", in.StackName)
	t, err := stackTarget(c)
	if err != nil {
		return answer{}, err
	}
	taken := newProblem(http.StatusConflict, "Stack '%s/%s/%s' already exists.", o.Name, t.project, t.name)
	if t.id != 0 {
		return answer{}, taken
	}
	stack, err := c.makeKnown(t)
	if fault.Is(err, fault.Conflict) {
		return answer{}, taken
	}
	if err != nil {
		return answer{}, err
	}
	if err := c.keepTags(stack.ID, in.Tags); err != nil {
		return answer{}, err
	}
	return ok(object{}), c.announceCreated(t)
}

func (c *call) keepTags(stack ident.ID, tags map[string]string) error {
	if len(tags) == 0 {
		return nil
	}
	raw, err := json.Marshal(stackExtra{tags})
	if err != nil {
		return err
	}
	_, err = c.Workspaces.Update(c, c.who, stack, func(w *estate.Workspace) error {
		extra := map[string]json.RawMessage{Name: raw}
		for name, value := range w.Extra {
			if name != Name {
				extra[name] = value
			}
		}
		w.Extra = extra
		return nil
	})
	return err
}

func (c *call) announceCreated(t *target) error {
	actor, err := c.actor()
	if err != nil {
		return err
	}
	_, err = c.Events.Accept(c, c.who, []event.Event{{
		Kind: event.KindWorkspace, Action: "created", OccurredAt: c.Now().UTC(), Actor: actor,
		Organization: event.Organization{ID: t.organization.ID, Name: t.organization.Name},
		Project:      &event.Project{ID: t.projectID, Name: t.project}, Workspace: &event.Workspace{ID: t.id, Name: t.name},
		Source: event.Source{Kind: "api"},
	}})
	return err
}

func deleteStack(c *call) (answer, error) {
	t, _, err := c.theStack(estate.RoleAdmin)
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Workspaces.Delete(c, c.who, t.id)
}

// headProject says whether a project is known.
func headProject(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	if _, err := c.Projects.Get(c, c.who, estate.ByName(o.ID, c.path("project"))); err != nil {
		return answer{}, err
	}
	return ok(object{}), nil
}

// listStacks lists the stacks that the token sees, all on one page.
func listStacks(c *call) (answer, error) {
	organizations, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return answer{}, err
	}
	query, list := c.request.URL.Query(), []object{}
	for _, o := range organizations {
		if wanted := query.Get("organization"); wanted != "" && wanted != o.Name {
			continue
		}
		projects, err := c.Projects.List(c, c.who, o.ID)
		if err != nil {
			return answer{}, err
		}
		for _, p := range projects {
			if wanted := query.Get("project"); wanted != "" && wanted != p.Name {
				continue
			}
			stacks, err := c.Workspaces.List(c, c.who, p.ID)
			if err != nil {
				return answer{}, err
			}
			for _, s := range stacks {
				list = append(list, object{
					{"id", s.ID.String()}, {"orgName", o.Name}, {"projectName", p.Name}, {"stackName", s.Name},
				})
			}
		}
	}
	return ok(object{{"stacks", list}}), nil
}
