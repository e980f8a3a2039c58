package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/strict"
	"carillon/internal/subscription"
)

// subscriptionDraft is the document that makes a subscription.
type subscriptionDraft struct {
	Organization string               `json:"organization"` // name or ID
	Dialect      string               `json:"dialect"`
	Channel      subscription.Channel `json:"channel"` // webhook when absent
	Name         string               `json:"name"`
	Enabled      *bool                `json:"enabled"` // true when absent
	Scopes       []scopeDraft         `json:"scopes"`  // the organization when absent
	All          bool                 `json:"all"`
	Triggers     []string             `json:"triggers"`
	URL          string               `json:"url"`
	Secret       string               `json:"secret"`
	Headers      []headerDraft        `json:"headers"`
	Emails       []string             `json:"emails"`
	UserIDs      []ident.ID           `json:"user_ids"`
	Delivery     deliveryRules        `json:"delivery"`
	Settings     json.RawMessage      `json:"settings"`
	ExternalIDs  map[string]string    `json:"external_ids"`
}

// subscriptionChange is the document that changes one: absent fields stay.
type subscriptionChange struct {
	Channel     *subscription.Channel `json:"channel"`
	Name        *string               `json:"name"`
	Enabled     *bool                 `json:"enabled"`
	Scopes      *[]scopeDraft         `json:"scopes"`
	All         *bool                 `json:"all"`
	Triggers    *[]string             `json:"triggers"`
	URL         *string               `json:"url"`
	Secret      *string               `json:"secret"`
	Headers     *[]headerDraft        `json:"headers"`
	Emails      *[]string             `json:"emails"`
	UserIDs     *[]ident.ID           `json:"user_ids"`
	Delivery    *deliveryRules        `json:"delivery"`
	Settings    *json.RawMessage      `json:"settings"`
	ExternalIDs *map[string]string    `json:"external_ids"`

	// SecretOverlapSeconds is how long the secret before this change still signs beside the new one.
	SecretOverlapSeconds int64 `json:"secret_overlap_seconds"`
}

// headerDraft is a header to be sent. In a change, a header without a value keeps the one it has.
type headerDraft struct {
	Name      string  `json:"name"`
	Value     *string `json:"value"`
	Sensitive bool    `json:"sensitive"`
}

var (
	subscriptionDrafts  = strict.For[subscriptionDraft]()
	subscriptionChanges = strict.For[subscriptionChange]()
)

// maxOverlap bounds how long two secrets sign.
const maxOverlap = 30 * 24 * time.Hour

// build turns a draft into a subscription that can be saved or looked at.
func (a *api) build(c *call, d *subscriptionDraft) (s subscription.Subscription, plain subscription.Secrets, err error) {
	if d.Organization == "" {
		return s, plain, fault.At("/organization", "Is missing: the name or the ID of an organization.")
	}
	organization, err := a.organization(c, d.Organization)
	if fault.Is(err, fault.NotFound) {
		return s, plain, fault.At("/organization", "There is no organization %q, or you may not see it.", d.Organization)
	}
	if err != nil {
		return s, plain, err
	}
	if a.dialects[d.Dialect] == nil {
		return s, plain, fault.At("/dialect", "%s", unknownWord(d.Dialect, a.names))
	}
	s = subscription.Subscription{
		OrganizationID: organization.ID, Dialect: d.Dialect, Channel: d.Channel, Name: d.Name, Enabled: d.Enabled == nil || *d.Enabled,
		All: d.All, Triggers: d.Triggers, Emails: d.Emails, UserIDs: d.UserIDs, Delivery: d.Delivery.value(), Settings: d.Settings,
		ExternalIDs: d.ExternalIDs,
	}
	if s.Channel == "" {
		s.Channel = subscription.ChannelWebhook
	}
	if len(d.Scopes) == 0 {
		d.Scopes = []scopeDraft{{Level: subscription.LevelOrganization}}
	}
	if s.Scopes, err = a.scopes(c, organization.ID, d.Scopes); err != nil {
		return s, plain, err
	}
	plain = subscription.Secrets{URL: d.URL, Secret: d.Secret}
	err = setHeaders(&s, &plain, d.Headers)
	if err == nil {
		err = a.checkChoice(&s)
	}
	return s, plain, err
}

