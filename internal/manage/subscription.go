package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Subscriptions manages who wants what. Reading is answered from the index, after making sure that it is as new as the
// store.
type Subscriptions struct{ m *Manage }

var _ dialect.Subscriptions = Subscriptions{}

// Subscriptions returns the subscriptions.
func (m *Manage) Subscriptions() Subscriptions { return Subscriptions{m} }

// Get returns a subscription: by ID, by external identifier, or by the oldest of its name in an organization or a scope.
func (x Subscriptions) Get(ctx context.Context, p estate.Principal, ref estate.Ref) (subscription.Subscription, error) {
	s, err := x.find(ctx, p, ref)
	if err != nil {
		return subscription.Subscription{}, err
	}
	return *s.Clone(), nil
}

// find returns the index's own subscription, which must not be changed.
func (x Subscriptions) find(ctx context.Context, p estate.Principal, ref estate.Ref) (*subscription.Subscription, error) {
	if err := x.m.current(ctx); err != nil {
		return nil, err
	}
	s, err := x.locate(ctx, p, ref)
	if err != nil {
		return nil, err
	}
	if s != nil {
		reads, err := x.m.reads(ctx, p, s)
		if err != nil {
			return nil, err
		}
		if reads {
			return s, nil
		}
	}
	return nil, fault.Missing("subscription", refText(ref))
}

// locate returns nil when there is no such subscription.
func (x Subscriptions) locate(ctx context.Context, p estate.Principal, ref estate.Ref) (*subscription.Subscription, error) {
	switch {
	case ref.ID != 0:
		return x.m.index.Get(ref.ID), nil
	case ref.Alias != "":
		r, err := x.m.byAliasFor(ctx, p, store.KindSubscription, ref)
		if missing(err) {
			return nil, nil
		}
		return x.m.index.Get(r.ID), err
	case ref.Name == "" || ref.Parent == 0:
		return nil, nil
	}
	named := x.m.index.All(func(s *subscription.Subscription) bool {
		return s.Name == ref.Name && (s.OrganizationID == ref.Parent ||
			slices.ContainsFunc(s.Scopes, func(scope subscription.Scope) bool { return scope.ID == ref.Parent }))
	})
	if len(named) == 0 {
		return nil, nil
	}
	return named[0], nil
}

// editable is find for those who may change what they find.
func (x Subscriptions) editable(ctx context.Context, p estate.Principal, id ident.ID) (*subscription.Subscription, error) {
	s, err := x.find(ctx, p, estate.ByID(id))
	if err != nil {
		return nil, err
	}
	edits, err := x.m.edits(ctx, p, s)
	if err != nil {
		return nil, err
	}
	if !edits {
		return nil, forbidden(estate.RoleAdmin)
	}
	return s, nil
}

// List lists the subscriptions that the filter chooses and the principal may read, oldest first.
func (x Subscriptions) List(ctx context.Context, p estate.Principal, filter dialect.SubscriptionFilter) ([]subscription.Subscription, error) {
	if err := x.m.current(ctx); err != nil {
		return nil, err
	}
	chosen := x.m.index.All(func(s *subscription.Subscription) bool {
		return (filter.Organization == 0 || s.OrganizationID == filter.Organization) &&
			(filter.Dialect == "" || s.Dialect == filter.Dialect) &&
			(filter.Scope == nil || slices.Contains(s.Scopes, *filter.Scope))
	})
	found := make([]subscription.Subscription, 0, len(chosen))
	for _, s := range chosen {
		reads, err := x.m.reads(ctx, p, s)
		if err != nil {
			return nil, err
		}
		if reads {
			found = append(found, *s.Clone())
		}
	}
	return found, nil
}

// Reveal returns the plain secrets to those who may change the subscription. Where the dialect's platform shows addresses
// to whoever may read it, they get the address alone.
func (x Subscriptions) Reveal(ctx context.Context, p estate.Principal, id ident.ID) (subscription.Secrets, error) {
	s, err := x.find(ctx, p, estate.ByID(id))
	if err != nil {
		return subscription.Secrets{}, err
	}
	edits, err := x.m.edits(ctx, p, s)
	switch {
	case err != nil:
		return subscription.Secrets{}, err
	case edits:
		return x.m.open(s)
	case !x.m.showsAddresses(s):
		return subscription.Secrets{}, forbidden(estate.RoleAdmin)
	}
	plain, err := x.m.open(s)
	return subscription.Secrets{URL: plain.URL}, err
}

// showsAddresses reports whether whoever may read the subscription may see its address.
func (m *Manage) showsAddresses(s *subscription.Subscription) bool {
	open, ok := m.dialects[s.Dialect].(dialect.OpenAddresses)
	return ok && open.ShowsAddresses()
}

// Delete removes a subscription. The engine cancels what it is owed.
func (x Subscriptions) Delete(ctx context.Context, p estate.Principal, id ident.ID) error {
	return x.m.retry(ctx, func() error {
		s, err := x.editable(ctx, p, id)
		if err != nil {
			return err
		}
		return x.m.commit(ctx, func() ([]store.Change, error) {
			return []store.Change{store.Delete(store.KindSubscription, id), x.audited(p, "delete", s, "")}, nil
		})
	})
}

// LastAnswer returns the newest attempt that got an answer, nil if there is none.
func (x Subscriptions) LastAnswer(ctx context.Context, p estate.Principal, id ident.ID) (*delivery.Attempt, error) {
	if _, err := x.find(ctx, p, estate.ByID(id)); err != nil {
		return nil, err
	}
	last, err := x.m.store.LastAnswered(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last answer: %w", err)
	}
	return &last, nil
}

func (x Subscriptions) audited(p estate.Principal, action string, s *subscription.Subscription, detail string) store.Change {
	return x.m.audit(p, AuditEntry{
		Action: action, Kind: string(store.KindSubscription), ObjectID: s.ID, Name: s.Name, Detail: detail,
		OrganizationID: s.OrganizationID,
	})
}

// Switch switches a subscription off, for the reason given: its destination is gone or failed too long. Doing so twice
// changes nothing.
func (m *Manage) Switch(ctx context.Context, id ident.ID, reason string) error {
	return m.retry(ctx, func() error {
		r, err := m.store.Get(ctx, store.KindSubscription, id)
		if missing(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the subscription: %w", err)
		}
		s, err := decode[subscription.Subscription](&r)
		if err != nil || !s.Enabled {
			return err
		}
		s.Enabled, s.DisabledReason = false, reason
		s.Version, s.UpdatedAt = s.Version+1, m.utcNow()
		return m.commit(ctx, func() ([]store.Change, error) {
			changes, err := m.versionChanges(s, r.Revision)
			return append(changes, m.Subscriptions().audited(estate.System(), "switch_off", s, reason)), err
		})
	})
}

// versionChanges returns the changes that save a version of a subscription: the current record, and the version's own,
// which never changes. The revision is the current record's, zero for a new subscription.
func (m *Manage) versionChanges(s *subscription.Subscription, revision int64) ([]store.Change, error) {
	body, err := encode(s)
	if err != nil {
		return nil, err
	}
	record := &store.Record{
		Kind: store.KindSubscription, ID: s.ID, Parent: s.OrganizationID,
		Aliases: aliases(s.ExternalIDs, s.OrganizationID), Body: body, Revision: revision,
	}
	version := &store.Record{
		Kind: store.KindVersion, ID: m.ids.New(), Parent: s.ID, Name: strconv.FormatInt(s.Version, 10), Body: body,
	}
	save := store.Update(record)
	if revision == 0 {
		save = store.Insert(record)
	}
	return []store.Change{save, store.Insert(version)}, nil
}
