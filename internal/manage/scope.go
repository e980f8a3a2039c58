package manage

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// kindOfLevel says which record a scope points at; configuration sets are kept nowhere.
func kindOfLevel(level subscription.Level) (kind store.Kind, ok bool) {
	switch level {
	case subscription.LevelOrganization:
		return store.KindOrganization, true
	case subscription.LevelProject:
		return store.KindProject, true
	case subscription.LevelWorkspace:
		return store.KindWorkspace, true
	case subscription.LevelTeam:
		return store.KindTeam, true
	}
	return "", level == subscription.LevelEnvironment
}

// checkScopes refuses scopes that are not in the subscription's organization. Scopes that it had before are let be.
func (m *Manage) checkScopes(ctx context.Context, faults *fault.Collector, d *draft) error {
	if len(d.next.Scopes) > maxScopes {
		faults.Add("/scopes", "There are too many scopes (maximum is %d).", maxScopes)
		return nil
	}
	for i, scope := range d.next.Scopes {
		pointer := "/scopes/" + strconv.Itoa(i)
		if slices.Contains(d.next.Scopes[:i], scope) {
			faults.Add(pointer, "This scope is listed twice.")
			continue
		}
		if d.had(scope) {
			continue
		}
		kind, ok := kindOfLevel(scope.Level)
		if !ok {
			faults.Add(pointer+"/level", "%q is not a level.", clip(string(scope.Level)))
			continue
		}
		belongs, err := m.scopeBelongs(ctx, kind, d.next, scope)
		if err != nil {
			return err
		}
		if !belongs {
			faults.Add(pointer+"/id", "There is no %s %q in the organization.", scope.Level, scope.ID)
		}
	}
	return nil
}

func (d *draft) had(scope subscription.Scope) bool {
	return d.old != nil && slices.Contains(d.old.Scopes, scope)
}

// scopeBelongs reports whether a scope is in the subscription's organization.
func (m *Manage) scopeBelongs(ctx context.Context, kind store.Kind, s *subscription.Subscription, scope subscription.Scope) (bool, error) {
	if kind == "" {
		return scope.ID != 0, nil
	}
	r, err := m.store.Get(ctx, kind, scope.ID)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", kind, err)
	}
	if kind == store.KindOrganization {
		return r.ID == s.OrganizationID, nil
	}
	object, err := decode[struct {
		OrganizationID ident.ID `json:"organization_id"`
	}](&r)
	return err == nil && object.OrganizationID == s.OrganizationID, err
}

// checkFallback refuses a fallback that could never get anything. One that is gone since is let be.
func (m *Manage) checkFallback(faults *fault.Collector, d *draft) {
	id := d.next.Delivery.Fallback
	if id == 0 || (d.old != nil && d.old.Delivery.Fallback == id) {
		return
	}
	other := m.index.Get(id)
	switch {
	case id == d.next.ID:
		faults.Add("/delivery/fallback", "A subscription can not be its own fallback.")
	case other == nil || other.OrganizationID != d.next.OrganizationID:
		faults.Add("/delivery/fallback", "There is no subscription %q in the organization.", id)
	}
}

// checkLimit refuses a subscription beyond the most that its first scope may have.
func (m *Manage) checkLimit(d *draft) error {
	if d.options.Limit <= 0 || d.old != nil {
		return nil
	}
	scope := d.next.Scope()
	have := m.index.All(func(s *subscription.Subscription) bool {
		return s.Dialect == d.next.Dialect && s.OrganizationID == d.next.OrganizationID && s.Scope() == scope
	})
	if len(have) < d.options.Limit {
		return nil
	}
	return &fault.Error{
		Code: fault.Conflict, Field: "/limit",
		Message: fmt.Sprintf("The limit of %d subscriptions is reached here. Delete one that is no longer needed.", d.options.Limit),
	}
}

// holdScopes returns the conditions that keep the places of new scopes from being deleted at the same moment.
func (m *Manage) holdScopes(ctx context.Context, d *draft) ([]store.Change, error) {
	var changes []store.Change
	for _, scope := range d.next.Scopes {
		kind, ok := kindOfLevel(scope.Level)
		if d.had(scope) || !ok || kind == "" {
			continue
		}
		r, err := m.requireRecord(ctx, kind, scope.ID, "/scopes", string(scope.Level))
		if err != nil {
			return nil, err
		}
		changes = append(changes, touch(r))
	}
	if d.old != nil || len(changes) > 0 {
		return changes, nil
	}
	r, err := m.requireRecord(ctx, store.KindOrganization, d.next.OrganizationID, "/organization_id", "organization")
	return []store.Change{touch(r)}, err
}
