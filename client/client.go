// Package client speaks Carillon's own API, /v1.
//
//	c, err := client.New(client.Options{Server: "https://carillon.example.com", Token: token})
//	receipts, err := c.Send(ctx, events)
//
// Every call takes a context and bounds its own work. A request that failed for a passing reason is tried again with
// growing waits, Retry-After honoured, if repeating it can do no harm: reads, events (which go out with a key), and
// whatever the server says that it did not begin. What the server refuses comes back as *Problem, with every field that
// is wrong. The package needs the standard library alone.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options set up a Client.
type Options struct {
	Server    string // "https://carillon.example.com"
	Token     string
	UserAgent string // "carillon-client" when empty

	HTTP    *http.Client  // a client with a timeout of 30 s when nil
	Tries   int           // of one call, 4 when 0
	Wait    time.Duration // before the second try, doubled each time; 500 ms when 0
	MaxWait time.Duration // between two tries, 30 s when 0; a longer Retry-After ends the call
}

// Client is a connection to one server. It is safe for concurrent use.
type Client struct{ options Options }

// New returns a client. It connects to nothing yet.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.Server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("the server's address must be like https://carillon.example.com, not %q", o.Server)
	}
	o.Server = strings.TrimRight(o.Server, "/")
	if o.UserAgent == "" {
		o.UserAgent = "carillon-client"
	}
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 30 * time.Second}
	}
	if o.Tries == 0 {
		o.Tries = 4
	}
	if o.Wait == 0 {
		o.Wait = 500 * time.Millisecond
	}
	if o.MaxWait == 0 {
		o.MaxWait = 30 * time.Second
	}
	return &Client{o}, nil
}

const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// Call makes a request below the server's address and decodes the answer into out, if out is not nil. In is sent as JSON;
// a json.RawMessage goes out as it is, and out of that type gets the answer as it came.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	r := request{method: method, path: path, repeatable: method == http.MethodGet}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		r.body, r.media = body, typeJSON
	}
	return c.try(ctx, r, func(body []byte) error { return decode(body, out) })
}

func decode(body []byte, out any) error {
	if out == nil || len(body) == 0 {
		return nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = body
		return nil
	}
	return json.Unmarshal(body, out)
}

// request is one call as it goes out.
type request struct {
	method string
	path   string
	body   []byte
	media  string
	key    string // Idempotency-Key

	// repeatable says that a repeat does no harm even when the first one arrived.
	repeatable bool
}

// once makes the request once and returns the answer's body, or why there is none.
func (c *Client) once(ctx context.Context, r request) (body []byte, f *failure) {
	q, err := http.NewRequestWithContext(ctx, r.method, c.options.Server+r.path, bytes.NewReader(r.body))
	if err != nil {
		return nil, &failure{err: fmt.Errorf("make the request: %w", err), final: true}
	}
	c.fill(q.Header, r)
	response, err := c.options.HTTP.Do(q)
	if err != nil {
		return nil, &failure{err: &unreachable{c.options.Server, err}, untouched: neverLeft(err)}
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, &failure{err: &unreachable{c.options.Server, fmt.Errorf("the answer broke off: %w", err)}}
	}
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		return nil, refused(response, body)
	}
	return body, nil
}

func (c *Client) fill(h http.Header, r request) {
	if r.media != "" {
		h.Set("Content-Type", r.media)
	}
	h.Set("Accept", typeJSON)
	h.Set("User-Agent", c.options.UserAgent)
	if r.key != "" {
		h.Set("Idempotency-Key", r.key)
	}
	if c.options.Token != "" {
		h.Set("Authorization", "Bearer "+c.options.Token)
	}
}
