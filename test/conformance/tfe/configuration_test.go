package tfe_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

// allTriggers are those that the client knows for workspaces and projects.
var allTriggers = []tfe.NotificationTriggerType{
	tfe.NotificationTriggerCreated, tfe.NotificationTriggerPlanning, tfe.NotificationTriggerNeedsAttention, tfe.NotificationTriggerApplying,
	tfe.NotificationTriggerCompleted, tfe.NotificationTriggerErrored, tfe.NotificationTriggerAssessmentDrifted,
	tfe.NotificationTriggerAssessmentFailed, tfe.NotificationTriggerAssessmentCheckFailed,
	tfe.NotificationTriggerWorkspaceAutoDestroyReminder, tfe.NotificationTriggerWorkspaceAutoDestroyRunResults,
}

var destinationTypes = []tfe.NotificationDestinationType{
	tfe.NotificationDestinationTypeGeneric, tfe.NotificationDestinationTypeSlack, tfe.NotificationDestinationTypeMicrosoftTeams,
	tfe.NotificationDestinationTypeEmail,
}

// TestC7Create makes configurations of every destination type with every trigger in every scope. None is enabled, so that
// nothing is contacted; example.com is not reached.
func TestC7Create(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	workspace, project, team := p.workspace(t, "w"), p.project(t, "p"), p.team(t, "t")
	for name, scope := range map[string]struct {
		id       string
		choice   *tfe.NotificationConfigurationSubscribableChoice
		triggers []tfe.NotificationTriggerType
	}{
		"workspace": {workspace.ID, nil, allTriggers},
		"project":   {project.ID, &tfe.NotificationConfigurationSubscribableChoice{Project: project}, allTriggers},
		"team":      {team.ID, &tfe.NotificationConfigurationSubscribableChoice{Team: team}, []tfe.NotificationTriggerType{tfe.NotificationTriggerChangeRequestCreated}},
	} {
		for _, destination := range destinationTypes {
			options := generic(name, "http://example.com", scope.triggers...)
			options.DestinationType, options.SubscribableChoice = tfe.NotificationDestination(destination), scope.choice
			if destination == tfe.NotificationDestinationTypeEmail {
				options.URL = nil
			}
			nc := p.configuration(t, scope.id, options)
			want := make([]string, 0, len(scope.triggers))
			for _, trigger := range scope.triggers {
				want = append(want, string(trigger))
			}
			if nc.Enabled || nc.DestinationType != destination || !slices.Equal(nc.Triggers, want) || nc.Token != "" || nc.CreatedAt.IsZero() {
				t.Errorf("%s, %s: got %+v", name, destination, nc)
			}
			if c := nc.SubscribableChoice; (c.Workspace != nil) != (name == "workspace") || (c.Project != nil) != (name == "project") || (c.Team != nil) != (name == "team") {
				t.Errorf("%s: the subscribable is %+v", name, c)
			}
		}
	}
}

func email(name string, users ...*tfe.User) tfe.NotificationConfigurationCreateOptions {
	options := generic(name, "")
	options.DestinationType, options.URL, options.EmailUsers = tfe.NotificationDestination(tfe.NotificationDestinationTypeEmail), nil, users
	return options
}

func TestC7AndC12EmailUsers(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "w")
	first, second := p.member(t, "first@example.com").User, p.member(t, "second@example.com").User
	if nc := p.configuration(t, w.ID, email("none")); len(nc.EmailUsers) != 0 {
		t.Errorf("got %+v", nc)
	}
	nc := p.configuration(t, w.ID, email("one", first))
	if len(nc.EmailUsers) != 1 || nc.EmailUsers[0].ID != first.ID {
		t.Errorf("got %+v", nc)
	}
	update := tfe.NotificationConfigurationUpdateOptions{Enabled: tfe.Bool(true), EmailUsers: []*tfe.User{first, second}}
	if got, err := p.client.NotificationConfigurations.Update(ctx, nc.ID, update); err != nil || len(got.EmailUsers) != 2 || got.EmailUsers[1].ID != second.ID || !got.Enabled {
		t.Errorf("got %+v, %v", got, err)
	}
	update.EmailUsers = nil
	if got, err := p.client.NotificationConfigurations.Update(ctx, nc.ID, update); err != nil || len(got.EmailUsers) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestC8ListEqualsWhatCreateReturned(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "w")
	made := []*tfe.NotificationConfiguration{
		p.configuration(t, w.ID, generic("first", "https://example.com/a", tfe.NotificationTriggerCreated)),
		p.configuration(t, w.ID, generic("second", "https://example.com/b")),
		p.configuration(t, w.ID, email("third", p.member(t, "a@example.com").User)),
	}
	list, err := p.client.NotificationConfigurations.List(ctx, w.ID, nil)
	if err != nil || len(list.Items) != len(made) || list.Items[0].Subscribable == nil {
		t.Fatalf("got %+v, %v", list, err)
	}
	if list.Pagination != nil && (list.CurrentPage != 0 || list.TotalCount != 0) {
		t.Errorf("got pages: %+v", list.Pagination)
	}
	for i := range made {
		if !reflect.DeepEqual(list.Items[i], made[i]) {
			t.Errorf("got %+v, want %+v", list.Items[i], made[i])
		}
	}
}

