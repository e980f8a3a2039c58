package scalr

import (
	"slices"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

const (
	webhookType     = "webhooks"
	integrationType = "webhook-integrations"
)

// hook is a webhook as either generation of the API shows it: one object, two views (§5.5).
type hook struct {
	s     *subscription.Subscription
	plain subscription.Secrets // zero for those who may not change it
	edits bool

	shared       bool
	environments []ident.ID // where it is not shared
}

// newHook reads what a webhook says to the principal.
func (c *call) newHook(s *subscription.Subscription) (*hook, error) {
	h := &hook{s: s}
	plain, err := c.Subscriptions.Reveal(c, c.who, s.ID)
	switch {
	case err == nil:
		h.plain, h.edits = plain, true
	case !unseen(err):
		return nil, err
	}
	return h, c.places(s, h)
}

// places says where a webhook listens, in the words of webhook integrations: everywhere in the account, or in some
// environments. One of a workspace counts as one of the workspace's environment (§5.5).
func (c *call) places(s *subscription.Subscription, h *hook) error {
	h.shared, h.environments = false, nil
	for _, scope := range s.Scopes {
		id := scope.ID
		switch scope.Level {
		case subscription.LevelOrganization:
			h.shared, h.environments = true, nil
			return nil
		case subscription.LevelWorkspace:
			w, err := c.Workspaces.Get(c, estate.System(), estate.ByID(scope.ID))
			if unseen(err) {
				continue
			}
			if err != nil {
				return err
			}
			id = w.ProjectID
		case subscription.LevelProject:
		default:
			continue // only our own API attaches webhooks elsewhere
		}
		if !slices.Contains(h.environments, id) {
			h.environments = append(h.environments, id)
		}
	}
	return nil
}

// address is the URL, redacted for those who may not change the webhook.
func (h *hook) address() string {
	if h.edits {
		return h.plain.URL
	}
	return h.s.Address
}

// events lists the events that a webhook names, in the order in which they were given: a client compares it (§5.4).
func eventsOf(s *subscription.Subscription) []string {
	if !s.All {
		return s.Triggers
	}
	all := make([]string, 0, len(definitions))
	for _, d := range definitions {
		all = append(all, d.name)
	}
	return all
}

// hears reports whether a webhook names the event.
func hears(s *subscription.Subscription, event string) bool {
	return slices.Contains(eventsOf(s), event)
}

// lastTriggered is when the newest delivery of a webhook was made, nil before the first (§4.4).
func (c *call) lastTriggered(s *subscription.Subscription) (*string, error) {
	filter := store.DeliveryFilter{Organizations: []ident.ID{s.OrganizationID}, Subscription: s.ID}
	newest, err := c.Deliveries.List(c, c.who, filter, store.Page{Newest: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	at := timeText(newest[0].Delivery.ID.Time())
	return &at, nil
}

// theHook finds the webhook of the path; both generations have the same identifiers.
func (c *call) theHook() (*subscription.Subscription, error) { return c.findHook(c.path("webhook")) }

func (c *call) findHook(id string) (*subscription.Subscription, error) {
	s, err := find(c, c.Subscriptions, webhookIDs, id)
	if err == nil && s.Dialect != Name {
		err = missing("Webhook", id)
	}
	return &s, seenAs(err, "Webhook", id)
}

// webhookScope is where a webhook of the first generation stands. One that was linked as a webhook integration, or has no
// endpoint, stands in the account (§5.5).
func webhookScope(s *subscription.Subscription) subscription.Scope {
	if s.EndpointID == 0 || settingsOf(s).Linked {
		return subscription.Scope{}
	}
	return s.Scope()
}

// webhook renders a webhook as the first generation does.
func (c *call) webhook(h *hook) (resource, error) {
	account, err := c.accountID(h.s.OrganizationID)
	if err != nil {
		return resource{}, err
	}
	var environment, workspace string
	switch scope := webhookScope(h.s); scope.Level {
	case subscription.LevelProject:
		environment, err = c.environmentID(scope.ID)
	case subscription.LevelWorkspace:
		if workspace, err = c.workspaceID(scope.ID); err == nil && len(h.environments) > 0 {
			environment, err = c.environmentID(h.environments[0])
		}
	}
	if err != nil {
		return resource{}, err
	}
	triggered, err := c.lastTriggered(h.s)
	if err != nil {
		return resource{}, err
	}
	endpoint := ""
	if h.s.EndpointID != 0 {
		endpoint = endpointIDs.Encode(h.s.EndpointID)
	}
	id := webhookID(h.s)
	return resource{
		ID: id, Type: webhookType,
		Attributes: attributeSet{"name": h.s.Name, "enabled": h.s.Enabled, "last-triggered-at": triggered},
		Relationships: map[string]relationship{
			"account": toOne(accountType, account), "environment": toOne(environmentType, environment),
			"workspace": toOne(workspaceType, workspace), "endpoint": toOne(endpointType, endpoint), "events": toMany(definitionType, eventsOf(h.s)),
		},
		Links: selfLink{prefix + "/webhooks/" + id},
	}, nil
}
