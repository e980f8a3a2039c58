// Package pulumi speaks the language of Pulumi Cloud: webhooks of organizations, stacks and environments.
//
// It owns what docs/dialects/pulumi.md states, and comments name its sections: which filters an event has, the exact bytes
// of payloads, Slack messages and Teams cards, the signature, reading the platform's own webhooks, and the part of the
// platform's API that its clients use to manage webhooks. It never sends, stores, retries or decides who may do what: the
// engine and the services do.
package pulumi

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// Name is the dialect's name in stored subscriptions, external identifiers and metrics.
const Name = "pulumi"

// Dialect is the dialect. Its zero value works: without an upstream the format pulumi_deployments is managed and not
// executed (§3.5).
type Dialect struct {
	// Upstream is where the format pulumi_deployments starts deployments.
	Upstream Upstream
}

// Upstream is an installation of the platform that runs deployments.
type Upstream struct {
	URL   string // base URL, without a trailing slash
	Token string // access token: a secret
}

// New returns the dialect with its defaults.
func New() *Dialect { return &Dialect{} }

// Name returns "pulumi".
func (*Dialect) Name() string { return Name }

// Title names the platform for people.
func (*Dialect) Title() string { return "Pulumi Cloud" }

// Channels lists the platform's formats: raw, slack, ms_teams, pulumi_deployments.
func (*Dialect) Channels() []subscription.Channel {
	return []subscription.Channel{
		subscription.ChannelWebhook, subscription.ChannelSlack, subscription.ChannelTeams, subscription.ChannelTrigger,
	}
}

// Policy is ours: the platform documents no retries (§2.4). A refusal is final, silence and trouble are not.
func (*Dialect) Policy(*subscription.Subscription) delivery.Policy {
	return delivery.Policy{
		Waits:         []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour},
		Jitter:        0.2,
		RetryAfterCap: time.Hour,
		FinalBelow500: true,
		RetryStatuses: []int{408, 425, 429},
		Timeout:       attemptTimeout,
	}
}

// StandardByDefault leaves the Standard Webhooks headers out: a delivery record lists every header of a request but the
// User-Agent, and would not be true any more (§2.1). A subscription may ask for them.
func (*Dialect) StandardByDefault() bool { return false }

// attemptTimeout bounds one attempt, and keepBody how much of an answer is kept (§2.4).
const (
	attemptTimeout = 10 * time.Second
	keepBody       = 64 << 10
)
