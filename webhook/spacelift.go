package webhook

import (
	"encoding/json"
	"time"
)

// SpaceliftKind tells Spacelift's bodies apart.
type SpaceliftKind string

// The kinds.
const (
	SpaceliftRunState      SpaceliftKind = "run"            // a run reached a state
	SpaceliftAudit         SpaceliftKind = "audit"          // the audit trail
	SpaceliftInternalError SpaceliftKind = "internal_error" // an error of the account
	SpaceliftModuleVersion SpaceliftKind = "module_version" // a version of a module
	SpaceliftCustom        SpaceliftKind = "custom"         // a body that a policy of the user made up
)

// SpaceliftPayload is a body of Spacelift. The field of its Kind is set; none for SpaceliftCustom.
type SpaceliftPayload struct {
	Kind          SpaceliftKind
	Run           *SpaceliftRunEvent
	Audit         *SpaceliftAuditEvent
	InternalError *SpaceliftErrorEvent
	ModuleVersion *SpaceliftModuleEvent
}

// SpaceliftRunEvent says that a run reached a state. Order by StateVersion, not by arrival.
type SpaceliftRunEvent struct {
	Account         string              `json:"account"`
	State           string              `json:"state"`
	StateVersion    int64               `json:"stateVersion"`
	Timestamp       int64               `json:"timestamp"`        // seconds
	TimestampMillis int64               `json:"timestamp_millis"` // 0 in older bodies
	Note            string              `json:"note"`
	Run             SpaceliftRun        `json:"run"`
	Stack           SpaceliftStack      `json:"stack"` // the module, in webhooks of modules
	WorkerPool      SpaceliftWorkerPool `json:"workerPool"`
	EventSource     string              `json:"event_source"`
	EventType       string              `json:"event_type"`
}

// At returns when the state was reached, as exactly as the body says it.
func (e *SpaceliftRunEvent) At() time.Time {
	if e.TimestampMillis != 0 {
		return time.UnixMilli(e.TimestampMillis).UTC()
	}
	return time.Unix(e.Timestamp, 0).UTC()
}

// SpaceliftRun is the run.
type SpaceliftRun struct {
	ID             string          `json:"id"`
	Branch         string          `json:"branch"`
	Command        string          `json:"command"` // of tasks
	Commit         SpaceliftCommit `json:"commit"`
	CreatedAt      int64           `json:"createdAt"` // seconds
	Delta          *SpaceliftDelta `json:"delta"`     // nil before a plan has made it
	DriftDetection bool            `json:"driftDetection"`
	TriggeredBy    string          `json:"triggeredBy"` // empty for a push
	Type           string          `json:"type"`        // PROPOSED, TRACKED, DESTROY, TASK, TESTING
	URL            string          `json:"url"`
}

// SpaceliftCommit is the commit that was run.
type SpaceliftCommit struct {
	AuthorLogin string `json:"authorLogin"`
	AuthorName  string `json:"authorName"`
	Hash        string `json:"hash"`
	Message     string `json:"message"`
	Timestamp   int64  `json:"timestamp"` // seconds
	URL         string `json:"url"`
}

// SpaceliftDelta counts the changes; Resources are all that are managed.
type SpaceliftDelta struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Deleted   int `json:"deleted"`
	Resources int `json:"resources"`
}

// SpaceliftStack is the stack.
type SpaceliftStack struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
	Repository  string   `json:"repository"`
	URL         string   `json:"url"`
	VCS         string   `json:"vcs"`
}

// SpaceliftWorkerPool is where the run runs.
type SpaceliftWorkerPool struct {
	Public bool     `json:"public"`
	Labels []string `json:"labels"`
	ID     string   `json:"id"`
	Name   string   `json:"name"`
}

// SpaceliftAuditEvent is an entry of the audit trail.
type SpaceliftAuditEvent struct {
	Account    string          `json:"account"`
	Action     string          `json:"action"` // such as stack.create
	Actor      string          `json:"actor"`  // such as github::octo
	ActorRoles []string        `json:"actor_roles"`
	Context    json.RawMessage `json:"context"`
	Data       json.RawMessage `json:"data"`
	RemoteIP   string          `json:"remoteIP"`
	Timestamp  int64           `json:"timestamp"` // milliseconds, unlike run events
}

// At returns when it was done.
func (e *SpaceliftAuditEvent) At() time.Time { return time.UnixMilli(e.Timestamp).UTC() }

// SpaceliftErrorEvent is an internal error of the account.
type SpaceliftErrorEvent struct {
	Title    string `json:"title"`
	Body     string `json:"body"`
	Error    string `json:"error"`
	Severity string `json:"severity"` // INFO, WARNING, ERROR
	Account  string `json:"account"`
}

// SpaceliftModuleEvent is about a version of a module.
type SpaceliftModuleEvent struct {
	Account         string          `json:"account"`
	Timestamp       int64           `json:"timestamp"`
	TimestampMillis int64           `json:"timestamp_millis"`
	Module          SpaceliftStack  `json:"module"`
	Version         json.RawMessage `json:"version"` // the platform does not publish its form
}

// ParseSpacelift reads a body of Spacelift. A body that is none of the known kinds is SpaceliftCustom, whatever it is:
// policies can send what they like.
func ParseSpacelift(body []byte) (*SpaceliftPayload, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return &SpaceliftPayload{Kind: SpaceliftCustom}, nil
	}
	p := &SpaceliftPayload{Kind: spaceliftKind(members)}
	var err error
	switch p.Kind {
	case SpaceliftRunState:
		p.Run = new(SpaceliftRunEvent)
		err = object(body, p.Run)
	case SpaceliftAudit:
		p.Audit = new(SpaceliftAuditEvent)
		err = object(body, p.Audit)
	case SpaceliftInternalError:
		p.InternalError = new(SpaceliftErrorEvent)
		err = object(body, p.InternalError)
	case SpaceliftModuleVersion:
		p.ModuleVersion = new(SpaceliftModuleEvent)
		err = object(body, p.ModuleVersion)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func spaceliftKind(members map[string]json.RawMessage) SpaceliftKind {
	has := func(names ...string) bool { return hasAll(members, names...) }
	switch {
	case has("action"):
		return SpaceliftAudit
	case has("run", "state"):
		return SpaceliftRunState
	case len(members) == 5 && has("title", "body", "error", "severity", "account"):
		return SpaceliftInternalError
	case has("module", "version"):
		return SpaceliftModuleVersion
	}
	return SpaceliftCustom
}
