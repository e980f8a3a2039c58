package scalr

import (
	"encoding/json"
	"regexp"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/ident"
)

const workspaceType = "workspaces"

// workspaceDefaults is what a workspace shows before anybody sent anything (§6).
func workspaceDefaults() attributeSet {
	return attributeSet{
		"auto-queue-runs": "skip_first", "deletion-protection-enabled": true, "environment-type": "unmapped", "file-triggers-enabled": false,
		"force-latest-run": false, "has-resources": false, "hooks": nil, "iac-platform": "terraform", "locked": false, "operations": true,
		"remote-backend": true, "remote-state-sharing": true, "run-operation-timeout": nil, "terraform-version": "1.5.7",
		"terragrunt": nil, "var-files": []string{}, "vcs-repo": nil, "working-directory": "",
	}
}

// workspaceTargets are the relations of a workspace to one object each; none of them is modelled.
var workspaceTargets = []string{
	"current-run", "latest-run", "vcs-provider", "agent-pool", "module-version", "configuration-version", "ssh-key",
}

func (c *call) workspace(w *estate.Workspace) (resource, error) {
	environment, err := c.environmentID(w.ProjectID)
	if err != nil {
		return resource{}, err
	}
	creator, err := c.creator(extraOf(&w.Common).CreatedBy)
	if err != nil {
		return resource{}, err
	}
	mode := w.ExecutionMode
	if mode == "" {
		mode = "remote"
	}
	attributes := attributesOf(&w.Common, workspaceDefaults()).with(attributeSet{
		"name": w.Name, "auto-apply": w.AutoApply, "execution-mode": mode, "created-at": timeText(w.CreatedAt),
	})
	if isEmptyObject(attributes["hooks"]) {
		attributes["hooks"] = nil // an older client shows an endless change otherwise (§6)
	}
	relations := map[string]relationship{
		"environment": toOne(environmentType, environment), "created-by": creator, "tags": toMany("tags", nil),
	}
	for _, name := range workspaceTargets {
		relations[name] = relationship{}
	}
	id := idOf(&w.Common, workspaceIDs)
	return resource{
		ID: id, Type: workspaceType, Attributes: attributes, Relationships: relations, Links: selfLink{prefix + "/workspaces/" + id},
	}, nil
}

func isEmptyObject(value any) bool {
	raw, sent := value.(json.RawMessage)
	if !sent {
		return false
	}
	var members map[string]json.RawMessage
	return json.Unmarshal(raw, &members) == nil && len(members) == 0
}

func (c *call) answerWorkspace(how func(any) answer, w estate.Workspace) (answer, error) {
	r, err := c.workspace(&w)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(how, r)
}

func (c *call) theWorkspace() (estate.Workspace, error) {
	w, err := find(c, c.Workspaces, workspaceIDs, c.path("workspace"))
	return w, seenAs(err, "Workspace", c.path("workspace"))
}

// workspacesOf lists the workspaces of the accounts that a request is about.
func (c *call) workspacesOf(v view) ([]estate.Workspace, error) {
	accounts, err := c.accounts(v)
	if err != nil {
		return nil, err
	}
	var all []estate.Workspace
	for i := range accounts {
		some, err := c.Workspaces.List(c, c.who, accounts[i].ID)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func listWorkspaces(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.workspacesOf(v)
	if err != nil {
		return answer{}, err
	}
	name := func(w *estate.Workspace) string { return w.Name }
	all, err = choose(v, all, listing[estate.Workspace]{
		id: func(w *estate.Workspace) ident.ID { return w.ID }, name: name,
		sorts: map[string]func(*estate.Workspace) string{"name": name},
		filters: map[string]func(*estate.Workspace, string) (bool, error){
			"account": taken[estate.Workspace],
			"name":    func(w *estate.Workspace, value string) (bool, error) { return matches(value, w.Name), nil },
			"workspace": func(w *estate.Workspace, value string) (bool, error) {
				return matches(value, idOf(&w.Common, workspaceIDs)), nil
			},
			"environment": func(w *estate.Workspace, value string) (bool, error) {
				id, err := c.environmentID(w.ProjectID)
				return matches(value, id), err
			},
			"tag": func(*estate.Workspace, string) (bool, error) { return false, nil }, // there are no tags here
		},
	})
	if err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, c.workspace)
}

func showWorkspace(c *call) (answer, error) {
	w, err := c.theWorkspace()
	if err != nil {
		return answer{}, err
	}
	return c.answerWorkspace(ok, w)
}

func createWorkspace(c *call) (answer, error) {
	in, err := c.read(workspaceType)
	if err != nil {
		return answer{}, err
	}
	id, err := in.one("environment")
	if err != nil {
		return answer{}, err
	}
	if id == "" {
		var list problems
		list.unrelated("environment", "Environment is required.")
		return answer{}, list
	}
	environment, err := find(c, c.Projects, environmentIDs, id)
	if err != nil {
		if unseen(err) {
			err = missingOne("environment", "Environment", id)
		}
		return answer{}, err
	}
	w := estate.Workspace{OrganizationID: environment.OrganizationID, ProjectID: environment.ID, ExecutionMode: "remote"}
	if err := fillWorkspace(in, &w); err != nil {
		return answer{}, err
	}
	if err := madeBy(&w.Common, c.who); err != nil {
		return answer{}, err
	}
	saved, err := c.Workspaces.Create(c, c.who, w)
	if err != nil {
		return answer{}, seenAs(err, "Environment", id)
	}
	return c.answerWorkspace(created, saved)
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
	saved, err := c.Workspaces.Update(c, c.who, w.ID, func(w *estate.Workspace) error { return fillWorkspace(in, w) })
	if err != nil {
		return answer{}, seenAs(err, "Workspace", c.path("workspace"))
	}
	return c.answerWorkspace(ok, saved)
}

func deleteWorkspace(c *call) (answer, error) {
	w, err := c.theWorkspace()
	if err != nil {
		return answer{}, err
	}
	return gone(), seenAs(c.Workspaces.Delete(c, c.who, w.ID), "Workspace", c.path("workspace"))
}

// workspaceName is what the platform allows (§6).
var workspaceName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// fillWorkspace lays a client's document over a workspace. The environment never changes.
func fillWorkspace(in *input, w *estate.Workspace) error {
	var list problems
	before := w.Name
	in.name(&w.Name, &list)
	if w.Name != before && !workspaceName.MatchString(w.Name) {
		list.invalid("name", "Name may hold letters, digits, '_' and '-' only.")
	}
	if !in.take("auto-apply", &w.AutoApply) {
		list.invalid("auto-apply", "Auto apply must be true or false.")
	}
	mode, operations := "", true
	switch {
	case !in.take("execution-mode", &mode) || (mode != "" && !slices.Contains([]string{"remote", "local"}, mode)):
		list.invalid("execution-mode", "Execution mode must be 'remote' or 'local'.")
	case mode != "":
		w.ExecutionMode = mode
	case !in.take("operations", &operations):
		list.invalid("operations", "Operations must be true or false.")
	case in.has("operations") && !operations:
		w.ExecutionMode = "local"
	case in.has("operations"):
		w.ExecutionMode = "remote"
	}
	if err := list.err(); err != nil {
		return err
	}
	return keep(&w.Common, in)
}

// ofWorkspace answers for what a workspace has none of, if there is the workspace.
func ofWorkspace(c *call) (answer, error) {
	if _, err := c.theWorkspace(); err != nil {
		return answer{}, err
	}
	return emptyPage(c)
}
