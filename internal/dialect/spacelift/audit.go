package spacelift

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// auditWebhook is the schema's AuditTrailWebhook: there is one per account.
type auditWebhook struct {
	Enabled        bool
	Endpoint       string
	IncludeRuns    bool
	Secret         string
	RetryOnFailure *bool
}

// auditInput is the schema's AuditTrailWebhookInput.
type auditInput struct {
	Enabled        bool
	Endpoint       string
	IncludeRuns    bool
	Secret         string
	CustomHeaders  *headersInput
	RetryOnFailure *bool
}

// auditID is the audit trail webhook's external identifier. No slug has a slash, so it is nobody else's.
const auditID = "audit/trail"

// audit finds the account's audit trail webhook, nil when there is none.
func (c *call) audit(ctx context.Context) (*subscription.Subscription, error) {
	all, err := c.webhooks(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if settingsOf(&all[i]).CreatedFor == kindAudit {
			return &all[i], nil
		}
	}
	return nil, nil
}

func (c *call) newAudit(ctx context.Context, s *subscription.Subscription) (*auditWebhook, error) {
	w, err := c.newWebhook(ctx, s)
	if err != nil {
		return nil, err
	}
	a := &auditWebhook{Enabled: w.Enabled, Endpoint: w.Endpoint, RetryOnFailure: w.RetryOnFailure}
	for _, trigger := range s.Triggers {
		a.IncludeRuns = a.IncludeRuns || trigger == triggerRun
	}
	return a, nil
}

// AuditTrailWebhook returns the account's audit trail webhook, null when there is none.
func (*root) AuditTrailWebhook(ctx context.Context) (*auditWebhook, error) {
	return ask(ctx, func(c *call) (*auditWebhook, error) {
		s, err := c.audit(ctx)
		if s == nil || err != nil {
			return nil, err
		}
		return c.newAudit(ctx, s)
	})
}

// fill writes an input into the audit trail webhook. An empty secret stays; headers are replaced as a whole (§5.4).
func (in auditInput) fill(s *subscription.Subscription, plain *subscription.Secrets) error {
	enable(s, in.Enabled)
	plain.URL = in.Endpoint
	if in.Secret != "" {
		plain.Secret = in.Secret
	}
	plain.Headers = map[string]string{}
	if in.CustomHeaders != nil {
		in.CustomHeaders.set(plain)
	}
	s.Triggers = []string{triggerAudit}
	if in.IncludeRuns {
		s.Triggers = append(s.Triggers, triggerRun)
	}
	return writeSettings(s, settings{CreatedFor: kindAudit, RetryOnFailure: in.RetryOnFailure})
}

// AuditTrailSetWebhook makes or replaces the audit trail webhook. What would be enabled and is new, or goes elsewhere, must
// take a test request first: this mutation's own record (§5.5).
func (*root) AuditTrailSetWebhook(ctx context.Context, args struct{ Input auditInput }) (*auditWebhook, error) {
	return changeAs(ctx, "auditTrailSetWebhook", "audit_trail_webhook.set", args.Input, func(c *call, e *entry) (*auditWebhook, error) {
		in := args.Input
		if err := checkEndpoint(in.Endpoint); err != nil {
			return nil, err
		}
		if in.CustomHeaders != nil {
			if err := in.CustomHeaders.check(); err != nil {
				return nil, err
			}
		}
		return c.saveAudit(ctx, e, in.fill)
	})
}

// saveAudit saves the audit trail webhook and tests it where it must be tested. Without one, a new one is made.
func (c *call) saveAudit(ctx context.Context, e *entry, fill func(*subscription.Subscription, *subscription.Secrets) error) (*auditWebhook, error) {
	known, err := c.audit(ctx)
	if err != nil {
		return nil, err
	}
	test, err := c.auditTest(e)
	if err != nil {
		return nil, err
	}
	var saved subscription.Subscription
	if known == nil {
		saved, err = c.createAudit(ctx, e, test, fill)
	} else {
		saved, err = c.updateAudit(ctx, e, known, test, fill)
	}
	if err != nil {
		return nil, undelivered(err)
	}
	c.memory.clear()
	return c.newAudit(ctx, &saved)
}

func (c *call) createAudit(ctx context.Context, e *entry, test *delivery.Message, fill func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	s := subscription.Subscription{
		OrganizationID: c.account.ID, Dialect: Name, Channel: subscription.ChannelWebhook, Name: "Audit trail webhook",
		Scopes: []subscription.Scope{{Level: subscription.LevelOrganization, ID: c.account.ID}}, ExternalIDs: map[string]string{Name: auditID},
	}
	var plain subscription.Secrets
	if err := fill(&s, &plain); err != nil {
		return s, err
	}
	e.told = s.Enabled && test != nil
	return c.Subscriptions.Create(ctx, c.who, s, plain, dialect.SaveOptions{Verify: e.told, Test: test})
}

