package manage

import (
	"context"
	"slices"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Recipients returns the mail addresses that a subscription's messages go to: those that it lists, then those of its
// users who still belong to the organization, then everybody's where its dialect says so. Each address comes once.
func (m *Manage) Recipients(ctx context.Context, s *subscription.Subscription, _ *event.Event) ([]string, error) {
	found := recipients{}
	for _, address := range s.Emails {
		found.add(address)
	}
	chosen, err := m.recipientUsers(ctx, s)
	if err != nil {
		return nil, err
	}
	for _, id := range chosen {
		user, err := byID[estate.User](ctx, m, store.KindUser, id)
		if missing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found.add(user.Email)
	}
	return found.addresses, nil
}

// recipientUsers lists whom a subscription addresses by name or as a member.
func (m *Manage) recipientUsers(ctx context.Context, s *subscription.Subscription) ([]ident.ID, error) {
	var chosen []ident.ID
	for _, id := range s.UserIDs {
		if m.directory.belongs(id, s.OrganizationID) {
			chosen = append(chosen, id)
		}
	}
	audience, ok := m.dialects[s.Dialect].(dialect.Audience)
	if !ok || !audience.AllMembers(s) {
		return chosen, nil
	}
	inTeam, restricted, err := m.teamMembers(ctx, s.Scope())
	if err != nil {
		return nil, err
	}
	for _, each := range m.directory.ofOrganization(s.OrganizationID) {
		// Whoever was put into a team hears of it; everybody else must have joined the organization first.
		if slices.Contains(inTeam, each.id) || (!restricted && each.active) {
			chosen = append(chosen, each.user)
		}
	}
	return chosen, nil
}

// teamMembers lists the memberships of the team that a scope names; restricted is false for other scopes.
func (m *Manage) teamMembers(ctx context.Context, scope subscription.Scope) (memberships []ident.ID, restricted bool, err error) {
	if scope.Level != subscription.LevelTeam {
		return nil, false, nil
	}
	team, err := byID[estate.Team](ctx, m, store.KindTeam, scope.ID)
	if missing(err) {
		return nil, true, nil
	}
	if err != nil {
		return nil, true, err
	}
	return team.MemberIDs, true, nil
}

// recipients is a list of addresses without repetitions, whatever their case.
type recipients struct {
	addresses []string
	seen      map[string]bool
}

func (r *recipients) add(address string) {
	key := strings.ToLower(address)
	if address == "" || r.seen[key] {
		return
	}
	if r.seen == nil {
		r.seen = make(map[string]bool)
	}
	r.seen[key] = true
	r.addresses = append(r.addresses, address)
}
