package dialecttest

import (
	"fmt"
	"time"

	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// The estate in which Events happen.
const (
	organizationID = ident.ID(1001 << 13)
	projectID      = ident.ID(1002 << 13)
	workspaceID    = ident.ID(1003 << 13)
	teamID         = ident.ID(1004 << 13)
	runID          = ident.ID(1005 << 13)
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.UTC)

var scopeIDs = map[subscription.Level]ident.ID{
	subscription.LevelOrganization: organizationID, subscription.LevelProject: projectID,
	subscription.LevelWorkspace: workspaceID, subscription.LevelTeam: teamID,
	subscription.LevelEnvironment: subscription.EnvironmentScopeID(organizationID, "payments", "prod"),
}

// Events returns sample events of every kind, by name, as they stand after they were accepted. Each call makes new ones.
func Events() map[string]*event.Event {
	all := map[string]*event.Event{}
	for _, status := range event.Statuses() {
		for _, awaiting := range []bool{false, true} {
			for _, operation := range []event.Operation{event.OperationApply, event.OperationPlan, event.OperationDestroy, event.OperationRefresh} {
				all[fmt.Sprintf("run %s %s awaiting=%v", operation, status, awaiting)] = runEvent(status, awaiting, operation)
			}
		}
	}
	for _, action := range []string{"created", "deleted", "updated"} {
		all["workspace "+action] = newEvent(event.KindWorkspace, action)
	}
	addAutoDestroy(all)
	addAssessments(all)
	addOthers(all)
	for name, e := range sparse() {
		all[name] = e
	}
	return all
}

func newEvent(kind event.Kind, action string) *event.Event {
	return &event.Event{
		ID: 2001 << 13, Kind: kind, Action: action, OccurredAt: moment, AcceptedAt: moment.Add(time.Second),
		Actor:        &event.Actor{ID: "u-1", Name: "jane", FullName: "Jane Doe", Email: "jane@example.com"},
		Organization: event.Organization{ID: organizationID, Name: "acme", DisplayName: "Acme Inc."},
		Project:      &event.Project{ID: projectID, Name: "payments"},
		Workspace: &event.Workspace{
			ID: workspaceID, Name: "checkout", Tags: []string{"prod"}, Repository: "acme/checkout", VCS: "github", Description: "the checkout",
		},
		Source: event.Source{Kind: "api"},
	}
}

func runEvent(status event.Status, awaiting bool, operation event.Operation) *event.Event {
	yes, no := true, false
	e := newEvent(event.KindRun, "")
	e.Run = &event.Run{
		ID: runID, SourceID: "run-17", Number: 17, Message: "Add five new queue workers", Operation: operation, Status: status,
		Awaiting: awaiting, Sequence: 3, CreatedAt: moment.Add(-time.Minute), CreatedBy: &event.Actor{Name: "jane", Email: "jane@example.com"},
		Branch: "main", HasChanges: &yes, AutoApply: &no, Origin: "vcs", Trigger: "jane",
		Commit:  &event.Commit{Hash: "0123456789abcdef0123456789abcdef01234567", Message: "Add workers", AuthorName: "Jane Doe", AuthorLogin: "jane", URL: "https://git.example.com/c/1", At: moment},
		Changes: &event.Changes{Add: 5, Change: 2, Destroy: 1, Total: 12, Operations: map[string]int64{"create": 5, "update": 2, "delete": 1, "same": 4}},
		Labels:  []string{"nightly"},
	}
	return e
}

func addAutoDestroy(all map[string]*event.Event) {
	reminder, results := newEvent(event.KindWorkspace, "auto_destroy_reminder"), newEvent(event.KindWorkspace, "auto_destroy_results")
	reminder.AutoDestroy = &event.AutoDestroy{At: moment.Add(24 * time.Hour), HoursLeft: 24}
	results.AutoDestroy = &event.AutoDestroy{RunSourceID: "run-18", RunStatus: event.StatusApplied, RunCreatedAt: moment}
	all["auto-destroy reminder"], all["auto-destroy results"] = reminder, results
}

func addAssessments(all map[string]*event.Event) {
	fine := event.AssessmentResult{SourceID: "a-1", Succeeded: true, AllChecksSucceeded: true, ResourcesUndrifted: 9, ChecksPassed: 3, CreatedAt: moment.Add(-time.Hour)}
	drifted := event.AssessmentResult{SourceID: "a-2", Succeeded: true, Drifted: true, AllChecksSucceeded: true, ResourcesDrifted: 2, ResourcesUndrifted: 7, ChecksPassed: 3, CreatedAt: moment}
	failing := event.AssessmentResult{SourceID: "a-3", Succeeded: true, ResourcesUndrifted: 9, ChecksPassed: 2, ChecksFailed: 1, CreatedAt: moment}
	failed := event.AssessmentResult{SourceID: "a-4", Error: "no credentials", CreatedAt: moment}
	for name, result := range map[string]event.AssessmentResult{"fine": fine, "drifted": drifted, "checks failing": failing, "failed": failed} {
		first, second := newEvent(event.KindAssessment, ""), newEvent(event.KindAssessment, "")
		first.Assessment = &event.Assessment{New: result}
		second.Assessment = &event.Assessment{New: result, Prior: &fine}
		all["first assessment "+name], all["assessment "+name] = first, second
	}
}

func addOthers(all map[string]*event.Event) {
	for i, action := range []string{"queued", "running", "succeeded", "failed"} {
		e := newEvent(event.KindDeployment, action)
		e.Deployment = &event.Deployment{SourceID: "d-1", Number: int64(i), Operation: event.OperationApply, Status: action}
		all["deployment "+action] = e
	}
	for _, action := range []string{"created", "updated", "deleted", "revision_created", "tag_created", "tag_updated", "tag_deleted"} {
		e := newEvent(event.KindEnvironment, action)
		e.Workspace = nil
		e.Environment = &event.Environment{Project: "payments", Name: "prod", Tag: "stable", Revision: 4, PriorRevision: 3}
		all["environment "+action] = e
	}
	for _, blocking := range []bool{false, true} {
		e := newEvent(event.KindPolicy, "violated")
		e.Policy = &event.Policy{Blocking: blocking, Violations: []event.Violation{{Pack: "base", PackVersion: "2", Policy: "no-public-buckets", Message: "the bucket is public", Resource: "bucket", Severity: "high"}}}
		all[fmt.Sprintf("policy blocking=%v", blocking)] = e
	}
	request := newEvent(event.KindChangeRequest, "created")
	request.Teams = []event.Team{{ID: teamID, Name: "platform"}}
	request.ChangeRequest = &event.ChangeRequest{SourceID: "c-1", Subject: "Pin the actions", Message: "please", CreatedAt: moment, CreatedBy: &event.Actor{Name: "jane"}}
	all["change request"] = request
	version := newEvent(event.KindModuleVersion, "created")
	version.ModuleVersion = &event.ModuleVersion{ID: "v-1", Number: "1.2.3", State: "active", Latest: true, Provider: "aws", CreatedAt: moment}
	all["module version"] = version
	internal, audit := newEvent(event.KindAccount, "internal_error"), newEvent(event.KindAccount, "audit")
	internal.Account = &event.Account{Severity: "error", Title: "Could not reach the provider", Body: "It did not answer."}
	audit.Account = &event.Account{Verb: "stack.create", ActorRoles: []string{"admin"}}
	all["internal error"], all["audit"] = internal, audit
	for _, action := range []string{"failing", "disabled", "recovered", "exhausted"} {
		e := newEvent(event.KindNotifier, action)
		e.Notifier = &event.Notifier{Subscription: "s-1", SubscriptionName: "ops", Destination: "https://hooks.example.com", Reason: "500", Attempts: 9}
		all["notifier "+action] = e
	}
	other := newEvent(event.KindOther, "")
	other.Native = &event.Native{Dialect: "elsewhere", Kind: "unknown", Body: []byte(`{"a":1}`)}
	all["other"] = other
}

// sparse are events with as little as their kind may have.
func sparse() map[string]*event.Event {
	organization, workspace := event.Organization{ID: organizationID, Name: "acme"}, func() *event.Workspace {
		return &event.Workspace{ID: workspaceID, Name: "checkout"}
	}
	return map[string]*event.Event{
		"a bare run":        {ID: 2002 << 13, Kind: event.KindRun, Organization: organization, Workspace: workspace(), Run: &event.Run{SourceID: "1", Status: event.StatusApplied}},
		"a bare failure":    {ID: 2002 << 13, Kind: event.KindRun, Organization: organization, Workspace: workspace(), Run: &event.Run{SourceID: "1", Status: event.StatusErrored}},
		"a bare workspace":  {ID: 2002 << 13, Kind: event.KindWorkspace, Action: "deleted", Organization: organization, Workspace: workspace()},
		"a bare assessment": {ID: 2002 << 13, Kind: event.KindAssessment, Organization: organization, Workspace: workspace(), Assessment: &event.Assessment{}},
		"a bare request":    {ID: 2002 << 13, Kind: event.KindChangeRequest, Action: "created", Organization: organization, ChangeRequest: &event.ChangeRequest{}},
		"a bare other":      {ID: 2002 << 13, Kind: event.KindOther, Organization: organization},
	}
}
