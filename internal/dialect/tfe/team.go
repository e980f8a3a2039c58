package tfe

import (
	"encoding/json"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/ident"
)

const teamType = "teams"

func teamDefaults() attributeSet {
	return attributeSet{"allow-member-token-management": true, "visibility": "secret"}
}

// organizationAccess is what a team may do in the organization: what clients sent over what the platform shows. It is
// echoed and decides nothing here; tokens carry the rights.
func organizationAccess(t *estate.Team) attributeSet {
	access := attributeSet{"manage-workspaces": false, "read-workspaces": false}
	var given map[string]json.RawMessage
	if raw := sent(&t.Common)["organization-access"]; raw != nil && json.Unmarshal(raw, &given) == nil {
		for name, value := range given {
			access[name] = value
		}
	}
	return access
}

func (c *call) team(t estate.Team) (resource, error) {
	o, err := c.Organizations.Get(c, c.who, estate.ByID(t.OrganizationID))
	if err != nil {
		return resource{}, err
	}
	users, members, err := c.teamMembers(t)
	if err != nil {
		return resource{}, err
	}
	admin := c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: t.OrganizationID})
	id := external(&t.Common, teamIDs)
	return resource{
		ID: id, Type: teamType,
		Attributes: attributesOf(&t.Common, teamDefaults()).with(attributeSet{
			"name": t.Name, "users-count": len(users), "organization-access": organizationAccess(&t),
			"permissions": attributeSet{"can-destroy": admin, "can-update-membership": admin},
		}),
		Relationships: map[string]relationship{
			"organization":             toOne(organizationType, o.Name),
			"users":                    toMany(userType, users...),
			"organization-memberships": toMany(membershipType, members...),
		},
		Links: map[string]string{"self": "/api/v2/teams/" + id},
	}, nil
}

// teamMembers lists the identifiers of a team's users and of their memberships, in the order in which they joined.
func (c *call) teamMembers(t estate.Team) (users, members []string, err error) {
	list, err := c.teamMemberships(t)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range list {
		user, err := c.Users.Get(c, c.who, estate.ByID(m.UserID))
		if err != nil {
			return nil, nil, err
		}
		users = append(users, external(&user.Common, userIDs))
		members = append(members, external(&m.Common, membershipIDs))
	}
	return users, members, nil
}

func (c *call) teamMemberships(t estate.Team) ([]estate.Membership, error) {
	var list []estate.Membership
	for _, id := range t.MemberIDs {
		m, err := c.Memberships.Get(c, c.who, estate.ByID(id))
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func (c *call) theTeam() (estate.Team, error) { return find(c, c.Teams, teamIDs, c.path("team")) }

func (c *call) answerTeam(how func(any) answer, t estate.Team) (answer, error) {
	r, err := c.team(t)
	if err != nil {
		return answer{}, err
	}
	doc := single(r)
	if doc.Included, err = c.teamIncludes(t); err != nil {
		return answer{}, err
	}
	return how(doc), nil
}

// teamIncludes adds the related objects that a client asks for.
func (c *call) teamIncludes(t estate.Team) ([]resource, error) {
	asked := includes(c)
	if len(asked) == 0 {
		return nil, nil
	}
	list, err := c.teamMemberships(t)
	if err != nil {
		return nil, err
	}
	var included []resource
	for _, m := range list {
		if slices.Contains(asked, "organization-memberships") {
			r, err := c.membership(m)
			if err != nil {
				return nil, err
			}
			included = append(included, r)
		}
		if slices.Contains(asked, "users") {
			user, err := c.Users.Get(c, c.who, estate.ByID(m.UserID))
			if err != nil {
				return nil, err
			}
			included = append(included, newUser(user))
		}
	}
	return included, nil
}

func listTeams(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Teams.List(c, c.who, o.ID)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, all, c.team)
}

func createTeam(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(teamType)
	if err != nil {
		return answer{}, err
	}
	t := estate.Team{OrganizationID: o.ID}
	if err := fillTeam(in, &t); err != nil {
		return answer{}, err
	}
	saved, err := c.Teams.Create(c, c.who, t)
	if err != nil {
		return answer{}, err
	}
	return c.answerTeam(created, saved)
}

func fillTeam(in *input, t *estate.Team) error {
	var list problems
	in.name(&t.Common, &list)
	if err := list.err(); err != nil {
		return err
	}
	return keep(&t.Common, in)
}

func showTeam(c *call) (answer, error) {
	t, err := c.theTeam()
	if err != nil {
		return answer{}, err
	}
	return c.answerTeam(ok, t)
}

func updateTeam(c *call) (answer, error) {
	t, err := c.theTeam()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(teamType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Teams.Update(c, c.who, t.ID, func(t *estate.Team) error { return fillTeam(in, t) })
	if err != nil {
		return answer{}, err
	}
	return c.answerTeam(ok, saved)
}

func deleteTeam(c *call) (answer, error) {
	t, err := c.theTeam()
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Teams.Delete(c, c.who, t.ID)
}

func listTeamMemberships(c *call) (answer, error) {
	t, err := c.theTeam()
	if err != nil {
		return answer{}, err
	}
	list, err := c.teamMemberships(t)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, list, c.membership)
}

func addTeamMemberships(c *call) (answer, error)    { return c.teamMembershipsChanged(true) }
func removeTeamMemberships(c *call) (answer, error) { return c.teamMembershipsChanged(false) }

// teamMembershipsChanged reads the list that both adding and removing carry, also on DELETE (§6).
func (c *call) teamMembershipsChanged(join bool) (answer, error) {
	t, err := c.theTeam()
	if err != nil {
		return answer{}, err
	}
	targets, err := c.readIdentifiers()
	if err != nil {
		return answer{}, err
	}
	list, err := c.memberships(t, targets)
	if err != nil {
		return answer{}, err
	}
	return gone(), c.changeMembers(t, list, join)
}

// changeMembers lets memberships join or leave a team; who is there already, or not there, stays as it is.
func (c *call) changeMembers(t estate.Team, list []estate.Membership, join bool) error {
	_, err := c.Teams.Update(c, c.who, t.ID, func(t *estate.Team) error {
		for _, m := range list {
			t.MemberIDs = slices.DeleteFunc(t.MemberIDs, func(id ident.ID) bool { return !join && id == m.ID })
			if join && !slices.Contains(t.MemberIDs, m.ID) {
				t.MemberIDs = append(t.MemberIDs, m.ID)
			}
		}
		return nil
	})
	return err
}
