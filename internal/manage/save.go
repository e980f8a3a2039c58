package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Create saves a new subscription as its version 1. Nothing is saved when it should be verified and is not.
func (x Subscriptions) Create(ctx context.Context, p estate.Principal, s subscription.Subscription, plain subscription.Secrets, o dialect.SaveOptions) (subscription.Subscription, error) {
	if err := x.m.current(ctx); err != nil {
		return subscription.Subscription{}, err
	}
	next := s.Clone()
	now := x.m.utcNow()
	next.ID, next.Version, next.CreatedAt, next.UpdatedAt, next.DisabledReason = x.m.ids.New(), 1, now, now, ""
	if next.CreatedBy == "" {
		next.CreatedBy = p.Name
	}
	draft := &draft{next: next, plain: cloneSecrets(plain), options: o}
	if err := x.mayPlace(ctx, p, next); err != nil {
		return subscription.Subscription{}, err
	}
	err := x.m.retry(ctx, func() error {
		if err := x.ready(ctx, draft); err != nil {
			return err
		}
		return x.m.commit(ctx, func() ([]store.Change, error) { return x.changes(ctx, p, "create", draft) })
	})
	if err != nil {
		return subscription.Subscription{}, err
	}
	return *next.Clone(), nil
}

// Update saves a new version. When somebody else changed the subscription meanwhile, change runs again on what is there
// now. Nothing changes when the new version should be verified and is not.
func (x Subscriptions) Update(ctx context.Context, p estate.Principal, id ident.ID, o dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	var saved *subscription.Subscription
	err := x.m.retry(ctx, func() error {
		draft, err := x.revise(ctx, p, id, o, change)
		if err != nil {
			return err
		}
		if err := x.ready(ctx, draft); err != nil {
			return err
		}
		saved = draft.next
		return x.m.commit(ctx, func() ([]store.Change, error) { return x.changes(ctx, p, "update", draft) })
	})
	if err != nil {
		return subscription.Subscription{}, err
	}
	return *saved.Clone(), nil
}

// draft is a version that is about to be saved, and the one before it.
type draft struct {
	next     *subscription.Subscription
	plain    subscription.Secrets
	old      *subscription.Subscription // nil for a new subscription
	was      subscription.Secrets
	revision int64         // of the record that is replaced, 0 for a new subscription
	followed *store.Record // the shared destination that was laid over it, nil for none
	options  dialect.SaveOptions
}

