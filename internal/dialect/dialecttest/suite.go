// Package dialecttest is the suite that every dialect passes: what the contract in internal/dialect promises of any
// platform, whatever its bytes are. A dialect's own package tests those against the platform's.
package dialecttest

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// Suite is a dialect and what the suite must know of it.
type Suite struct {
	Dialect dialect.Dialect

	// Settings are a subscription's settings for a channel, nil for none.
	Settings func(subscription.Channel) json.RawMessage

	// Prepare changes a subscription of the suite where the dialect needs more than a channel, a level and triggers.
	Prepare func(*subscription.Subscription)

	// Silent lists triggers that none of Events fires, such as groups of others.
	Silent []string

	// Unrendered lists channels that have no message of their own.
	Unrendered []subscription.Channel
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Run("names", s.names)
	t.Run("triggers", s.triggers)
	t.Run("notices", s.notices)
	t.Run("every trigger fires", s.everyTriggerFires)
	t.Run("messages", s.messages)
	t.Run("signatures", s.signatures)
	t.Run("verification", s.verification)
	t.Run("receiving", s.receiving)
	t.Run("retries end", s.retriesEnd)
}

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

func (s Suite) names(t *testing.T) {
	t.Parallel()
	d := s.Dialect
	if !nameShape.MatchString(d.Name()) {
		t.Errorf("the name %q is not one word in lower case", d.Name())
	}
	if d.Title() == "" {
		t.Error("there is no title")
	}
	channels := d.Channels()
	if len(channels) == 0 || len(slices.Compact(slices.Sorted(slices.Values(channels)))) != len(channels) {
		t.Errorf("the channels are %v", channels)
	}
}

// levels are the places where a subscription can be attached.
var levels = []subscription.Level{
	subscription.LevelOrganization, subscription.LevelProject, subscription.LevelWorkspace, subscription.LevelTeam,
	subscription.LevelEnvironment,
}

func (s Suite) triggers(t *testing.T) {
	t.Parallel()
	some := false
	for _, level := range levels {
		seen := map[string]bool{}
		for _, trigger := range s.Dialect.Triggers(level) {
			some = true
			if trigger.Value == "" || trigger.Title == "" || seen[trigger.Value] {
				t.Errorf("%s: %+v is empty or there twice", level, trigger)
			}
			seen[trigger.Value] = true
		}
	}
	if !some {
		t.Error("there is no level with triggers")
	}
}

func (s Suite) notices(t *testing.T) {
	t.Parallel()
	for name, e := range Events() {
		first := s.Dialect.Notices(e)
		if !sameJSON(first, s.Dialect.Notices(e)) {
			t.Errorf("%s: two calls return different notices", name)
		}
		if !sameJSON(e, Events()[name]) {
			t.Errorf("%s: Notices changes the event", name)
		}
		names := map[string]bool{}
		for _, n := range first {
			if n.Name == "" || names[n.Name] {
				t.Errorf("%s: the name %q is empty or there twice", name, n.Name)
			}
			names[n.Name] = true
			if len(n.Triggers) == 0 && n.Unlisted {
				t.Errorf("%s: nobody can ever get %s", name, n.Name)
			}
		}
	}
	if got := s.Dialect.Notices(&event.Event{Kind: event.KindTest}); len(got) != 0 {
		t.Errorf("a test event fires %v", got)
	}
}

// everyTriggerFires checks that what a form offers can happen.
func (s Suite) everyTriggerFires(t *testing.T) {
	t.Parallel()
	for _, level := range levels {
		fired := map[string]bool{}
		for _, e := range Events() {
			for _, n := range s.Dialect.Notices(e) {
				for _, value := range n.Triggers {
					fired[value] = fired[value] || n.OpenTo(level)
				}
			}
		}
		for _, trigger := range s.Dialect.Triggers(level) {
			if !fired[trigger.Value] && !slices.Contains(s.Silent, trigger.Value) {
				t.Errorf("%s: nothing fires %s", level, trigger.Value)
			}
		}
	}
}

// Secret is the secret of the suite's subscriptions; a message must never show it.
const Secret = "s3cret-correct-horse-battery-staple"

// Site is the installation that the suite's messages speak of.
var Site = dialect.Site{BaseURL: "https://carillon.example.com", Product: "Carillon", Version: "1.2.3"}

// subscriptionAt makes a subscription that gets the notice at the level.
func (s Suite) subscriptionAt(level subscription.Level, channel subscription.Channel, triggers []string) *subscription.Subscription {
	sub := &subscription.Subscription{
		ID: 9001 << 13, Version: 3, OrganizationID: organizationID, Dialect: s.Dialect.Name(), Channel: channel, Name: "ops",
		Enabled: true, Scopes: []subscription.Scope{{Level: level, ID: scopeIDs[level]}}, Triggers: triggers, All: len(triggers) == 0,
		Emails: []string{"ops@example.com"}, CreatedAt: moment, UpdatedAt: moment,
	}
	if s.Settings != nil {
		sub.Settings = s.Settings(channel)
	}
	if s.Prepare != nil {
		s.Prepare(sub)
	}
	return sub
}

func deliveryOf(sub *subscription.Subscription, e *event.Event, notice int) *delivery.Delivery {
	d := &delivery.Delivery{
		ID: 9002 << 13, Event: e.ID, Organization: e.Organization.ID, Subscription: sub.ID, Version: sub.Version,
		Destination: ident.ID(9003), Notice: notice, Due: moment,
	}
	if e.Run != nil {
		d.Run, d.Sequence = e.Run.ID, e.Run.Sequence
	}
	return d
}

// sameJSON compares values by what they hold.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
