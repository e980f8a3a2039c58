package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// versionKey names a version of a subscription.
type versionKey struct {
	id      ident.ID
	version int64
}

// version returns a version of a subscription, from memory if it is there.
func (d *Dispatcher) version(ctx context.Context, id ident.ID, number int64) (*subscription.Subscription, error) {
	if s := d.deps.Index.Get(id); s != nil && s.Version == number {
		return s, nil
	}
	key := versionKey{id, number}
	if s, ok := d.versions.get(key); ok {
		return s, nil
	}
	s, err := d.deps.Version(ctx, id, number)
	if err != nil {
		return nil, fmt.Errorf("read version %d of the subscription: %w", number, err)
	}
	return d.versions.put(key, s, 1), nil
}

// opened is the plain text of a version's secrets, and what else follows from the version alone.
type opened struct {
	policy  delivery.Policy
	url     string
	secret  string
	prior   string
	headers []delivery.HeaderField
	masked  []string
}

// String hides the contents, so that a stray %v leaks nothing.
func (opened) String() string { return "[secrets]" }

// GoString hides the contents, so that a stray %#v leaks nothing.
func (opened) GoString() string { return "[secrets]" }

// unseal returns the secrets of a version of a subscription, opened once. A prior secret that does not open is left out:
// the current one signs.
func (d *Dispatcher) unseal(s *subscription.Subscription) (*opened, error) {
	key := versionKey{s.ID, s.Version}
	if o, ok := d.secrets.get(key); ok {
		return o, nil
	}
	var o opened
	var err error
	if o.url, err = d.deps.Keyring.Open(s.URL, subscription.Place(s.ID, "url")); err != nil {
		return nil, fmt.Errorf("open the address: %w", err)
	}
	if o.secret, err = d.deps.Keyring.Open(s.Secret, subscription.Place(s.ID, "secret")); err != nil {
		return nil, fmt.Errorf("open the secret: %w", err)
	}
	if o.prior, err = d.deps.Keyring.Open(s.PriorSecret, subscription.Place(s.ID, "prior_secret")); err != nil {
		d.deps.Log.Warn("a prior secret does not open", "subscription", s.ID, "err", err)
	}
	for _, h := range s.Headers {
		value, err := d.deps.Keyring.Open(h.Value, subscription.Place(s.ID, "header/"+strings.ToLower(h.Name)))
		if err != nil {
			return nil, fmt.Errorf("open the header %s: %w", h.Name, err)
		}
		o.headers = append(o.headers, delivery.HeaderField{Name: h.Name, Value: value})
		if h.Sensitive {
			o.masked = append(o.masked, h.Name)
		}
	}
	o.policy = d.policy(s)
	return d.secrets.put(key, &o, 1), nil
}

// given is unseal for secrets that the caller has in the clear.
func given(s *subscription.Subscription, plain subscription.Secrets) *opened {
	o := &opened{url: plain.URL, secret: plain.Secret, prior: plain.Prior}
	keys := subscription.HeaderKeys(s.Headers)
	for i, h := range s.Headers {
		o.headers = append(o.headers, delivery.HeaderField{Name: h.Name, Value: plain.Headers[keys[i]]})
		if h.Sensitive {
			o.masked = append(o.masked, h.Name)
		}
	}
	return o
}

// signing lists the secrets that sign at a moment: the current one, then the one before while it counts.
func (o *opened) signing(s *subscription.Subscription, at time.Time) []string {
	switch {
	case o.secret == "":
		return nil
	case o.prior != "" && at.Before(s.PriorUntil):
		return []string{o.secret, o.prior}
	}
	return []string{o.secret}
}
