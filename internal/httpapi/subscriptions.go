package httpapi

import (
	"net/http"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// listSubscriptions lists the subscriptions of every dialect, whichever face they came through, oldest first.
func (a *api) listSubscriptions(c *call) error {
	q := c.q
	page := q.page(oldest)
	filter := dialect.SubscriptionFilter{Dialect: oneOf(q, "dialect", a.names)}
	for _, level := range []subscription.Level{subscription.LevelProject, subscription.LevelWorkspace, subscription.LevelTeam} {
		if id := q.id(string(level)); id != 0 {
			if filter.Scope != nil {
				q.faults.Add("?"+string(level), "Only one of project, workspace and team can be asked for.")
			}
			filter.Scope = &subscription.Scope{Level: level, ID: id}
		}
	}
	enabled := q.flag("enabled")
	organization, err := a.organizationOfQuery(c)
	if err == nil {
		err = q.err()
	}
	if err != nil {
		return err
	}
	filter.Organization = organization
	all, err := a.Services.Subscriptions.List(c.r.Context(), c.p, filter)
	if err != nil {
		return err
	}
	chosen := all[:0]
	for _, s := range all {
		if (q.text("enabled") == "" || s.Enabled == enabled) && (q.text("name") == "" || s.Name == q.text("name")) {
			chosen = append(chosen, s)
		}
	}
	id := func(s *subscription.Subscription) ident.ID { return s.ID }
	return c.answer(http.StatusOK, cut(page, within(page, chosen, id), id, func(s *subscription.Subscription) subscriptionView {
		return viewSubscription(s, nil)
	}))
}

func (a *api) createSubscription(c *call) error {
	options, err := saveOptions(c.q, 0)
	if err != nil {
		return err
	}
	d, err := decode(c, subscriptionDrafts)
	if err != nil {
		return err
	}
	s, plain, err := a.build(c, &d)
	if err != nil {
		return err
	}
	saved, err := a.Services.Subscriptions.Create(c.r.Context(), c.p, s, plain, options)
	if err != nil {
		return err
	}
	return c.created("/v1/subscriptions/"+saved.ID.String(), viewSubscription(&saved, &plain))
}

func (a *api) getSubscription(c *call) error {
	s, err := byPath(c, a.Services.Subscriptions, "subscription")
	if err != nil {
		return err
	}
	return a.showSubscription(c, &s)
}

// showSubscription answers with a subscription: its address whole if the reader may edit it.
func (a *api) showSubscription(c *call, s *subscription.Subscription) error {
	plain, err := a.Services.Subscriptions.Reveal(c.r.Context(), c.p, s.ID)
	switch {
	case err == nil:
		return c.answer(http.StatusOK, viewSubscription(s, &plain))
	case fault.Is(err, fault.Forbidden), fault.Is(err, fault.NotFound):
		return c.answer(http.StatusOK, viewSubscription(s, nil))
	}
	return err
}

func (a *api) patchSubscription(c *call) error {
	id, err := c.pathID("subscription", "subscription")
	if err != nil {
		return err
	}
	d, err := decode(c, subscriptionChanges)
	if err != nil {
		return err
	}
	options, err := saveOptions(c.q, d.SecretOverlapSeconds)
	if err != nil {
		return err
	}
	return a.updateSubscription(c, id, options, func(s *subscription.Subscription, plain *subscription.Secrets) error {
		return a.change(c, &d, s, plain)
	})
}

func (a *api) updateSubscription(c *call, id ident.ID, o dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) error {
	s, err := a.Services.Subscriptions.Update(c.r.Context(), c.p, id, o, change)
	if err != nil {
		return err
	}
	return a.showSubscription(c, &s)
}

func (a *api) deleteSubscription(c *call) error {
	id, err := c.pathID("subscription", "subscription")
	if err != nil {
		return err
	}
	if err := a.Services.Subscriptions.Delete(c.r.Context(), c.p, id); err != nil {
		return err
	}
	return c.none()
}

func (a *api) enableSubscription(c *call) error  { return a.switchSubscription(c, true) }
func (a *api) disableSubscription(c *call) error { return a.switchSubscription(c, false) }

// switchSubscription switches a subscription on, after a verification if that is asked for, or off.
func (a *api) switchSubscription(c *call, on bool) error {
	id, err := c.pathID("subscription", "subscription")
	if err != nil {
		return err
	}
	options, err := saveOptions(c.q, 0)
	if err != nil {
		return err
	}
	return a.updateSubscription(c, id, options, func(s *subscription.Subscription, _ *subscription.Secrets) error {
		s.Enabled = on
		return nil
	})
}

// verifySubscription sends the dialect's verification request and shows what came back. That the destination refused it
// is an answer too: the problem holds the attempt.
func (a *api) verifySubscription(c *call) error {
	id, err := c.pathID("subscription", "subscription")
	if err != nil {
		return err
	}
	attempt, err := a.Services.Subscriptions.Verify(c.r.Context(), c.p, id)
	if err != nil {
		return err
	}
	if attempt.Number == 0 && attempt.Result.Class == "" {
		return fault.New(fault.Unsupported, "Subscriptions of this dialect and channel are not verified; send a test instead.")
	}
	return c.answer(http.StatusOK, viewAttempt(&attempt, whole))
}

// lastAnswer shows the newest attempt that got an answer.
func (a *api) lastAnswer(c *call) error {
	s, err := byPath(c, a.Services.Subscriptions, "subscription")
	if err != nil {
		return err
	}
	last, err := a.Services.Subscriptions.LastAnswer(c.r.Context(), c.p, s.ID)
	if err != nil {
		return err
	}
	if last == nil {
		return fault.New(fault.NotFound, "The subscription's destination has not answered yet.")
	}
	return c.answer(http.StatusOK, viewAttempt(last, a.depth(c, last)))
}

// depth says how much of an answer the caller may see. Header and body are for writers: a destination that echoes what it
// is sent would otherwise turn a blind request into a read.
func (a *api) depth(c *call, attempt *delivery.Attempt) depth {
	at := estate.Place{OrganizationID: attempt.Delivery.Organization}
	if c.p.May(estate.RoleWriter, at) {
		return whole
	}
	if attempt.Workspace == 0 {
		return closed
	}
	w, err := a.Services.Workspaces.Get(c.r.Context(), c.p, estate.ByID(attempt.Workspace))
	if err != nil || w.OrganizationID != at.OrganizationID {
		return closed
	}
	at.ProjectID, at.WorkspaceID = w.ProjectID, w.ID
	if c.p.May(estate.RoleWriter, at) {
		return whole
	}
	return closed
}
