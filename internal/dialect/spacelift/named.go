package spacelift

import (
	"context"
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/dialect"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// namedWebhook is the schema's NamedWebhooksIntegration. Secrets and header values are never returned (R1).
type namedWebhook struct {
	ID             graphql.ID
	Name           string
	Endpoint       string
	Enabled        bool
	Space          *space
	Secret         *string
	SecretHeaders  []string
	Labels         []string
	RetryOnFailure *bool
	CreatedAt      int32
}

// namedInput is the schema's NamedWebhooksIntegrationInput.
type namedInput struct {
	Enabled        bool
	Endpoint       string
	Space          graphql.ID
	Name           string
	Secret         *string
	Labels         *[]string
	RetryOnFailure *bool
}

// namedTrigger is what fires a named webhook: a notification policy names its identifier (§4.3).
func namedTrigger(id string) string { return "named_webhook:" + id }

func (c *call) newNamed(ctx context.Context, s *subscription.Subscription) (*namedWebhook, error) {
	w, err := c.newWebhook(ctx, s)
	if err != nil {
		return nil, err
	}
	where, err := c.spaceOf(ctx, s.Scope().ID)
	if err != nil {
		return nil, err
	}
	none, set := "", settingsOf(s)
	n := &namedWebhook{
		ID: w.ID, Name: s.Name, Endpoint: w.Endpoint, Enabled: s.Enabled, Space: where, Secret: &none, SecretHeaders: []string{},
		Labels: list(set.Labels), RetryOnFailure: set.RetryOnFailure, CreatedAt: secondsInt(s.CreatedAt),
	}
	for _, h := range s.Headers {
		n.SecretHeaders = append(n.SecretHeaders, h.Name)
	}
	return n, nil
}

// namedWebhooks lists the named webhooks by identifier.
func (c *call) namedWebhooks(ctx context.Context) ([]*subscription.Subscription, error) {
	all, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var found []*subscription.Subscription
	for i := range all {
		if settingsOf(&all[i]).CreatedFor == kindNamed {
			found = append(found, &all[i])
		}
	}
	slices.SortFunc(found, func(a, b *subscription.Subscription) int { return strings.Compare(webhookID(a), webhookID(b)) })
	return found, nil
}

// named finds a named webhook, nil when there is none that the caller may read.
func (c *call) named(ctx context.Context, id string) (*subscription.Subscription, error) {
	all, err := c.namedWebhooks(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if webhookID(s) == id {
			return s, nil
		}
	}
	return nil, nil
}

// namedFor is named for mutations, which need one.
func (c *call) namedFor(ctx context.Context, id string) (*subscription.Subscription, error) {
	s, err := c.named(ctx, id)
	if err == nil && s == nil {
		err = noWebhook(id)
	}
	return s, err
}

// NamedWebhooksIntegration returns a named webhook, null when there is none.
func (*root) NamedWebhooksIntegration(ctx context.Context, args struct{ ID graphql.ID }) (*namedWebhook, error) {
	return ask(ctx, func(c *call) (*namedWebhook, error) {
		s, err := c.named(ctx, string(args.ID))
		if s == nil || err != nil {
			return nil, err
		}
		return c.newNamed(ctx, s)
	})
}

// NamedWebhooksIntegrations lists the named webhooks.
func (*root) NamedWebhooksIntegrations(ctx context.Context) ([]*namedWebhook, error) {
	return ask(ctx, func(c *call) ([]*namedWebhook, error) {
		all, err := c.namedWebhooks(ctx)
		if err != nil {
			return nil, err
		}
		return each(all, func(s *subscription.Subscription) (*namedWebhook, error) { return c.newNamed(ctx, s) })
	})
}

// checkNamed checks an input and returns the project of its space.
func (c *call) checkNamed(ctx context.Context, in namedInput) (project ident.ID, err error) {
	if err := checkEndpoint(in.Endpoint); err != nil {
		return 0, err
	}
	if slug(in.Name) == "" || len(in.Name) > nameLimit {
		return 0, errName
	}
	where := string(in.Space)
	p, err := c.placeIn(ctx, &where)
	if err != nil {
		return 0, err
	}
	return p.ID, nil
}

// fill writes an input into a named webhook. Its identifier stays.
func (in namedInput) fill(s *subscription.Subscription, project ident.ID) error {
	s.Name = in.Name
	s.Scopes = []subscription.Scope{{Level: subscription.LevelProject, ID: project}}
	enable(s, in.Enabled)
	set := settingsOf(s)
	set.CreatedFor, set.RetryOnFailure, set.Labels = kindNamed, in.RetryOnFailure, texts(in.Labels)
	return writeSettings(s, set)
}

// NamedWebhooksIntegrationCreate makes a named webhook; its identifier is its name's slug (§6).
func (*root) NamedWebhooksIntegrationCreate(ctx context.Context, args struct{ Input namedInput }) (*namedWebhook, error) {
	return change(ctx, "namedWebhooksIntegrationCreate", "named_webhook.create", args, func(c *call) (*namedWebhook, string, error) {
		project, err := c.checkNamed(ctx, args.Input)
		if err != nil {
			return nil, "", err
		}
		id := slug(args.Input.Name)
		s := subscription.Subscription{
			OrganizationID: c.account.ID, Dialect: Name, Channel: subscription.ChannelWebhook, Triggers: []string{namedTrigger(id)},
			ExternalIDs: map[string]string{Name: id},
		}
		if err := args.Input.fill(&s, project); err != nil {
			return nil, "", err
		}
		plain := subscription.Secrets{URL: args.Input.Endpoint, Secret: value(args.Input.Secret)}
		if s, err = c.Subscriptions.Create(ctx, c.who, s, plain, dialect.SaveOptions{}); err != nil {
			if isConflict(err) {
				err = problem(`a named webhook with the ID "` + id + `" already exists`)
			}
			return nil, "", err
		}
		c.memory.clear()
		made, err := c.newNamed(ctx, &s)
		return made, id, err
	})
}

// NamedWebhooksIntegrationUpdate replaces a named webhook's input. A null secret stays, an empty one is cleared (§5.4).
func (*root) NamedWebhooksIntegrationUpdate(ctx context.Context, args struct {
	ID    graphql.ID
	Input namedInput
}) (*namedWebhook, error) {
	return change(ctx, "namedWebhooksIntegrationUpdate", "named_webhook.update", args, func(c *call) (*namedWebhook, string, error) {
		project, err := c.checkNamed(ctx, args.Input)
		if err != nil {
			return nil, "", err
		}
		return c.updateNamed(ctx, string(args.ID), func(s *subscription.Subscription, plain *subscription.Secrets) error {
			plain.URL = args.Input.Endpoint
			if args.Input.Secret != nil {
				plain.Secret = *args.Input.Secret
			}
			return args.Input.fill(s, project)
		})
	})
}

func (c *call) updateNamed(ctx context.Context, id string, write func(*subscription.Subscription, *subscription.Secrets) error) (*namedWebhook, string, error) {
	s, err := c.namedFor(ctx, id)
	if err != nil {
		return nil, "", err
	}
	updated, err := c.Subscriptions.Update(ctx, c.who, s.ID, dialect.SaveOptions{}, write)
	if err != nil {
		return nil, "", err
	}
	c.memory.clear()
	n, err := c.newNamed(ctx, &updated)
	return n, id, err
}

// NamedWebhooksIntegrationDelete deletes a named webhook.
func (*root) NamedWebhooksIntegrationDelete(ctx context.Context, args struct{ ID graphql.ID }) (*namedWebhook, error) {
	return change(ctx, "namedWebhooksIntegrationDelete", "named_webhook.delete", args, func(c *call) (*namedWebhook, string, error) {
		s, err := c.namedFor(ctx, string(args.ID))
		if err != nil {
			return nil, "", err
		}
		n, err := c.newNamed(ctx, s)
		if err != nil {
			return nil, "", err
		}
		return n, string(args.ID), c.Subscriptions.Delete(ctx, c.who, s.ID)
	})
}

// NamedWebhooksIntegrationSetHeaders sets secret headers; others stay (§5.3).
func (*root) NamedWebhooksIntegrationSetHeaders(ctx context.Context, args struct {
	ID    graphql.ID
	Input headersInput
}) (*namedWebhook, error) {
	return change(ctx, "namedWebhooksIntegrationSetHeaders", "named_webhook.set_headers", args, func(c *call) (*namedWebhook, string, error) {
		if err := args.Input.check(); err != nil {
			return nil, "", err
		}
		return c.updateNamed(ctx, string(args.ID), func(_ *subscription.Subscription, plain *subscription.Secrets) error {
			args.Input.set(plain)
			return nil
		})
	})
}

// NamedWebhooksIntegrationDeleteHeaders removes secret headers; those that are not there are ignored.
func (*root) NamedWebhooksIntegrationDeleteHeaders(ctx context.Context, args struct {
	ID         graphql.ID
	HeaderKeys []string
}) (*namedWebhook, error) {
	return change(ctx, "namedWebhooksIntegrationDeleteHeaders", "named_webhook.delete_headers", args, func(c *call) (*namedWebhook, string, error) {
		return c.updateNamed(ctx, string(args.ID), func(_ *subscription.Subscription, plain *subscription.Secrets) error {
			for _, key := range args.HeaderKeys {
				removeHeader(plain, key)
			}
			return nil
		})
	})
}
