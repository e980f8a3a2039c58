package manage_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

func TestSweepKeepsWhatDeliveriesNeed(t *testing.T) {
	t.Parallel()
	l := newLog(t)
	save := func() {
		t.Helper()
		l.clock.advance(time.Hour)
		must[subscription.Subscription](t)(l.Subscriptions().Update(l.ctx, admin, l.hook.ID, dialect.SaveOptions{}, func(*subscription.Subscription, *subscription.Secrets) error { return nil }))
	}
	save() // 2
	save() // 3
	save() // 4
	has := func(version int64) bool {
		_, err := l.Version(l.ctx, l.hook.ID, version)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	sweep := func() int {
		t.Helper()
		return must[int](t)(l.Sweep(l.ctx, l.clock.Now().Add(-30*time.Minute)))
	}
	sweep()
	// The first is needed by what is pending, the third was replaced after the moment, the fourth is the present one.
	if !has(1) || has(2) || !has(3) || !has(4) {
		t.Errorf("versions left: %v %v %v %v", has(1), has(2), has(3), has(4))
	}
	final := l.attempt(l.pending, 200)
	if _, err := l.store.Commit(l.ctx, &store.Batch{Attempts: []delivery.Attempt{final}}); err != nil {
		t.Fatal(err)
	}
	again := joinWorld(t, l.store, l.path, 1, masterKey(1)) // without the versions in memory
	again.clock.advance(l.clock.Now().Sub(again.clock.Now()))
	l.world = again
	sweep()
	if has(1) {
		t.Error("a version that nothing needs is left")
	}

	if err := l.Subscriptions().Delete(l.ctx, admin, l.hook.ID); err != nil {
		t.Fatal(err)
	}
	l.clock.advance(48 * time.Hour)
	sweep()
	if n := l.count(store.KindVersion, l.hook.ID); n == 0 {
		t.Error("the log still needs the versions of the deleted subscription")
	}
	if _, err := l.store.Prune(l.ctx, l.clock.Now(), 100); err != nil {
		t.Fatal(err)
	}
	sweep()
	if left := must[int](t)(l.store.CountDeliveries(l.ctx, store.DeliveryFilter{Subscription: l.hook.ID}, 10)); left != 0 {
		t.Fatalf("%d deliveries are left", left)
	}
	if n := l.count(store.KindVersion, l.hook.ID); n != 0 {
		t.Errorf("%d versions are left of a subscription that left no trace", n)
	}
}

func TestSweepBoundsTheAuditLogByAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.organization("acme")
	w.clock.advance(time.Hour)
	w.organization("beta")
	removed := must[int](t)(w.Sweep(w.ctx, w.clock.Now().Add(-time.Minute)))
	if n := w.count(store.KindAudit, 0); removed != 1 || n != 1 {
		t.Errorf("%d entries removed, %d left", removed, n)
	}
}

func TestLanesAreRememberedUntilNobodyUsesThem(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	body := []byte(`{"failing_since":"2026-11-22T05:00:00Z"}`)
	unused := ident.ID(42)
	for _, id := range []ident.ID{s.hook.Destination, unused} {
		if err := s.Remember(s.ctx, id, body); err != nil {
			t.Fatal(err)
		}
	}
	all := must[map[ident.ID][]byte](t)(s.Recall(s.ctx))
	if len(all) != 2 || !json.Valid(all[unused]) || string(all[unused]) != string(body) {
		t.Errorf("recalled %d lanes", len(all))
	}
	must[int](t)(s.Sweep(s.ctx, s.clock.Now()))
	if all = must[map[ident.ID][]byte](t)(s.Recall(s.ctx)); len(all) != 1 || all[s.hook.Destination] == nil {
		t.Errorf("recalled %d lanes after sweeping", len(all))
	}
	if err := s.Remember(s.ctx, s.hook.Destination, nil); err != nil {
		t.Fatal(err)
	}
	if all = must[map[ident.ID][]byte](t)(s.Recall(s.ctx)); len(all) != 0 {
		t.Errorf("recalled %d lanes after forgetting", len(all))
	}
	if err := s.Remember(s.ctx, unused, []byte(`{`)); err == nil {
		t.Error("what is no JSON was remembered")
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, beta := w.organization("acme"), w.organization("beta")
	ada, bob := w.member(acme.ID, "ada@x.org", ""), w.member(acme.ID, "bob@x.org", "")
	eve := w.member(beta.ID, "eve@x.org", "")
	team := must[estate.Team](t)(w.Teams().Create(w.ctx, admin, estate.Team{Common: estate.Common{Name: "ops"}, OrganizationID: acme.ID, MemberIDs: []ident.ID{bob.ID}}))
	scope := func(level subscription.Level, id ident.ID) []subscription.Scope {
		return []subscription.Scope{{Level: level, ID: id}}
	}
	cases := map[string]struct {
		s    subscription.Subscription
		want []string
	}{
		"addresses, each once": {subscription.Subscription{Dialect: "plain", Emails: []string{"a@x.org", "A@x.org", "b@x.org"}}, []string{"a@x.org", "b@x.org"}},
		"users and addresses":  {subscription.Subscription{Dialect: "plain", Emails: []string{"ADA@x.org"}, UserIDs: []ident.ID{bob.UserID, ada.UserID}}, []string{"ADA@x.org", "bob@x.org"}},
		"who left gets none":   {subscription.Subscription{Dialect: "plain", UserIDs: []ident.ID{eve.UserID, 42}}, nil},
		"everybody":            {subscription.Subscription{Dialect: "other", Scopes: scope(subscription.LevelOrganization, acme.ID)}, []string{"ada@x.org", "bob@x.org"}},
		"everybody in a team":  {subscription.Subscription{Dialect: "other", Scopes: scope(subscription.LevelTeam, team.ID)}, []string{"bob@x.org"}},
		"a team that is gone":  {subscription.Subscription{Dialect: "other", Scopes: scope(subscription.LevelTeam, 42)}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.s.OrganizationID = acme.ID
			got := must[[]string](t)(w.Recipients(w.ctx, &c.s, nil))
			if len(got) != len(c.want) {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("got %v, want %v", got, c.want)
				}
			}
		})
	}
}
