package subscription

import (
	"carillon/internal/event"
	"carillon/internal/ident"
)

// EnvironmentScopeID names a configuration set as a scope. Configuration sets are not kept in the estate: the ID follows
// from their names.
func EnvironmentScopeID(organization ident.ID, project, name string) ident.ID {
	return ident.Derive("environment", organization.String(), project, name)
}

// EnvironmentID is EnvironmentScopeID of the configuration set that an event is about.
func EnvironmentID(e *event.Event) ident.ID {
	return EnvironmentScopeID(e.Organization.ID, e.Environment.Project, e.Environment.Name)
}
