package scalr

import (
	"context"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// hooks are subscriptions in memory that behave as the services promise, shared destinations included.
type hooks struct {
	world   *world
	items   []subscription.Subscription
	secrets map[ident.ID]subscription.Secrets
}

func newHooks(w *world) *hooks {
	return &hooks{world: w, secrets: map[ident.ID]subscription.Secrets{}}
}

func (h *hooks) edits(p estate.Principal, s *subscription.Subscription) bool {
	return p.May(estate.RoleAdmin, estate.Place{OrganizationID: s.OrganizationID})
}

// follow lays the shared destination over a subscription, if it names one.
func (h *hooks) follow(s *subscription.Subscription, plain *subscription.Secrets) error {
	if s.EndpointID == 0 {
		return nil
	}
	r, there := h.world.documents.records[s.EndpointID]
	if !there {
		return fault.At("/endpoint_id", "There is no such destination.")
	}
	return New().Follow(dialect.SharedDestination{ID: r.ID, Body: r.Body, Secrets: h.world.documents.secrets[r.ID]}, s, plain)
}

func (h *hooks) Create(_ context.Context, p estate.Principal, s subscription.Subscription, plain subscription.Secrets, _ dialect.SaveOptions) (subscription.Subscription, error) {
	if !h.edits(p, &s) {
		return s, fault.New(fault.Forbidden, "You may not.")
	}
	s.ID, s.Version, s.CreatedAt, s.UpdatedAt = h.world.id(), 1, h.world.now, h.world.now
	if err := h.follow(&s, &plain); err != nil {
		return s, err
	}
	h.items = append(h.items, *s.Clone())
	h.secrets[s.ID] = plain
	return s, New().Validate(&s, plain)
}

func (h *hooks) find(p estate.Principal, ref estate.Ref) (int, error) {
	for i := range h.items {
		s := &h.items[i]
		given := s.ExternalIDs[Name]
		if (s.ID == ref.ID || given != "" && estate.Alias(Name, given) == ref.Alias) && p.May(estate.RoleReader, estate.Place{OrganizationID: s.OrganizationID}) {
			return i, nil
		}
	}
	return 0, fault.Missing("subscription", ref.Alias)
}

func (h *hooks) Get(_ context.Context, p estate.Principal, ref estate.Ref) (subscription.Subscription, error) {
	i, err := h.find(p, ref)
	if err != nil {
		return subscription.Subscription{}, err
	}
	return *h.items[i].Clone(), nil
}

func (h *hooks) List(_ context.Context, p estate.Principal, filter dialect.SubscriptionFilter) ([]subscription.Subscription, error) {
	var list []subscription.Subscription
	for i := range h.items {
		if s := &h.items[i]; s.OrganizationID == filter.Organization && p.May(estate.RoleReader, estate.Place{OrganizationID: s.OrganizationID}) {
			list = append(list, *s.Clone())
		}
	}
	return list, nil
}

func (h *hooks) Update(_ context.Context, p estate.Principal, id ident.ID, _ dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	i, err := h.find(p, estate.ByID(id))
	if err == nil && !h.edits(p, &h.items[i]) {
		err = fault.New(fault.Forbidden, "You may not.")
	}
	if err != nil {
		return subscription.Subscription{}, err
	}
	next, plain := h.items[i].Clone(), h.secrets[id]
	if err := change(next, &plain); err != nil {
		return *next, err
	}
	if err := h.follow(next, &plain); err != nil {
		return *next, err
	}
	next.Version++
	h.items[i], h.secrets[id] = *next, plain
	return *next.Clone(), nil
}

func (h *hooks) Delete(_ context.Context, p estate.Principal, id ident.ID) error {
	i, err := h.find(p, estate.ByID(id))
	if err == nil {
		h.items = slices.Delete(h.items, i, i+1)
	}
	return err
}

func (h *hooks) Reveal(_ context.Context, p estate.Principal, id ident.ID) (subscription.Secrets, error) {
	i, err := h.find(p, estate.ByID(id))
	if err == nil && !h.edits(p, &h.items[i]) {
		err = fault.New(fault.Forbidden, "You may not.")
	}
	if err != nil {
		return subscription.Secrets{}, err
	}
	return h.secrets[id], nil
}

// The rest is not used by this dialect.

func (h *hooks) Verify(context.Context, estate.Principal, ident.ID) (delivery.Attempt, error) {
	return delivery.Attempt{}, fault.New(fault.Unsupported, "Not here.")
}

func (h *hooks) Send(context.Context, estate.Principal, ident.ID, *delivery.Message) (delivery.Attempt, error) {
	return delivery.Attempt{}, fault.New(fault.Unsupported, "Not here.")
}

func (h *hooks) LastAnswer(context.Context, estate.Principal, ident.ID) (*delivery.Attempt, error) {
	return nil, fault.New(fault.Unsupported, "Not here.")
}

// papers are documents in memory.
type papers struct {
	world   *world
	records map[ident.ID]store.Record
	secrets map[ident.ID]map[string]string
}

func newPapers(w *world) *papers {
	return &papers{world: w, records: map[ident.ID]store.Record{}, secrets: map[ident.ID]map[string]string{}}
}

func (d *papers) put(p estate.Principal, at estate.Place, r store.Record, secrets map[string]string) (store.Record, error) {
	if !p.May(estate.RoleAdmin, at) {
		return r, fault.New(fault.Forbidden, "You may not.")
	}
	if r.ID == 0 {
		r.ID = d.world.id()
	}
	r.Parent, r.Revision = at.OrganizationID, r.Revision+1
	d.records[r.ID], d.secrets[r.ID] = r, secrets
	h := d.world.subscriptions
	for i := range h.items {
		plain := h.secrets[h.items[i].ID]
		if err := h.follow(&h.items[i], &plain); err != nil {
			return r, err
		}
		h.secrets[h.items[i].ID] = plain
	}
	return r, nil
}

func (d *papers) Put(_ context.Context, p estate.Principal, at estate.Place, r store.Record) (store.Record, error) {
	return d.put(p, at, r, nil)
}

func (d *papers) Get(_ context.Context, p estate.Principal, _ estate.Place, _ store.Kind, id ident.ID) (store.Record, error) {
	r, there := d.records[id]
	if !there || !p.May(estate.RoleReader, estate.Place{OrganizationID: r.Parent}) {
		return r, fault.Missing("document", id.String())
	}
	return r, nil
}

func (d *papers) List(_ context.Context, _ estate.Principal, at estate.Place, _ store.Kind) ([]store.Record, error) {
	var list []store.Record
	for _, r := range d.records {
		if r.Parent == at.OrganizationID {
			list = append(list, r)
		}
	}
	return list, nil
}

func (d *papers) Delete(_ context.Context, _ estate.Principal, _ estate.Place, _ store.Kind, id ident.ID) error {
	delete(d.records, id)
	return nil
}

// sealedPapers are the documents' secrets.
type sealedPapers struct{ *papers }

func (d sealedPapers) Put(_ context.Context, p estate.Principal, at estate.Place, r store.Record, secrets map[string]string) (store.Record, error) {
	return d.put(p, at, r, secrets)
}

func (d sealedPapers) Reveal(_ context.Context, p estate.Principal, _ estate.Place, _ store.Kind, id ident.ID) (map[string]string, error) {
	r := d.records[id]
	if !p.May(estate.RoleAdmin, estate.Place{OrganizationID: r.Parent}) {
		return nil, fault.New(fault.Forbidden, "You may not.")
	}
	return d.secrets[id], nil
}
