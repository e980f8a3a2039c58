// Package tfe_test drives the program with go-tfe, the platform's own Go client. The names C1 to C17 are those of section
// 1.3 of docs/dialects/tfe.md.
package tfe_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

func TestMain(m *testing.M) { conformance.Main(m) }

// platform is a running program with an organization, seen through the platform's client.
type platform struct {
	*conformance.Server
	client       *tfe.Client
	organization *tfe.Organization
}

func newPlatform(t *testing.T, args ...string) *platform {
	t.Helper()
	p := &platform{Server: conformance.Start(t, args...)}
	p.client = connect(t, p.URL, conformance.AdminToken)
	var err error
	p.organization, err = p.client.Organizations.Create(t.Context(), tfe.OrganizationCreateOptions{
		Name: tfe.String("acme-org"), Email: tfe.String("admin@example.com"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func connect(t *testing.T, url, token string) *tfe.Client {
	t.Helper()
	client, err := tfe.NewClient(&tfe.Config{Address: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Fixtures; each fails the test when it can not be made.

func (p *platform) workspace(t *testing.T, name string) *tfe.Workspace {
	t.Helper()
	w, err := p.client.Workspaces.Create(t.Context(), p.organization.Name, tfe.WorkspaceCreateOptions{Name: tfe.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (p *platform) project(t *testing.T, name string) *tfe.Project {
	t.Helper()
	project, err := p.client.Projects.Create(t.Context(), p.organization.Name, tfe.ProjectCreateOptions{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func (p *platform) team(t *testing.T, name string) *tfe.Team {
	t.Helper()
	team, err := p.client.Teams.Create(t.Context(), p.organization.Name, tfe.TeamCreateOptions{Name: tfe.String(name)})
	if err != nil {
		t.Fatal(err)
	}
	return team
}

func (p *platform) member(t *testing.T, email string) *tfe.OrganizationMembership {
	t.Helper()
	m, err := p.client.OrganizationMemberships.Create(t.Context(), p.organization.Name, tfe.OrganizationMembershipCreateOptions{Email: tfe.String(email)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// generic are the options of a webhook.
func generic(name, url string, triggers ...tfe.NotificationTriggerType) tfe.NotificationConfigurationCreateOptions {
	return tfe.NotificationConfigurationCreateOptions{
		DestinationType: tfe.NotificationDestination(tfe.NotificationDestinationTypeGeneric), Enabled: tfe.Bool(false),
		Name: tfe.String(name), URL: tfe.String(url), Triggers: triggers,
	}
}

func (p *platform) configuration(t *testing.T, subscribable string, options tfe.NotificationConfigurationCreateOptions) *tfe.NotificationConfiguration {
	t.Helper()
	nc, err := p.client.NotificationConfigurations.Create(t.Context(), subscribable, options)
	if err != nil {
		t.Fatal(err)
	}
	return nc
}

// path is the configuration's place in the API.
func path(nc *tfe.NotificationConfiguration) string {
	return "/api/v2/notification-configurations/" + nc.ID
}

func wantMissing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, tfe.ErrResourceNotFound) {
		t.Errorf("%s: got %v, want not found", what, err)
	}
}

// file reads a file of the dialect's own testdata, which both test suites share.
func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "internal", "dialect", "tfe", "testdata", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// object is a decoded JSON value on the way to one of its parts.
type object map[string]any

func decode(t *testing.T, body []byte) object {
	t.Helper()
	var v object
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// attributes returns data.attributes of a document.
func attributes(t *testing.T, body []byte) object {
	t.Helper()
	var doc struct {
		Data struct {
			Attributes object `json:"attributes"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return doc.Data.Attributes
}
