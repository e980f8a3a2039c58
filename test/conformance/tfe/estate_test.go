package tfe_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"
)

func TestC1Client(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	if c := p.client; !c.IsCloud() || c.RemoteAPIVersion() != "2.6" || c.AppName() != "HCP Terraform" {
		t.Errorf("cloud %v, version %s, name %s", c.IsCloud(), c.RemoteAPIVersion(), c.AppName())
	}
}

func TestC2Organizations(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	o := p.organization
	if o.Name != "acme-org" || !strings.HasPrefix(o.ExternalID, "org-") || o.DefaultProject == nil || o.DefaultProject.ID == "" || o.CreatedAt.IsZero() {
		t.Errorf("got %+v", o)
	}
	updated, err := p.client.Organizations.Update(ctx, o.Name, tfe.OrganizationUpdateOptions{
		Email: tfe.String("new@example.com"), SessionTimeout: tfe.Int(30), SessionRemember: tfe.Int(3600),
		CollaboratorAuthPolicy: tfe.AuthPolicy(tfe.AuthPolicyTwoFactor), CostEstimationEnabled: tfe.Bool(false),
		SpeculativePlanManagementEnabled: tfe.Bool(false), AllowForceDeleteWorkspaces: tfe.Bool(true), UserTokensEnabled: tfe.Bool(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	if updated.Email != "new@example.com" || updated.SessionTimeout != 30 || updated.SessionRemember != 3600 || updated.CostEstimationEnabled ||
		updated.CollaboratorAuthPolicy != tfe.AuthPolicyTwoFactor || updated.SpeculativePlanManagementEnabled || !updated.AllowForceDeleteWorkspaces {
		t.Errorf("got %+v", updated)
	}
	if read, err := p.client.Organizations.Read(ctx, o.Name); err != nil || read.Email != updated.Email || read.ExternalID != o.ExternalID {
		t.Errorf("got %+v, %v", read, err)
	}
	if e, err := p.client.Organizations.ReadEntitlements(ctx, o.Name); err != nil || e.ID != o.ExternalID || !e.Teams || !e.CostEstimation {
		t.Errorf("got %+v, %v", e, err)
	}
	if list, err := p.client.Organizations.List(ctx, nil); err != nil || len(list.Items) != 1 || list.TotalCount != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := p.client.Organizations.Delete(ctx, o.Name); err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Organizations.Read(ctx, o.Name)
	wantMissing(t, "a deleted organization", err)
}

func TestC3Workspaces(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	second := p.project(t, "second")
	w, err := p.client.Workspaces.Create(ctx, p.organization.Name, tfe.WorkspaceCreateOptions{
		Name: tfe.String("infra"), AllowDestroyPlan: tfe.Bool(false), AssessmentsEnabled: tfe.Bool(true), AutoApply: tfe.Bool(true),
		FileTriggersEnabled: tfe.Bool(false), GlobalRemoteState: tfe.Bool(true), QueueAllRuns: tfe.Bool(false), SpeculativeEnabled: tfe.Bool(false),
		StructuredRunOutputEnabled: tfe.Bool(false), Description: tfe.String("d"), WorkingDirectory: tfe.String("dir"),
		ExecutionMode: tfe.String("agent"), AgentPoolID: tfe.String("apool-1"), Project: second, TriggerPrefixes: []string{"/a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.AllowDestroyPlan || !w.AssessmentsEnabled || !w.AutoApply || w.FileTriggersEnabled || !w.GlobalRemoteState || w.QueueAllRuns ||
		w.SpeculativeEnabled || w.StructuredRunOutputEnabled || w.Description != "d" || w.WorkingDirectory != "dir" || w.ExecutionMode != "agent" ||
		!slices.Equal(w.TriggerPrefixes, []string{"/a"}) {
		t.Errorf("got %+v", w)
	}
	if w.Organization == nil || w.Organization.Name != "acme-org" || w.Project == nil || w.Project.ID != second.ID ||
		w.Permissions == nil || w.Permissions.CanForceDelete == nil || !*w.Permissions.CanForceDelete || w.Links["self-html"] != "/app/acme-org/infra" {
		t.Errorf("got %+v, %+v, %v", w, w.Permissions, w.Links)
	}
	for name, read := range map[string]func() (*tfe.Workspace, error){
		"by name": func() (*tfe.Workspace, error) {
			return p.client.Workspaces.Read(ctx, p.organization.Name, "infra")
		},
		"by id": func() (*tfe.Workspace, error) { return p.client.Workspaces.ReadByID(ctx, w.ID) },
		"with options": func() (*tfe.Workspace, error) {
			return p.client.Workspaces.ReadByIDWithOptions(ctx, w.ID, &tfe.WorkspaceReadOptions{Include: []tfe.WSIncludeOpt{"effective_tag_bindings"}})
		},
	} {
		if got, err := read(); err != nil || got.ID != w.ID || !got.AutoApply || !got.CreatedAt.Equal(w.CreatedAt) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	if got, err := p.client.Workspaces.UpdateByID(ctx, w.ID, tfe.WorkspaceUpdateOptions{Name: tfe.String("renamed"), AutoApply: tfe.Bool(false), QueueAllRuns: tfe.Bool(true)}); err != nil || got.Name != "renamed" || got.AutoApply || !got.QueueAllRuns || got.Description != "d" {
		t.Errorf("got %+v, %v", got, err)
	}
	other := p.workspace(t, "other")
	if list, err := p.client.Workspaces.List(ctx, p.organization.Name, &tfe.WorkspaceListOptions{}); err != nil || len(list.Items) != 2 || list.TotalCount != 2 || list.CurrentPage != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if bindings, err := p.client.Workspaces.ListEffectiveTagBindings(ctx, w.ID); err != nil || len(bindings) != 0 {
		t.Errorf("got %v, %v", bindings, err)
	}
	if err := errors.Join(p.client.Workspaces.DeleteByID(ctx, w.ID), p.client.Workspaces.SafeDeleteByID(ctx, other.ID)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{w.ID, other.ID} {
		_, err := p.client.Workspaces.ReadByID(ctx, id)
		wantMissing(t, "a deleted workspace", err)
	}
}

func TestC4ProjectsAndTeams(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	project, err := p.client.Projects.Create(ctx, p.organization.Name, tfe.ProjectCreateOptions{Name: "second", Description: tfe.String("d")})
	if err != nil || project.Description != "d" || project.Organization == nil {
		t.Fatalf("got %+v, %v", project, err)
	}
	if got, err := p.client.Projects.Update(ctx, project.ID, tfe.ProjectUpdateOptions{Name: tfe.String("third")}); err != nil || got.Name != "third" || got.Description != "d" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := p.client.Projects.Read(ctx, project.ID); err != nil || got.Name != "third" {
		t.Errorf("got %+v, %v", got, err)
	}
	if list, err := p.client.Projects.List(ctx, p.organization.Name, nil); err != nil || len(list.Items) != 2 {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := p.client.Projects.Delete(ctx, project.ID); err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Projects.Read(ctx, project.ID)
	wantMissing(t, "a deleted project", err)

	team, err := p.client.Teams.Create(ctx, p.organization.Name, tfe.TeamCreateOptions{
		Name: tfe.String("ops"), Visibility: tfe.String("organization"), AllowMemberTokenManagement: tfe.Bool(false),
		OrganizationAccess: &tfe.OrganizationAccessOptions{ManageWorkspaces: tfe.Bool(true)},
	})
	if err != nil || team.Visibility != "organization" || team.AllowMemberTokenManagement || !team.OrganizationAccess.ManageWorkspaces {
		t.Fatalf("got %+v, %v", team, err)
	}
	if got, err := p.client.Teams.Update(ctx, team.ID, tfe.TeamUpdateOptions{Name: tfe.String("ops2")}); err != nil || got.Name != "ops2" || got.Visibility != "organization" {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := p.client.Teams.Read(ctx, team.ID); err != nil || got.Name != "ops2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := p.client.Teams.Delete(ctx, team.ID); err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Teams.Read(ctx, team.ID)
	wantMissing(t, "a deleted team", err)
}

func TestC5TeamMembers(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	team, member := p.team(t, "ops"), p.member(t, "member@example.com")
	ids := []string{member.ID}
	if err := p.client.TeamMembers.Add(ctx, team.ID, tfe.TeamMemberAddOptions{OrganizationMembershipIDs: ids}); err != nil {
		t.Fatal(err)
	}
	if list, err := p.client.TeamMembers.ListOrganizationMemberships(ctx, team.ID); err != nil || len(list) != 1 || list[0].ID != member.ID || list[0].Email != "member@example.com" {
		t.Errorf("got %+v, %v", list, err)
	}
	if list, err := p.client.TeamMembers.ListUsers(ctx, team.ID); err != nil || len(list) != 1 || list[0].Username != "member" {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := p.client.TeamMembers.Remove(ctx, team.ID, tfe.TeamMemberRemoveOptions{OrganizationMembershipIDs: ids}); err != nil {
		t.Fatal(err)
	}
	if list, err := p.client.TeamMembers.ListOrganizationMemberships(ctx, team.ID); err != nil || len(list) != 0 {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestC6Memberships(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	m := p.member(t, "member@example.com")
	if m.Status != tfe.OrganizationMembershipInvited || m.User == nil || !strings.HasPrefix(m.User.ID, "user-") || m.Email != "member@example.com" {
		t.Errorf("got %+v", m)
	}
	if got, err := p.client.OrganizationMemberships.Read(ctx, m.ID); err != nil || got.ID != m.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	got, err := p.client.OrganizationMemberships.ReadWithOptions(ctx, m.ID, tfe.OrganizationMembershipReadOptions{Include: []tfe.OrgMembershipIncludeOpt{tfe.OrgMembershipUser}})
	if err != nil || got.User == nil || got.User.Email != "member@example.com" {
		t.Errorf("got %+v, %v", got, err)
	}
	if list, err := p.client.OrganizationMemberships.List(ctx, p.organization.Name, nil); err != nil || list.TotalCount != len(list.Items) || len(list.Items) != 1 {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := p.client.OrganizationMemberships.Delete(ctx, m.ID); err != nil {
		t.Fatal(err)
	}
	_, err = p.client.OrganizationMemberships.Read(ctx, m.ID)
	wantMissing(t, "a deleted membership", err)
}

func TestC16WrongToken(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	_, err := connect(t, p.URL, "wrong").Organizations.Read(t.Context(), "acme-org")
	if !errors.Is(err, tfe.ErrUnauthorized) {
		t.Errorf("got %v", err)
	}
}

func TestC17RunsAndUsers(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "my-workspace")
	p.Want(t, 202, "POST", "/v1/events", object{
		"kind": "run", "organization": object{"name": "acme-org"}, "workspace": object{"name": "my-workspace"},
		"run": object{
			"source_id": "17", "external_ids": object{"tfe": "run-FwnENkvDnrpyFC7M"}, "status": "planning", "message": "Add five new queue workers",
			"created_at": "2019-01-25T18:34:00Z", "operation": "apply",
		},
	}, nil)
	run, err := p.client.Runs.Read(ctx, "run-FwnENkvDnrpyFC7M")
	if err != nil {
		t.Fatal(err)
	}
	if run.ID != "run-FwnENkvDnrpyFC7M" || run.Status != tfe.RunPlanning || run.Message != "Add five new queue workers" || run.Workspace == nil || run.Workspace.ID != w.ID || run.StatusTimestamps.PlanningAt.IsZero() {
		t.Errorf("got %+v", run)
	}
	_, err = p.client.Runs.Read(ctx, "run-nonexisting")
	wantMissing(t, "a run", err)
	if user, err := p.client.Users.ReadCurrent(ctx); err != nil || user.Username == "" || user.ID == "" {
		t.Errorf("got %+v, %v", user, err)
	}
}

func TestStacksAndAdministration(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	if list, err := p.client.Stacks.List(ctx, p.organization.Name, nil); err != nil || len(list.Items) != 0 {
		t.Errorf("got %+v, %v", list, err)
	}
	if got := p.Do(t, "GET", "/api/v2/admin/feature-sets?q=Standard", nil); got.Status != 200 || !strings.Contains(string(got.Body), `"Standard"`) {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
	if got := p.Do(t, "POST", "/api/v2/admin/organizations/acme-org/subscription", file(t, "requests/seen/subscription_create.json")); got.Status != 200 {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
	if got := p.As(t, "", "GET", "/.well-known/terraform.json", nil); got.Status != 200 || decode(t, got.Body)["tfe.v2.2"] != "/api/v2/" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d, %s, %s", got.Status, got.Body, got.Header)
	}
}
