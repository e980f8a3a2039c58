package event

import (
	"slices"

	"carillon/internal/strict"
)

// Validate checks that an event is complete for its kind and within the limits. The error is a *fault.Error that points
// at every fault. What it accepts can be stored, matched and rendered.
func (e *Event) Validate() error {
	var c checker
	c.event(e)
	return c.Err()
}

// event checks what every kind has in common, then the kind's own parts.
func (c *checker) event(e *Event) {
	c.name("/key", e.Key)
	c.word("/action", string(e.Action))
	c.actor("/actor", e.Actor)
	for at, pointer := range e.times() {
		c.time(pointer, *at)
	}
	c.required("/organization/name", e.Organization.Name)
	c.name("/organization/display_name", e.Organization.DisplayName)
	c.url("/organization/avatar_url", e.Organization.AvatarURL)
	c.externalIDs("/organization/external_ids", e.Organization.ExternalIDs)
	if p := e.Project; p != nil {
		c.required("/project/name", p.Name)
		c.url("/project/url", p.URL)
		c.externalIDs("/project/external_ids", p.ExternalIDs)
	}
	if e.Workspace != nil {
		c.workspace(e.Workspace)
	}
	c.count("/teams", len(e.Teams))
	for i := range e.Teams {
		c.place = place{base: "/teams", item: i + 1}
		c.required("/name", e.Teams[i].Name)
		c.externalIDs("/external_ids", e.Teams[i].ExternalIDs)
	}
	c.place = place{}
	c.source(e)
	c.kind(e)
	c.parts(e)
}

func (c *checker) workspace(w *Workspace) {
	defer c.restore(c.place)
	c.place = place{base: "/workspace"}
	c.required("/name", w.Name)
	c.url("/url", w.URL)
	c.text("/description", w.Description, MaxText)
	c.names("/tags", w.Tags)
	c.word("/execution_mode", w.ExecutionMode)
	c.name("/repository", w.Repository)
	c.name("/vcs", w.VCS)
	c.externalIDs("/external_ids", w.ExternalIDs)
}

func (c *checker) source(e *Event) {
	c.word("/source/kind", e.Source.Kind)
	c.name("/source/dialect", e.Source.Dialect)
	c.name("/source/event_id", e.Source.EventID)
	c.text("/source/user_agent", e.Source.UserAgent, MaxURL)
	c.texts("/source/metadata", e.Source.Metadata)
	if n := e.Native; n != nil {
		c.required("/native/dialect", n.Dialect)
		c.name("/native/kind", n.Kind)
		c.name("/native/trigger", n.Trigger)
		c.name("/native/content_type", n.ContentType)
	}
}

// kind checks that the parts are there without which the kind says nothing.
func (c *checker) kind(e *Event) {
	switch e.Kind {
	case KindRun:
		c.need(e.Run != nil, e.Kind, "/run")
		c.need(e.Workspace != nil, e.Kind, "/workspace")
		c.refuse(e.Action != "", "/action", `A run's action is its status: leave "action" out and set "status" of the run.`)
	case KindWorkspace:
		c.need(e.Workspace != nil, e.Kind, "/workspace")
		c.need(e.Action != "", e.Kind, "/action")
	case KindAssessment:
		c.need(e.Workspace != nil, e.Kind, "/workspace")
		c.need(e.Assessment != nil, e.Kind, "/assessment")
	case KindDeployment:
		c.need(e.Workspace != nil, e.Kind, "/workspace")
		c.need(e.Deployment != nil, e.Kind, "/deployment")
		c.need(e.Action != "", e.Kind, "/action")
		c.oneOf("/action", e.Action, deploymentActions)
	case KindEnvironment:
		c.need(e.Environment != nil, e.Kind, "/environment")
		c.need(e.Action != "", e.Kind, "/action")
	case KindPolicy:
		c.need(e.Policy != nil, e.Kind, "/policy")
	case KindChangeRequest:
		c.need(e.ChangeRequest != nil, e.Kind, "/change_request")
	case KindModuleVersion:
		c.need(e.ModuleVersion != nil, e.Kind, "/module_version")
		c.need(e.Workspace != nil, e.Kind, "/workspace")
	case KindAccount:
		c.need(e.Account != nil, e.Kind, "/account")
	case KindNotifier:
		c.need(e.Notifier != nil, e.Kind, "/notifier")
		c.need(e.Action != "", e.Kind, "/action")
		c.oneOf("/action", e.Action, notifierActions)
	case KindTest, KindOther:
	case "":
		c.add("/kind", "Is missing; the kinds are %s.", list(Kinds()))
	default:
		c.unknown("/kind", string(e.Kind), words(Kinds()))
	}
}

// The closed sets of actions; those of other kinds are open.
var (
	deploymentActions = []string{"queued", "running", "succeeded", "failed"}
	notifierActions   = []string{"failing", "disabled", "recovered", "exhausted"}
)

// operations is the list of Operations as words, made once.
var operations = words(Operations())

// Operations lists what a run can do.
func Operations() []Operation {
	return []Operation{
		OperationApply, OperationPlan, OperationDestroy, OperationRefresh, OperationImport, OperationTask, OperationTest,
	}
}

// run checks a run, which may be part of an event of any kind.
func (c *checker) run(r *Run) {
	defer c.restore(c.place)
	c.place = place{base: "/run"}
	c.required("/source_id", r.SourceID)
	c.externalIDs("/external_ids", r.ExternalIDs)
	c.atLeastZero("/number", r.Number)
	c.text("/message", r.Message, MaxText)
	c.url("/url", r.URL)
	if r.Operation != "" {
		c.oneOf("/operation", string(r.Operation), operations)
	}
	c.status(r.Status)
	c.name("/native_status", r.NativeStatus)
	c.name("/native_type", r.NativeType)
	c.refuse(r.Sequence < 0 || r.Sequence > MaxSequence, "/sequence", "Must be between 0 and 9007199254740991.")
	if r.Phase != "" {
		c.oneOf("/phase", string(r.Phase), []string{string(PhasePlan), string(PhaseApply)})
	}
	c.actor("/run/created_by", r.CreatedBy)
	c.name("/trigger", r.Trigger)
	c.name("/origin", r.Origin)
	c.name("/branch", r.Branch)
	c.commit("/run/commit", r.Commit)
	c.text("/command", r.Command, MaxText)
	c.text("/note", r.Note, MaxText)
	c.changes("/changes", r.Changes)
	c.names("/labels", r.Labels)
	c.texts("/variables", r.Variables)
	c.text("/error", r.Error, MaxError)
	if p := r.WorkerPool; p != nil {
		c.name("/worker_pool/id", p.ID)
		c.name("/worker_pool/name", p.Name)
		c.names("/worker_pool/labels", p.Labels)
	}
}

// status checks a run's status: an open set of lower-case words, so that a source may have more than we list.
func (c *checker) status(s Status) {
	switch {
	case s == "":
		c.add("/status", `Is missing; name the status that the run has reached, such as "applied".`)
	case slices.Contains(statuses, s):
	case !isWord(string(s)):
		if near := strict.Nearest(string(s), words(statuses)); near != "" {
			c.add("/status", "Must be a word of a-z, 0-9 and _; did you mean %q?", near)
			return
		}
		c.add("/status", `Must be a word of a-z, 0-9 and _, such as "applied".`)
	}
}

// statuses is the list of Statuses, made once.
var statuses = Statuses()

func words[T ~string](values []T) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}
