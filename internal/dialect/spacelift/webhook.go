package spacelift

import (
	"context"
	"errors"
	"net/url"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// webhookInput is the schema's WebhooksIntegrationInput.
type webhookInput struct {
	Enabled        bool
	Endpoint       string
	Secret         *string
	RetryOnFailure *bool
}

// endpointLimit is how long an endpoint may be (§5.5).
const endpointLimit = 2048

// errEndpoint is a text that clients look for (§5.5).
const errEndpoint problem = "endpoint must be a valid URL"

// checkEndpoint checks the form of an endpoint; private addresses are refused when sending.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Opaque != "" || u.Hostname() == "" ||
		len(endpoint) > endpointLimit || printable(endpoint) != endpoint {
		return errEndpoint
	}
	return nil
}

// WebhooksIntegrationCreate adds a webhook to a stack or module (§5.3).
func (*root) WebhooksIntegrationCreate(ctx context.Context, args struct {
	Stack graphql.ID
	Input webhookInput
}) (*webhook, error) {
	return change(ctx, "webhooksIntegrationCreate", "webhook.create", args, func(c *call) (*webhook, string, error) {
		w, err := c.stackFor(ctx, string(args.Stack))
		if err != nil {
			return nil, "", err
		}
		if err := c.checkWebhook(ctx, w, 0, args.Input); err != nil {
			return nil, "", err
		}
		s := subscription.Subscription{
			OrganizationID: c.account.ID, Dialect: Name, Channel: subscription.ChannelWebhook, Name: webhookName(w),
			Scopes: []subscription.Scope{{Level: subscription.LevelWorkspace, ID: w.ID}}, All: true, Enabled: args.Input.Enabled,
		}
		if err := writeSettings(&s, settings{CreatedFor: kindStack, RetryOnFailure: args.Input.RetryOnFailure}); err != nil {
			return nil, "", err
		}
		plain := subscription.Secrets{URL: args.Input.Endpoint, Secret: value(args.Input.Secret)}
		if s, err = c.Subscriptions.Create(ctx, c.who, s, plain, dialect.SaveOptions{}); err != nil {
			return nil, "", err
		}
		made, err := c.newWebhook(ctx, &s)
		return made, webhookID(&s), err
	})
}

// webhookName names a webhook for people: the platform has no names for those of stacks.
func webhookName(w *estate.Workspace) string { return "Webhook of " + cut(w.Name, nameLimit-20) }

// cut shortens a text to a number of characters.
func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// writeSettings puts settings into a subscription.
func writeSettings(s *subscription.Subscription, set settings) error {
	raw, err := set.encode()
	s.Settings = raw
	return err
}

// stackFor finds the stack or module that a webhook is for.
func (c *call) stackFor(ctx context.Context, id string) (*estate.Workspace, error) {
	w, err := c.findStack(ctx, id)
	if err != nil {
		return nil, err
	}
	if w == nil {
		return nil, noStack(id)
	}
	return w, nil
}

// checkWebhook checks an input: endpoints are unique within a stack, enabled or not, as exact strings (§5.5).
func (c *call) checkWebhook(ctx context.Context, w *estate.Workspace, except ident.ID, in webhookInput) error {
	if err := checkEndpoint(in.Endpoint); err != nil {
		return err
	}
	others, err := c.webhooksOf(ctx, w.ID)
	if err != nil {
		return err
	}
	for i := range others {
		if others[i].ID == except {
			continue
		}
		plain, err := c.Subscriptions.Reveal(ctx, estate.System(), others[i].ID)
		if err != nil {
			return err
		}
		if plain.URL == in.Endpoint {
			return problem("a webhook with this endpoint already exists on this stack")
		}
	}
	return nil
}

// webhookOn finds a webhook of a stack or module by its identifier.
func (c *call) webhookOn(ctx context.Context, w *estate.Workspace, id string) (*subscription.Subscription, error) {
	all, err := c.webhooksOf(ctx, w.ID)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if webhookID(&all[i]) == id {
			return &all[i], nil
		}
	}
	return nil, noWebhook(id)
}

func noWebhook(id string) problem { return problem(`webhook "` + id + `" does not exist`) }

// WebhooksIntegrationUpdate replaces a webhook's input as a whole; an empty secret keeps the present one (§5.4).
func (*root) WebhooksIntegrationUpdate(ctx context.Context, args struct {
	Stack, ID graphql.ID
	Input     webhookInput
}) (*webhook, error) {
	return change(ctx, "webhooksIntegrationUpdate", "webhook.update", args, func(c *call) (*webhook, string, error) {
		id := string(args.ID)
		w, s, err := c.stackAndWebhook(ctx, string(args.Stack), id)
		if err != nil {
			return nil, "", err
		}
		if err := c.checkWebhook(ctx, w, s.ID, args.Input); err != nil {
			return nil, "", err
		}
		updated, err := c.Subscriptions.Update(ctx, c.who, s.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, plain *subscription.Secrets) error {
			enable(s, args.Input.Enabled)
			plain.URL = args.Input.Endpoint
			if given := value(args.Input.Secret); given != "" {
				plain.Secret = given
			}
			set := settingsOf(s)
			set.RetryOnFailure = args.Input.RetryOnFailure
			return writeSettings(s, set)
		})
		if err != nil {
			return nil, "", err
		}
		shown, err := c.newWebhook(ctx, &updated)
		return shown, id, err
	})
}

// enable switches a webhook on or off as a person wants it.
func enable(s *subscription.Subscription, on bool) {
	s.Enabled = on
	s.DisabledReason = ""
}

func (c *call) stackAndWebhook(ctx context.Context, stack, id string) (*estate.Workspace, *subscription.Subscription, error) {
	w, err := c.stackFor(ctx, stack)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.webhookOn(ctx, w, id)
	return w, s, err
}

// WebhooksIntegrationDelete deletes a webhook.
func (*root) WebhooksIntegrationDelete(ctx context.Context, args struct{ Stack, ID graphql.ID }) (*webhook, error) {
	return change(ctx, "webhooksIntegrationDelete", "webhook.delete", args, func(c *call) (*webhook, string, error) {
		_, s, err := c.stackAndWebhook(ctx, string(args.Stack), string(args.ID))
		if err != nil {
			return nil, "", err
		}
		shown, err := c.newWebhook(ctx, s)
		if err != nil {
			return nil, "", err
		}
		shown.Deleted = true
		return shown, string(args.ID), c.Subscriptions.Delete(ctx, c.who, s.ID)
	})
}

// asFault returns the fault in an error.
func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }
