package manage_test

import (
	"encoding/json"
	"errors"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// TestSettingsAreCompletedAtEverySave checks what a dialect is told when a subscription is saved.
func TestSettingsAreCompletedAtEverySave(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var told []dialect.Completion
	s.plain.complete = func(c dialect.Completion) error {
		told = append(told, c)
		c.Subscription.Settings = json.RawMessage(`{"saves":` + string(rune('0'+len(told))) + `}`)
		return nil
	}
	saved := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID), hookSecrets, dialect.SaveOptions{}))
	saved = must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, saved.ID, dialect.SaveOptions{},
		func(_ *subscription.Subscription, plain *subscription.Secrets) error {
			plain.Secret = "another"
			return nil
		}))
	if string(saved.Settings) != `{"saves":2}` || len(told) != 2 {
		t.Fatalf("the settings are %s after %d", saved.Settings, len(told))
	}
	if told[0].Was.Secret != "" || told[0].Plain.Secret != hookSecrets.Secret || told[1].Was.Secret != hookSecrets.Secret || told[1].Plain.Secret != "another" {
		t.Error("the dialect is told other secrets than those that are saved")
	}
	if told[0].Organization != "acme" || told[0].Fingerprint("a", "b") != s.Tokens().Fingerprint("a", "b") {
		t.Errorf("told %q", told[0].Organization)
	}
	s.plain.complete = func(dialect.Completion) error { return errors.New("no") }
	if _, err := s.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID), hookSecrets, dialect.SaveOptions{}); err == nil {
		t.Error("a dialect that can not complete does not stop the save")
	}
}

// TestOpenAddresses checks that readers see an address, and nothing else, where the dialect's platform shows it.
func TestOpenAddresses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	saved := must[subscription.Subscription](t)(s.Subscriptions().Create(s.ctx, admin, at(s.acme.ID, subscription.LevelWorkspace, s.dns.ID), hookSecrets, dialect.SaveOptions{}))
	reader, stranger := as(estate.RoleReader, s.acme.ID, 0, 0), as(estate.RoleOwner, s.beta.ID, 0, 0)
	_, err := s.Subscriptions().Reveal(s.ctx, reader, saved.ID)
	wantCode(t, err, fault.Forbidden)
	s.plain.open = true
	plain, err := s.Subscriptions().Reveal(s.ctx, reader, saved.ID)
	if err != nil || plain.URL != hookSecrets.URL || plain.Secret != "" || len(plain.Headers) != 0 {
		t.Errorf("a reader sees more or less than the address: %v", err)
	}
	_, err = s.Subscriptions().Reveal(s.ctx, stranger, saved.ID)
	wantCode(t, err, fault.NotFound)
}
