// Package event says what happened: the neutral event that every source is turned into and that every dialect is
// rendered from.
//
// An Event is a value. It holds everything that any dialect prints; what a source does not know is absent, and each
// dialect's document says what it then prints. The package reads and checks events, and never knows a platform, a
// subscription or a store.
package event

import (
	"encoding/json"
	"time"

	"carillon/internal/ident"
)

// Kind is the family of an event.
type Kind string

// The kinds of event. Run is by far the most frequent.
const (
	KindRun           Kind = "run"            // one status transition of one run
	KindWorkspace     Kind = "workspace"      // created, deleted, auto-destroy reminder and results
	KindAssessment    Kind = "assessment"     // a health assessment: drift, checks, failure
	KindDeployment    Kind = "deployment"     // queued, running, succeeded, failed
	KindEnvironment   Kind = "environment"    // a configuration set and its revisions and tags
	KindPolicy        Kind = "policy"         // a policy was violated
	KindChangeRequest Kind = "change_request" // somebody asks a team for a change
	KindModuleVersion Kind = "module_version" // a module got a version
	KindAccount       Kind = "account"        // internal errors and audit records
	KindNotifier      Kind = "notifier"       // ours: a destination failing, disabled, recovered; a delivery exhausted
	KindTest          Kind = "test"           // a test that somebody asked for; never matched
	KindOther         Kind = "other"          // received, not understood, kept
)

// Kinds lists every kind, in the order of the documentation.
func Kinds() []Kind {
	return []Kind{
		KindRun, KindWorkspace, KindAssessment, KindDeployment, KindEnvironment, KindPolicy,
		KindChangeRequest, KindModuleVersion, KindAccount, KindNotifier, KindTest, KindOther,
	}
}

// Event is one thing that happened. Exactly the parts that its Kind needs are set: Run for KindRun, and so on.
type Event struct {
	// ID is given when the event is accepted, zero before.
	ID ident.ID `json:"id,omitzero"`

	// Key makes accepting idempotent: a second event of the same organization with the same key is the same event. A source
	// that repeats itself gives the same key; without one, every event is new.
	Key string `json:"key,omitempty"`

	Kind Kind `json:"kind"`

	// Action says what happened within the kind, in lower case: "created", "deleted", "auto_destroy_reminder", … A run's
	// action is its status; for KindRun it stays empty.
	Action string `json:"action,omitempty"`

	// OccurredAt is when the source says it happened; AcceptedAt is when Carillon stored it.
	OccurredAt time.Time `json:"occurred_at,omitzero"`
	AcceptedAt time.Time `json:"accepted_at,omitzero"`

	// Actor is who caused this step; nil when no person did, or when it is unknown.
	Actor *Actor `json:"actor,omitempty"`

	Organization Organization `json:"organization"`
	Project      *Project     `json:"project,omitempty"`
	Workspace    *Workspace   `json:"workspace,omitempty"`
	Teams        []Team       `json:"teams,omitempty"` // whom a change request addresses; none means all

	Run           *Run           `json:"run,omitempty"`
	Assessment    *Assessment    `json:"assessment,omitempty"`
	AutoDestroy   *AutoDestroy   `json:"auto_destroy,omitempty"`
	Deployment    *Deployment    `json:"deployment,omitempty"`
	Environment   *Environment   `json:"environment,omitempty"`
	Policy        *Policy        `json:"policy,omitempty"`
	ChangeRequest *ChangeRequest `json:"change_request,omitempty"`
	ModuleVersion *ModuleVersion `json:"module_version,omitempty"`
	Account       *Account       `json:"account,omitempty"`
	Notifier      *Notifier      `json:"notifier,omitempty"`

	// Numbers are drawn from counters of the workspace, by the counter's name, for dialects whose platform numbers things
	// that the source of the event does not number. All events of a run share them.
	Numbers map[string]int64 `json:"numbers,omitempty"`

	Source Source  `json:"source,omitzero"`
	Native *Native `json:"native,omitempty"`
}

// Actor is a person or a machine user. Every field may be empty.
type Actor struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"` // login or user name
	FullName  string `json:"full_name,omitempty"`
	Email     string `json:"email,omitempty"`
	AvatarURL string `json:"avatar_url,omitempty"`
}

// Organization names the organization of an event. Name is the stable, URL-safe name.
type Organization struct {
	ID          ident.ID          `json:"id,omitzero"`
	Name        string            `json:"name"`
	DisplayName string            `json:"display_name,omitempty"`
	AvatarURL   string            `json:"avatar_url,omitempty"`
	ExternalIDs map[string]string `json:"external_ids,omitempty"`
}

// Project is what groups workspaces: a project, an environment, a space.
type Project struct {
	ID          ident.ID          `json:"id,omitzero"`
	Name        string            `json:"name"`
	URL         string            `json:"url,omitempty"`
	ExternalIDs map[string]string `json:"external_ids,omitempty"`
}

// Workspace is what a run works on: a workspace, a stack, a module.
type Workspace struct {
	ID            ident.ID          `json:"id,omitzero"`
	Name          string            `json:"name"`
	URL           string            `json:"url,omitempty"`
	Description   string            `json:"description,omitempty"`
	Tags          []string          `json:"tags,omitempty"`
	ExecutionMode string            `json:"execution_mode,omitempty"` // "remote", "local", "agent"; "" means remote
	Module        bool              `json:"module,omitempty"`         // a module rather than a workspace or stack
	Repository    string            `json:"repository,omitempty"`     // owner/name
	VCS           string            `json:"vcs,omitempty"`            // "github", "gitlab", …, "" unknown
	ExternalIDs   map[string]string `json:"external_ids,omitempty"`
}

// Team is a group of people of the organization.
type Team struct {
	ID          ident.ID          `json:"id,omitzero"`
	Name        string            `json:"name"`
	ExternalIDs map[string]string `json:"external_ids,omitempty"`
}

// Source says where an event came from.
type Source struct {
	Kind      string            `json:"kind,omitempty"`    // "api", "cli", "webhook", "notifier"
	Dialect   string            `json:"dialect,omitempty"` // of an inbound webhook
	ID        ident.ID          `json:"id,omitzero"`       // of the inbound source
	EventID   string            `json:"event_id,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
}

// Native keeps what an inbound webhook said, byte for byte. Towards the dialect it came from it can leave unchanged.
type Native struct {
	Dialect     string `json:"dialect"`
	Kind        string `json:"kind,omitempty"`    // the platform's word for the kind or trigger
	Trigger     string `json:"trigger,omitempty"` // the platform's trigger, where it has one beside the kind
	ContentType string `json:"content_type,omitempty"`
	Body        []byte `json:"body"`
}

// Encode writes the event as compact JSON, the form in which it is stored. Times are UTC with nanoseconds as needed.
func Encode(e *Event) ([]byte, error) { return json.Marshal(e) }

// Decode reads what Encode wrote, leniently: an older or newer release may have stored it.
func Decode(body []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	return &e, nil
}
