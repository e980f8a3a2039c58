package manage

import (
	"context"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// Places is Register for looking: it fills in what the estate knows of an event and returns the places whose
// subscriptions the event would reach, and makes nothing known. A project or workspace that is not known keeps the ID
// that the event gives it.
func (m *Manage) Places(ctx context.Context, e *event.Event) ([]subscription.Scope, error) {
	organization, err := m.findOrganization(ctx, e)
	if missing(err) {
		return nil, fault.Missing("organization", e.Organization.Name)
	}
	if err != nil {
		return nil, err
	}
	project, workspace, err := m.findPlace(ctx, organization, e)
	if err != nil {
		return nil, err
	}
	return m.place(ctx, organization, project, workspace, e)
}

// place fills an event in from what was found, and lists where it happened.
func (m *Manage) place(ctx context.Context, organization *estate.Organization, project *estate.Project, workspace *estate.Workspace, e *event.Event) ([]subscription.Scope, error) {
	fillOrganization(&e.Organization, organization)
	fillProject(e, project)
	fillWorkspace(e, workspace)
	if err := m.fillTeams(ctx, organization.ID, e); err != nil {
		return nil, err
	}
	places, err := m.appendParents(ctx, subscription.Places(e), project)
	if err != nil {
		return nil, err
	}
	return m.appendTeams(ctx, places, e)
}