func TestC9ListBeyondTheEnd(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	w := p.workspace(t, "w")
	for _, name := range []string{"a", "b"} {
		p.configuration(t, w.ID, generic(name, "https://example.com"))
	}
	list, err := p.client.NotificationConfigurations.List(ctx, w.ID, &tfe.NotificationConfigurationListOptions{ListOptions: tfe.ListOptions{PageNumber: 999, PageSize: 100}})
	if err != nil || len(list.Items) != 0 || list.CurrentPage != 999 || list.TotalCount != 2 {
		t.Errorf("got %+v, %v", list, err)
	}
	list, err = p.client.NotificationConfigurations.List(ctx, w.ID, &tfe.NotificationConfigurationListOptions{ListOptions: tfe.ListOptions{PageNumber: 2, PageSize: 1}})
	if err != nil || len(list.Items) != 1 || list.Items[0].Name != "b" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestC10Read(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	nc := p.configuration(t, p.workspace(t, "w").ID, generic("a", "https://example.com"))
	if got, err := p.client.NotificationConfigurations.Read(ctx, nc.ID); err != nil || got.ID != nc.ID {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err := p.client.NotificationConfigurations.Read(ctx, "nonexisting")
	wantMissing(t, "a configuration", err)
}

func TestC11EnablingVerifiesOnce(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	sink := conformance.NewSink(t)
	nc := p.configuration(t, p.workspace(t, "w").ID, generic("a", sink.URL))
	got, err := p.client.NotificationConfigurations.Update(ctx, nc.ID, tfe.NotificationConfigurationUpdateOptions{Enabled: tfe.Bool(true), Name: tfe.String("newName")})
	if err != nil || !got.Enabled || got.Name != "newName" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if requests := sink.Requests(); len(requests) != 1 || !strings.Contains(string(requests[0].Body), `"Verification of newName","trigger":"verification"`) {
		t.Errorf("received %+v", requests)
	}
}

func TestC13EmptyUpdate(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	nc := p.configuration(t, p.workspace(t, "w").ID, generic("a", "https://example.com"))
	if _, err := p.client.NotificationConfigurations.Update(t.Context(), nc.ID, tfe.NotificationConfigurationUpdateOptions{}); err != nil {
		t.Error(err)
	}
}

func TestC14Verify(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	sink := conformance.NewSink(t)
	nc := p.configuration(t, p.workspace(t, "w").ID, generic("a", sink.URL))
	if _, err := p.client.NotificationConfigurations.Verify(ctx, nc.ID); err != nil {
		t.Error(err)
	}
	sink.Answer(404, "not found")
	_, err := p.client.NotificationConfigurations.Verify(ctx, nc.ID)
	if err == nil || !strings.Contains(err.Error(), "Verification failed with a code of 404") {
		t.Errorf("got %v", err)
	}
	_, err = p.client.NotificationConfigurations.Verify(ctx, "nonexisting")
	wantMissing(t, "a configuration", err)
}

func TestC15Delete(t *testing.T) {
	t.Parallel()
	p, ctx := newPlatform(t), t.Context()
	ncs := p.client.NotificationConfigurations
	nc := p.configuration(t, p.workspace(t, "w").ID, generic("a", "https://example.com"))
	if err := ncs.Delete(ctx, nc.ID); err != nil {
		t.Error(err)
	}
	wantMissing(t, "a deleted configuration", ncs.Delete(ctx, nc.ID))

	workspace, project, team := p.workspace(t, "w2"), p.project(t, "p"), p.team(t, "t")
	ofProject, ofTeam := generic("a", "https://example.com"), generic("a", "https://example.com")
	ofProject.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Project: project}
	ofTeam.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Team: team}
	for name, tc := range map[string]struct {
		nc     *tfe.NotificationConfiguration
		delete func() error
	}{
		"workspace": {p.configuration(t, workspace.ID, generic("a", "https://example.com")), func() error { return p.client.Workspaces.DeleteByID(ctx, workspace.ID) }},
		"project":   {p.configuration(t, project.ID, ofProject), func() error { return p.client.Projects.Delete(ctx, project.ID) }},
		"team":      {p.configuration(t, team.ID, ofTeam), func() error { return p.client.Teams.Delete(ctx, team.ID) }},
	} {
		if err := tc.delete(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		_, err := ncs.Read(ctx, tc.nc.ID)
		wantMissing(t, "a configuration of a deleted "+name, err)
	}
	last := p.configuration(t, p.workspace(t, "w3").ID, generic("a", "https://example.com"))
	if err := p.client.Organizations.Delete(ctx, "acme-org"); err != nil {
		t.Fatal(err)
	}
	_, err := ncs.Read(ctx, last.ID)
	wantMissing(t, "a configuration of a deleted organization", err)
}
