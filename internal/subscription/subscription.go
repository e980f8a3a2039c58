// Package subscription says who wants to hear of what, and decides whether an event is for them.
//
// A Subscription is a value; each change makes a new version of it, and versions never change. Matching is pure. An
// Index holds every enabled subscription of an installation in memory. The package never sends, stores or renders.
package subscription

import (
	"encoding/json"
	"slices"
	"time"

	"carillon/internal/ident"
	"carillon/internal/seal"
)

// Channel is the way a notification takes.
type Channel string

// The channels.
const (
	ChannelWebhook Channel = "webhook" // an HTTP request in the dialect's own format
	ChannelSlack   Channel = "slack"   // a Slack incoming webhook
	ChannelTeams   Channel = "teams"   // a Microsoft Teams workflow or connector
	ChannelEmail   Channel = "email"
	ChannelTrigger Channel = "trigger" // no notification: starts something on another service
	ChannelWork    Channel = "work"    // no notification: work that Carillon does itself, on request of a dialect
)

// Level is where in the estate a subscription is attached.
type Level string

// The levels. An event reaches the subscriptions of its workspace, of its project and of its organization.
const (
	LevelOrganization Level = "organization"
	LevelProject      Level = "project"
	LevelWorkspace    Level = "workspace"
	LevelTeam         Level = "team"
	LevelEnvironment  Level = "environment" // a configuration set
)

// Scope is one place that a subscription listens to.
type Scope struct {
	Level Level    `json:"level"`
	ID    ident.ID `json:"id"`
}

// Subscription is one version of a subscription.
type Subscription struct {
	ID      ident.ID `json:"id"`
	Version int64    `json:"version"` // rises by one with each change, from 1

	OrganizationID ident.ID `json:"organization_id"`
	Dialect        string   `json:"dialect"`
	Channel        Channel  `json:"channel"`
	Name           string   `json:"name"`

	Enabled        bool   `json:"enabled"`
	DisabledReason string `json:"disabled_reason,omitempty"` // set when Carillon switched it off, not a person

	// Scopes are the places listened to, often one. The first is where the subscription is listed and whose rights count.
	Scopes []Scope `json:"scopes"`

	// All makes every notice match that is open to subscriptions without a list. Otherwise a notice matches when one of its
	// triggers is in Triggers, which keeps the order in which it was given.
	All      bool     `json:"all,omitempty"`
	Triggers []string `json:"triggers,omitempty"`

	// Destination names the lane: equal for subscriptions of one organization with the same address. Address is its
	// redacted form for people: scheme, host and a short hash.
	Destination ident.ID `json:"destination,omitzero"`
	Address     string   `json:"address,omitempty"`

	// EndpointID is the shared destination that the subscription follows: its address, secret and limits are a copy of what
	// that document says, and change with it. Zero means that the subscription has its own.
	EndpointID ident.ID `json:"endpoint_id,omitzero"`

	// URL, Secret and the header values are sealed; see Place. While a secret is being rotated PriorSecret still signs,
	// until PriorUntil, where the dialect's scheme allows two signatures.
	URL         seal.Sealed `json:"url,omitempty"`
	Secret      seal.Sealed `json:"secret,omitempty"`
	PriorSecret seal.Sealed `json:"prior_secret,omitempty"`
	PriorUntil  time.Time   `json:"prior_until,omitzero"`
	Headers     []Header    `json:"headers,omitempty"`

	Emails  []string   `json:"emails,omitempty"`
	UserIDs []ident.ID `json:"user_ids,omitempty"`

	Delivery Delivery `json:"delivery,omitzero"`

	// Settings are the dialect's own, in its own shape.
	Settings json.RawMessage `json:"settings,omitempty"`

	ExternalIDs map[string]string `json:"external_ids,omitempty"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	CreatedBy   string            `json:"created_by,omitempty"`
}

// Header is a header that a subscription adds to each request.
type Header struct {
	Name      string      `json:"name"`
	Value     seal.Sealed `json:"value"`
	Sensitive bool        `json:"sensitive,omitempty"`
}

// Delivery is how a subscription wants to be served; zero values mean the dialect's rules.
type Delivery struct {
	MaxAttempts int           `json:"max_attempts,omitempty"` // tries in all
	Timeout     time.Duration `json:"timeout,omitempty"`      // of one attempt, in nanoseconds
	Unordered   bool          `json:"unordered,omitempty"`    // do not hold a run's later events behind an earlier one
	Concurrency int           `json:"concurrency,omitempty"`  // requests in flight to the destination
	PerSecond   float64       `json:"per_second,omitempty"`   // requests started per second, at most

	// Standard switches the Standard Webhooks headers on or off; nil means the dialect's default.
	Standard *bool `json:"standard,omitempty"`

	// Fallback is the subscription that gets what this one exhausted; zero means none.
	Fallback ident.ID `json:"fallback,omitzero"`
}

// Place is the associated data under which a field of a subscription is sealed: "url", "secret", "prior_secret", or
// "header/<lower-case name>".
func Place(id ident.ID, field string) string { return "subscription/" + id.String() + "/" + field }

// Secrets is the plain text of what a subscription seals. It must not be logged; its String says nothing.
type Secrets struct {
	URL     string
	Secret  string
	Prior   string            // the secret before the last rotation, while it still counts
	Headers map[string]string // by HeaderKeys: the name as given
}

// String hides the contents, so that a stray %v leaks nothing.
func (Secrets) String() string { return "[secrets]" }

// GoString hides the contents, so that a stray %#v leaks nothing.
func (Secrets) GoString() string { return "[secrets]" }

// MarshalJSON hides the contents: secrets are never serialized in the clear.
func (Secrets) MarshalJSON() ([]byte, error) { return []byte(`"[secrets]"`), nil }

// Scope returns the first scope, the one under which the subscription is listed.
func (s *Subscription) Scope() Scope {
	if len(s.Scopes) == 0 {
		return Scope{}
	}
	return s.Scopes[0]
}

// Clone returns a copy that shares nothing that can be changed.
func (s *Subscription) Clone() *Subscription {
	c := *s
	c.Scopes = slices.Clone(s.Scopes)
	c.Triggers = slices.Clone(s.Triggers)
	c.Headers = slices.Clone(s.Headers)
	c.Emails = slices.Clone(s.Emails)
	c.UserIDs = slices.Clone(s.UserIDs)
	c.Settings = slices.Clone(s.Settings)
	if s.ExternalIDs != nil {
		c.ExternalIDs = make(map[string]string, len(s.ExternalIDs))
		for k, v := range s.ExternalIDs {
			c.ExternalIDs[k] = v
		}
	}
	return &c
}
