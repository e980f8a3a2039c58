package manage_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/manage"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// The words that must never stand in the database as they are.
const (
	secretPath   = "wX7-path-of-the-address"
	secretWord   = "wX7-word-that-signs"
	secretBefore = "wX7-word-before"
	secretHeader = "wX7-value-of-a-header"
	secretDoor   = "wX7-word-of-a-source"
	secretPaper  = "wX7-word-beside-a-document"
)

// fillWithSecrets saves one of everything that has secrets.
func fillWithSecrets(t *testing.T, w *world) (subscription.Subscription, estate.InboundSource, store.Record) {
	t.Helper()
	acme := w.organization("acme")
	draft := at(acme.ID, subscription.LevelOrganization, acme.ID)
	s := must[subscription.Subscription](t)(w.Subscriptions().Create(w.ctx, admin, draft, subscription.Secrets{
		URL: "https://user:wX7-password@hooks.example/" + secretPath + "?k=wX7-query", Secret: secretBefore,
		Headers: map[string]string{"X-Key": secretHeader},
	}, dialect.SaveOptions{}))
	s = must[subscription.Subscription](t)(w.Subscriptions().Update(w.ctx, admin, s.ID, dialect.SaveOptions{Overlap: time.Hour}, func(_ *subscription.Subscription, p *subscription.Secrets) error {
		p.Secret = secretWord
		return nil
	}))
	source, _, err := w.Sources().Create(w.ctx, admin, estate.InboundSource{Common: estate.Common{Name: "in"}, OrganizationID: acme.ID, Dialect: "plain"}, secretDoor)
	if err != nil {
		t.Fatal(err)
	}
	paper := must[store.Record](t)(w.Services().Sealed.Put(w.ctx, admin, estate.Place{OrganizationID: acme.ID},
		store.Record{Kind: store.KindEndpoint, Body: []byte(`{"a":1}`)}, map[string]string{"secret": secretPaper}))
	return s, source, paper
}

func TestTheDatabaseHoldsNoSecretInTheClear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _, _ := fillWithSecrets(t, w)
	_, token, err := w.Tokens().Create(w.ctx, admin, estate.Token{Common: estate.Common{Name: "t"}, SiteAdmin: true}, manage.Shape{})
	if err != nil {
		t.Fatal(err)
	}
	_, door, err := w.Sources().Create(w.ctx, admin, estate.InboundSource{Common: estate.Common{Name: "in2"}, OrganizationID: s.OrganizationID, Dialect: "plain"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Subscriptions().Delete(w.ctx, admin, s.ID); err != nil {
		t.Fatal(err)
	}
	files := must[[]string](t)(filepath.Glob(w.path + "*"))
	found := false
	for _, file := range files {
		raw := must[[]byte](t)(os.ReadFile(file))
		found = found || bytes.Contains(raw, []byte("hooks.example"))
		for _, word := range []string{"wX7-", token, door} {
			if i := bytes.Index(raw, []byte(word)); i >= 0 {
				t.Errorf("%s holds %q at %d", filepath.Base(file), raw[i:min(i+40, len(raw))], i)
			}
		}
	}
	if !found {
		t.Error("the files hold not even the address for people: the test looks in the wrong place")
	}
}

func TestReseal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, source, paper := fillWithSecrets(t, w)
	if n := must[int](t)(w.Reseal(w.ctx)); n != 0 {
		t.Errorf("%d secrets were sealed anew with the same key", n)
	}
	both := joinWorld(t, w.store, w.path, 1, masterKey(2), masterKey(1))
	// The first version has an address, a secret and a header; the second and the current one a secret before them, too.
	const want = 3 + 4 + 4 + 1 + 1
	if n := must[int](t)(both.Reseal(w.ctx)); n != want {
		t.Errorf("%d secrets were sealed anew, want %d", n, want)
	}
	if n := must[int](t)(both.Reseal(w.ctx)); n != 0 {
		t.Errorf("%d secrets were sealed anew the second time", n)
	}
	renewed := joinWorld(t, w.store, w.path, 2, masterKey(2))
	plain := must[subscription.Secrets](t)(renewed.Subscriptions().Reveal(w.ctx, admin, s.ID))
	if plain.Secret != secretWord || plain.Prior != secretBefore || plain.Headers["X-Key"] != secretHeader {
		t.Error("the subscription's secrets do not open with the new key alone")
	}
	first := must[*subscription.Subscription](t)(renewed.Version(w.ctx, s.ID, 1))
	if first.Version != 1 || renewed.index.Get(s.ID).Version != s.Version {
		t.Error("sealing anew made a version")
	}
	if door := must[manage.Door](t)(renewed.Sources().Door(w.ctx, source.ID)); len(door.Secrets) != 1 || door.Secrets[0] != secretDoor {
		t.Error("the source's secret does not open with the new key alone")
	}
	kept, err := renewed.Services().Sealed.Reveal(w.ctx, admin, estate.Place{OrganizationID: s.OrganizationID}, paper.Kind, paper.ID)
	if err != nil || kept["secret"] != secretPaper {
		t.Errorf("the document's secret does not open with the new key alone: %v", err)
	}
}

func TestSealedTextsDoNotMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, _, _ := fillWithSecrets(t, w)
	key := masterKey(3)
	stranger := joinWorld(t, w.store, w.path, 1, key)
	if _, err := stranger.Subscriptions().Reveal(w.ctx, admin, s.ID); err == nil {
		t.Error("another key opened the secrets")
	}
	if _, err := stranger.Reseal(w.ctx); err == nil {
		t.Error("sealing anew ignored what it could not open")
	}
}
