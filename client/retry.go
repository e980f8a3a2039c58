package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// failure is a try that did not succeed, and what is known about trying again.
type failure struct {
	err       error
	after     time.Duration // the server's wish
	final     bool          // trying again makes no sense
	untouched bool          // nothing was done: trying again does no harm
}

// refused is the failure of an answer that is no success.
func refused(response *http.Response, body []byte) *failure {
	p := problemOf(response.StatusCode, body)
	return &failure{
		err: p, after: retryAfter(response.Header.Get("Retry-After")), final: !p.Temporary(),
		untouched: p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable,
	}
}

// retryAfter reads the header's two forms, seconds and a date; what it can not read is no wish.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, seconds)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// neverLeft reports whether a request failed before it was sent: there was nobody to connect to.
func neverLeft(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// try makes the request until it succeeds, is refused for good, or the tries are used up.
func (c *Client) try(ctx context.Context, r request, read func(body []byte) error) error {
	wait := c.options.Wait
	for number := 1; ; number++ {
		body, f := c.once(ctx, r)
		if f == nil {
			if err := read(body); err != nil {
				return fmt.Errorf("read the answer of %s: %w", c.options.Server, err)
			}
			return nil
		}
		again := !f.final && (r.repeatable || f.untouched) && number < c.options.Tries && f.after <= c.options.MaxWait
		if !again || !pause(ctx, max(spread(wait), f.after)) {
			return f.err
		}
		wait = min(2*wait, c.options.MaxWait)
	}
}

// spread moves a wait by up to a fifth to both sides, so that many clients do not come back together.
func spread(wait time.Duration) time.Duration {
	return wait + time.Duration(float64(wait)*0.2*(2*rand.Float64()-1))
}

// pause waits; it reports false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
