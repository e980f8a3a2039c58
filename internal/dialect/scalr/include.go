package scalr

import "slices"

// includeInto adds the objects that a resource refers to by the relationships of the names. Unknown names, and what the
// principal may not see, are left out; so is everything that was not asked for, because a client takes what it finds for
// its own object (§5.1).
func (c *call) includeInto(included []resource, r resource, names []string) ([]resource, error) {
	for _, name := range names {
		relation, known := r.Relationships[name]
		if !known {
			continue
		}
		for _, target := range targetsOf(relation) {
			if slices.ContainsFunc(included, func(o resource) bool { return o.Type == target.Type && o.ID == target.ID }) {
				continue
			}
			found, err := c.resourceFor(target)
			switch {
			case err == nil:
				included = append(included, found)
			case problemsOf(err).status() != 404:
				return nil, err
			}
		}
	}
	return included, nil
}

// targetsOf lists what a relationship points at.
func targetsOf(r relationship) []identifier {
	switch data := r.Data.(type) {
	case identifier:
		return []identifier{data}
	case []identifier:
		return data
	}
	return nil
}

// resourceOf renders the object that an identifier names.
func (c *call) resourceOf(target identifier) (resource, error) {
	switch target.Type {
	case accountType:
		o, err := find(c, c.Organizations, accountIDs, target.ID)
		return newAccount(&o), err
	case environmentType:
		p, err := find(c, c.Projects, environmentIDs, target.ID)
		if err != nil {
			return resource{}, err
		}
		return c.environment(&p)
	case workspaceType:
		w, err := find(c, c.Workspaces, workspaceIDs, target.ID)
		if err != nil {
			return resource{}, err
		}
		return c.workspace(&w)
	case userType:
		u, err := find(c, c.Users, userIDs, target.ID)
		return newUser(&u), err
	case endpointType:
		e, err := c.findEndpoint(c.who, target.ID)
		if err != nil {
			return resource{}, err
		}
		return c.endpointResource(&e)
	case integrationType:
		s, err := c.findHook(target.ID)
		if err != nil {
			return resource{}, err
		}
		return c.integrationOf(s)
	case definitionType:
		for _, d := range definitions {
			if d.name == target.ID {
				return newDefinition(d), nil
			}
		}
	}
	return resource{}, missing("Resource", target.ID)
}

// resourceFor is resourceOf, or else what the answer itself tells of an object.
func (c *call) resourceFor(target identifier) (resource, error) {
	found, err := c.resourceOf(target)
	if known, told := c.known[target]; told && err != nil && problemsOf(err).status() == 404 {
		return known, nil
	}
	return found, err
}
