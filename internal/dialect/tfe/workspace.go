package tfe

import (
	"encoding/json"
	"net/url"
	"slices"

	"carillon/internal/estate"
)

const workspaceType = "workspaces"

// workspaceDefaults is what a workspace shows before anybody sent anything. A boolean that is not echoed is a permanent
// difference to the provider (§6).
func workspaceDefaults() attributeSet {
	return attributeSet{
		"allow-destroy-plan": true, "assessments-enabled": false, "auto-apply-run-trigger": false, "file-triggers-enabled": true,
		"global-remote-state": false, "locked": false, "queue-all-runs": true,
		"setting-overwrites": attributeSet{"execution-mode": false, "agent-pool": false},
		"source":             "tfe-api", "speculative-enabled": true, "structured-run-output-enabled": true, "tag-names": []string{},
		"terraform-version": "1.11.4", "trigger-prefixes": []string{}, "trigger-patterns": []string{}, "vcs-repo": nil,
		"working-directory": "",
	}
}

// workspacePermissions lists what clients ask for; without can-force-delete they refuse to destroy (§6).
func workspacePermissions(admin bool) attributeSet {
	set := attributeSet{}
	for _, name := range []string{
		"can-update", "can-destroy", "can-force-delete", "can-queue-run", "can-queue-destroy", "can-queue-apply", "can-read-settings",
		"can-lock", "can-unlock", "can-force-unlock", "can-read-variable", "can-update-variable", "can-read-state-versions",
		"can-manage-run-tasks",
	} {
		set[name] = admin || name == "can-read-settings"
	}
	return set
}

func (c *call) workspace(w estate.Workspace) (resource, error) {
	o, err := c.Organizations.Get(c, c.who, estate.ByID(w.OrganizationID))
	if err != nil {
		return resource{}, err
	}
	project, err := c.Projects.Get(c, c.who, estate.ByID(w.ProjectID))
	if err != nil {
		return resource{}, err
	}
	mode := w.ExecutionMode
	if mode == "" {
		mode = "remote"
	}
	admin := c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: w.OrganizationID, ProjectID: w.ProjectID, WorkspaceID: w.ID})
	return resource{
		ID: external(&w.Common, workspaceIDs), Type: workspaceType,
		Attributes: attributesOf(&w.Common, workspaceDefaults()).with(attributeSet{
			"name": w.Name, "description": w.Description, "execution-mode": mode, "operations": mode != "local",
			"auto-apply": w.AutoApply, "resource-count": 0, "created-at": milli(w.CreatedAt), "updated-at": milli(w.UpdatedAt),
			"permissions": workspacePermissions(admin),
		}),
		Relationships: map[string]relationship{
			"organization": toOne(organizationType, o.Name),
			"project":      toOne(projectType, external(&project.Common, projectIDs)),
		},
		Links: map[string]string{
			"self":      "/api/v2/organizations/" + url.PathEscape(o.Name) + "/workspaces/" + url.PathEscape(w.Name),
			"self-html": workspacePath(o.Name, w.Name),
		},
	}, nil
}

// theWorkspace finds the workspace of the path, by identifier or by name in the organization.
func (c *call) theWorkspace() (estate.Workspace, error) {
	if c.path("org") == "" {
		return find(c, c.Workspaces, workspaceIDs, c.path("workspace"))
	}
	o, err := c.theOrganization()
	if err != nil {
		return estate.Workspace{}, err
	}
	return c.Workspaces.Get(c, c.who, estate.ByName(o.ID, c.path("workspace")))
}

func (c *call) answerWorkspace(how func(any) answer, w estate.Workspace) (answer, error) {
	r, err := c.workspace(w)
	if err != nil {
		return answer{}, err
	}
	return how(single(r)), nil
}

func listWorkspaces(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	all, err := c.Workspaces.List(c, c.who, o.ID)
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, all, c.workspace)
}