// change applies a change to a subscription. It may run more than once.
func (a *api) change(c *call, d *subscriptionChange, s *subscription.Subscription, plain *subscription.Secrets) (err error) {
	set(&s.Channel, d.Channel)
	set(&s.Name, d.Name)
	set(&s.Enabled, d.Enabled)
	set(&s.All, d.All)
	set(&s.Triggers, d.Triggers)
	set(&s.Emails, d.Emails)
	set(&s.UserIDs, d.UserIDs)
	set(&s.Settings, d.Settings)
	set(&s.ExternalIDs, d.ExternalIDs)
	set(&plain.URL, d.URL)
	set(&plain.Secret, d.Secret)
	if d.Delivery != nil {
		s.Delivery = d.Delivery.value()
	}
	if d.Scopes != nil {
		if s.Scopes, err = a.scopes(c, s.OrganizationID, *d.Scopes); err != nil {
			return err
		}
	}
	if d.Headers != nil {
		if err := setHeaders(s, plain, *d.Headers); err != nil {
			return err
		}
	}
	if d.Triggers == nil && d.Channel == nil && d.Scopes == nil {
		return nil // what is there was checked by the face that it came through
	}
	return a.checkChoice(s)
}

// checkChoice refuses a channel or a trigger that the dialect does not offer, and says which one was probably meant.
func (a *api) checkChoice(s *subscription.Subscription) error {
	spoken := a.dialects[s.Dialect]
	if spoken == nil {
		return nil
	}
	var faults fault.Collector
	if channels := spoken.Channels(); !slices.Contains(channels, s.Channel) {
		faults.Add("/channel", "%s", unknownWord(s.Channel, channels))
	}
	var known []string
	for _, t := range spoken.Triggers(s.Scope().Level) {
		known = append(known, t.Value)
	}
	if len(known) == 0 && len(s.Triggers) > 0 {
		faults.Add("/triggers", "The dialect %s has no subscriptions of level %q; %s", s.Dialect, s.Scope().Level, levelsOf(spoken))
		return faults.Err()
	}
	for i, trigger := range s.Triggers {
		if !slices.Contains(known, trigger) {
			faults.Add(fmt.Sprintf("/triggers/%d", i), "%s", unknownWord(trigger, known))
		}
	}
	return faults.Err()
}

// levelsOf says for which levels a dialect has subscriptions.
func levelsOf(d dialect.Dialect) string {
	var names []string
	for _, level := range levels {
		if len(d.Triggers(level)) > 0 {
			names = append(names, string(level))
		}
	}
	if len(names) == 0 {
		return "it has no triggers at all."
	}
	return "it has them for " + strings.Join(names, ", ") + ": name the place in \"scopes\"."
}

// setHeaders replaces a subscription's headers. A header without a value keeps the one of its name.
func setHeaders(s *subscription.Subscription, plain *subscription.Secrets, drafts []headerDraft) error {
	had := plain.Headers
	s.Headers, plain.Headers = nil, make(map[string]string, len(drafts))
	for _, d := range drafts {
		s.Headers = append(s.Headers, subscription.Header{Name: d.Name, Sensitive: d.Sensitive})
	}
	for i, key := range subscription.HeaderKeys(s.Headers) {
		d := drafts[i]
		value, known := had[key]
		switch {
		case d.Value != nil:
			value = *d.Value
		case !known:
			return fault.At(fmt.Sprintf("/headers/%d/value", i), "Is missing, and there is no header %q yet whose value could stay.", d.Name)
		}
		plain.Headers[key] = value
	}
	return nil
}

// saveOptions reads how a subscription is to be saved.
func saveOptions(q *query, overlap int64) (dialect.SaveOptions, error) {
	o := dialect.SaveOptions{Verify: q.flag("verify"), Overlap: time.Duration(overlap) * time.Second}
	if overlap < 0 || overlap > int64(maxOverlap/time.Second) {
		q.faults.Add("/secret_overlap_seconds", "Must be between 0 and %d.", int64(maxOverlap/time.Second))
	}
	return o, q.err()
}
