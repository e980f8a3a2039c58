package tfe

import (
	"encoding/json"

	"carillon/internal/subscription"
)

// settings is what a configuration has beside the neutral fields of a subscription.
type settings struct {
	AllMembers bool `json:"email_all_members,omitempty"`
}

// settingsOf reads a subscription's settings; those that somebody else wrote in another shape count as none.
func settingsOf(s *subscription.Subscription) settings {
	var found settings
	if len(s.Settings) > 0 && json.Unmarshal(s.Settings, &found) != nil {
		return settings{}
	}
	return found
}

// encoded writes the settings, nil when they are all at their defaults.
func (s settings) encoded() json.RawMessage {
	if s == (settings{}) {
		return nil
	}
	return json.RawMessage(`{"email_all_members":true}`)
}
