package spacelift

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// body2021 is the value of settings.Body for the form of 2021 (§3.1).
const body2021 = "2021"

// settings are what a webhook has beyond a subscription's own fields.
type settings struct {
	// RetryOnFailure is kept as it was sent: null stays null (§5.4).
	RetryOnFailure *bool `json:"retry_on_failure,omitempty"`

	// Body is "" for today's body or "2021" for the older one.
	Body string `json:"body,omitempty"`

	// Labels are those of a named webhook.
	Labels []string `json:"labels,omitempty"`

	// CreatedFor tells the webhooks of the platform's API from other subscriptions at the same place.
	CreatedFor kind `json:"created_for,omitempty"`
}

// kind is what the platform calls a webhook.
type kind string

const (
	kindStack kind = "stack" // of a stack or module
	kindNamed kind = "named"
	kindAudit kind = "audit"
)

// settingsOf reads a subscription's settings; they were checked when it was saved.
func settingsOf(s *subscription.Subscription) settings {
	var set settings
	if len(s.Settings) > 0 {
		_ = json.Unmarshal(s.Settings, &set) // what can not be read is not set
	}
	return set
}

// audit reports whether the subscription is an account's audit trail webhook, whichever face made it.
func (set settings) audit(s *subscription.Subscription) bool {
	return set.CreatedFor == kindAudit || slices.Contains(s.Triggers, triggerAudit)
}

// encode writes the settings as they are stored.
func (set settings) encode() (json.RawMessage, error) { return json.Marshal(set) }

// forbiddenHeaders are never a webhook's own (§5.5).
var forbiddenHeaders = []string{
	"x-signature", "x-signature-256", "host", "content-length", "transfer-encoding", "connection",
}

func headerForbidden(name string) bool {
	return slices.Contains(forbiddenHeaders, strings.ToLower(name))
}

// Validate checks what the platform's API checks too, for subscriptions that come through another face (§5.5).
func (*Dialect) Validate(s *subscription.Subscription, _ subscription.Secrets) error {
	var faults fault.Collector
	if len(s.Settings) > 0 {
		var set settings
		decoder := json.NewDecoder(bytes.NewReader(s.Settings))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&set); err != nil {
			faults.Add("/settings", `The settings are an object with "retry_on_failure", "body" ("2021" for the older form) and "labels".`)
		} else if set.Body != "" && set.Body != body2021 {
			faults.Add("/settings/body", `This must be "2021" or left out.`)
		}
	}
	for _, h := range s.Headers {
		if headerForbidden(h.Name) {
			faults.Add("/headers", "header %q is not allowed", h.Name)
		}
	}
	return faults.Err()
}
