package manage

import (
	"context"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// follow lays the shared destination over a draft that names one, and remembers which state of it that was. One that is
// gone leaves a subscription that had followed it as it is.
func (m *Manage) follow(ctx context.Context, d *draft) error {
	d.followed = nil
	id := d.next.EndpointID
	if id == 0 {
		return nil
	}
	had := d.old != nil && d.old.EndpointID == id
	if had && (d.plain.URL != d.was.URL || d.plain.Secret != d.was.Secret) {
		return fault.At("/url", "Address and secret are those of a destination that several subscriptions share: change them there.")
	}
	follower, ok := m.dialects[d.next.Dialect].(dialect.Follower)
	if !ok {
		return fault.At("/endpoint_id", "The dialect %s has no shared destinations.", d.next.Dialect)
	}
	r, err := m.store.Get(ctx, store.KindEndpoint, id)
	if missing(err) && had {
		return nil
	}
	if missing(err) || (err == nil && r.Parent != d.next.OrganizationID) {
		return fault.At("/endpoint_id", "There is no shared destination %q in the organization.", id)
	}
	if err != nil {
		return fmt.Errorf("read the shared destination: %w", err)
	}
	stored, err := decode[document](&r)
	if err != nil {
		return err
	}
	shared, err := m.shared(id, stored)
	if err != nil {
		return err
	}
	d.followed = &r
	return follower.Follow(shared, d.next, &d.plain)
}

// shared opens a document that subscriptions follow.
func (m *Manage) shared(id ident.ID, stored *document) (dialect.SharedDestination, error) {
	plain, err := m.openDocument(store.KindEndpoint, id, stored)
	return dialect.SharedDestination{ID: id, Body: stored.Body, Secrets: plain}, err
}

// followers lists the subscriptions that follow a shared destination, as the index has them.
func (m *Manage) followers(id ident.ID) []*subscription.Subscription {
	return m.index.All(func(s *subscription.Subscription) bool { return s.EndpointID == id })
}

// lead returns what a new state of a shared destination changes in the subscriptions that follow it.
func (m *Manage) lead(ctx context.Context, p estate.Principal, id ident.ID, stored *document) ([]store.Change, error) {
	shared, err := m.shared(id, stored)
	if err != nil {
		return nil, err
	}
	var changes []store.Change
	for _, s := range m.followers(id) {
		more, err := m.leadOne(ctx, p, s.ID, shared)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

// leadOne returns the changes that save a follower's next version. Whoever may change the destination need not have the
// right to change what follows it.
func (m *Manage) leadOne(ctx context.Context, p estate.Principal, id ident.ID, shared dialect.SharedDestination) ([]store.Change, error) {
	r, err := m.store.Get(ctx, store.KindSubscription, id)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the subscription: %w", err)
	}
	old, err := decode[subscription.Subscription](&r)
	if err != nil {
		return nil, err
	}
	follower, ok := m.dialects[old.Dialect].(dialect.Follower)
	if !ok {
		return nil, nil
	}
	was, err := m.open(old)
	if err != nil {
		return nil, fmt.Errorf("open the secrets of subscription %s: %w", id, err)
	}
	d := &draft{next: old.Clone(), plain: cloneSecrets(was), old: old, was: was, revision: r.Revision}
	if err := follower.Follow(shared, d.next, &d.plain); err != nil {
		return nil, err
	}
	d.keepFixed(m.utcNow)
	if err := m.complete(ctx, d); err != nil {
		return nil, err
	}
	changes, err := m.versionChanges(d.next, d.revision)
	if err != nil {
		return nil, err
	}
	return append(changes, m.Subscriptions().audited(p, "update", d.next, "with its shared destination")), nil
}

// holdFollowed returns the condition that keeps a shared destination as it was laid over the draft.
func (d *draft) holdFollowed() []store.Change {
	if d.followed == nil {
		return nil
	}
	return []store.Change{touch(*d.followed)}
}

// refuseFollowed keeps a shared destination that is in use.
func (m *Manage) refuseFollowed(kind store.Kind, id ident.ID) error {
	if kind != store.KindEndpoint {
		return nil
	}
	if using := m.followers(id); len(using) > 0 {
		return fault.New(fault.Conflict, "The shared destination is in use by %d subscriptions, such as %q.", len(using), using[0].Name)
	}
	return nil
}
