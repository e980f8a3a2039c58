package spacelift

import (
	"context"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// A notification policy listens through a subscription of ChannelWork: each event that it must judge is a delivery to it,
// durable and repeated as every other, and off the way of events that no policy judges (§4.4).
const (
	kindPolicy kind = "policy"

	triggerPolicy        = "notification_policy"
	triggerAccountPolicy = "notification_policy_of_account"

	policyScheme = Name + ":policy/"
)

// policyAlias is the subscription's external identifier. No slug has a slash, so it is nobody else's.
func policyAlias(id string) string { return "policy/" + id }

// listener is one subscription of a policy.
type listener struct {
	alias   string // its external identifier
	trigger string
	scopes  []subscription.Scope
}

// listenersOf are the subscriptions of a policy of a space. The engine adds the spaces below that inherit. Everything in
// the legacy space inherits from root, and root's policies judge what stands in no space (§4.4).
func (c *call) listenersOf(p *policyRecord, project *estate.Project) []listener {
	inSpace := listener{policyAlias(p.ID), triggerPolicy, []subscription.Scope{{Level: subscription.LevelProject, ID: project.ID}}}
	account := listener{policyAlias(p.ID) + "/account", triggerAccountPolicy, nil}
	if c.spaceID(project) == spaceRoot {
		inSpace.scopes = append(inSpace.scopes, subscription.Scope{Level: subscription.LevelProject, ID: c.account.DefaultProjectID})
		account.scopes = []subscription.Scope{{Level: subscription.LevelOrganization, ID: c.account.ID}}
	}
	return []listener{inSpace, account}
}

// listen makes the subscriptions of a notification policy as they must be now.
func (c *call) listen(ctx context.Context, p *policyRecord) error {
	if p.Type != policyNotification {
		return nil
	}
	project, err := c.projectByID(ctx, p.Project)
	if err != nil {
		return err
	}
	if project == nil {
		return problem("the policy's space does not exist")
	}
	for _, l := range c.listenersOf(p, project) {
		if err := c.establish(ctx, p, l); err != nil {
			return err
		}
	}
	return nil
}

// establish makes, changes or removes one of them: one without a place is not wanted.
func (c *call) establish(ctx context.Context, p *policyRecord, l listener) error {
	if len(l.scopes) == 0 {
		return c.hush(ctx, l.alias)
	}
	known, err := c.listening(ctx, l.alias)
	switch {
	case err != nil:
		return err
	case known != nil:
		_, err = c.Subscriptions.Update(ctx, c.who, known.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, _ *subscription.Secrets) error {
			s.Name, s.Scopes, s.Enabled = p.Name, l.scopes, true
			return nil
		})
		return err
	}
	s := subscription.Subscription{
		OrganizationID: c.account.ID, Dialect: Name, Channel: subscription.ChannelWork, Name: p.Name, Enabled: true, Scopes: l.scopes,
		Triggers: []string{l.trigger}, ExternalIDs: map[string]string{Name: l.alias},
	}
	if err := writeSettings(&s, settings{CreatedFor: kindPolicy}); err != nil {
		return err
	}
	_, err = c.Subscriptions.Create(ctx, c.who, s, subscription.Secrets{URL: policyScheme + p.record.ID.String()}, dialect.SaveOptions{})
	return err
}

// listening finds one of a policy's subscriptions, nil when there is none.
func (c *call) listening(ctx context.Context, alias string) (*subscription.Subscription, error) {
	s, err := c.Subscriptions.Get(ctx, c.who, estate.Ref{Parent: c.account.ID, Alias: estate.Alias(Name, alias)})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return &s, err
}

// hush removes one of a policy's subscriptions.
func (c *call) hush(ctx context.Context, alias string) error {
	s, err := c.listening(ctx, alias)
	if s == nil || err != nil {
		return err
	}
	return c.Subscriptions.Delete(ctx, c.who, s.ID)
}

// silence removes the subscriptions of a policy.
func (c *call) silence(ctx context.Context, p *policyRecord) error {
	for _, l := range c.listenersOf(p, &estate.Project{}) {
		if err := c.hush(ctx, l.alias); err != nil {
			return err
		}
	}
	return nil
}

// policyTrigger is how policies name an event that is worth a notice: what belongs to a space is judged by its policies,
// the rest by those of root.
func policyTrigger(e *event.Event) string {
	if e.Project != nil && e.Project.ID != 0 || e.Workspace != nil {
		return triggerPolicy
	}
	return triggerAccountPolicy
}
