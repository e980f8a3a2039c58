package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// Scope is a place that a subscription listens to: an ID, or a name at a level.
type Scope struct {
	Level   string `json:"level"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Project string `json:"project,omitempty"`
}

// Subscription says who wants to hear of what. URL is whole only for those who may edit it; Address is its redacted form.
type Subscription struct {
	ID             string          `json:"id"`
	Version        int64           `json:"version"`
	OrganizationID string          `json:"organization_id"`
	Dialect        string          `json:"dialect"`
	Channel        string          `json:"channel"`
	Name           string          `json:"name"`
	Enabled        bool            `json:"enabled"`
	DisabledReason string          `json:"disabled_reason,omitempty"`
	Scopes         []Scope         `json:"scopes"`
	All            bool            `json:"all"`
	Triggers       []string        `json:"triggers"`
	Address        string          `json:"address,omitempty"`
	URL            string          `json:"url,omitempty"`
	HasSecret      bool            `json:"has_secret"`
	Emails         []string        `json:"emails,omitempty"`
	Settings       json.RawMessage `json:"settings,omitempty"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
}

// SubscriptionDraft makes a subscription.
type SubscriptionDraft struct {
	Organization string          `json:"organization"`
	Dialect      string          `json:"dialect"`
	Channel      string          `json:"channel,omitempty"`
	Name         string          `json:"name"`
	Enabled      *bool           `json:"enabled,omitempty"`
	Scopes       []Scope         `json:"scopes,omitempty"`
	All          bool            `json:"all,omitempty"`
	Triggers     []string        `json:"triggers,omitempty"`
	URL          string          `json:"url,omitempty"`
	Secret       string          `json:"secret,omitempty"`
	Emails       []string        `json:"emails,omitempty"`
	Settings     json.RawMessage `json:"settings,omitempty"`
}

// SubscriptionChange changes a subscription; nil fields stay.
type SubscriptionChange struct {
	Name     *string   `json:"name,omitempty"`
	Enabled  *bool     `json:"enabled,omitempty"`
	Scopes   *[]Scope  `json:"scopes,omitempty"`
	All      *bool     `json:"all,omitempty"`
	Triggers *[]string `json:"triggers,omitempty"`
	URL      *string   `json:"url,omitempty"`
	Secret   *string   `json:"secret,omitempty"`
	Emails   *[]string `json:"emails,omitempty"`

	// SecretOverlapSeconds is how long the secret before this change still signs beside the new one.
	SecretOverlapSeconds int64 `json:"secret_overlap_seconds,omitempty"`
}

func subscriptionPath(id string) string { return "/v1/subscriptions/" + url.PathEscape(id) }

// CreateSubscription makes a subscription; with verify it is only saved when its destination answers a verification.
func (c *Client) CreateSubscription(ctx context.Context, draft SubscriptionDraft, verify bool) (Subscription, error) {
	path := "/v1/subscriptions"
	if verify {
		path += "?verify=true"
	}
	var made Subscription
	err := c.Call(ctx, http.MethodPost, path, draft, &made)
	return made, err
}

// Subscription returns one subscription.
func (c *Client) Subscription(ctx context.Context, id string) (Subscription, error) {
	var s Subscription
	err := c.Call(ctx, http.MethodGet, subscriptionPath(id), nil, &s)
	return s, err
}

// Subscriptions lists subscriptions. The query may hold organization, dialect, project, workspace, team, enabled, name.
func (c *Client) Subscriptions(ctx context.Context, query url.Values) ([]Subscription, error) {
	return All[Subscription](ctx, c, "/v1/subscriptions", query, 0)
}

// ChangeSubscription changes a subscription and returns its new version.
func (c *Client) ChangeSubscription(ctx context.Context, id string, change SubscriptionChange) (Subscription, error) {
	var s Subscription
	err := c.Call(ctx, http.MethodPatch, subscriptionPath(id), change, &s)
	return s, err
}

// DeleteSubscription removes a subscription and cancels what it is owed.
func (c *Client) DeleteSubscription(ctx context.Context, id string) error {
	return c.Call(ctx, http.MethodDelete, subscriptionPath(id), nil, nil)
}

// VerifySubscription sends the dialect's verification request. That the destination refused it is a *Problem with the
// attempt.
func (c *Client) VerifySubscription(ctx context.Context, id string) (Attempt, error) {
	var a Attempt
	err := c.Call(ctx, http.MethodPost, subscriptionPath(id)+"/verify", nil, &a)
	return a, err
}

// TestSubscription sends one notification now, for a sample event or, with an empty name, the first that the subscription
// asked for. That the destination refused it is no error: the attempt says so.
func (c *Client) TestSubscription(ctx context.Context, id, sample string) (Attempt, error) {
	in := map[string]string{}
	if sample != "" {
		in["sample"] = sample
	}
	var a Attempt
	err := c.Call(ctx, http.MethodPost, subscriptionPath(id)+"/test", in, &a)
	return a, err
}
