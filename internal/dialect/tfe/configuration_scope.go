package tfe

import (
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// place is what a configuration can belong to, as the path names it.
type place struct {
	scope        subscription.Scope
	organization ident.ID
	at           estate.Place
	title        string // "Workspace", for people
	members      []ident.ID
}

// limit is the most configurations of one workspace, project or team (O4).
const limit = 20

// workspacePlace finds the workspace of a path. What the caller does not manage does not exist for it (§7).
func workspacePlace(c *call) (*place, error) {
	w, err := find(c, c.Workspaces, workspaceIDs, c.path("workspace"))
	if err != nil {
		return nil, err
	}
	return c.managed(&place{
		scope: subscription.Scope{Level: subscription.LevelWorkspace, ID: w.ID}, organization: w.OrganizationID, title: "Workspace",
		at: estate.Place{OrganizationID: w.OrganizationID, ProjectID: w.ProjectID, WorkspaceID: w.ID},
	})
}

// projectPlace finds the project of a path.
func projectPlace(c *call) (*place, error) {
	p, err := find(c, c.Projects, projectIDs, c.path("project"))
	if err != nil {
		return nil, err
	}
	return c.managed(&place{
		scope: subscription.Scope{Level: subscription.LevelProject, ID: p.ID}, organization: p.OrganizationID, title: "Project",
		at: estate.Place{OrganizationID: p.OrganizationID, ProjectID: p.ID},
	})
}

// teamPlace finds the team of a path. Teams are managed by the organization's administrators.
func teamPlace(c *call) (*place, error) {
	t, err := find(c, c.Teams, teamIDs, c.path("team"))
	if err != nil {
		return nil, err
	}
	return c.managed(&place{
		scope: subscription.Scope{Level: subscription.LevelTeam, ID: t.ID}, organization: t.OrganizationID, title: "Team",
		at: estate.Place{OrganizationID: t.OrganizationID}, members: t.MemberIDs,
	})
}

// placeOf finds the place of a configuration.
func (c *call) placeOf(s *subscription.Subscription) (*place, error) {
	p := &place{scope: s.Scope(), organization: s.OrganizationID, at: estate.Place{OrganizationID: s.OrganizationID}}
	switch p.scope.Level {
	case subscription.LevelWorkspace:
		w, err := c.Workspaces.Get(c, c.who, estate.ByID(p.scope.ID))
		if err != nil {
			return nil, err
		}
		p.at.ProjectID, p.at.WorkspaceID = w.ProjectID, w.ID
	case subscription.LevelProject:
		p.at.ProjectID = p.scope.ID
	case subscription.LevelTeam:
		t, err := c.Teams.Get(c, c.who, estate.ByID(p.scope.ID))
		if err != nil {
			return nil, err
		}
		p.members = t.MemberIDs
	}
	return c.managed(p)
}

// managed lets only those pass who may manage configurations there.
func (c *call) managed(p *place) (*place, error) {
	if !c.who.May(estate.RoleAdmin, p.at) {
		return nil, notFound
	}
	return p, nil
}

// levelWord names a level in messages: "workspaces".
func levelWord(level subscription.Level) string { return string(level) + "s" }
