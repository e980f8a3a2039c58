package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

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
	Response         *Response `json:"response,omitempty"`
}

// Response is what a destination answered, as far as it is kept and shown.
type Response struct {
	Status    int                 `json:"status"`
	Header    map[string][]string `json:"header,omitempty"`
	Body      string              `json:"body,omitempty"`
	Base64    bool                `json:"base64,omitempty"` // the body is not text
	Truncated bool                `json:"truncated,omitempty"`
	Hidden    bool                `json:"hidden,omitempty"` // header and body are not for this token's role
}

// SentRequest is the exact request of an attempt, with secrets masked.
type SentRequest struct {
	Channel string      `json:"channel"`
	Method  string      `json:"method,omitempty"`
	URL     string      `json:"url,omitempty"`
	Header  [][2]string `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Base64  bool        `json:"base64,omitempty"`
	Exact   bool        `json:"exact"` // these bytes are proven to be those that were sent
}

// Redelivery is a delivery that repeats an earlier one. Attempt is set when it was sent at once.
type Redelivery struct {
	Delivery string   `json:"delivery"`
	Origin   string   `json:"origin"`
	Attempt  *Attempt `json:"attempt,omitempty"`
}

func deliveryPath(id string) string { return "/v1/deliveries/" + url.PathEscape(id) }

// Delivery returns one delivery with every attempt.
func (c *Client) Delivery(ctx context.Context, id string) (Delivery, error) {
	var d Delivery
	err := c.Call(ctx, http.MethodGet, deliveryPath(id), nil, &d)
	return d, err
}

// Deliveries lists deliveries, newest first, at most limit; 0 means all. The query may hold organization, workspace, run,
// event, subscription, destination, state, status, cause, from, to, order.
func (c *Client) Deliveries(ctx context.Context, query url.Values, limit int) ([]Delivery, error) {
	return All[Delivery](ctx, c, "/v1/deliveries", query, limit)
}

// Sent returns what an attempt sent.
func (c *Client) Sent(ctx context.Context, delivery string, number int) (SentRequest, error) {
	var r SentRequest
	err := c.Call(ctx, http.MethodGet, deliveryPath(delivery)+"/attempts/"+strconv.Itoa(number)+"/request", nil, &r)
	return r, err
}

// Redeliver queues a delivery once more, or sends it now and waits for the answer.
func (c *Client) Redeliver(ctx context.Context, delivery string, now bool) (Redelivery, error) {
	var made Redelivery
	err := c.Call(ctx, http.MethodPost, deliveryPath(delivery)+"/redeliver", map[string]bool{"now": now}, &made)
	return made, err
}

// CancelDelivery ends a pending delivery.
func (c *Client) CancelDelivery(ctx context.Context, id string) (Delivery, error) {
	var d Delivery
	err := c.Call(ctx, http.MethodPost, deliveryPath(id)+"/cancel", nil, &d)
	return d, err
}
