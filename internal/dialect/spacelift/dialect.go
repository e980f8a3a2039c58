// Package spacelift speaks the language of Spacelift: stack and module webhooks, named webhooks, the audit trail webhook,
// and the GraphQL API with which the platform's clients manage them.
//
// It owns what docs/dialects/spacelift.md states, and comments name its sections: which states a run passes, the exact
// bytes of bodies, both signatures, the rules of retrying, reading the platform's own webhooks, and the part of the
// platform's API that its Terraform provider and its command line need. It never sends, stores, retries or decides who may
// do what: the engine and the services do.
package spacelift

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// Name is the dialect's name in stored subscriptions, external identifiers and metrics.
const Name = "spacelift"

// Dialect is the dialect. Its zero value works; New is there for symmetry with the others.
type Dialect struct {
	// NoSHA1 leaves X-Signature out, as the platform does for some accounts (§2.2).
	NoSHA1 bool

	// ShowSecrets returns the secrets of stack and module webhooks to whoever may read the stack (R1).
	ShowSecrets bool

	// NoAuditTest saves an audit trail webhook without the test request (R11).
	NoAuditTest bool

	// FailedSignInsPerMinute bounds the wrong API keys from one address; 0 means 20, a negative number means no bound (§5.1).
	FailedSignInsPerMinute int

	engine *engine
}

// New returns the dialect with its defaults.
func New() *Dialect { return &Dialect{engine: newEngine()} }

// Name returns "spacelift".
func (*Dialect) Name() string { return Name }

// Title names the platform for people.
func (*Dialect) Title() string { return "Spacelift" }

// Channels lists what the platform's webhooks are: plain HTTP requests.
func (*Dialect) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook}
}

// StandardByDefault keeps the Standard Webhooks headers away: the platform sends no header but its own (§2.1).
func (*Dialect) StandardByDefault() bool { return false }

// ChecksAddressLate lets a webhook be saved whatever its address: private ones are refused when sending (§5.5).
func (*Dialect) ChecksAddressLate() bool { return true }

// ShowsAddresses lets whoever may read a stack see its webhooks' endpoints (A4).
func (*Dialect) ShowsAddresses() bool { return true }

// Bounds of one attempt (§2.3). Work is the evaluation of a policy, with what is read for it.
const (
	workTimeout    = 30 * time.Second
	attemptTimeout = 10 * time.Second
	connectTimeout = 5 * time.Second
)

// Policy is the platform's: one attempt, three more on request and only after a 5xx or no answer at all, and the webhook
// is switched off after ten deliveries in a row that failed (§2.3). The audit trail webhook is always retried.
func (*Dialect) Policy(s *subscription.Subscription) delivery.Policy {
	if s.Channel == subscription.ChannelWork {
		return delivery.Policy{
			Waits: []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour}, FinalBelow500: true,
			Jitter: 0.2, Unordered: true, Timeout: workTimeout,
		}
	}
	p := delivery.Policy{
		NoRetry: true, FinalBelow500: true, DisableAfter: 10, Unordered: true,
		Timeout: attemptTimeout, ConnectTimeout: connectTimeout,
	}
	if set := settingsOf(s); set.audit(s) || (set.RetryOnFailure != nil && *set.RetryOnFailure) {
		p.NoRetry = false
		p.Waits = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}
		p.MaxAttempts = len(p.Waits) + 1
		p.Jitter = 0.2
		p.RetryAfterCap, p.RetryAfterOn = 15*time.Minute, []int{503}
	}
	return p
}
