package spacelift

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// document is a part of a policy's input. Absent data is an empty value, or null where that is allowed, never a missing
// member (§4.4).
type document = map[string]any

// endpoint is a named webhook as a policy sees it.
type endpoint struct {
	ID     string   `json:"id"`
	Labels []string `json:"labels"`
}

// policyInput is the document that a policy judges. Times are nanoseconds.
func (c *call) policyInput(ctx context.Context, e *event.Event, endpoints []endpoint) (json.RawMessage, error) {
	input := document{"account": document{"name": e.Organization.Name}, "webhook_endpoints": endpoints}
	switch {
	case e.Kind == event.KindRun:
		run, err := c.runInput(ctx, e)
		if err != nil {
			return nil, err
		}
		input["run_updated"] = run
	case e.Kind == event.KindModuleVersion:
		version, err := c.versionInput(ctx, e)
		if err != nil {
			return nil, err
		}
		input["module_version"] = version
	default:
		body := newErrorBody(e)
		input["internal_error"] = document{"error": cmp.Or(body.Error, body.Title), "message": body.Body, "severity": body.Severity}
	}
	return json.Marshal(input)
}

func (c *call) runInput(ctx context.Context, e *event.Event) (document, error) {
	steps, err := c.stepsOf(ctx, e)
	if err != nil {
		return nil, err
	}
	w, err := c.workspaceOf(ctx, e)
	if err != nil {
		return nil, err
	}
	state := stepOf(e).word
	stackPart, err := c.stackInput(ctx, e, w, state)
	if err != nil {
		return nil, err
	}
	return document{
		"state": state, "username": username(e.Actor), "note": e.Run.Note, "run": runDocument(c.account.Name, e, w, state, steps),
		"stack": stackPart, "timing": timing(steps), "urls": document{"run": runURL(c.Site, e)}, "policy_receipts": []any{},
		"plan_policy_decision": document{"deny": []any{}, "warn": []any{}},
	}, nil
}

func runDocument(account string, e *event.Event, w *estate.Workspace, state string, steps []*event.Event) document {
	r := e.Run
	created := r.CreatedAt
	if created.IsZero() && len(steps) > 0 {
		created = steps[0].OccurredAt
	}
	return document{
		"id": runID(r), "type": runType(e), "state": state, "branch": r.Branch, "command": r.Command, "created_at": nanos(created),
		"updated_at": nanos(e.OccurredAt), "triggered_by": orNull(triggeredBy(r)), "drift_detection": r.Drift, "based_on_local_workspace": r.Origin == "cli",
		"flags": []any{}, "user_provided_metadata": []any{}, "changes": []any{}, "commit": runCommit(r), "creator_session": session(account, r.CreatedBy),
		"runtime_config": runtimeConfig(w), "states_history": history(steps), "policy_receipts": []any{},
	}
}

// stepsOf returns the run's steps up to the event, in their order.
func (c *call) stepsOf(ctx context.Context, e *event.Event) ([]*event.Event, error) {
	if e.Run.ID == 0 {
		return []*event.Event{e}, nil
	}
	events, err := c.Events.Run(ctx, estate.System(), estate.ByID(e.Run.ID))
	if fault.Is(err, fault.NotFound) {
		return []*event.Event{e}, nil
	}
	if err != nil {
		return nil, err
	}
	var steps []*event.Event
	for i := range events {
		if one := &events[i]; one.Run != nil && one.Run.Sequence <= e.Run.Sequence && stepOf(one).word != "" {
			steps = append(steps, one)
		}
	}
	return steps, nil
}

func history(steps []*event.Event) []document {
	list := make([]document, 0, len(steps))
	for _, e := range steps {
		at := stepOf(e)
		list = append(list, document{
			"state": at.word, "state_version": at.number, "timestamp": nanos(e.OccurredAt), "username": username(e.Actor), "note": e.Run.Note,
		})
	}
	return list
}

// timing is how long the run was in each state that it has left.
func timing(steps []*event.Event) []document {
	list := []document{}
	for i := 1; i < len(steps); i++ {
		list = append(list, document{
			"state": stepOf(steps[i-1]).word, "duration": steps[i].OccurredAt.Sub(steps[i-1].OccurredAt).Nanoseconds(),
		})
	}
	return list
}

// workspaceOf reads the event's workspace; one that is gone is as empty as a record can be.
func (c *call) workspaceOf(ctx context.Context, e *event.Event) (*estate.Workspace, error) {
	w, err := c.Workspaces.Get(ctx, estate.System(), estate.ByID(e.Workspace.ID))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return &w, nil
}

