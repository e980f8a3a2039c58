package pulumi

import (
	"encoding/json"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// settings is what a webhook has beside the neutral fields of a subscription. They are completed at every save, whichever
// face it came through.
type settings struct {
	// Organization is the organization's name when the webhook was saved: test messages and deployments name it.
	Organization string `json:"organization,omitempty"`

	// Ciphertext is a keyed hash of the secret, made when the secret was set and kept until it changes (§5.2).
	Ciphertext string `json:"secret_ciphertext,omitempty"`
}

// settingsOf reads a subscription's settings; those in another shape count as none.
func settingsOf(s *subscription.Subscription) settings {
	var found settings
	if s == nil || len(s.Settings) > 0 && json.Unmarshal(s.Settings, &found) != nil {
		return settings{}
	}
	return found
}

// Complete keeps the settings in line with what is saved.
func (*Dialect) Complete(c dialect.Completion) error {
	kept := settingsOf(c.Subscription)
	kept.Organization = c.Organization
	switch {
	case c.Plain.Secret == "":
		kept.Ciphertext = ""
	case kept.Ciphertext == "" || c.Plain.Secret != c.Was.Secret:
		kept.Ciphertext = c.Fingerprint("webhook-secret", c.Plain.Secret)
	}
	body, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	c.Subscription.Settings = body
	return nil
}

// ShowsAddresses lets everybody who may read a webhook see its address: clients send it back whole (§5.2).
func (*Dialect) ShowsAddresses() bool { return true }
