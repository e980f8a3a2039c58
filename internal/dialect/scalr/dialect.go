// Package scalr speaks the language of Scalr: webhooks with endpoints, and the webhook integrations that came after them.
//
// It owns what docs/dialects/scalr.md states, and comments name its sections: which of the three events a run fires, the
// exact bytes of both generations of payloads, the signature, reading the platform's own webhooks, and the part of the
// platform's API that its clients use to manage webhooks and to read deliveries. It never sends, stores, retries or
// decides who may do what: the engine and the services do.
package scalr

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// Name is the dialect's name in stored subscriptions, external identifiers and metrics.
const Name = "scalr"

// Dialect is the dialect. Its zero value works; New is there for symmetry with the others.
type Dialect struct {
	// RevealSecrets shows the secret of a webhook integration on every read, to those who may change it (§5.6).
	RevealSecrets bool

	// DiscardedIsErrored lets a discarded run fire run:errored; otherwise it fires nothing (§4.2).
	DiscardedIsErrored bool

	// MaxTimeout bounds one attempt whatever a webhook asks for; 0 means 60 s (§2.2).
	MaxTimeout time.Duration
}

// New returns the dialect with its defaults.
func New() *Dialect { return &Dialect{} }

// Name returns "scalr".
func (*Dialect) Name() string { return Name }

// Title names the platform for people.
func (*Dialect) Title() string { return "Scalr" }

// Channels lists the one channel: the platform has nothing but webhooks here.
func (*Dialect) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook}
}

const (
	defaultTimeout  = 15 * time.Second
	defaultAttempts = 3
	maximumTimeout  = time.Minute
	longestWait     = time.Hour
)

// Policy is the platform's: a number of tries in all, the first one included, every failure tried again (§2.2). The
// webhook's own limits are laid over it by the engine.
func (d *Dialect) Policy(*subscription.Subscription) delivery.Policy {
	p := delivery.Policy{
		Tail: longestWait, MaxAttempts: defaultAttempts, Jitter: 0.1, RetryAfterCap: longestWait, RetryAfterOn: []int{429, 503},
		Timeout: defaultTimeout, TimeoutCap: maximumTimeout,
	}
	if d.MaxTimeout > 0 {
		p.TimeoutCap = d.MaxTimeout
	}
	for wait := 10 * time.Second; wait < longestWait; wait *= 3 {
		p.Waits = append(p.Waits, wait)
	}
	return p
}

// StandardByDefault adds the Standard Webhooks headers next to the platform's: receivers ignore headers that they do not
// know (§2).
func (*Dialect) StandardByDefault() bool { return true }

// ChecksAddressLate takes every address when a webhook is saved; the guard acts when it is sent to (§5.3).
func (*Dialect) ChecksAddressLate() bool { return true }

// OutlivesScopes keeps a webhook integration whose last environment goes: it is only unlinked. A webhook with an endpoint
// goes with its environment or workspace (§6).
func (*Dialect) OutlivesScopes(s *subscription.Subscription) bool {
	return settingsOf(s).Linked || (s.EndpointID == 0 && s.Scope().Level != subscription.LevelWorkspace)
}

// RepeatsHeaders sends a header that a webhook names several times as several lines (§2).
func (*Dialect) RepeatsHeaders() bool { return true }
