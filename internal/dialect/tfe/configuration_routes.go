package tfe

import (
	"errors"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// listConfigurations lists what belongs to a place: everything without meta, unless pages are asked for (§5.7).
func listConfigurations(find func(*call) (*place, error)) handler {
	return func(c *call) (answer, error) {
		at, err := find(c)
		if err != nil {
			return answer{}, err
		}
		all, err := c.Subscriptions.List(c, c.who, dialect.SubscriptionFilter{Organization: at.organization, Dialect: Name, Scope: &at.scope})
		if err != nil {
			return answer{}, err
		}
		p, doc := c.paging(), document{}
		if p.asked {
			meta := p.meta(len(all))
			doc.Meta, doc.Links = pageMeta{meta}, p.links(c.Site.BaseURL, c.request.URL.EscapedPath(), meta)
			from, to := p.bounds(len(all))
			all = all[from:to]
		}
		list := make([]resource, 0, len(all))
		for i := range all {
			r, err := c.configuration(&all[i])
			if err != nil {
				return answer{}, err
			}
			list = append(list, r)
		}
		doc.Data = list
		return ok(doc), nil
	}
}

// createConfiguration creates at a place; the path decides which, whatever the document says (§5.4).
func createConfiguration(find func(*call) (*place, error)) handler {
	return func(c *call) (answer, error) {
		at, err := find(c)
		if err != nil {
			return answer{}, err
		}
		in, err := c.read(configurationType, "notification-configuration")
		if err != nil {
			return answer{}, err
		}
		s := subscription.Subscription{
			OrganizationID: at.organization, Dialect: Name, Scopes: []subscription.Scope{at.scope}, CreatedBy: c.who.Name,
		}
		var plain subscription.Secrets
		d := draft{in: in, s: &s, plain: &plain, fresh: true}
		d.apply()
		users, wrong, err := c.users(in, s.Channel, at)
		if err != nil {
			return answer{}, err
		}
		if err := append(d.list, wrong...).err(); err != nil {
			return answer{}, err
		}
		s.UserIDs = users
		saved, err := c.Subscriptions.Create(c, c.who, s, plain, dialect.SaveOptions{Verify: true, Limit: limit})
		if err != nil {
			return answer{}, limitReached(err, at)
		}
		return c.answerWith(created, &saved)
	}
}

// limitReached words the fault of the place's limit (§5.5).
func limitReached(err error, at *place) error {
	f, isFault := errors.AsType[*fault.Error](err)
	if !isFault || f.Code != fault.Conflict || f.Field != "/limit" {
		return err
	}
	var list problems
	list.at("/data", fmt.Sprintf("%s has reached the limit of %d notification configurations", at.title, limit))
	return list
}

func (c *call) answerWith(how func(any) answer, s *subscription.Subscription) (answer, error) {
	r, err := c.configuration(s)
	if err != nil {
		return answer{}, err
	}
	return how(single(r)), nil
}

// theConfiguration finds the configuration of the path, for those who manage it.
func (c *call) theConfiguration() (*subscription.Subscription, *place, error) {
	s, err := find(c, c.Subscriptions, configurationIDs, c.path("configuration"))
	if err != nil {
		return nil, nil, err
	}
	if s.Dialect != Name {
		return nil, nil, notFound
	}
	at, err := c.placeOf(&s)
	return &s, at, err
}

func showConfiguration(c *call) (answer, error) {
	s, _, err := c.theConfiguration()
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(ok, s)
}

// updateConfiguration changes what was sent, and verifies whenever the result is enabled, whatever changed (§5.4).
func updateConfiguration(c *call) (answer, error) {
	s, at, err := c.theConfiguration()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(configurationType, "notification-configuration")
	if err != nil {
		return answer{}, err
	}
	users, wrong, err := c.users(in, s.Channel, at)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Update(c, c.who, s.ID, dialect.SaveOptions{Verify: true},
		func(s *subscription.Subscription, plain *subscription.Secrets) error {
			d := draft{in: in, s: s, plain: plain}
			d.apply()
			s.UserIDs = users
			return append(d.list, wrong...).err()
		})
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(ok, &saved)
}

func deleteConfiguration(c *call) (answer, error) {
	s, _, err := c.theConfiguration()
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Subscriptions.Delete(c, c.who, s.ID)
}

// verifyConfiguration sends the verification. For mail the answer comes at once, and a test mail after it (§5.4).
func verifyConfiguration(c *call) (answer, error) {
	s, at, err := c.theConfiguration()
	if err != nil {
		return answer{}, err
	}
	if err := c.verifications.take(c.who.TokenID, c.Now()); err != nil {
		return answer{}, err
	}
	if s.Channel == subscription.ChannelEmail {
		return c.answerThenMail(s, at)
	}
	if _, err := c.Subscriptions.Verify(c, c.who, s.ID); err != nil {
		return answer{}, err
	}
	return c.answerWith(ok, s)
}

// enableConfiguration verifies and switches on; a mail configuration is switched on at once.
func enableConfiguration(c *call) (answer, error) {
	s, _, err := c.theConfiguration()
	if err != nil {
		return answer{}, err
	}
	if s.Channel != subscription.ChannelEmail {
		if err := c.verifications.take(c.who.TokenID, c.Now()); err != nil {
			return answer{}, err
		}
	}
	saved, err := c.Subscriptions.Update(c, c.who, s.ID, dialect.SaveOptions{Verify: true},
		func(s *subscription.Subscription, _ *subscription.Secrets) error {
			s.Enabled = true
			return nil
		})
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(ok, &saved)
}
