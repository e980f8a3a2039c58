package pulumi

import (
	"slices"
	"strconv"
	"strings"

	"carillon/internal/event"
)

// event turns a webhook into a neutral event (§9.2). said is false for what says nothing.
func (w webhook) event() (e event.Event, said bool) {
	e, c := w.other(), w.content
	switch c.kind {
	case kindStack:
		if e.Workspace != nil && (c.action == "created" || c.action == "deleted") {
			e.Kind, e.Action = event.KindWorkspace, c.action
		}
	case kindUpdate, kindPreview:
		w.update(&e)
	case kindDeployment:
		if c.status == statusAccepted {
			return e, false
		}
		w.deployment(&e)
	case kindDrift, kindRemediation:
		w.drift(&e)
	case kindPolicy:
		w.policy(&e)
	default:
		w.environment(&e)
	}
	return e, true
}

// update reads how an update or a preview ended.
func (w webhook) update(e *event.Event) {
	c := w.content
	if c.result != statusSucceeded && c.result != statusFailed {
		return
	}
	r := w.run(c.operation, c.result)
	r.Status, r.Phase = event.StatusApplied, event.PhaseApply
	if c.kind == kindPreview {
		r.Operation, r.Status, r.Phase = event.OperationPlan, event.StatusPlannedAndFinished, event.PhasePlan
	}
	if c.result == statusFailed {
		r.Status = event.StatusErrored
	} else {
		r.Phase = ""
	}
	e.Kind, e.Run = event.KindRun, r
}

// deploymentStatuses maps the platform's statuses to the neutral ones (§9.2).
var deploymentStatuses = map[string]event.Status{
	statusQueued: event.StatusPending, statusRunning: event.StatusPlanning, statusSucceeded: event.StatusApplied,
	statusFailed: event.StatusErrored, statusSkipped: event.StatusDiscarded,
}

// deployment reads where a job stands. It and the update that it performs are two runs: nothing in the payloads joins them.
func (w webhook) deployment(e *event.Event) {
	c := w.content
	status, known := deploymentStatuses[c.status]
	if !known {
		return
	}
	r := w.run(c.operation, c.status)
	r.Service, r.Drift = true, strings.HasSuffix(c.operation, "-drift")
	if c.operation == "preview" || c.operation == "detect-drift" {
		r.Operation = event.OperationPlan
		if status == event.StatusApplied {
			status = event.StatusPlannedAndFinished
		}
	}
	r.Status = status
	e.Kind, e.Run = event.KindRun, r
}

// run is what updates and deployments have in common. Its identifier is the end of its address: unique in the stack.
func (w webhook) run(operation, native string) *event.Run {
	c := w.content
	r := &event.Run{
		SourceID: lastSegments(c.link), URL: webAddress(c.link), Number: c.version, Operation: operationOf(operation),
		NativeType: operation, NativeStatus: native, Changes: neutralChanges(c.changes),
	}
	if n, err := strconv.ParseInt(r.SourceID[strings.LastIndexByte(r.SourceID, '/')+1:], 10, 64); err == nil && r.Number == 0 && n > 0 {
		r.Number = n
	}
	if r.Changes != nil {
		changed := anyChange(c.changes)
		r.HasChanges = &changed
	}
	return r
}

// lastSegments are the last two segments of an address: "updates/42".
func lastSegments(link string) string {
	path, _, _ := strings.Cut(link, "?")
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(segments) < 2 {
		return link
	}
	return strings.Join(segments[len(segments)-2:], "/")
}

func operationOf(word string) event.Operation {
	switch word {
	case "destroy":
		return event.OperationDestroy
	case "refresh":
		return event.OperationRefresh
	case "import":
		return event.OperationImport
	}
	return event.OperationApply
}

// neutralChanges counts what others count, and keeps the platform's own counts beside (§9.2).
func neutralChanges(c counts) *event.Changes {
	if c == nil {
		return nil
	}
	return &event.Changes{
		Add: c["create"] + c["import"], Change: c["update"], Destroy: c["delete"], Import: c["import"], Replace: c["replace"],
		Operations: c,
	}
}

// anyChange reports whether anything but looking was done.
func anyChange(c counts) bool {
	for name, n := range c {
		if n > 0 && !slices.Contains([]string{"same", "read", "refresh"}, name) {
			return true
		}
	}
	return false
}

// drift reads how a check for drift, or its mending, ended. What has not ended is kept as it is.
func (w webhook) drift(e *event.Event) {
	c := w.content
	if e.Workspace == nil || (c.status != statusSucceeded && c.status != statusFailed) {
		return
	}
	found := event.AssessmentResult{
		SourceID: lastSegments(c.link), RunSourceID: c.driftRun, URL: webAddress(c.link), NativeStatus: c.status,
		Succeeded: c.status == statusSucceeded, Drifted: c.drifted, AllChecksSucceeded: true, CreatedAt: w.in.At,
		RemediatesDrift: c.kind == kindRemediation, Changes: neutralChanges(c.changes),
	}
	if c.driftRun != "" {
		found.SourceID = "drift/" + c.driftRun
	}
	for name, n := range c.changes {
		if name == "same" {
			found.ResourcesUndrifted += n
		} else if c.kind == kindDrift {
			found.ResourcesDrifted += n
		}
	}
	e.Kind, e.Assessment = event.KindAssessment, &event.Assessment{New: found}
}

// policy reads violations. The platform's form is not published: a level that is not there counts as advisory (§9.2).
func (w webhook) policy(e *event.Event) {
	c := w.content
	p := &event.Policy{Blocking: c.level == "mandatory", RunURL: webAddress(c.link)}
	for _, v := range c.violations {
		p.Violations = append(p.Violations, event.Violation{
			Pack: v.Pack, PackVersion: v.Version, Policy: v.Policy, Message: v.Message, Resource: v.Resource, Severity: v.Severity,
		})
	}
	if len(p.Violations) > 0 {
		e.Kind, e.Policy = event.KindPolicy, p
	}
}

// environmentPrefixes are the neutral actions of the platform's kinds about environments.
var environmentPrefixes = map[string]string{
	kindEnvironment: "", kindRevision: "revision_", kindRevisionTag: "revision_tag_", kindTag: "tag_", kindRotation: "rotation_",
}

// environment reads what happened to an environment.
func (w webhook) environment(e *event.Event) {
	c := w.content
	prefix, known := environmentPrefixes[c.kind]
	switch {
	case e.Environment == nil:
		return
	case c.kind == kindImported:
		e.Kind, e.Action = event.KindEnvironment, "imported_changed"
	case c.kind == kindChangeRequest && c.action != "":
		e.Kind, e.Action = event.KindChangeRequest, c.action
		e.ChangeRequest = &event.ChangeRequest{
			SourceID: c.request.ID, Subject: c.request.Description, LatestRevision: c.request.Revision, Status: c.request.Status,
		}
	case known && c.outcome() != "":
		e.Kind, e.Action = event.KindEnvironment, prefix+c.outcome()
	default:
		return
	}
	to := e.Environment
	to.Tag, to.Revision, to.AffectedRevisions, to.Status, to.Error = c.tag, c.revision, c.affected, c.status, c.complaint
	if c.kind == kindRotation {
		to.Revision, to.PriorRevision = c.after, c.before
	}
	if c.imported.Name != "" {
		to.Imported = &event.EnvironmentRef{Project: c.imported.Project, Name: c.imported.Name, Revision: c.imported.Revision}
	}
}