func (c *call) stackInput(ctx context.Context, e *event.Event, w *estate.Workspace, state string) (document, error) {
	s, err := c.newStack(ctx, w)
	if err != nil {
		return nil, err
	}
	namespace, repository := splitRepository(e.Workspace.Repository)
	pool := newWorkerPool(e.Run.WorkerPool)
	return document{
		"id": stackID(e.Workspace), "name": e.Workspace.Name, "state": state, "branch": cmp.Or(s.Branch, e.Run.Branch), "repository": repository,
		"namespace": namespace, "project_root": s.ProjectRoot, "labels": list(e.Workspace.Tags), "administrative": s.Administrative,
		"autodeploy": value(e.Run.AutoApply) || s.Autodeploy, "autoretry": s.Autoretry, "locked_by": nil, "terraform_version": value(s.TerraformVersion),
		"space": spaceDocument(s.SpaceDetails), "roles": []any{}, "tracked_commit": commitDocument(e.Run.Commit), "worker_pool": poolDocument(pool),
	}, nil
}

func spaceDocument(s *space) document {
	return document{"id": string(s.ID), "name": s.Name, "labels": list(s.Labels)}
}

func poolDocument(p workerPool) document {
	return document{"public": p.Public, "id": p.ID, "name": p.Name, "labels": p.Labels}
}

func commitDocument(c *event.Commit) document {
	if c == nil {
		c = &event.Commit{}
	}
	return document{
		"author": cmp.Or(c.AuthorLogin, c.AuthorName), "branch": "", "created_at": nanos(c.At), "hash": c.Hash, "message": c.Message, "url": c.URL,
	}
}

func runCommit(r *event.Run) document {
	d := commitDocument(r.Commit)
	d["branch"], d["tag"], d["pull_request_id"], d["exist_on_tracked_branch"] = r.Branch, "", nil, false
	return d
}

// session is who made the run, null when nobody is known.
func session(account string, a *event.Actor) any {
	if a == nil {
		return nil
	}
	return document{
		"account_name": account, "admin": false, "creator_ip": "", "login": cmp.Or(a.Email, a.Name), "machine": false, "member": true,
		"name": cmp.Or(a.FullName, a.Name), "stack_id": "", "teams": []any{},
	}
}

// runtimeConfig is what the stack's record says of how it runs.
func runtimeConfig(w *estate.Workspace) document {
	in := stackInput{}
	if r := recordOf(w); r.Stack != nil {
		in = *r.Stack
	}
	version := ""
	if v := in.VendorConfig; v != nil && v.Terraform != nil {
		version = value(v.Terraform.Version)
	}
	return document{
		"after_apply": texts(in.AfterApply), "after_destroy": texts(in.AfterDestroy), "after_init": texts(in.AfterInit), "after_perform": texts(in.AfterPerform),
		"after_plan": texts(in.AfterPlan), "before_apply": texts(in.BeforeApply), "before_destroy": texts(in.BeforeDestroy), "before_init": texts(in.BeforeInit),
		"before_perform": texts(in.BeforePerform), "before_plan": texts(in.BeforePlan), "after_run": texts(in.AfterRun), "environment": document{},
		"project_root": value(in.ProjectRoot), "runner_image": value(in.RunnerImage), "terraform_version": version,
	}
}

func (c *call) versionInput(ctx context.Context, e *event.Event) (document, error) {
	w, err := c.workspaceOf(ctx, e)
	if err != nil {
		return nil, err
	}
	m, err := c.newModule(ctx, w)
	if err != nil {
		return nil, err
	}
	v := e.ModuleVersion
	namespace, repository := splitRepository(e.Workspace.Repository)
	runs := []document{}
	for _, r := range newModuleBody(e, c.Site).Version.TestRuns {
		runs = append(runs, document{"id": r.ID, "title": r.Title, "state": r.State, "created_at": r.CreatedAt * nano, "updated_at": r.UpdatedAt * nano})
	}
	body := newModuleBody(e, c.Site)
	return document{
		"module": document{
			"id": body.Module.ID, "name": body.Module.Name, "namespace": namespace, "branch": v.Branch, "repository": repository, "project_root": m.ProjectRoot,
			"terraform_provider": body.Module.TerraformProvider, "administrative": m.Administrative, "labels": body.Module.Labels,
			"space": spaceDocument(m.SpaceDetails), "worker_pool": poolDocument(newWorkerPool(nil)),
		},
		"version": document{
			"id": v.ID, "number": v.Number, "state": body.Version.State, "latest": v.Latest, "created_at": nanos(v.CreatedAt),
			"commit": commitDocument(v.Commit), "test_runs": runs,
		},
	}, nil
}

const nano = int64(time.Second)

// nanos is a time as policies see it; 0 for none.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func username(a *event.Actor) string {
	if a == nil {
		return ""
	}
	return cmp.Or(a.Email, a.Name)
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
