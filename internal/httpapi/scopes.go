package httpapi

import (
	"fmt"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// scopeDraft names a place by ID, or by name.
type scopeDraft struct {
	Level   subscription.Level `json:"level"`
	ID      ident.ID           `json:"id"`
	Name    string             `json:"name"`
	Project string             `json:"project"` // of a workspace or a configuration set
}

// scopes finds the places that a document names.
func (a *api) scopes(c *call, organization ident.ID, drafts []scopeDraft) ([]subscription.Scope, error) {
	scopes := make([]subscription.Scope, len(drafts))
	for i, d := range drafts {
		scope, err := a.scope(c, organization, d)
		if err != nil {
			return nil, at(fmt.Sprintf("/scopes/%d", i), err)
		}
		scopes[i] = scope
	}
	return scopes, nil
}

func (a *api) scope(c *call, organization ident.ID, d scopeDraft) (subscription.Scope, error) {
	scope := subscription.Scope{Level: d.Level, ID: d.ID}
	if d.ID != 0 && d.Level != subscription.LevelOrganization {
		return scope, nil // whether it is there and whose it is, is checked when it is saved
	}
	if d.Name == "" && d.Level != subscription.LevelOrganization && slices.Contains(levels, d.Level) {
		return scope, fault.At("/name", `Is missing: name the place, or give its "id".`)
	}
	var err error
	switch d.Level {
	case subscription.LevelOrganization:
		if d.ID != 0 && d.ID != organization {
			return scope, fault.At("/id", "Is another organization than the subscription's.")
		}
		scope.ID = organization
	case subscription.LevelProject:
		scope.ID, err = a.project(c, organization, d.Name, "/name")
	case subscription.LevelWorkspace:
		var project ident.ID
		var found estate.Workspace
		if project, err = a.project(c, organization, d.Project, "/project"); err == nil {
			found, err = a.workspace(c, organization, project, d.Name, "/name")
			scope.ID = found.ID
		}
	case subscription.LevelTeam:
		var found estate.Team
		found, err = named(c, a.Services.Teams, organization, d.Name)
		if fault.Is(err, fault.NotFound) {
			err = fault.At("/name", "There is no team %q in the organization, or you may not see it.", d.Name)
		}
		scope.ID = found.ID
	case subscription.LevelEnvironment:
		scope.ID = subscription.EnvironmentScopeID(organization, d.Project, d.Name)
	default:
		return scope, fault.At("/level", "%s", unknownWord(d.Level, levels))
	}
	return scope, err
}

var levels = []subscription.Level{
	subscription.LevelOrganization, subscription.LevelProject, subscription.LevelWorkspace, subscription.LevelTeam,
	subscription.LevelEnvironment,
}
