package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// List is one page of a list; Next is the cursor of the following page, "" on the last.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Organization is a tenant.
type Organization struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
}

// Workspace is what runs work on.
type Workspace struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	OrganizationID string    `json:"organization_id"`
	ProjectID      string    `json:"project_id"`
	CreatedAt      time.Time `json:"created_at"`
}

// Scope is a place that a subscription listens to: an ID, or a name at a level.
type Scope struct {
	Level   string `json:"level"`
	ID      string `json:"id,omitempty"`
	Name    string `json:"name,omitempty"`
	Project string `json:"project,omitempty"`
}

// Subscription says who wants to hear of what. URL is whole only for those who may edit it; Address is its redacted form.
type Subscription struct {
	ID             string    `json:"id"`
	OrganizationID string    `json:"organization_id"`
	Dialect        string    `json:"dialect"`
	Channel        string    `json:"channel"`
	Name           string    `json:"name"`
	Enabled        bool      `json:"enabled"`
	DisabledReason string    `json:"disabled_reason,omitempty"`
	Scopes         []Scope   `json:"scopes"`
	All            bool      `json:"all"`
	Triggers       []string  `json:"triggers"`
	Address        string    `json:"address,omitempty"`
	URL            string    `json:"url,omitempty"`
	HasSecret      bool      `json:"has_secret"`
	Emails         []string  `json:"emails,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// SubscriptionDraft makes a subscription.
type SubscriptionDraft struct {
	Organization string   `json:"organization"`
	Dialect      string   `json:"dialect"`
	Channel      string   `json:"channel,omitempty"`
	Name         string   `json:"name"`
	Enabled      *bool    `json:"enabled,omitempty"`
	Scopes       []Scope  `json:"scopes,omitempty"`
	All          bool     `json:"all,omitempty"`
	Triggers     []string `json:"triggers,omitempty"`
	URL          string   `json:"url,omitempty"`
	Secret       string   `json:"secret,omitempty"`
	Emails       []string `json:"emails,omitempty"`
}

// Delivery is one event owed to one subscription.
type Delivery struct {
	ID           string     `json:"id"`
	Event        string     `json:"event,omitempty"`
	Subscription string     `json:"subscription"`
	State        string     `json:"state"`
	Attempts     int        `json:"attempts"`
	Due          *time.Time `json:"due,omitempty"`
	Cause        string     `json:"cause"`
	Origin       string     `json:"origin,omitempty"`
	Run          string     `json:"run,omitempty"`
	Sequence     *int64     `json:"sequence,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	Last         *Attempt   `json:"last,omitempty"`
	Tries        []Attempt  `json:"tries,omitempty"` // of a single delivery: every attempt
}

// Attempt is one try of a delivery.
type Attempt struct {
	Delivery         string    `json:"delivery"`
	Number           int       `json:"number"`
	State            string    `json:"state"`
	Class            string    `json:"class"`
	Status           int       `json:"status,omitempty"`
	Detail           string    `json:"detail,omitempty"`
	StartedAt        time.Time `json:"started_at"`
	DurationMS       float64   `json:"duration_ms"`
	Trigger          string    `json:"trigger,omitempty"`
	Address          string    `json:"address,omitempty"`
	PossiblyRepeated bool      `json:"possibly_repeated,omitempty"`
}

// Token is an API token. Token, its text, is only in the answer that made it.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Token     string    `json:"token,omitempty"`
	Hint      string    `json:"hint,omitempty"`
	SiteAdmin bool      `json:"site_admin"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Grant gives a role in an organization, a project or a workspace, each by name or ID.
type Grant struct {
	Organization string `json:"organization"`
	Project      string `json:"project,omitempty"`
	Workspace    string `json:"workspace,omitempty"`
	Role         string `json:"role"`
}

// TokenDraft makes a token.
type TokenDraft struct {
	Name      string     `json:"name"`
	SiteAdmin bool       `json:"site_admin,omitempty"`
	Grants    []Grant    `json:"grants,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// All reads every page of a list, at most limit items; 0 means all.
func All[T any](ctx context.Context, c *Client, path string, query url.Values, limit int) ([]T, error) {
	all := []T{}
	if query == nil {
		query = url.Values{}
	}
	for {
		var page List[T]
		if err := c.Call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if limit > 0 && len(all) >= limit {
			return all[:limit], nil
		}
		if page.Next == "" {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}

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

// Redelivery is a delivery that repeats an earlier one. Attempt is set when it was sent at once.
type Redelivery struct {
	Delivery string   `json:"delivery"`
	Origin   string   `json:"origin"`
	Attempt  *Attempt `json:"attempt,omitempty"`
}

// Redeliver queues a delivery once more, or sends it now and waits for the answer.
func (c *Client) Redeliver(ctx context.Context, delivery string, now bool) (Redelivery, error) {
	var made Redelivery
	in := map[string]bool{"now": now}
	err := c.Call(ctx, http.MethodPost, "/v1/deliveries/"+url.PathEscape(delivery)+"/redeliver", in, &made)
	return made, err
}
