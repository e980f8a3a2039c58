// Package client speaks Carillon's own API, /v1.
//
//	c, err := client.New(client.Options{Server: "https://carillon.example.com", Token: token})
//	receipts, err := c.Send(ctx, events)
//
// Every call takes a context and bounds its own work. Requests that failed for a passing reason (no connection, 429, 5xx)
// are tried again with growing waits, Retry-After honoured, if repeating them can do no harm: reads, and events that carry
// keys. What the server refuses comes back as *Problem, with every field that is wrong.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Options set up a Client.
type Options struct {
	Server    string // "https://carillon.example.com"
	Token     string
	UserAgent string // "carillon-client" when empty

	HTTP    *http.Client  // http.DefaultClient's transport with a timeout of 30 s when nil
	Tries   int           // of one call, 4 when 0
	Wait    time.Duration // before the second try, doubled each time; 500 ms when 0
	MaxWait time.Duration // between two tries, 30 s when 0
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

// Problem is a refusal (RFC 9457): what is wrong, where, and how to mend it.
type Problem struct {
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail"`
	Errors []Field `json:"errors"`
}

// Field is one wrong field of a request's document, or one wrong parameter of its query.
type Field struct {
	Pointer   string `json:"pointer"`
	Parameter string `json:"parameter"`
	Detail    string `json:"detail"`
}

// Error spells the problem with all its fields.
func (p *Problem) Error() string {
	if len(p.Errors) == 0 {
		return p.Detail
	}
	lines := make([]string, 0, len(p.Errors))
	for _, field := range p.Errors {
		at := field.Pointer
		if field.Parameter != "" {
			at = "parameter " + field.Parameter
		}
		lines = append(lines, at+": "+field.Detail)
	}
	return strings.Join(lines, "\n")
}

// Temporary reports whether the same request may succeed later.
func (p *Problem) Temporary() bool {
	return p.Status == http.StatusTooManyRequests || p.Status >= 500
}

// Call makes a request below the server's address and decodes the answer into out, if out is not nil. In is sent as JSON;
// a json.RawMessage goes out as it is.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	return c.try(ctx, request{method: method, path: path, body: body, media: "application/json", repeatable: method == http.MethodGet}, out)
}

// request is one call as it goes out.
type request struct {
	method     string
	path       string
	body       []byte
	media      string
	repeatable bool
}

// try makes the request until it succeeds, is refused for good, or the tries are used up.
func (c *Client) try(ctx context.Context, r request, out any) error {
	wait := c.options.Wait
	for number := 1; ; number++ {
		after, err := c.once(ctx, r, out)
		if err == nil || !r.repeatable || number >= c.options.Tries || !passing(err) || ctx.Err() != nil {
			return err
		}
		pause := min(max(wait, after), c.options.MaxWait)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		wait *= 2
	}
}

// passing reports whether trying again makes sense.
func passing(err error) bool {
	if problem, ok := errors.AsType[*Problem](err); ok {
		return problem.Temporary()
	}
	return true // no answer at all
}

// once makes the request once; after is the server's wish for the next one.
func (c *Client) once(ctx context.Context, r request, out any) (after time.Duration, err error) {
	q, err := http.NewRequestWithContext(ctx, r.method, c.options.Server+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, fmt.Errorf("make the request: %w", err)
	}
	if r.body != nil {
		q.Header.Set("Content-Type", r.media)
	}
	q.Header.Set("Accept", "application/json")
	q.Header.Set("User-Agent", c.options.UserAgent)
	if c.options.Token != "" {
		q.Header.Set("Authorization", "Bearer "+c.options.Token)
	}
	response, err := c.options.HTTP.Do(q)
	if err != nil {
		return 0, &unreachable{c.options.Server, err}
	}
	defer response.Body.Close()
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		after = time.Duration(seconds) * time.Second
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return after, fmt.Errorf("read the answer of %s: %w", c.options.Server, err)
	}
	if response.StatusCode >= 300 {
		return after, problemOf(response.StatusCode, body)
	}
	if out == nil || len(body) == 0 {
		return after, nil
	}
	if raw, ok := out.(*json.RawMessage); ok {
		*raw = body
		return after, nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return after, fmt.Errorf("read the answer of %s: %w", c.options.Server, err)
	}
	return after, nil
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// problemOf reads a refusal; an answer that is none of ours (a proxy's page) keeps only its status.
func problemOf(status int, body []byte) error {
	p := &Problem{}
	if err := json.Unmarshal(body, p); err != nil || p.Status == 0 {
		p = &Problem{Detail: fmt.Sprintf("The server answered %d %s, which is no answer of Carillon's: is the address right?", status, http.StatusText(status))}
	}
	p.Status = status
	return p
}

// unreachable is the error of a request that got no answer.
type unreachable struct {
	server string
	err    error
}

// Error names the server; the address of a request holds nothing else of interest.
func (u *unreachable) Error() string {
	err := u.err
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return fmt.Sprintf("no answer from %s: %v", u.server, err)
}

// Unwrap returns the reason.
func (u *unreachable) Unwrap() error { return u.err }
