package httpapi

import (
	"encoding/json"
	"time"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// subscriptionView is what an answer shows of a subscription. Secrets are never shown; URL and the values of headers only
// to those who may edit it, and only alone.
type subscriptionView struct {
	ID             ident.ID             `json:"id"`
	Version        int64                `json:"version"`
	OrganizationID ident.ID             `json:"organization_id"`
	Dialect        string               `json:"dialect"`
	Channel        subscription.Channel `json:"channel"`
	Name           string               `json:"name"`
	Enabled        bool                 `json:"enabled"`
	DisabledReason string               `json:"disabled_reason,omitempty"`
	Scopes         []subscription.Scope `json:"scopes"`
	All            bool                 `json:"all"`
	Triggers       []string             `json:"triggers"`
	Address        string               `json:"address,omitempty"` // redacted
	URL            string               `json:"url,omitempty"`
	HasSecret      bool                 `json:"has_secret"`
	RotatingUntil  time.Time            `json:"rotating_until,omitzero"` // the secret before this one still signs
	Headers        []headerView         `json:"headers,omitempty"`
	Emails         []string             `json:"emails,omitempty"`
	UserIDs        []ident.ID           `json:"user_ids,omitempty"`
	Delivery       deliveryRules        `json:"delivery"`
	Settings       json.RawMessage      `json:"settings,omitempty"`
	ExternalIDs    map[string]string    `json:"external_ids,omitempty"`
	CreatedAt      time.Time            `json:"created_at"`
	UpdatedAt      time.Time            `json:"updated_at"`
	CreatedBy      string               `json:"created_by,omitempty"`
}

type headerView struct {
	Name      string  `json:"name"`
	Value     *string `json:"value,omitempty"` // absent when it is sensitive, or not for the reader
	Sensitive bool    `json:"sensitive"`
}

// deliveryRules are how a subscription wants to be served; what is absent follows the dialect.
type deliveryRules struct {
	MaxAttempts     int      `json:"max_attempts,omitempty"`
	TimeoutSeconds  float64  `json:"timeout_seconds,omitempty"`
	Unordered       bool     `json:"unordered,omitempty"`
	Concurrency     int      `json:"concurrency,omitempty"`
	PerSecond       float64  `json:"per_second,omitempty"`
	StandardHeaders *bool    `json:"standard_headers,omitempty"`
	Fallback        ident.ID `json:"fallback,omitzero"`
}

func viewRules(d subscription.Delivery) deliveryRules {
	return deliveryRules{
		MaxAttempts: d.MaxAttempts, TimeoutSeconds: d.Timeout.Seconds(), Unordered: d.Unordered, Concurrency: d.Concurrency,
		PerSecond: d.PerSecond, StandardHeaders: d.Standard, Fallback: d.Fallback,
	}
}

func (r deliveryRules) value() subscription.Delivery {
	return subscription.Delivery{
		MaxAttempts: r.MaxAttempts, Timeout: time.Duration(r.TimeoutSeconds * float64(time.Second)), Unordered: r.Unordered,
		Concurrency: r.Concurrency, PerSecond: r.PerSecond, Standard: r.StandardHeaders, Fallback: r.Fallback,
	}
}

// viewSubscription shows a subscription; plain is nil for those who may not edit it.
func viewSubscription(s *subscription.Subscription, plain *subscription.Secrets) subscriptionView {
	view := subscriptionView{
		ID: s.ID, Version: s.Version, OrganizationID: s.OrganizationID, Dialect: s.Dialect, Channel: s.Channel, Name: s.Name,
		Enabled: s.Enabled, DisabledReason: s.DisabledReason, Scopes: s.Scopes, All: s.All, Triggers: s.Triggers,
		Address: s.Address, HasSecret: s.Secret != "", Emails: s.Emails, UserIDs: s.UserIDs, Delivery: viewRules(s.Delivery),
		Settings: s.Settings, ExternalIDs: s.ExternalIDs, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt, CreatedBy: s.CreatedBy,
	}
	if s.PriorSecret != "" {
		view.RotatingUntil = s.PriorUntil
	}
	if view.Scopes == nil {
		view.Scopes = []subscription.Scope{}
	}
	if view.Triggers == nil {
		view.Triggers = []string{}
	}
	keys := subscription.HeaderKeys(s.Headers)
	for i, h := range s.Headers {
		shown := headerView{Name: h.Name, Sensitive: h.Sensitive}
		if plain != nil && !h.Sensitive {
			value := plain.Headers[keys[i]]
			shown.Value = &value
		}
		view.Headers = append(view.Headers, shown)
	}
	if plain != nil {
		view.URL = plain.URL
	}
	return view
}
