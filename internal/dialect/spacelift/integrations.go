package spacelift

import (
	"context"

	graphql "github.com/graph-gophers/graphql-go"

	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// integrations is the schema's Integrations. Everything but the webhooks is empty, and never null: a client reads it
// without looking (§8).
type integrations struct {
	Aws            awsIntegration
	DriftDetection driftDetection
	Gcp            gcpIntegration
	Webhooks       []*webhook
}

type awsIntegration struct {
	AssumedRoleArn              *string
	AssumeRolePolicyStatement   string
	ExternalID                  *string
	GenerateCredentialsInWorker bool
	DurationSeconds             *int32
	Region                      *string
}

type driftDetection struct {
	IgnoreState bool
	Reconcile   bool
	Schedule    []string
	Timezone    string
}

type gcpIntegration struct {
	ServiceAccountEmail *string
	TokenScopes         []string
}

// integrated is the part of stacks and modules that has integrations. They are read when they are asked for.
type integrated struct {
	workspace ident.ID
	gone      *integrations // of one that was deleted: as they were
}

// Integrations are the webhooks of a stack or module.
func (i integrated) Integrations(ctx context.Context) (*integrations, error) {
	if i.gone != nil {
		return i.gone, nil
	}
	return ask(ctx, func(c *call) (*integrations, error) { return c.integrationsOf(ctx, i.workspace) })
}

func (c *call) integrationsOf(ctx context.Context, workspace ident.ID) (*integrations, error) {
	all := &integrations{
		DriftDetection: driftDetection{Schedule: []string{}}, Gcp: gcpIntegration{TokenScopes: []string{}}, Webhooks: []*webhook{},
	}
	found, err := c.webhooksOf(ctx, workspace)
	if err != nil {
		return nil, err
	}
	for i := range found {
		w, err := c.newWebhook(ctx, &found[i])
		if err != nil {
			return nil, err
		}
		all.Webhooks = append(all.Webhooks, w)
	}
	return all, nil
}

// webhooksOf lists the webhooks of a stack or module, oldest first.
func (c *call) webhooksOf(ctx context.Context, workspace ident.ID) ([]subscription.Subscription, error) {
	all, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	var found []subscription.Subscription
	for _, s := range all {
		if s.Scope() == (subscription.Scope{Level: subscription.LevelWorkspace, ID: workspace}) {
			found = append(found, s)
		}
	}
	return found, nil
}

// webhook is the schema's WebhooksIntegration: a webhook of a stack or module.
type webhook struct {
	ID             graphql.ID
	Enabled        bool
	Endpoint       string
	Secret         string
	RetryOnFailure *bool
	Deleted        bool
}

// newWebhook shows a subscription. Whoever may read the stack sees the endpoint (A4), and the secret where the
// installation says so (R1).
func (c *call) newWebhook(ctx context.Context, s *subscription.Subscription) (*webhook, error) {
	plain, err := c.Subscriptions.Reveal(ctx, estate.System(), s.ID)
	if err != nil {
		return nil, err
	}
	w := &webhook{ID: graphql.ID(webhookID(s)), Enabled: s.Enabled, Endpoint: plain.URL, RetryOnFailure: settingsOf(s).RetryOnFailure}
	if c.dialect.ShowSecrets {
		w.Secret = plain.Secret
	}
	return w, nil
}

// webhookID names a webhook: as it was given, or by a ULID.
func webhookID(s *subscription.Subscription) string {
	if given := s.ExternalIDs[Name]; given != "" {
		return given
	}
	return ulid(s.ID)
}
