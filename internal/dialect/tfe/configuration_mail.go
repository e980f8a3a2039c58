package tfe

import (
	"context"
	"slices"
	"strings"

	"carillon/internal/estate"
	"carillon/internal/subscription"
)

// answerThenMail answers at once and sends the test mail when the client has its answer (§5.4). How it went is in the
// history.
func (c *call) answerThenMail(s *subscription.Subscription, at *place) (answer, error) {
	recipients, err := c.recipients(s, at)
	if err != nil {
		return answer{}, err
	}
	got, err := c.answerWith(ok, s)
	got.later = func(ctx context.Context) {
		if _, err := c.Subscriptions.Send(ctx, c.who, s.ID, testMail(s, c.Site, recipients)); err != nil {
			c.Log.WarnContext(ctx, "send test mail", "dialect", Name, "subscription", s.ID.String(), "err", err)
		}
	}
	return got, err
}

// recipients lists whom a configuration's mails go to: the addresses, the users, and all members where it says so (O10).
func (c *call) recipients(s *subscription.Subscription, at *place) ([]string, error) {
	list := slices.Clone(s.Emails)
	users := slices.Clone(s.UserIDs)
	if new(Dialect).AllMembers(s) {
		members, err := c.members(at)
		if err != nil {
			return nil, err
		}
		for id := range members {
			users = append(users, id)
		}
		slices.Sort(users)
	}
	for _, id := range users {
		user, err := c.Users.Get(c, c.who, estate.ByID(id))
		switch {
		case err != nil && problemsOf(err).status() != 404:
			return nil, err
		case err == nil && user.Email != "":
			list = append(list, user.Email)
		}
	}
	return distinct(list), nil
}

// distinct drops addresses that are there already, whatever their case.
func distinct(addresses []string) []string {
	var kept []string
	for _, address := range addresses {
		if !slices.ContainsFunc(kept, func(k string) bool { return strings.EqualFold(k, address) }) {
			kept = append(kept, address)
		}
	}
	return kept
}
