package tfe

import (
	"encoding/json"

	"carillon/internal/subscription"
)

// settings is what a configuration has beside the neutral fields of a subscription.
type settings struct {
	// AllMembers is nil where a client never said; then it is not echoed (§5.3).
	AllMembers *bool `json:"email_all_members,omitempty"`
}

// settingsOf reads a subscription's settings; those that somebody else wrote in another shape count as none.
func settingsOf(s *subscription.Subscription) settings {
	var found settings
	if len(s.Settings) > 0 && json.Unmarshal(s.Settings, &found) != nil {
		return settings{}
	}
	return found
}

// all reports whether mails go to all members.
func (s settings) all() bool { return s.AllMembers != nil && *s.AllMembers }

// encoded writes the settings, nil when nobody said anything.
func (s settings) encoded() json.RawMessage {
	switch {
	case s.AllMembers == nil:
		return nil
	case *s.AllMembers:
		return json.RawMessage(`{"email_all_members":true}`)
	}
	return json.RawMessage(`{"email_all_members":false}`)
}
