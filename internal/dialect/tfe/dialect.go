// Package tfe speaks the language of HCP Terraform and Terraform Enterprise: notification configurations.
//
// It owns what docs/dialects/tfe.md states, and comments name its sections: which triggers an event fires, the exact
// bytes of payloads, Slack messages, Teams cards and mails, the signature, reading the platform's own webhooks, and the
// part of the platform's API that its clients use to manage notifications. It never sends, stores, retries or decides who
// may do what: the engine and the services do.
package tfe

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// Name is the dialect's name in stored subscriptions, external identifiers and metrics.
const Name = "tfe"

// Dialect is the dialect. Its zero value works; New is there for symmetry with the others.
type Dialect struct {
	// VerificationsPerMinute bounds the verifications that one token may ask for through the API; 0 means 10, a negative
	// number means no bound. It is read when the API is mounted.
	VerificationsPerMinute int
}

// New returns the dialect with its defaults.
func New() *Dialect { return &Dialect{} }

// Name returns "tfe".
func (*Dialect) Name() string { return Name }

// Title names the platforms for people.
func (*Dialect) Title() string { return "HCP Terraform and Terraform Enterprise" }

// Channels lists the platform's destination types: generic, slack, microsoft-teams, email.
func (*Dialect) Channels() []subscription.Channel {
	return []subscription.Channel{
		subscription.ChannelWebhook, subscription.ChannelSlack, subscription.ChannelTeams, subscription.ChannelEmail,
	}
}

// Policy is the engine's own: how the platform retries is not known (§2).
func (*Dialect) Policy(*subscription.Subscription) delivery.Policy { return delivery.Default() }

// StandardByDefault adds the Standard Webhooks headers next to the platform's: its own requests carry neither an
// identifier nor a time, and receivers ignore headers that they do not know.
func (*Dialect) StandardByDefault() bool { return true }

// Suppresses keeps plan-only runs and workspaces that are executed locally silent (§4.4). Change requests are addressed to
// people, however the workspace is executed.
func (*Dialect) Suppresses(e *event.Event) bool {
	if e.Run != nil && e.Run.Operation == event.OperationPlan {
		return true
	}
	return e.Kind != event.KindChangeRequest && e.Workspace != nil && e.Workspace.ExecutionMode == "local"
}

// AllMembers says whether a mail goes to the members too: where the configuration of a project or team says so, and where
// it names nobody. A workspace's configuration that names nobody has no recipient (O10).
func (*Dialect) AllMembers(s *subscription.Subscription) bool {
	switch s.Scope().Level {
	case subscription.LevelProject, subscription.LevelTeam:
		return settingsOf(s).all() || (len(s.UserIDs) == 0 && len(s.Emails) == 0)
	}
	return false
}

// attemptTimeout bounds one attempt (§2).
const attemptTimeout = 10 * time.Second
