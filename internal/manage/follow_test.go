package manage_test

import (
	"encoding/json"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Follow lays a document over a subscription: its address and secret are sealed, its number of tries is in the body.
func (d *plainDialect) Follow(shared dialect.SharedDestination, s *subscription.Subscription, plain *subscription.Secrets) error {
	var body struct{ Tries int }
	if err := json.Unmarshal(shared.Body, &body); err != nil {
		return err
	}
	if body.Tries == 0 {
		return fault.At("/endpoint_id", "It says nothing.")
	}
	plain.URL, plain.Secret, s.Delivery.MaxAttempts = shared.Secrets["url"], shared.Secrets["secret"], body.Tries
	return nil
}

// shared is a destination of a project.
func (s *scene) shared(url string, tries string) store.Record {
	s.t.Helper()
	return must[store.Record](s.t)(s.Services().Sealed.Put(s.ctx, admin, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID},
		store.Record{Kind: store.KindEndpoint, Body: []byte(`{"Tries":` + tries + `}`)}, map[string]string{"url": url, "secret": "first"}))
}

// following is a subscription of a workspace that follows a destination.
func (s *scene) following(id ident.ID) (subscription.Subscription, error) {
	hook := at(s.acme.ID, subscription.LevelWorkspace, s.net.ID)
	hook.EndpointID = id
	return s.Subscriptions().Create(s.ctx, admin, hook, subscription.Secrets{}, dialect.SaveOptions{})
}

func (s *scene) wantCopy(id ident.ID, version int64, url, secret string, tries int) {
	s.t.Helper()
	got := must[subscription.Subscription](s.t)(s.Subscriptions().Get(s.ctx, admin, estate.ByID(id)))
	plain := must[subscription.Secrets](s.t)(s.Subscriptions().Reveal(s.ctx, admin, id))
	if got.Version != version || plain.URL != url || plain.Secret != secret || got.Delivery.MaxAttempts != tries {
		s.t.Errorf("got version %d, %s, %s, %d tries", got.Version, plain.URL, plain.Secret, got.Delivery.MaxAttempts)
	}
}

func TestFollowersKeepInStep(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	shared := s.shared("https://a.example/x", "4")
	first, second := must[subscription.Subscription](t)(s.following(shared.ID)), must[subscription.Subscription](t)(s.following(shared.ID))
	s.wantCopy(first.ID, 1, "https://a.example/x", "first", 4)
	if first.Destination != second.Destination || first.Destination == s.hook.Destination {
		t.Errorf("the lanes are %v, %v and %v", first.Destination, second.Destination, s.hook.Destination)
	}
	s.engine.told()
	// Whoever manages the project changes what its workspaces' subscriptions follow.
	changed := shared
	changed.Revision, changed.Body = 0, []byte(`{"Tries":7}`)
	must[store.Record](t)(s.Services().Sealed.Put(s.ctx, as(estate.RoleAdmin, s.acme.ID, s.one.ID, 0), estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID},
		changed, map[string]string{"url": "https://b.example/y"}))
	s.wantCopy(first.ID, 2, "https://b.example/y", "first", 7)
	s.wantCopy(second.ID, 2, "https://b.example/y", "first", 7)
	if told := s.engine.told(); len(told) != 2 {
		t.Errorf("the engine heard of %v", told)
	}
	must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, first.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, _ *subscription.Secrets) error {
		s.Name = "renamed"
		return nil
	}))
	s.wantCopy(first.ID, 3, "https://b.example/y", "first", 7)

	_, err := s.Subscriptions().Update(s.ctx, admin, first.ID, dialect.SaveOptions{}, func(_ *subscription.Subscription, plain *subscription.Secrets) error {
		plain.URL = "https://mine.example"
		return nil
	})
	wantField(t, err, "/url")
	docs, top := s.Services().Documents, estate.Place{OrganizationID: s.acme.ID}
	wantCode(t, docs.Delete(s.ctx, admin, top, store.KindEndpoint, shared.ID), fault.Conflict)

	// One that stops following keeps what it had.
	must[subscription.Subscription](t)(s.Subscriptions().Update(s.ctx, admin, first.ID, dialect.SaveOptions{}, func(s *subscription.Subscription, plain *subscription.Secrets) error {
		s.EndpointID, plain.URL = 0, "https://mine.example"
		return nil
	}))
	if err := s.Subscriptions().Delete(s.ctx, admin, second.ID); err != nil {
		t.Fatal(err)
	}
	if err := docs.Delete(s.ctx, admin, top, store.KindEndpoint, shared.ID); err != nil {
		t.Fatal(err)
	}
	s.wantCopy(first.ID, 4, "https://mine.example", "first", 7)
}

func TestWhatCanNotBeFollowed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	foreign := must[store.Record](t)(s.Services().Documents.Put(s.ctx, admin, estate.Place{OrganizationID: s.beta.ID}, store.Record{Kind: store.KindEndpoint, Body: []byte(`{"Tries":1}`)}))
	for name, id := range map[string]ident.ID{"of another tenant": foreign.ID, "unknown": 77, "refused by the dialect": s.shared("https://a.example", "0").ID} {
		_, err := s.following(id)
		wantField(t, err, "/endpoint_id")
		if err == nil {
			t.Error(name)
		}
	}
	_, err := s.following(s.shared("no address", "1").ID)
	wantField(t, err, "/url")
}

// TestALedChangeIsRefusedAsAWhole: a document whose followers could not be saved is not saved either.
func TestALedChangeIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	shared := s.shared("https://a.example/x", "4")
	hook := must[subscription.Subscription](t)(s.following(shared.ID))
	shared.Revision = 0
	_, err := s.Services().Sealed.Put(s.ctx, admin, estate.Place{OrganizationID: s.acme.ID, ProjectID: s.one.ID}, shared, map[string]string{"url": "nowhere"})
	wantField(t, err, "/url")
	secrets := must[map[string]string](t)(s.Services().Sealed.Reveal(s.ctx, admin, estate.Place{}, store.KindEndpoint, shared.ID))
	if secrets["url"] != "https://a.example/x" {
		t.Errorf("the document says %v", secrets)
	}
	s.wantCopy(hook.ID, 1, "https://a.example/x", "first", 4)
}

// TestWalk visits deliveries with their subscriptions, also those of a deleted one, as far as the principal may read.
func TestWalk(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	walk := func(p estate.Principal, most int) (names []string) {
		err := l.Services().Walk.Walk(l.ctx, p, store.DeliveryFilter{}, func(_ *store.Summary, s *subscription.Subscription) (bool, error) {
			if s != nil {
				names = append(names, s.Name)
			}
			return len(names) < most, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := walk(admin, 100); len(got) != 3 || got[0] != "hook" {
		t.Errorf("got %v", got)
	}
	if got := walk(admin, 2); len(got) != 2 {
		t.Errorf("it goes on: %v", got)
	}
	if got := walk(as(estate.RoleOwner, l.beta.ID, 0, 0), 100); len(got) != 0 {
		t.Errorf("a stranger: %v", got)
	}
	if err := l.Subscriptions().Delete(l.ctx, admin, l.hook.ID); err != nil {
		t.Fatal(err)
	}
	if got := walk(admin, 100); len(got) != 3 {
		t.Errorf("of a deleted subscription: %v", got)
	}
}
