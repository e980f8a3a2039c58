package tfe

import (
	"slices"

	"carillon/internal/estate"
	"carillon/internal/fault"
)

const membershipType = "organization-memberships"

// membership renders a membership; teams are those that it belongs to.
func (c *call) membership(m estate.Membership) (resource, error) {
	o, err := c.Organizations.Get(c, c.who, estate.ByID(m.OrganizationID))
	if err != nil {
		return resource{}, err
	}
	user, err := c.Users.Get(c, c.who, estate.ByID(m.UserID))
	if err != nil {
		return resource{}, err
	}
	teams, err := c.Teams.List(c, c.who, m.OrganizationID)
	if err != nil {
		return resource{}, err
	}
	ids := []string{}
	for _, t := range teams {
		if slices.Contains(t.MemberIDs, m.ID) {
			ids = append(ids, external(&t.Common, teamIDs))
		}
	}
	return resource{
		ID: external(&m.Common, membershipIDs), Type: membershipType,
		Attributes: attributeSet{"status": m.Status, "email": m.Name},
		Relationships: map[string]relationship{
			"organization": toOne(organizationType, o.Name),
			"user":         toOne(userType, external(&user.Common, userIDs)),
			"teams":        toMany(teamType, ids...),
		},
	}, nil
}

func (c *call) theMembership() (estate.Membership, error) {
	return find(c, c.Memberships, membershipIDs, c.path("membership"))
}

// answerMembership always includes the user; clients that did not ask for it do not mind.
func (c *call) answerMembership(how func(any) answer, m estate.Membership) (answer, error) {
	r, err := c.membership(m)
	if err != nil {
		return answer{}, err
	}
	user, err := c.Users.Get(c, c.who, estate.ByID(m.UserID))
	if err != nil {
		return answer{}, err
	}
	return how(document{Data: r, Included: []resource{newUser(user)}}), nil
}

func listMemberships(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Memberships.List(c, c.who, o.ID)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, all, c.membership)
}

// createMembership invites somebody, and makes the user at once (§6).
func createMembership(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(membershipType)
	if err != nil {
		return answer{}, err
	}
	var list problems
	var email string
	in.text("email", &email, &list)
	if len(list) == 0 && email == "" {
		list.invalid("email", "can't be blank")
	} else if len(list) == 0 && !isAddress(email) {
		list.invalid("email", "is invalid")
	}
	if err := list.err(); err != nil {
		return answer{}, err
	}
	teams, err := c.invitedTo(in)
	if err != nil {
		return answer{}, err
	}
	m, err := c.Memberships.Create(c, c.who, estate.Membership{
		Common: estate.Common{Name: email}, OrganizationID: o.ID, Status: "invited",
	})
	if err != nil {
		return answer{}, err
	}
	for _, team := range teams {
		if err := c.changeMembers(team, []estate.Membership{m}, true); err != nil {
			return answer{}, err
		}
	}
	return c.answerMembership(created, m)
}

// invitedTo finds the teams that the invitation names.
func (c *call) invitedTo(in *input) ([]estate.Team, error) {
	targets, _, err := in.many("teams")
	if err != nil {
		return nil, err
	}
	var teams []estate.Team
	for _, target := range targets {
		team, err := find(c, c.Teams, teamIDs, target.ID)
		if err != nil {
			return nil, err
		}
		teams = append(teams, team)
	}
	return teams, nil
}

func showMembership(c *call) (answer, error) {
	m, err := c.theMembership()
	if err != nil {
		return answer{}, err
	}
	return c.answerMembership(ok, m)
}

func deleteMembership(c *call) (answer, error) {
	m, err := c.theMembership()
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Memberships.Delete(c, c.who, m.ID)
}

// memberships finds those that a document lists; one that does not exist is not found.
func (c *call) memberships(organization estate.Team, targets []identifier) ([]estate.Membership, error) {
	var list []estate.Membership
	for _, target := range targets {
		m, err := find(c, c.Memberships, membershipIDs, target.ID)
		if err != nil {
			return nil, err
		}
		if m.OrganizationID != organization.OrganizationID {
			return nil, fault.Missing("membership", target.ID)
		}
		list = append(list, m)
	}
	return list, nil
}
