package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// ReplayFilter chooses the deliveries that are sent again. At least one choice is needed. A draft may name the workspace;
// answers hold its ID.
type ReplayFilter struct {
	Workspace    string    `json:"workspace,omitempty"`
	Run          string    `json:"run,omitempty"`
	Event        string    `json:"event,omitempty"`
	Subscription string    `json:"subscription,omitempty"`
	Destination  string    `json:"destination,omitempty"`
	State        []string  `json:"state,omitempty"`
	Status       string    `json:"status,omitempty"` // "503", or "500-599"
	Cause        string    `json:"cause,omitempty"`
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
}

// ReplayDraft makes a replay.
type ReplayDraft struct {
	Organization string       `json:"organization"` // name or ID
	Filter       ReplayFilter `json:"filter"`
	Pace         int          `json:"pace,omitempty"`        // deliveries per second, 50 when 0
	MaxPending   int          `json:"max_pending,omitempty"` // at a time, 500 when 0
}

// Replay sends many deliveries once more. State is running, done or cancelled.
type Replay struct {
	ID             string       `json:"id"`
	OrganizationID string       `json:"organization_id"`
	State          string       `json:"state"`
	Filter         ReplayFilter `json:"filter"`
	Pace           int          `json:"pace"`
	MaxPending     int          `json:"max_pending"`

	Found      int            `json:"found"`       // deliveries that the filter chose when it was made
	FoundExact bool           `json:"found_exact"` // false: there were more
	Handled    int            `json:"handled"`     // of those, so far: queued or skipped
	Queued     int            `json:"queued"`
	Skipped    map[string]int `json:"skipped"` // by reason

	Pending   int `json:"pending"`
	Delivered int `json:"delivered"`
	Exhausted int `json:"exhausted"`
	Cancelled int `json:"cancelled"`
	Unknown   int `json:"unknown,omitempty"` // their history was removed before it was read

	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
	FinishedAt  time.Time `json:"finished_at,omitzero"` // nothing of it is pending any more
}

// ReplayPreview is what a replay would do. Of the Looked oldest deliveries that it would choose, Queued would be sent again.
type ReplayPreview struct {
	Found      int            `json:"found"`
	FoundExact bool           `json:"found_exact"`
	Looked     int            `json:"looked"`
	Queued     int            `json:"queued"`
	Skipped    map[string]int `json:"skipped"`
	First      []Delivery     `json:"first"`
}

func replayPath(id string) string { return "/v1/replays/" + url.PathEscape(id) }

// CreateReplay begins to send deliveries once more.
func (c *Client) CreateReplay(ctx context.Context, d ReplayDraft) (Replay, error) {
	var r Replay
	err := c.Call(ctx, http.MethodPost, "/v1/replays", d, &r)
	return r, err
}

// PreviewReplay tells what a replay would send. Nothing is stored.
func (c *Client) PreviewReplay(ctx context.Context, d ReplayDraft) (ReplayPreview, error) {
	var p ReplayPreview
	err := c.Call(ctx, http.MethodPost, "/v1/replays/preview", d, &p)
	return p, err
}

// Replay tells how far a replay is.
func (c *Client) Replay(ctx context.Context, id string) (Replay, error) {
	var r Replay
	err := c.Call(ctx, http.MethodGet, replayPath(id), nil, &r)
	return r, err
}

// Replays lists replays, newest first, at most limit; 0 means all. The query may hold organization and order.
func (c *Client) Replays(ctx context.Context, query url.Values, limit int) ([]Replay, error) {
	return All[Replay](ctx, c, "/v1/replays", query, limit)
}

// CancelReplay ends a replay; with pending, what is pending of it is cancelled too.
func (c *Client) CancelReplay(ctx context.Context, id string, pending bool) (Replay, error) {
	var r Replay
	err := c.Call(ctx, http.MethodPost, replayPath(id)+"/cancel", map[string]bool{"pending": pending}, &r)
	return r, err
}
