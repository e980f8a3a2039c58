package scalr

import (
	"encoding/json"

	"carillon/internal/subscription"
)

// The generations of webhooks, by the shape of their payloads (§3).
const (
	generationEndpoint    = 1
	generationIntegration = 2
)

// settings is what a webhook has beside the neutral fields of a subscription.
type settings struct {
	// Generation overrides the shape of the payload: 1 or 2. 0 means that of the webhook: 1 with an endpoint, else 2.
	Generation int `json:"generation,omitempty"`

	// ZeroTimeout says that the timeout was given as 0, which means the default and is shown as it was given (§2.2).
	ZeroTimeout bool `json:"zero_timeout,omitempty"`

	// Linked says that the webhook's places were set as those of a webhook integration: it then belongs to the account,
	// also when it has an endpoint (§5.5).
	Linked bool `json:"linked,omitempty"`
}

// settingsOf reads a subscription's settings; those that somebody else wrote in another shape count as none.
func settingsOf(s *subscription.Subscription) settings {
	var found settings
	if len(s.Settings) > 0 && json.Unmarshal(s.Settings, &found) != nil {
		return settings{}
	}
	return found
}

// encoded writes the settings, nil when there are none.
func (s settings) encoded() json.RawMessage {
	if s == (settings{}) {
		return nil
	}
	body, err := json.Marshal(s)
	if err != nil { // two plain fields always encode
		return nil
	}
	return body
}

// generationOf is the shape in which a webhook is told of an event: the first for one with an endpoint, unless it was
// asked for the other (§3).
func generationOf(s *subscription.Subscription) int {
	switch chosen := settingsOf(s).Generation; {
	case chosen != 0:
		return chosen
	case s.EndpointID != 0:
		return generationEndpoint
	}
	return generationIntegration
}
