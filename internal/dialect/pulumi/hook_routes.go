package pulumi

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

func listHooks(c *call, t *target) (answer, error) {
	all, err := c.hooks(t)
	if err != nil {
		return answer{}, err
	}
	list := make([]object, 0, len(all))
	for i := range all {
		shown, err := c.hook(t, &all[i])
		if err != nil {
			return answer{}, err
		}
		list = append(list, shown)
	}
	return ok(list), nil
}

func showHook(c *call, t *target) (answer, error) {
	s, err := c.theHook(t)
	if err != nil {
		return answer{}, err
	}
	shown, err := c.hook(t, s)
	return ok(shown), err
}

// createHook creates a webhook. Nothing is made known before everything is found right.
func createHook(c *call, t *target) (answer, error) {
	var in hookInput
	if err := c.read(&in); err != nil {
		return answer{}, err
	}
	if err := in.identity(t, true); err != nil {
		return answer{}, err
	}
	name := ""
	if in.Name != nil && *in.Name != "" {
		if name = *in.Name; !hookShape.MatchString(name) {
			return answer{}, badRequest("Invalid webhook name")
		}
	}
	s := subscription.Subscription{
		OrganizationID: t.organization.ID, Dialect: Name, Channel: subscription.ChannelWebhook,
		Scopes: []subscription.Scope{t.scope()}, CreatedBy: c.who.Name,
	}
	var plain subscription.Secrets
	if err := in.apply(&s, &plain); err != nil {
		return answer{}, err
	}
	if taken, err := c.hasHook(t, name); err != nil || taken {
		return answer{}, errors.Join(err, nameTaken(name, taken))
	}
	if t.id == 0 {
		if _, err := c.makeKnown(t); err != nil {
			return answer{}, err
		}
		s.Scopes = []subscription.Scope{t.scope()}
	}
	saved, err := c.createNamed(t, s, plain, name)
	if err != nil {
		return answer{}, err
	}
	shown, err := c.hook(t, &saved)
	return created(shown), err
}

func nameTaken(name string, taken bool) error {
	if !taken {
		return nil
	}
	return newProblem(http.StatusConflict, "Webhook with name %s already exists.", name)
}

// hasHook reports whether the target has a webhook of the name.
func (c *call) hasHook(t *target, name string) (bool, error) {
	all, err := c.hooks(t)
	for i := range all {
		if name != "" && hookName(&all[i]) == name {
			return true, nil
		}
	}
	return false, err
}

// namesDrawn is how often a name is drawn before giving up: one of four billion is seldom taken.
const namesDrawn = 3

// createNamed saves a webhook under a name, or under one that is drawn.
func (c *call) createNamed(t *target, s subscription.Subscription, plain subscription.Secrets, name string) (saved subscription.Subscription, err error) {
	for range namesDrawn {
		chosen := name
		if chosen == "" {
			chosen = newHookName()
		}
		s.ExternalIDs = map[string]string{Name: identifier(t.scope(), chosen)}
		saved, err = c.Subscriptions.Create(c, c.who, s, plain, dialect.SaveOptions{})
		f, isFault := errors.AsType[*fault.Error](err)
		if !isFault || f.Code != fault.Conflict || !strings.HasPrefix(f.Field, "/external_ids") {
			return saved, err
		}
		if name != "" {
			return saved, nameTaken(name, true)
		}
	}
	return saved, err
}

// updateHook replaces a webhook (§5.3). A refused change changes nothing.
func updateHook(c *call, t *target) (answer, error) {
	var in hookInput
	if err := c.read(&in); err != nil {
		return answer{}, err
	}
	s, err := c.theHook(t)
	if err != nil {
		return answer{}, err
	}
	if err := in.identity(t, false); err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Update(c, c.who, s.ID, dialect.SaveOptions{},
		func(s *subscription.Subscription, plain *subscription.Secrets) error {
			// A name that followed from the ID is kept as it is, whatever becomes of how it follows.
			name := hookName(s)
			s.ExternalIDs = maps.Clone(s.ExternalIDs)
			if s.ExternalIDs == nil {
				s.ExternalIDs = map[string]string{}
			}
			s.ExternalIDs[Name] = identifier(t.scope(), name)
			return in.apply(s, plain)
		})
	if err != nil {
		return answer{}, err
	}
	shown, err := c.hook(t, &saved)
	return ok(shown), err
}

func deleteHook(c *call, t *target) (answer, error) {
	s, err := c.theHook(t)
	if err != nil {
		return answer{}, err
	}
	return gone(), c.Subscriptions.Delete(c, c.who, s.ID)
}
