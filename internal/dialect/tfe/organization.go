package tfe

import (
	"net/url"

	"carillon/internal/estate"
)

const organizationType = "organizations"

// organizationDefaults is what an organization shows before anybody sent anything (§6).
func organizationDefaults() attributeSet {
	return attributeSet{
		"collaborator-auth-policy": "password", "cost-estimation-enabled": true, "stacks-enabled": true,
		"allow-force-delete-workspaces": false, "assessments-enforced": false, "speculative-plan-management-enabled": true,
		"user-tokens-enabled": true,
	}
}

// organization renders an organization, whose identifier is its name (§6).
func (c *call) organization(o estate.Organization) (resource, error) {
	owns := c.who.May(estate.RoleOwner, estate.Place{OrganizationID: o.ID})
	manages := c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: o.ID})
	r := resource{
		ID: o.Name, Type: organizationType,
		Attributes: attributesOf(&o.Common, organizationDefaults()).with(attributeSet{
			"name": o.Name, "email": o.Email, "external-id": external(&o.Common, organizationIDs), "created-at": milli(o.CreatedAt),
			"permissions": attributeSet{
				"can-update": owns, "can-destroy": owns, "can-create-team": manages, "can-create-workspace": manages,
			},
		}),
		Links: map[string]string{"self": "/api/v2/organizations/" + url.PathEscape(o.Name)},
	}
	if o.DefaultProjectID == 0 {
		return r, nil
	}
	// Whoever sees only another project of the organization is not told of this one.
	project, err := c.Projects.Get(c, c.who, estate.ByID(o.DefaultProjectID))
	if err == nil {
		r.Relationships = map[string]relationship{"default-project": toOne("projects", external(&project.Common, projectIDs))}
	} else if problemsOf(err).status() != 404 {
		return resource{}, err
	}
	return r, nil
}

// theOrganization finds the organization of the path.
func (c *call) theOrganization() (estate.Organization, error) {
	return c.Organizations.Get(c, c.who, estate.ByName(0, c.path("org")))
}

func (c *call) answerOrganization(how func(any) answer, o estate.Organization) (answer, error) {
	r, err := c.organization(o)
	if err != nil {
		return answer{}, err
	}
	return how(single(r)), nil
}

func listOrganizations(c *call) (answer, error) {
	all, err := c.Organizations.List(c, c.who, 0)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, all, c.organization)
}

func createOrganization(c *call) (answer, error) {
	in, err := c.read(organizationType)
	if err != nil {
		return answer{}, err
	}
	var o estate.Organization
	if err := fillOrganization(in, &o); err != nil {
		return answer{}, err
	}
	saved, err := c.Organizations.Create(c, c.who, o)
	if err != nil {
		return answer{}, err
	}
	return c.answerOrganization(created, saved)
}

// fillOrganization lays a client's document over an organization.
func fillOrganization(in *input, o *estate.Organization) error {
	var list problems
	in.name(&o.Common, &list)
	in.text("email", &o.Email, &list)
	if err := list.err(); err != nil {
		return err
	}
	return keep(&o.Common, in)
}

func showOrganization(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	return c.answerOrganization(ok, o)
}

func updateOrganization(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(organizationType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Organizations.Update(c, c.who, o.ID, func(o *estate.Organization) error { return fillOrganization(in, o) })
	if err != nil {
		return answer{}, err
	}
	return c.answerOrganization(ok, saved)
}

func deleteOrganization(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Organizations.Delete(c, c.who, o.ID)
}

// showEntitlements lets clients do everything (§6).
func showEntitlements(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	features := attributeSet{"user-limit": nil}
	for _, name := range []string{
		"agents", "audit-logging", "cost-estimation", "operations", "policy-enforcement", "private-module-registry", "run-tasks",
		"sentinel", "sso", "state-storage", "teams", "vcs-integrations",
	} {
		features[name] = true
	}
	return ok(single(resource{ID: external(&o.Common, organizationIDs), Type: "entitlement-sets", Attributes: features})), nil
}