func (c *call) updateAudit(ctx context.Context, e *entry, known *subscription.Subscription, test *delivery.Message, fill func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	was, err := c.Subscriptions.Reveal(ctx, c.who, known.ID)
	if err != nil {
		return *known, err
	}
	next, plain := known.Clone(), subscription.Secrets{URL: was.URL, Secret: was.Secret, Headers: cloneHeaders(was.Headers)}
	if err := fill(next, &plain); err != nil {
		return *next, err
	}
	moved := plain.URL != was.URL || plain.Secret != was.Secret || !sameHeaders(plain.Headers, was.Headers)
	e.told = test != nil && next.Enabled && (!known.Enabled || moved)
	return c.Subscriptions.Update(ctx, c.who, known.ID, dialect.SaveOptions{Verify: e.told, Test: test}, fill)
}

func cloneHeaders(headers map[string]string) map[string]string {
	clone := make(map[string]string, len(headers))
	for name, value := range headers {
		clone[name] = value
	}
	return clone
}

func sameHeaders(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for name, value := range a {
		if other, there := b[name]; !there || other != value {
			return false
		}
	}
	return true
}

// auditTest is the test request: the record of this mutation. Nil where the installation sends none (R11).
func (c *call) auditTest(e *entry) (*delivery.Message, error) {
	if c.dialect.NoAuditTest {
		return nil, nil
	}
	about, err := c.auditEvent(*e)
	if err != nil {
		return nil, err
	}
	return auditMessage(about)
}

func auditMessage(about *event.Event) (*delivery.Message, error) {
	body, err := auditBodyOf(about)
	if err != nil {
		return nil, err
	}
	msg := request(body)
	msg.Trigger = triggerAudit
	return msg, nil
}

// undelivered words the failure of a test request (§5.5).
func undelivered(err error) error {
	if !fault.Is(err, fault.Unverified) {
		return err
	}
	reason := "no answer"
	if failed, ok := asVerification(err); ok {
		result := failed.Attempt.Result
		reason = string(result.Class)
		if result.Class == delivery.ClassAnswered {
			reason = fmt.Sprintf("HTTP %d", result.Status)
		}
	}
	return problem("could not deliver a test payload to the audit trail endpoint: " + reason)
}

// AuditTrailDeleteWebhook deletes the audit trail webhook, after telling it so; without one it gives null.
func (*root) AuditTrailDeleteWebhook(ctx context.Context) (*auditWebhook, error) {
	return changeAs(ctx, "auditTrailDeleteWebhook", "audit_trail_webhook.delete", nil, func(c *call, e *entry) (*auditWebhook, error) {
		s, err := c.audit(ctx)
		switch {
		case err != nil:
			return nil, err
		case s == nil:
			return nil, errAbsent
		}
		shown, err := c.newAudit(ctx, s)
		if err != nil {
			return nil, err
		}
		if s.Enabled && c.who.May(estate.RoleAdmin, estate.Place{OrganizationID: c.account.ID}) {
			c.lastWord(ctx, e, s)
		}
		return shown, c.Subscriptions.Delete(ctx, c.who, s.ID)
	})
}

// lastWord sends the record of the webhook's own deletion to it, once: what would wait in the queue is cancelled with it.
func (c *call) lastWord(ctx context.Context, e *entry, s *subscription.Subscription) {
	about, err := c.auditEvent(*e)
	if err == nil {
		var msg *delivery.Message
		if msg, err = auditMessage(about); err == nil {
			msg.Timeout = lastWordTimeout
			_, err = c.Subscriptions.Send(ctx, c.who, s.ID, msg)
		}
	}
	e.told = true
	if err != nil {
		c.Log.InfoContext(ctx, "tell the audit trail webhook of its end", "dialect", Name, "subscription", s.ID, "err", err)
	}
}

// lastWordTimeout bounds how long a deletion waits for its receiver.
const lastWordTimeout = 5 * time.Second

// AuditTrailWebhookSetHeaders sets custom headers; others stay.
func (*root) AuditTrailWebhookSetHeaders(ctx context.Context, args struct{ Input headersInput }) (*auditWebhook, error) {
	return changeAs(ctx, "auditTrailWebhookSetHeaders", "audit_trail_webhook.set_headers", args.Input, func(c *call, e *entry) (*auditWebhook, error) {
		if err := args.Input.check(); err != nil {
			return nil, err
		}
		return c.saveAuditHeaders(ctx, e, func(plain *subscription.Secrets) { args.Input.set(plain) })
	})
}

// AuditTrailWebhookDeleteHeaders removes custom headers; those that are not there are ignored.
func (*root) AuditTrailWebhookDeleteHeaders(ctx context.Context, args struct{ Input struct{ Keys []string } }) (*auditWebhook, error) {
	return changeAs(ctx, "auditTrailWebhookDeleteHeaders", "audit_trail_webhook.delete_headers", args.Input, func(c *call, e *entry) (*auditWebhook, error) {
		return c.saveAuditHeaders(ctx, e, func(plain *subscription.Secrets) {
			for _, key := range args.Input.Keys {
				removeHeader(plain, key)
			}
		})
	})
}

func (c *call) saveAuditHeaders(ctx context.Context, e *entry, write func(*subscription.Secrets)) (*auditWebhook, error) {
	s, err := c.audit(ctx)
	switch {
	case err != nil:
		return nil, err
	case s == nil:
		return nil, problem("there is no audit trail webhook")
	}
	return c.saveAudit(ctx, e, func(_ *subscription.Subscription, plain *subscription.Secrets) error {
		write(plain)
		return nil
	})
}
