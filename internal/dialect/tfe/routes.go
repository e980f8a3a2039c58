package tfe

// routes maps patterns to handlers. The last one answers what the platform has and we do not, and what nobody has (§5.1).
func routes() map[string]handler {
	all := map[string]handler{
		"GET /api/v2/ping":            func(*call) (answer, error) { return gone(), nil },
		"GET /api/v2/account/details": showAccount,

		"GET /api/v2/runs/{run}":                              showRun,
		"GET /api/v2/assessment-results/{result}":             showAssessment,
		"GET /api/v2/organizations/{org}/stacks":              listStacks,
		"GET /api/v2/admin/feature-sets":                      listFeatureSets,
		"POST /api/v2/admin/organizations/{org}/subscription": createBillingSubscription,

		"/api/v2/": func(*call) (answer, error) { return answer{}, notFound },
	}
	for _, group := range []map[string]handler{
		configurationRoutes(), organizationRoutes(), workspaceRoutes(), projectRoutes(), teamRoutes(), membershipRoutes(),
	} {
		for pattern, h := range group {
			all[pattern] = h
		}
	}
	return all
}

func configurationRoutes() map[string]handler {
	const one = " /api/v2/notification-configurations/{configuration}"
	return map[string]handler{
		"GET /api/v2/workspaces/{workspace}/notification-configurations":  listConfigurations(workspacePlace),
		"POST /api/v2/workspaces/{workspace}/notification-configurations": createConfiguration(workspacePlace),
		"GET /api/v2/projects/{project}/notification-configurations":      listConfigurations(projectPlace),
		"POST /api/v2/projects/{project}/notification-configurations":     createConfiguration(projectPlace),
		"GET /api/v2/teams/{team}/notification-configurations":            listConfigurations(teamPlace),
		"POST /api/v2/teams/{team}/notification-configurations":           createConfiguration(teamPlace),
		"GET" + one:                      showConfiguration,
		"PATCH" + one:                    updateConfiguration,
		"DELETE" + one:                   deleteConfiguration,
		"POST" + one + "/actions/verify": verifyConfiguration,
		"POST" + one + "/actions/enable": enableConfiguration,
	}
}

func organizationRoutes() map[string]handler {
	const one = " /api/v2/organizations/{org}"
	return map[string]handler{
		"GET /api/v2/organizations":      listOrganizations,
		"POST /api/v2/organizations":     createOrganization,
		"GET" + one:                      showOrganization,
		"PATCH" + one:                    updateOrganization,
		"DELETE" + one:                   deleteOrganization,
		"GET" + one + "/entitlement-set": showEntitlements,
	}
}

// workspaceRoutes serve a workspace by its identifier and by its name in the organization.
func workspaceRoutes() map[string]handler {
	all := map[string]handler{
		"GET /api/v2/organizations/{org}/workspaces":                              listWorkspaces,
		"POST /api/v2/organizations/{org}/workspaces":                             createWorkspace,
		"GET /api/v2/workspaces/{workspace}/effective-tag-bindings":               workspaceWithout(tagBindings),
		"GET /api/v2/workspaces/{workspace}/relationships/remote-state-consumers": workspaceWithout(emptyPage),
	}
	for _, one := range []string{" /api/v2/workspaces/{workspace}", " /api/v2/organizations/{org}/workspaces/{workspace}"} {
		all["GET"+one] = showWorkspace
		all["PATCH"+one] = updateWorkspace
		all["DELETE"+one] = deleteWorkspace
		all["POST"+one+"/actions/safe-delete"] = deleteWorkspace
	}
	return all
}

func projectRoutes() map[string]handler {
	const one = " /api/v2/projects/{project}"
	return map[string]handler{
		"GET /api/v2/organizations/{org}/projects":  listProjects,
		"POST /api/v2/organizations/{org}/projects": createProject,
		"GET" + one:                             showProject,
		"PATCH" + one:                           updateProject,
		"DELETE" + one:                          deleteProject,
		"GET" + one + "/effective-tag-bindings": projectTagBindings,
	}
}

func teamRoutes() map[string]handler {
	const one = " /api/v2/teams/{team}"
	const members = one + "/relationships/organization-memberships"
	return map[string]handler{
		"GET /api/v2/organizations/{org}/teams":  listTeams,
		"POST /api/v2/organizations/{org}/teams": createTeam,
		"GET" + one:                              showTeam,
		"PATCH" + one:                            updateTeam,
		"DELETE" + one:                           deleteTeam,
		"GET" + members:                          listTeamMemberships,
		"POST" + members:                         addTeamMemberships,
		"DELETE" + members:                       removeTeamMemberships,
	}
}

func membershipRoutes() map[string]handler {
	const one = " /api/v2/organization-memberships/{membership}"
	return map[string]handler{
		"GET /api/v2/organizations/{org}/organization-memberships":  listMemberships,
		"POST /api/v2/organizations/{org}/organization-memberships": createMembership,
		"GET" + one:    showMembership,
		"DELETE" + one: deleteMembership,
	}
}
