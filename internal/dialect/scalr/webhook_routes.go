package scalr

import (
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// hooksOf lists the webhooks of the accounts that a request is about; both generations list the same objects (§5.5).
func (c *call) hooksOf(v view) ([]hook, error) {
	accounts, err := c.accounts(v)
	if err != nil {
		return nil, err
	}
	var all []hook
	for i := range accounts {
		some, err := c.Subscriptions.List(c, c.who, dialect.SubscriptionFilter{Organization: accounts[i].ID, Dialect: Name})
		if err != nil {
			return nil, err
		}
		for n := range some {
			h, err := c.newHook(&some[n])
			if err != nil {
				return nil, err
			}
			all = append(all, *h)
		}
	}
	return all, nil
}

// hookListing is what both lists of webhooks have in common.
func (c *call) hookListing() listing[hook] {
	name := func(h *hook) string { return h.s.Name }
	enabled := func(h *hook, value string) (bool, error) {
		want, err := boolean("enabled", value)
		return h.s.Enabled == want, err
	}
	return listing[hook]{
		id: func(h *hook) ident.ID { return h.s.ID }, name: name,
		sorts: map[string]func(*hook) string{"name": name},
		filters: map[string]func(*hook, string) (bool, error){
			"account": taken[hook], "enabled": enabled, "webhook][enabled": enabled, // an older spelling (§5.4)
			"event": func(h *hook, value string) (bool, error) { return hears(h.s, value), nil },
		},
	}
}

func listWebhooks(c *call) (answer, error) {
	v, err := c.newView()
	if err != nil {
		return answer{}, err
	}
	all, err := c.hooksOf(v)
	if err != nil {
		return answer{}, err
	}
	l := c.hookListing()
	l.filters["environment"] = func(h *hook, value string) (bool, error) {
		scope := webhookScope(h.s)
		if scope.Level == subscription.LevelWorkspace && len(h.environments) > 0 {
			scope.ID = h.environments[0]
		}
		if scope.Level == subscription.LevelOrganization || scope.ID == 0 {
			return false, nil
		}
		id, err := c.environmentID(scope.ID)
		return matches(value, id), err
	}
	l.filters["workspace"] = func(h *hook, value string) (bool, error) {
		scope := webhookScope(h.s)
		if scope.Level != subscription.LevelWorkspace {
			return false, nil
		}
		id, err := c.workspaceID(scope.ID)
		return matches(value, id), err
	}
	if all, err = choose(v, all, l); err != nil {
		return answer{}, err
	}
	return pageOf(c, v, all, c.webhook)
}

func (c *call) answerWebhook(how func(any) answer, s *subscription.Subscription) (answer, error) {
	h, err := c.newHook(s)
	if err != nil {
		return answer{}, err
	}
	r, err := c.webhook(h)
	if err != nil {
		return answer{}, err
	}
	return c.answerWith(how, r)
}

func showWebhook(c *call) (answer, error) {
	s, err := c.theHook()
	if err != nil {
		return answer{}, err
	}
	return c.answerWebhook(ok, s)
}

// webhookPlace is where a webhook of the first generation is to stand.
type webhookPlace struct {
	scope   subscription.Scope
	project ident.ID // of the scope, zero for the account
	noun    string
	id      string
}

// webhookPlace reads account, environment and workspace. A workspace brings its environment with it; a client sends both
// (§5.4).
func (c *call) webhookPlace(in *input, account *estate.Organization) (webhookPlace, error) {
	at := webhookPlace{
		scope: subscription.Scope{Level: subscription.LevelOrganization, ID: account.ID}, noun: "Account", id: idOf(&account.Common, accountIDs),
	}
	project, err := c.environmentIn(in, account.ID)
	if err != nil {
		return at, err
	}
	if project != 0 {
		at.scope, at.project, at.noun = subscription.Scope{Level: subscription.LevelProject, ID: project}, project, "Environment"
		if at.id, err = in.one("environment"); err != nil {
			return at, err
		}
	}
	id, err := in.one("workspace")
	if err != nil || id == "" {
		return at, err
	}
	w, err := find(c, c.Workspaces, workspaceIDs, id)
	if unseen(err) {
		err = missingOne("workspace", "Workspace", id)
	}
	if err != nil {
		return at, err
	}
	if w.OrganizationID != account.ID || (project != 0 && w.ProjectID != project) {
		var list problems
		list.unrelated("workspace", "The workspace is of another environment.")
		return at, list
	}
	return webhookPlace{
		scope: subscription.Scope{Level: subscription.LevelWorkspace, ID: w.ID}, project: w.ProjectID, noun: "Workspace", id: id,
	}, nil
}

// usable finds the endpoint that a document names for a webhook of the place. Whoever manages a workspace may use the
// endpoints of its environment without seeing what is in them (§7).
func (c *call) usable(in *input, organization, project ident.ID) (ident.ID, error) {
	id, err := in.one("endpoint")
	if err != nil {
		return 0, err
	}
	var list problems
	if id == "" {
		list.unrelated("endpoint", "Endpoint is required.")
		return 0, list
	}
	e, err := c.findEndpoint(estate.System(), id)
	if err != nil {
		if problemsOf(err).status() == 404 {
			err = missingOne("endpoint", "Endpoint", id)
		}
		return 0, err
	}
	if e.mayUse(organization, project) {
		return e.record.ID, nil
	}
	if _, err := c.findEndpoint(c.who, id); err != nil {
		return 0, missingOne("endpoint", "Endpoint", id)
	}
	list.unrelated("endpoint", "The endpoint is of another account or environment.")
	return 0, list
}

func createWebhook(c *call) (answer, error) {
	in, err := c.read(webhookType)
	if err != nil {
		return answer{}, err
	}
	account, err := c.account(in)
	if err != nil {
		return answer{}, err
	}
	at, err := c.webhookPlace(in, &account)
	if err != nil {
		return answer{}, err
	}
	s := newSubscription(c, account.ID)
	s.Scopes = []subscription.Scope{at.scope}
	var list problems
	if err := in.switches(&s, true, &list); err != nil {
		return answer{}, err
	}
	if s.EndpointID, err = c.usable(in, account.ID, at.project); err != nil {
		return answer{}, err
	}
	if err := list.err(); err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Create(c, c.who, s, subscription.Secrets{}, dialect.SaveOptions{})
	if err != nil {
		return answer{}, seenAs(err, at.noun, at.id)
	}
	return c.answerWebhook(created, &saved)
}

// newSubscription is a webhook with what is not asked for.
func newSubscription(c *call, organization ident.ID) subscription.Subscription {
	return subscription.Subscription{
		OrganizationID: organization, Dialect: Name, Channel: subscription.ChannelWebhook, Enabled: true, CreatedBy: c.who.Name,
	}
}

// updateWebhook changes name, enabled, events and the endpoint; the place never changes (§5.4). A webhook integration takes
// no endpoint (§5.5).
func updateWebhook(c *call) (answer, error) {
	s, err := c.theHook()
	if err != nil {
		return answer{}, err
	}
	in, err := c.read(webhookType)
	if err != nil {
		return answer{}, err
	}
	saved, err := c.Subscriptions.Update(c, c.who, s.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, _ *subscription.Secrets) error {
		var list problems
		if err := in.switches(s, false, &list); err != nil {
			return err
		}
		if err := c.otherEndpoint(in, s, &list); err != nil {
			return err
		}
		return list.err()
	})
	if err != nil {
		return answer{}, seenAs(err, "Webhook", c.path("webhook"))
	}
	return c.answerWebhook(ok, &saved)
}

// otherEndpoint lets a webhook use another endpoint where one was sent.
func (c *call) otherEndpoint(in *input, s *subscription.Subscription, list *problems) error {
	if !in.related("endpoint") {
		return nil
	}
	id, err := in.one("endpoint")
	switch {
	case err != nil:
		return err
	case s.EndpointID == 0 && id == "", s.EndpointID != 0 && id == endpointIDs.Encode(s.EndpointID):
		return nil
	case s.EndpointID == 0:
		list.unrelated("endpoint", "A webhook integration has an address of its own and takes no endpoint.")
		return nil
	}
	var project ident.ID
	if webhookScope(s).Level != subscription.LevelOrganization {
		h := &hook{s: s}
		if err := c.places(s, h); err != nil {
			return err
		}
		if len(h.environments) == 1 {
			project = h.environments[0]
		}
	}
	s.EndpointID, err = c.usable(in, s.OrganizationID, project)
	return err
}

// deleteHook removes a webhook, through whichever route (§5.5).
func deleteHook(c *call) (answer, error) {
	s, err := c.theHook()
	if err != nil {
		return answer{}, err
	}
	return gone(), seenAs(c.Subscriptions.Delete(c, c.who, s.ID), "Webhook", c.path("webhook"))
}
