package scalr

import (
	"slices"

	"carillon/internal/dialect"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func listIntegrations(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.hooksOf(v)
	if err != nil {
		return answer{}, err
	}
	l := c.hookListing()
	l.sorts["url"] = (*hook).address
	if l.filters["environment"], err = c.reaching(v); err != nil {
		return answer{}, err
	}
	if all, err = choose(v, all, l); err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, func(h *hook) (resource, error) { return c.integration(h, false) })
}

// reaching is the filter by an environment: what is shared with it, and what is linked to it (§5.4).
func (c *call) reaching(v view) (func(*hook, string) (bool, error), error) {
	environments := map[ident.ID]ident.ID{} // to their accounts
	if value, chosen := v.chosen()["environment"]; chosen {
		accounts, err := c.accounts(v)
		if err != nil {
			return nil, err
		}
		for i := range accounts {
			all, err := c.Projects.List(c, c.who, accounts[i].ID)
			if err != nil {
				return nil, err
			}
			for n := range all {
				if matches(value, idOf(&all[n].Common, environmentIDs)) {
					environments[all[n].ID] = accounts[i].ID
				}
			}
		}
	}
	return func(h *hook, _ string) (bool, error) {
		for id, account := range environments {
			if (h.shared && h.s.OrganizationID == account) || slices.Contains(h.environments, id) {
				return true, nil
			}
		}
		return false, nil
	}, nil
}

// integrationOf renders a webhook for somebody who reads it.
func (c *call) integrationOf(s *subscription.Subscription) (resource, error) {
	h, err := c.newHook(s)
	if err != nil {
		return resource{}, err
	}
	return c.integration(h, false)
}

func (c *call) answerIntegration(how func(any) answer, s *subscription.Subscription, made bool) (answer, error) {
	h, err := c.newHook(s)
	if err != nil {
		return answer{}, err
	}
	r, err := c.integration(h, made)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(how, r)
}

func showIntegration(c *call) (answer, error) {
	s, err := c.theHook()
	if err != nil {
		return answer{}, err
	}
	return c.answerIntegration(ok, s, false)
}

// createIntegration makes a webhook with an address of its own. Without environments, and not shared, it hears nothing
// (§4.4).
func createIntegration(c *call) (answer, error) {
	in, err := c.read(integrationType)
	if err != nil {
		return answer{}, err
	}
	account, err := c.account(in)
	if err != nil {
		return answer{}, err
	}
	s := newSubscription(c, account.ID)
	var list problems
	where, err := c.sharing(in, account.ID, true, &list)
	if err != nil {
		return answer{}, err
	}
	where.apply(&hook{s: &s})
	if err := in.switches(&s, true, &list); err != nil {
		return answer{}, err
	}
	plain := subscription.Secrets{Headers: map[string]string{}}
	in.address(&plain.URL, true, &list)
	in.secret(&plain.Secret, &list)
	own := defaultLimits()
	own.read(in, &list)
	own.apply(&s)
	if headers, values, some := in.headers(&s, plain, &list); some {
		s.Headers, plain.Headers = headers, values
	}
	if err := list.err(); err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Create(c, c.who, s, plain, dialect.SaveOptions{})
	if err != nil {
		return answer{}, seenAs(err, "Account", idOf(&account.Common, accountIDs))
	}
	return c.answerIntegration(created, &saved, true)
}

// updateIntegration changes what was sent. A webhook with an endpoint keeps it as long as nothing differs that is the
// endpoint's (§5.5).
func updateIntegration(c *call) (answer, error) {
	s, err := c.theHook()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(integrationType)
	if err != nil {
		return answer{}, err
	}
	var list problems
	where, err := c.sharing(in, s.OrganizationID, false, &list)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Update(c, c.who, s.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, plain *subscription.Secrets) error {
		list := slices.Clone(list)
		if err := in.switches(s, false, &list); err != nil {
			return err
		}
		if err := c.changeDestination(in, s, plain, &list); err != nil {
			return err
		}
		h := &hook{s: s}
		if err := c.places(s, h); err != nil {
			return err
		}
		where.apply(h)
		return list.err()
	})
	if err != nil {
		return answer{}, seenAs(err, "Webhook", c.path("webhook"))
	}
	return c.answerIntegration(ok, &saved, false)
}

// changeDestination lays address, secret, limits and headers over a webhook. Where they differ from what it shows, one
// with an endpoint keeps a copy of the endpoint's values and leaves it (§5.5).
func (c *call) changeDestination(in *input, s *subscription.Subscription, plain *subscription.Secrets, list *problems) error {
	next, own := *plain, limitsOf(s)
	in.address(&next.URL, false, list)
	in.secret(&next.Secret, list)
	own.read(in, list)
	headers, values, sent := in.headers(s, *plain, list)
	newHeaders := sent && !sameHeaders(s, *plain, headers, values)
	if next.URL == plain.URL && next.Secret == plain.Secret && own == limitsOf(s) && !newHeaders {
		return nil
	}
	if s.EndpointID != 0 {
		may, err := c.managesEndpoint(s)
		if err != nil {
			return err
		}
		if !may {
			return missing("Webhook", c.path("webhook"))
		}
		s.EndpointID = 0
	}
	plain.URL, plain.Secret = next.URL, next.Secret
	own.apply(s)
	if newHeaders {
		s.Headers, plain.Headers = headers, values
	}
	return nil
}
