package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Destinations is what the node that answered knows of the destinations that it delivers to, those that fare worst first.
// In an installation of several nodes each delivers to a part of them.
type Destinations struct {
	Node  int           `json:"node"`
	Items []Destination `json:"items"`
	More  bool          `json:"more"` // there are more than the limit
}

// Destination is how one destination fares.
type Destination struct {
	ID             string      `json:"id"`
	OrganizationID string      `json:"organization_id,omitempty"` // empty when no subscription uses it any more
	Address        string      `json:"address,omitempty"`         // redacted
	Condition      string      `json:"condition"`                 // healthy, degraded, failing or disabled
	Subscriptions  []string    `json:"subscriptions"`
	Pending        int         `json:"pending"`
	InFlight       int         `json:"in_flight"`
	Oldest         time.Time   `json:"oldest,omitzero"` // when the oldest pending delivery was made
	NextAttempt    time.Time   `json:"next_attempt,omitzero"`
	Failures       int         `json:"failures"` // attempts in a row
	FailingSince   time.Time   `json:"failing_since,omitzero"`
	Concurrency    int         `json:"concurrency"`
	PerSecond      float64     `json:"per_second,omitempty"`
	Last           *LastAnswer `json:"last,omitempty"`
}

// LastAnswer is how the newest attempt at a destination ended.
type LastAnswer struct {
	Class  string    `json:"class"`
	Status int       `json:"status,omitempty"`
	At     time.Time `json:"at"`
}

// Destinations asks a node how its destinations fare. The query may hold organization, condition and limit.
func (c *Client) Destinations(ctx context.Context, query url.Values) (Destinations, error) {
	var found Destinations
	err := c.Call(ctx, http.MethodGet, "/v1/destinations?"+query.Encode(), nil, &found)
	return found, err
}
