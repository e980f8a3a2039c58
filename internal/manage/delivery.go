package manage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Deliveries reads the log of what was sent, and sends again. A delivery may be read by who may read its organization,
// its subscription, or its workspace.
type Deliveries struct{ m *Manage }

var (
	_ dialect.Deliveries     = Deliveries{}
	_ dialect.DeliveryCounts = Deliveries{}
)

// Deliveries returns the deliveries.
func (m *Manage) Deliveries() Deliveries { return Deliveries{m} }

// List lists the deliveries that the filter chooses and the principal may read.
func (x Deliveries) List(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error) {
	organizations, some := within(p, filter.Organizations)
	if !some {
		return []store.Summary{}, nil
	}
	filter.Organizations = organizations
	return readable(page, func(page store.Page) ([]store.Summary, error) {
		return x.m.store.ListDeliveries(ctx, filter, page)
	}, summaryID, func(s *store.Summary) (bool, error) { return x.reads(ctx, p, s) })
}

// Count counts what List would list, exactly when that is below limit.
func (x Deliveries) Count(ctx context.Context, p estate.Principal, filter store.DeliveryFilter, limit int) (int, error) {
	organizations, some := within(p, filter.Organizations)
	if !some {
		return 0, nil
	}
	filter.Organizations = organizations
	if readsAll(p, organizations) {
		n, err := x.m.store.CountDeliveries(ctx, filter, limit)
		if err != nil {
			return 0, fmt.Errorf("count deliveries: %w", err)
		}
		return n, nil
	}
	found, err := x.List(ctx, p, filter, store.Page{Limit: limit})
	return len(found), err
}

// Get returns a delivery with all its attempts.
func (x Deliveries) Get(ctx context.Context, p estate.Principal, id ident.ID) (store.Summary, []delivery.Attempt, error) {
	summary, err := x.find(ctx, p, id)
	if err != nil {
		return store.Summary{}, nil, err
	}
	attempts, err := x.m.store.Attempts(ctx, id)
	if err != nil {
		return store.Summary{}, nil, fmt.Errorf("list attempts: %w", err)
	}
	return summary, attempts, nil
}

// Sent renders again what an attempt sent. Headers that hold secrets are masked; the address is shown to those who may
// change the subscription.
func (x Deliveries) Sent(ctx context.Context, p estate.Principal, a delivery.Attempt) (*delivery.Message, bool, error) {
	stored, err := x.find(ctx, p, a.Delivery.ID)
	if err != nil {
		return nil, false, err
	}
	if x.m.engine == nil {
		return nil, false, errNotWired
	}
	a.Delivery = asAttempted(a.Delivery, stored.Delivery)
	msg, exact, err := x.m.engine.Render(ctx, a)
	if err != nil || msg == nil {
		return nil, false, err
	}
	shown := *msg
	shown.Header = slices.Clone(msg.Header)
	for i, field := range shown.Header {
		if slices.ContainsFunc(msg.Masked, func(name string) bool { return strings.EqualFold(name, field.Name) }) {
			shown.Header[i].Value = "***"
		}
	}
	if shown.Mail == nil {
		shown.URL, err = x.addressFor(ctx, p, a)
	}
	return &shown, exact, err
}

// addressFor is where an attempt went: whole for those who may know the subscription's address, as long as the address is still
// that of the subscription or of the version that the delivery was made with; else redacted.
func (x Deliveries) addressFor(ctx context.Context, p estate.Principal, a delivery.Attempt) (string, error) {
	s, err := x.subscriptionOf(ctx, &a.Delivery)
	if err != nil || s == nil || s.OrganizationID != a.Delivery.Organization {
		return a.Address, err
	}
	edits, err := x.m.edits(ctx, p, s)
	if err != nil {
		return a.Address, err
	}
	if reads, err := x.m.reads(ctx, p, s); err != nil || !edits && !(reads && x.m.showsAddresses(s)) {
		return a.Address, err
	}
	made, err := x.m.Version(ctx, a.Delivery.Subscription, a.Delivery.Version)
	if err != nil && !missing(err) {
		return "", err
	}
	for _, version := range []*subscription.Subscription{s, made} {
		if version == nil || version.Address != a.Address {
			continue
		}
		plain, err := x.m.open(version)
		if err != nil {
			return "", fmt.Errorf("open the secrets of subscription %s: %w", s.ID, err)
		}
		return cmp.Or(plain.URL, a.Address), nil
	}
	return a.Address, nil
}

// asAttempted keeps what may differ from attempt to attempt and takes what decides over rights from the store: the
// attempt came from outside.
func asAttempted(given, stored delivery.Delivery) delivery.Delivery {
	stored.Attempts, stored.Due = given.Attempts, given.Due
	return stored
}

// find returns a delivery that the principal may read.
func (x Deliveries) find(ctx context.Context, p estate.Principal, id ident.ID) (store.Summary, error) {
	if err := x.m.current(ctx); err != nil {
		return store.Summary{}, err
	}
	summary, err := x.m.store.Delivery(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return summary, fault.Missing("delivery", id.String())
	}
	if err != nil {
		return summary, fmt.Errorf("read the delivery: %w", err)
	}
	reads, err := x.reads(ctx, p, &summary)
	if err != nil {
		return summary, err
	}
	if !reads {
		return summary, fault.Missing("delivery", id.String())
	}
	return summary, nil
}

// reads reports whether the principal may read a delivery.
func (x Deliveries) reads(ctx context.Context, p estate.Principal, summary *store.Summary) (bool, error) {
	organization := summary.Delivery.Organization
	if p.May(estate.RoleReader, ofOrganization(organization)) {
		return true, nil
	}
	if !p.Sees(ofOrganization(organization)) {
		return false, nil
	}
	if summary.Last != nil && summary.Last.Workspace != 0 {
		at, err := x.m.placeOfScope(ctx, organization, subscription.Scope{Level: subscription.LevelWorkspace, ID: summary.Last.Workspace})
		if err != nil || p.May(estate.RoleReader, at) {
			return err == nil, err
		}
	}
	s, err := x.subscriptionOf(ctx, &summary.Delivery)
	if err != nil || s == nil || s.OrganizationID != organization {
		return false, err
	}
	return x.m.reads(ctx, p, s)
}

// subscriptionOf returns the delivery's subscription as it is, or as it was when the delivery was made if it is gone; nil
// when nothing is known of it any more.
func (x Deliveries) subscriptionOf(ctx context.Context, d *delivery.Delivery) (*subscription.Subscription, error) {
	if s := x.m.index.Get(d.Subscription); s != nil {
		return s, nil
	}
	s, err := x.m.Version(ctx, d.Subscription, d.Version)
	if missing(err) {
		return nil, nil
	}
	return s, err
}

func summaryID(s *store.Summary) ident.ID { return s.Delivery.ID }
