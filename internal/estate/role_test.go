package estate_test

import (
	"testing"

	"carillon/internal/estate"
	"carillon/internal/ident"
)

func TestPrincipalMay(t *testing.T) {
	t.Parallel()
	const org, other, project, workspace = 1, 2, 10, 100
	inOrg := func(r estate.Role) estate.Principal {
		return estate.Principal{Grants: []estate.Grant{{OrganizationID: org, Role: r}}}
	}
	cases := map[string]struct {
		who  estate.Principal
		role estate.Role
		at   estate.Place
		want bool
	}{
		"nobody":                         {estate.Principal{}, estate.RoleReader, estate.Place{OrganizationID: org}, false},
		"no place":                       {inOrg(estate.RoleOwner), estate.RoleReader, estate.Place{}, false},
		"site admin":                     {estate.System(), estate.RoleOwner, estate.Place{OrganizationID: other}, true},
		"reader reads":                   {inOrg(estate.RoleReader), estate.RoleReader, estate.Place{OrganizationID: org}, true},
		"reader does not write":          {inOrg(estate.RoleReader), estate.RoleWriter, estate.Place{OrganizationID: org}, false},
		"admin of organization covers":   {inOrg(estate.RoleAdmin), estate.RoleAdmin, estate.Place{OrganizationID: org, ProjectID: project, WorkspaceID: workspace}, true},
		"other organization":             {inOrg(estate.RoleOwner), estate.RoleReader, estate.Place{OrganizationID: other}, false},
		"workspace grant, its workspace": {grantAt(org, 0, workspace), estate.RoleAdmin, estate.Place{OrganizationID: org, ProjectID: project, WorkspaceID: workspace}, true},
		"workspace grant, organization":  {grantAt(org, 0, workspace), estate.RoleReader, estate.Place{OrganizationID: org}, false},
		"project grant, its workspace":   {grantAt(org, project, 0), estate.RoleAdmin, estate.Place{OrganizationID: org, ProjectID: project, WorkspaceID: workspace}, true},
		"project grant, other project":   {grantAt(org, project, 0), estate.RoleReader, estate.Place{OrganizationID: org, ProjectID: 11}, false},
		"unknown role":                   {inOrg("god"), estate.RoleReader, estate.Place{OrganizationID: org}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := c.who.May(c.role, c.at); got != c.want {
				t.Errorf("May(%s, %+v) = %v, want %v", c.role, c.at, got, c.want)
			}
		})
	}
}

func TestPrincipalSeesTheWayToWhatItMayRead(t *testing.T) {
	t.Parallel()
	who := grantAt(1, 10, 100)
	cases := map[string]struct {
		at   estate.Place
		want bool
	}{
		"its organization":  {estate.Place{OrganizationID: 1}, true},
		"its project":       {estate.Place{OrganizationID: 1, ProjectID: 10}, true},
		"another project":   {estate.Place{OrganizationID: 1, ProjectID: 11}, false},
		"another workspace": {estate.Place{OrganizationID: 1, ProjectID: 10, WorkspaceID: 101}, false},
		"its workspace":     {estate.Place{OrganizationID: 1, ProjectID: 10, WorkspaceID: 100}, true},
	}
	for name, c := range cases {
		if got := who.Sees(c.at); got != c.want {
			t.Errorf("%s: Sees = %v, want %v", name, got, c.want)
		}
	}
	if ids := who.Organizations(); len(ids) != 1 || ids[0] != 1 {
		t.Errorf("Organizations = %v", ids)
	}
}

func grantAt(org, project, workspace int64) estate.Principal {
	return estate.Principal{Grants: []estate.Grant{{
		OrganizationID: ident.ID(org), ProjectID: ident.ID(project), WorkspaceID: ident.ID(workspace), Role: estate.RoleAdmin,
	}}}
}
