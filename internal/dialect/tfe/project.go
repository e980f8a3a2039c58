package tfe

import "carillon/internal/estate"

const projectType = "projects"

func (c *call) project(p estate.Project) (resource, error) {
	o, err := c.Organizations.Get(c, c.who, estate.ByID(p.OrganizationID))
	if err != nil {
		return resource{}, err
	}
	id := external(&p.Common, projectIDs)
	return resource{
		ID: id, Type: projectType,
		Attributes: attributesOf(&p.Common, nil).with(attributeSet{
			"name": p.Name, "description": p.Description, "created-at": milli(p.CreatedAt),
		}),
		Relationships: map[string]relationship{"organization": toOne(organizationType, o.Name)},
		Links:         map[string]string{"self": "/api/v2/projects/" + id},
	}, nil
}

func (c *call) theProject() (estate.Project, error) {
	return find(c, c.Projects, projectIDs, c.path("project"))
}

func (c *call) answerProject(how func(any) answer, p estate.Project) (answer, error) {
	r, err := c.project(p)
	if err != nil {
		return answer{}, err
	}
	return how(single(r)), nil
}

func listProjects(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Projects.List(c, c.who, o.ID)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, all, c.project)
}

func createProject(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(projectType)
	if err != nil {
		return answer{}, err
	}
	p := estate.Project{OrganizationID: o.ID}
	if err := fillProject(in, &p); err != nil {
		return answer{}, err
	}
	saved, err := c.Projects.Create(c, c.who, p)
	if err != nil {
		return answer{}, err
	}
	return c.answerProject(created, saved)
}

func fillProject(in *input, p *estate.Project) error {
	var list problems
	in.name(&p.Common, &list)
	in.text("description", &p.Description, &list)
	if err := list.err(); err != nil {
		return err
	}
	return keep(&p.Common, in)
}

func showProject(c *call) (answer, error) {
	p, err := c.theProject()
	if err != nil {
		return answer{}, err
	}
	return c.answerProject(ok, p)
}

func updateProject(c *call) (answer, error) {
	p, err := c.theProject()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(projectType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Projects.Update(c, c.who, p.ID, func(p *estate.Project) error { return fillProject(in, p) })
	if err != nil {
		return answer{}, err
	}
	return c.answerProject(ok, saved)
}

// deleteProject refuses what still holds workspaces, and what new workspaces fall into (§6).
func deleteProject(c *call) (answer, error) {
	p, err := c.theProject()
	if err != nil {
		return answer{}, err
	}
	o, err := c.Organizations.Get(c, c.who, estate.ByID(p.OrganizationID))
	if err != nil {
		return answer{}, err
	}
	workspaces, err := c.Workspaces.List(c, c.who, p.ID)
	if err != nil {
		return answer{}, err
	}
	var list problems
	if len(workspaces) > 0 {
		list.at("/data", "Project can't be deleted while it has workspaces")
	}
	if o.DefaultProjectID == p.ID {
		list.at("/data", "Project can't be deleted: it is the organization's default project")
	}
	if err := list.err(); err != nil {
		return answer{}, err
	}
	return gone(), c.Projects.Delete(c, c.who, p.ID)
}

// projectTagBindings is empty: tags are not modelled.
func projectTagBindings(c *call) (answer, error) {
	if _, err := c.theProject(); err != nil {
		return answer{}, err
	}
	return tagBindings(c)
}

func tagBindings(*call) (answer, error) { return ok(document{Data: []resource{}}), nil }
