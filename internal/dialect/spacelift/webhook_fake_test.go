package spacelift

import (
	"context"
	"maps"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// webhooks are subscriptions in memory. Nothing is contacted; answer is what destinations answer.
type webhooks struct {
	dialect.Subscriptions

	world   *world
	items   []subscription.Subscription
	secrets map[ident.ID]subscription.Secrets
	answer  int
	sent    []*delivery.Message
}

func newWebhooks(w *world) *webhooks {
	return &webhooks{world: w, secrets: map[ident.ID]subscription.Secrets{}, answer: 200}
}

func (h *webhooks) save(s *subscription.Subscription, plain subscription.Secrets, o dialect.SaveOptions) error {
	if err := New().Validate(s, plain); err != nil {
		return err
	}
	s.Headers = nil
	for _, name := range slices.Sorted(maps.Keys(plain.Headers)) {
		s.Headers = append(s.Headers, subscription.Header{Name: name, Sensitive: true})
	}
	if !o.Verify || !s.Enabled {
		return nil
	}
	h.sent = append(h.sent, o.Test)
	if h.answer/100 == 2 {
		return nil
	}
	attempt := delivery.Attempt{Result: answered(h.answer)}
	return &fault.Error{Code: fault.Unverified, Message: "No success.", Cause: &dialect.VerificationError{Attempt: attempt}}
}

func (h *webhooks) Create(_ context.Context, _ estate.Principal, s subscription.Subscription, plain subscription.Secrets, o dialect.SaveOptions) (subscription.Subscription, error) {
	for _, other := range h.items {
		if given := s.ExternalIDs[Name]; given != "" && other.ExternalIDs[Name] == given {
			return s, &fault.Error{Code: fault.Conflict, Field: "/external_ids/spacelift", Message: "It is taken."}
		}
	}
	s.ID, s.Version, s.CreatedAt = h.world.id(), 1, h.world.now
	if err := h.save(&s, plain, o); err != nil {
		return s, err
	}
	h.items = append(h.items, *s.Clone())
	h.secrets[s.ID] = plain
	return s, nil
}

func (h *webhooks) find(id ident.ID) (int, error) {
	i := slices.IndexFunc(h.items, func(s subscription.Subscription) bool { return s.ID == id })
	if i < 0 {
		return 0, fault.Missing("subscription", id.String())
	}
	return i, nil
}

func (h *webhooks) Get(_ context.Context, _ estate.Principal, ref estate.Ref) (subscription.Subscription, error) {
	for i := range h.items {
		if s := &h.items[i]; s.ID == ref.ID || s.ExternalIDs[Name] != "" && estate.Alias(Name, s.ExternalIDs[Name]) == ref.Alias {
			return *s.Clone(), nil
		}
	}
	return subscription.Subscription{}, fault.Missing("subscription", ref.Alias)
}

func (h *webhooks) List(_ context.Context, _ estate.Principal, filter dialect.SubscriptionFilter) ([]subscription.Subscription, error) {
	var list []subscription.Subscription
	for i := range h.items {
		if filter.Scope == nil || slices.Contains(h.items[i].Scopes, *filter.Scope) {
			list = append(list, *h.items[i].Clone())
		}
	}
	return list, h.world.broken
}

func (h *webhooks) Update(_ context.Context, _ estate.Principal, id ident.ID, o dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	i, err := h.find(id)
	if err != nil {
		return subscription.Subscription{}, err
	}
	next, plain := h.items[i].Clone(), h.secrets[id]
	plain.Headers = maps.Clone(plain.Headers)
	if err := change(next, &plain); err != nil {
		return *next, err
	}
	if err := h.save(next, plain, o); err != nil {
		return *next, err
	}
	next.Version++
	h.items[i], h.secrets[id] = *next, plain
	return *next.Clone(), nil
}

func (h *webhooks) Delete(_ context.Context, _ estate.Principal, id ident.ID) error {
	i, err := h.find(id)
	if err == nil {
		h.items = slices.Delete(h.items, i, i+1)
	}
	return err
}

func (h *webhooks) Reveal(_ context.Context, _ estate.Principal, id ident.ID) (subscription.Secrets, error) {
	return h.secrets[id], nil
}

func (h *webhooks) Send(_ context.Context, _ estate.Principal, _ ident.ID, msg *delivery.Message) (delivery.Attempt, error) {
	h.sent = append(h.sent, msg)
	return delivery.Attempt{}, nil
}

// documents are policies in memory.
type documents struct {
	dialect.Documents

	world *world
	items []store.Record
}

func (d *documents) Put(_ context.Context, _ estate.Principal, _ estate.Place, r store.Record) (store.Record, error) {
	if r.ID == 0 {
		r.ID = d.world.id()
		d.items = append(d.items, r)
		return r, nil
	}
	for i := range d.items {
		if d.items[i].ID == r.ID {
			d.items[i] = r
		}
	}
	return r, nil
}

func (d *documents) Get(_ context.Context, _ estate.Principal, _ estate.Place, _ store.Kind, id ident.ID) (store.Record, error) {
	for _, r := range d.items {
		if r.ID == id {
			return r, d.world.broken
		}
	}
	return store.Record{}, fault.Missing("policy", id.String())
}

func (d *documents) List(context.Context, estate.Principal, estate.Place, store.Kind) ([]store.Record, error) {
	return slices.Clone(d.items), d.world.broken
}

func (d *documents) Delete(_ context.Context, _ estate.Principal, _ estate.Place, _ store.Kind, id ident.ID) error {
	d.items = slices.DeleteFunc(d.items, func(r store.Record) bool { return r.ID == id })
	return nil
}