func createWorkspace(c *call) (answer, error) {
	o, err := c.theOrganization()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(workspaceType)
	if err != nil {
		return answer{}, err
	}
	w := estate.Workspace{OrganizationID: o.ID, ProjectID: o.DefaultProjectID, ExecutionMode: "remote"}
	if err := c.fillWorkspace(in, &w); err != nil {
		return answer{}, err
	}
	saved, err := c.Workspaces.Create(c, c.who, w)
	if err != nil {
		return answer{}, err
	}
	return c.answerWorkspace(created, saved)
}

func showWorkspace(c *call) (answer, error) {
	w, err := c.theWorkspace()
	if err != nil {
		return answer{}, err
	}
	return c.answerWorkspace(ok, w)
}

func updateWorkspace(c *call) (answer, error) {
	w, err := c.theWorkspace()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(workspaceType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Workspaces.Update(c, c.who, w.ID, func(w *estate.Workspace) error { return c.fillWorkspace(in, w) })
	if err != nil {
		return answer{}, err
	}
	return c.answerWorkspace(ok, saved)
}

// deleteWorkspace serves the safe deletion too: there is no state to keep.
func deleteWorkspace(c *call) (answer, error) {
	w, err := c.theWorkspace()
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Workspaces.Delete(c, c.who, w.ID)
}

// fillWorkspace lays a client's document over a workspace.
func (c *call) fillWorkspace(in *input, w *estate.Workspace) error {
	var list problems
	in.name(&w.Common, &list)
	in.text("description", &w.Description, &list)
	if !in.take("auto-apply", &w.AutoApply) {
		list.invalid("auto-apply", "is invalid")
	}
	executionMode(in, w, &list)
	repository(in, w, &list)
	if id, err := in.one("project"); err != nil {
		return err
	} else if id != "" {
		project, err := find(c, c.Projects, projectIDs, id)
		if err != nil {
			return err
		}
		w.ProjectID = project.ID
	}
	if err := c.nameIsFree(in, w, &list); err != nil {
		return err
	}
	if err := list.err(); err != nil {
		return err
	}
	return keep(&w.Common, in)
}

// nameIsFree notes a name that another workspace of the organization has: the platform knows no projects in the names of
// workspaces (§6).
func (c *call) nameIsFree(in *input, w *estate.Workspace, list *problems) error {
	if !in.has("name") || len(*list) > 0 {
		return nil
	}
	other, err := c.Workspaces.Get(c, c.who, estate.ByName(w.OrganizationID, w.Name))
	switch {
	case err == nil && other.ID != w.ID:
		list.invalid("name", "has already been taken")
	case err != nil && problemsOf(err).status() != 404:
		return err
	}
	return nil
}

// executionMode reads the mode, or the older switch that says only whether runs are remote.
func executionMode(in *input, w *estate.Workspace, list *problems) {
	var mode string
	operations := true
	if !in.take("execution-mode", &mode) || !in.take("operations", &operations) ||
		(mode != "" && !slices.Contains([]string{"remote", "local", "agent"}, mode)) {
		list.invalid("execution-mode", "is not included in the list")
		return
	}
	switch {
	case mode != "":
		w.ExecutionMode = mode
	case in.has("operations") && !operations:
		w.ExecutionMode = "local"
	case in.has("operations") && w.ExecutionMode == "local":
		w.ExecutionMode = "remote"
	}
}

// repository notes where the code comes from; the whole object is echoed with the other attributes.
func repository(in *input, w *estate.Workspace, list *problems) {
	if !in.has("vcs-repo") {
		return
	}
	var repo struct {
		Identifier string `json:"identifier"`
		Branch     string `json:"branch"`
	}
	if raw := in.Attributes["vcs-repo"]; json.Unmarshal(raw, &repo) != nil {
		list.invalid("vcs-repo", "is invalid")
		return
	}
	w.Repository, w.Branch = repo.Identifier, repo.Branch
}

// workspaceWithout answers for what a workspace has none of, if there is the workspace.
func workspaceWithout(h handler) handler {
	return func(c *call) (answer, error) {
		if _, err := c.theWorkspace(); err != nil {
			return answer{}, err
		}
		return h(c)
	}
}

func emptyPage(c *call) (answer, error) {
	return pageOf(c, []resource{}, func(r resource) (resource, error) { return r, nil })
}
