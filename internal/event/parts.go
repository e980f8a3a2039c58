package event

import (
	"encoding/json"
	"time"
)

// Assessment is a health assessment of a workspace.
type Assessment struct {
	New   AssessmentResult  `json:"new"`
	Prior *AssessmentResult `json:"prior,omitempty"`

	// DriftChanged is the source's own word on whether the drift differs from the prior result's; nil when it has none.
	DriftChanged *bool `json:"drift_changed,omitempty"`
}

// AssessmentResult is the outcome of one assessment. Counts that are unknown are 0.
type AssessmentResult struct {
	SourceID            string    `json:"source_id,omitempty"`
	Succeeded           bool      `json:"succeeded"`
	Drifted             bool      `json:"drifted"`
	AllChecksSucceeded  bool      `json:"all_checks_succeeded"`
	ResourcesDrifted    int64     `json:"resources_drifted"`
	ResourcesUndrifted  int64     `json:"resources_undrifted"`
	ChecksPassed        int64     `json:"checks_passed"`
	ChecksFailed        int64     `json:"checks_failed"`
	ChecksErrored       int64     `json:"checks_errored"`
	ChecksUnknown       int64     `json:"checks_unknown"`
	Error               string    `json:"error,omitempty"`
	CreatedAt           time.Time `json:"created_at,omitzero"`
	RemediatesDrift     bool      `json:"remediates_drift,omitempty"` // the run was to mend the drift
	Changes             *Changes  `json:"changes,omitempty"`
	URL                 string    `json:"url,omitempty"`
	RunSourceID         string    `json:"run_source_id,omitempty"`
	NativeStatus        string    `json:"native_status,omitempty"`
	DriftedResourceList []string  `json:"drifted_resources,omitempty"`
}

// AutoDestroy belongs to the workspace actions auto_destroy_reminder and auto_destroy_results.
type AutoDestroy struct {
	At           time.Time `json:"at,omitzero"`
	HoursLeft    float64   `json:"hours_left,omitempty"`
	RunSourceID  string    `json:"run_source_id,omitempty"`
	RunStatus    Status    `json:"run_status,omitempty"`
	RunCreatedAt time.Time `json:"run_created_at,omitzero"`
	RunError     string    `json:"run_error,omitempty"` // why no run could be created
}

// Deployment is a job that a service runs around an update. Action of its event is queued, running, succeeded, failed.
type Deployment struct {
	SourceID  string    `json:"source_id,omitempty"`
	Number    int64     `json:"number,omitempty"`
	Operation Operation `json:"operation,omitempty"`
	URL       string    `json:"url,omitempty"`
	Status    string    `json:"status,omitempty"`
}

// Environment is a named configuration set with revisions, not a group of workspaces.
type Environment struct {
	Project           string          `json:"project,omitempty"`
	Name              string          `json:"name"`
	Tag               string          `json:"tag,omitempty"`
	Revision          int64           `json:"revision,omitempty"`
	PriorRevision     int64           `json:"prior_revision,omitempty"`
	AffectedRevisions []int64         `json:"affected_revisions,omitempty"`
	Imported          *EnvironmentRef `json:"imported,omitempty"`
	Status            string          `json:"status,omitempty"`
	Error             string          `json:"error,omitempty"`
}

// EnvironmentRef points at a revision of a configuration set.
type EnvironmentRef struct {
	Project  string `json:"project,omitempty"`
	Name     string `json:"name"`
	Revision int64  `json:"revision,omitempty"`
}

// Policy is a policy violation. Blocking violations stop the run.
type Policy struct {
	Blocking   bool        `json:"blocking"`
	RunURL     string      `json:"run_url,omitempty"`
	Violations []Violation `json:"violations"`
}

// Violation is one violated policy.
type Violation struct {
	Pack        string `json:"pack,omitempty"`
	PackVersion string `json:"pack_version,omitempty"`
	Policy      string `json:"policy"`
	Message     string `json:"message,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Severity    string `json:"severity,omitempty"`
}

// ChangeRequest is a request to change something, addressed to teams or about a configuration set.
type ChangeRequest struct {
	SourceID       string    `json:"source_id,omitempty"`
	Subject        string    `json:"subject,omitempty"`
	Message        string    `json:"message,omitempty"`
	URL            string    `json:"url,omitempty"`
	CreatedAt      time.Time `json:"created_at,omitzero"`
	CreatedBy      *Actor    `json:"created_by,omitempty"`
	LatestRevision int64     `json:"latest_revision,omitempty"`
	Status         string    `json:"status,omitempty"`
}

// ModuleVersion is a version of a module.
type ModuleVersion struct {
	ID        string          `json:"id,omitempty"`
	Number    string          `json:"number"`
	State     string          `json:"state,omitempty"`
	Latest    bool            `json:"latest,omitempty"`
	Provider  string          `json:"provider,omitempty"`
	Branch    string          `json:"branch,omitempty"`
	CreatedAt time.Time       `json:"created_at,omitzero"`
	Commit    *Commit         `json:"commit,omitempty"`
	TestRuns  []ModuleTestRun `json:"test_runs,omitempty"`
}

// ModuleTestRun is one test case of a module version.
type ModuleTestRun struct {
	ID        string    `json:"id"`
	Title     string    `json:"title,omitempty"`
	State     string    `json:"state,omitempty"`
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`
}

// Account is an internal error (Severity, Title, Body, Cause) or an audit record (Verb and what follows).
type Account struct {
	Severity string `json:"severity,omitempty"` // "info", "warning", "error"
	Title    string `json:"title,omitempty"`
	Body     string `json:"body,omitempty"`
	Cause    string `json:"cause,omitempty"`

	Verb       string          `json:"verb,omitempty"` // "stack.create", …
	ActorRoles []string        `json:"actor_roles,omitempty"`
	Mutation   string          `json:"mutation,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	RemoteIP   string          `json:"remote_ip,omitempty"`
}

// Notifier is about Carillon itself. Action of its event is failing, disabled, recovered or exhausted.
type Notifier struct {
	Subscription     string `json:"subscription,omitempty"`
	SubscriptionName string `json:"subscription_name,omitempty"`
	Destination      string `json:"destination,omitempty"` // redacted: scheme, host and a short hash
	Delivery         string `json:"delivery,omitempty"`
	Event            string `json:"event,omitempty"`
	Reason           string `json:"reason,omitempty"`
	Attempts         int    `json:"attempts,omitempty"`
}