// revise lets the caller change what is stored now.
func (x Subscriptions) revise(ctx context.Context, p estate.Principal, id ident.ID, o dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (*draft, error) {
	if _, err := x.editable(ctx, p, id); err != nil {
		return nil, err
	}
	r, err := x.m.store.Get(ctx, store.KindSubscription, id)
	if missing(err) {
		return nil, fault.Missing("subscription", id.String())
	}
	if err != nil {
		return nil, fmt.Errorf("read the subscription: %w", err)
	}
	old, err := decode[subscription.Subscription](&r)
	if err != nil {
		return nil, err
	}
	was, err := x.m.open(old)
	if err != nil {
		return nil, fmt.Errorf("open the secrets of subscription %s: %w", id, err)
	}
	d := &draft{next: old.Clone(), plain: cloneSecrets(was), old: old, was: was, revision: r.Revision, options: o}
	if err := change(d.next, &d.plain); err != nil {
		return nil, err
	}
	d.keepFixed(x.m.utcNow)
	if !slices.Equal(d.next.Scopes, old.Scopes) {
		return d, x.mayPlace(ctx, p, d.next)
	}
	return d, nil
}

// mayPlace asks whether the principal may have a subscription at all its scopes.
func (x Subscriptions) mayPlace(ctx context.Context, p estate.Principal, s *subscription.Subscription) error {
	edits, err := x.m.edits(ctx, p, s)
	if err != nil || edits {
		return err
	}
	for _, scope := range s.Scopes {
		at, err := x.m.placeOfScope(ctx, s.OrganizationID, scope)
		if err != nil {
			return err
		}
		if !p.Sees(at) {
			return fault.Missing(string(scope.Level), scope.ID.String())
		}
	}
	return demand(p, estate.RoleAdmin, ofOrganization(s.OrganizationID), "organization", s.OrganizationID.String())
}

// ready completes and checks a draft, seals it, and verifies its destination when that was asked for.
func (x Subscriptions) ready(ctx context.Context, d *draft) error {
	if err := x.m.follow(ctx, d); err != nil {
		return err
	}
	if err := x.m.complete(ctx, d); err != nil {
		return err
	}
	if !d.options.Verify || !d.next.Enabled {
		return nil
	}
	_, err := x.verify(ctx, d.next, d.plain, d.options.Test)
	return err
}

// complete fills what follows from the rest of a draft, checks it, and seals it.
func (m *Manage) complete(ctx context.Context, d *draft) error {
	rotate(d.next, &d.plain, d.was, d.options.Overlap, m.utcNow())
	arrangeHeaders(d.next, d.plain)
	d.next.Triggers = distinct(d.next.Triggers)
	m.address(d.next, d.plain)
	if err := m.settings(ctx, d); err != nil {
		return err
	}
	if err := m.check(ctx, d); err != nil {
		return err
	}
	if err := m.checkLimit(d); err != nil {
		return err
	}
	m.sealInto(d.next, d.plain, d.old, d.was)
	return nil
}

// changes returns what saving the draft writes. It runs while no other write of this node comes in between, so the limit
// holds exactly on one node; among several, subscriptions made at the very same moment may exceed it.
func (x Subscriptions) changes(ctx context.Context, p estate.Principal, action string, d *draft) ([]store.Change, error) {
	if err := x.m.checkLimit(d); err != nil {
		return nil, err
	}
	changes, err := x.m.versionChanges(d.next, d.revision)
	if err != nil {
		return nil, err
	}
	held, err := x.m.holdScopes(ctx, d)
	if err != nil {
		return nil, err
	}
	held = append(held, d.holdFollowed()...)
	return append(append(changes, held...), x.audited(p, action, d.next, "")), nil
}

// Verify sends the dialect's verification and keeps the answer. A channel that is not verified gives the zero Attempt.
func (x Subscriptions) Verify(ctx context.Context, p estate.Principal, id ident.ID) (delivery.Attempt, error) {
	s, err := x.editable(ctx, p, id)
	if err != nil {
		return delivery.Attempt{}, err
	}
	plain, err := x.m.open(s)
	if err != nil {
		return delivery.Attempt{}, fmt.Errorf("open the secrets of subscription %s: %w", id, err)
	}
	return x.verify(ctx, s, plain, nil)
}

// verification is what the dialect sends to test a subscription, nil for nothing.
func (x Subscriptions) verification(s *subscription.Subscription, at time.Time) (*delivery.Message, error) {
	verifier, ok := x.m.dialects[s.Dialect].(dialect.Verifier)
	if !ok {
		return nil, nil
	}
	msg, err := verifier.Verification(s, x.m.site, at)
	if err != nil {
		return nil, fmt.Errorf("render the verification: %w", err)
	}
	return msg, nil
}

// verify tests a subscription, stored or about to be, with msg or with what its dialect sends.
func (x Subscriptions) verify(ctx context.Context, s *subscription.Subscription, plain subscription.Secrets, msg *delivery.Message) (delivery.Attempt, error) {
	id := x.m.ids.New() // it also says when: the same test request can be made again from it
	if msg == nil {
		var err error
		if msg, err = x.verification(s, id.Time()); msg == nil || err != nil {
			return delivery.Attempt{}, err
		}
	}
	attempt, err := x.send(ctx, s, plain, id, msg)
	if err != nil {
		return attempt, err
	}
	if !attempt.Result.OK() {
		failed := &dialect.VerificationError{Attempt: attempt}
		return attempt, &fault.Error{
			Code: fault.Unverified, Field: "/url", Cause: failed,
			Message: "The destination did not answer the test request with success: " + outcome(attempt.Result) + ".",
		}
	}
	return attempt, nil
}

// outcome says in a few words how an attempt ended.
func outcome(r delivery.Result) string {
	switch {
	case r.Class == delivery.ClassAnswered:
		return fmt.Sprintf("it answered with status %d", r.Status)
	case r.Detail != "":
		return r.Detail
	}
	return string(r.Class)
}

// Send sends a message of the dialect's making: one attempt, recorded.
func (x Subscriptions) Send(ctx context.Context, p estate.Principal, id ident.ID, msg *delivery.Message) (delivery.Attempt, error) {
	s, err := x.editable(ctx, p, id)
	if err != nil {
		return delivery.Attempt{}, err
	}
	plain, err := x.m.open(s)
	if err != nil {
		return delivery.Attempt{}, fmt.Errorf("open the secrets of subscription %s: %w", id, err)
	}
	return x.send(ctx, s, plain, x.m.ids.New(), msg)
}

func (x Subscriptions) send(ctx context.Context, s *subscription.Subscription, plain subscription.Secrets, id ident.ID, msg *delivery.Message) (delivery.Attempt, error) {
	if x.m.engine == nil {
		return delivery.Attempt{}, errNotWired
	}
	attempt, err := x.m.engine.Send(ctx, dialect.Single{
		Subscription: s, Secrets: plain, Message: msg,
		Delivery: delivery.Delivery{
			ID: id, Organization: s.OrganizationID, Subscription: s.ID, Version: s.Version,
			Destination: s.Destination, Due: x.m.utcNow(), Cause: delivery.CauseVerification, Unordered: true,
		},
	})
	if err != nil && !isFault(err) {
		return attempt, fmt.Errorf("send a test request: %w", err)
	}
	return attempt, err
}

// distinct drops repetitions and keeps the order.
func distinct(list []string) []string {
	var kept []string
	for _, each := range list {
		if !slices.Contains(kept, each) {
			kept = append(kept, each)
		}
	}
	return kept
}

func isFault(err error) bool {
	_, ok := errors.AsType[*fault.Error](err)
	return ok
}
