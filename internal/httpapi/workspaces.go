package httpapi

import (
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
)

type workspaceDraft struct {
	Name string `json:"name"`

	// Project is a project's name or ID; the organization's default project when absent.
	Project       string            `json:"project"`
	Description   string            `json:"description"`
	Tags          []string          `json:"tags"`
	ExecutionMode string            `json:"execution_mode"`
	Module        bool              `json:"module"`
	Repository    string            `json:"repository"`
	Branch        string            `json:"branch"`
	VCS           string            `json:"vcs"`
	URL           string            `json:"url"`
	AutoApply     bool              `json:"auto_apply"`
	ExternalIDs   map[string]string `json:"external_ids"`
}

type workspaceChange struct {
	Name          *string            `json:"name"`
	Project       *string            `json:"project"`
	Description   *string            `json:"description"`
	Tags          *[]string          `json:"tags"`
	ExecutionMode *string            `json:"execution_mode"`
	Module        *bool              `json:"module"`
	Repository    *string            `json:"repository"`
	Branch        *string            `json:"branch"`
	VCS           *string            `json:"vcs"`
	URL           *string            `json:"url"`
	AutoApply     *bool              `json:"auto_apply"`
	ExternalIDs   *map[string]string `json:"external_ids"`
}

type workspaceView struct {
	commonView
	OrganizationID ident.ID `json:"organization_id"`
	ProjectID      ident.ID `json:"project_id"`
	Description    string   `json:"description,omitempty"`
	Tags           []string `json:"tags,omitempty"`
	ExecutionMode  string   `json:"execution_mode,omitempty"`
	Module         bool     `json:"module"`
	Repository     string   `json:"repository,omitempty"`
	Branch         string   `json:"branch,omitempty"`
	VCS            string   `json:"vcs,omitempty"`
	URL            string   `json:"url,omitempty"`
	AutoApply      bool     `json:"auto_apply"`
}

func viewWorkspace(o *estate.Workspace) workspaceView {
	return workspaceView{
		viewCommon(&o.Common), o.OrganizationID, o.ProjectID, o.Description, o.Tags, o.ExecutionMode, o.Module,
		o.Repository, o.Branch, o.VCS, o.URL, o.AutoApply,
	}
}

func (a *api) workspaces() resource[estate.Workspace, workspaceDraft, workspaceChange, workspaceView] {
	return resource[estate.Workspace, workspaceDraft, workspaceChange, workspaceView]{
		api: a, collection: a.Services.Workspaces, path: "/v1/workspaces/",
		drafts: strict.For[workspaceDraft](), changes: strict.For[workspaceChange](),
		common:  func(o *estate.Workspace) *estate.Common { return &o.Common },
		find:    func(c *call) (estate.Workspace, error) { return byPath(c, a.Services.Workspaces, "workspace") },
		filters: []string{"project"},
		parent: func(c *call) (ident.ID, error) {
			organization, err := a.organizationOfList(c)
			if err != nil || c.q.text("project") == "" {
				return organization, err
			}
			return a.project(c, organization, c.q.text("project"), "?project")
		},
		draft: func(c *call, d workspaceDraft) (estate.Workspace, error) {
			organization, err := a.organizationOfPath(c)
			if err != nil {
				return estate.Workspace{}, err
			}
			project, err := a.project(c, organization, d.Project, "/project")
			return estate.Workspace{
				Common:         estate.Common{Name: d.Name, ExternalIDs: d.ExternalIDs},
				OrganizationID: organization, ProjectID: project, Description: d.Description, Tags: d.Tags,
				ExecutionMode: d.ExecutionMode, Module: d.Module, Repository: d.Repository, Branch: d.Branch, VCS: d.VCS,
				URL: d.URL, AutoApply: d.AutoApply,
			}, err
		},
		apply: a.changeWorkspace,
		view:  viewWorkspace,
	}
}

func (a *api) changeWorkspace(c *call, change workspaceChange, o *estate.Workspace) error {
	if change.Project != nil {
		project, err := a.project(c, o.OrganizationID, *change.Project, "/project")
		if err != nil {
			return err
		}
		if project != 0 {
			o.ProjectID = project
		}
	}
	set(&o.Name, change.Name)
	set(&o.Description, change.Description)
	set(&o.Tags, change.Tags)
	set(&o.ExecutionMode, change.ExecutionMode)
	set(&o.Module, change.Module)
	set(&o.Repository, change.Repository)
	set(&o.Branch, change.Branch)
	set(&o.VCS, change.VCS)
	set(&o.URL, change.URL)
	set(&o.AutoApply, change.AutoApply)
	set(&o.ExternalIDs, change.ExternalIDs)
	return nil
}

// project returns the ID of a project that a request names by ID or, within an organization, by name; zero when it names
// none.
func (a *api) project(c *call, organization ident.ID, text, pointer string) (ident.ID, error) {
	if text == "" {
		return 0, nil
	}
	o, err := named(c, a.Services.Projects, organization, text)
	if fault.Is(err, fault.NotFound) || (err == nil && organization != 0 && o.OrganizationID != organization) {
		return 0, fault.At(pointer, "There is no project %q in the organization, or you may not see it.", text)
	}
	return o.ID, err
}

// workspace returns a workspace that a document names by ID, or by name within a project.
func (a *api) workspace(c *call, organization, project ident.ID, text, pointer string) (estate.Workspace, error) {
	parent := project
	if parent == 0 {
		parent = organization
	}
	o, err := named(c, a.Services.Workspaces, parent, text)
	if fault.Is(err, fault.NotFound) || (err == nil && o.OrganizationID != organization) {
		return estate.Workspace{}, fault.At(pointer, "There is no workspace %q in the organization, or you may not see it.", text)
	}
	return o, err
}
