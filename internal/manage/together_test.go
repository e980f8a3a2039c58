package manage_test

import (
	"context"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// direct commits each batch of accepts by itself.
type direct struct{ ledger store.Ledger }

func (d direct) Accept(ctx context.Context, accepts []store.Accept) ([]store.Verdict, error) {
	return d.ledger.Commit(ctx, &store.Batch{Accepts: accepts})
}

// withIngest puts the real way in behind a world.
func withIngest(w *world) *world {
	way := ingest.New(ingest.Deps{
		Committer: direct{w.store}, Ledger: w.store, Index: w.index, Dialects: []dialect.Dialect{w.plain, w.other},
		Registrar: w, IDs: w.ids, Now: w.clock.Now,
	})
	w.SetAccept(way.Accept)
	return w
}

// A workspace's last words are owed before its subscriptions go, and can still be said afterwards.
func TestTheLastWordsOfAWorkspaceAreOwed(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	withIngest(s.world)
	s.plain.farewell = true
	ofOrganization := s.subscribe(s.acme.ID, subscription.LevelOrganization, s.acme.ID)
	if err := s.Workspaces().Delete(s.ctx, admin, s.net.ID); err != nil {
		t.Fatal(err)
	}
	owed := must[[]store.Summary](t)(s.Deliveries().List(s.ctx, admin, store.DeliveryFilter{}, store.Page{}))
	if len(owed) != 2 {
		t.Fatalf("%d deliveries are owed", len(owed))
	}
	for i, id := range []subscription.Subscription{s.hook, ofOrganization} {
		d := owed[i].Delivery
		if d.Subscription != id.ID || !d.Pinned || owed[i].State != delivery.Pending {
			t.Errorf("delivery = %+v", d)
		}
		version, err := s.Version(s.ctx, d.Subscription, d.Version)
		if err != nil {
			t.Fatalf("the version that it is rendered from: %v", err)
		}
		if plain := must[subscription.Secrets](t)(manage.Open(s.keys, version, s.clock.Now())); plain.URL != hookSecrets.URL {
			t.Error("the version does not hold the address")
		}
	}
}

// The first event of a run makes its workspace known, reaches who listens there, and is read by who may.
func TestAnEventOnItsWay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	withIngest(s.world)
	writer := as(estate.RoleWriter, s.acme.ID, s.one.ID, 0)
	e := *run("acme", "one", "fresh")
	e.Run, e.Key = &event.Run{SourceID: "r-9", Status: event.StatusPlanning, ExternalIDs: map[string]string{"plain": "run-9"}}, "k"
	s.subscribe(s.acme.ID, subscription.LevelProject, s.one.ID)
	for _, duplicate := range []bool{false, true} {
		receipts := must[[]dialect.Receipt](t)(s.Events().Accept(s.ctx, writer, []event.Event{e}))
		if receipts[0].Duplicate != duplicate || (!duplicate && receipts[0].Deliveries != 1) {
			t.Errorf("receipt = %+v", receipts[0])
		}
	}
	found := must[[]event.Event](t)(s.Events().Run(s.ctx, writer, estate.ByAlias("plain", "run-9")))
	if len(found) != 1 || found[0].Workspace.Name != "fresh" || found[0].Workspace.ID == 0 {
		t.Errorf("run = %+v", found)
	}
	if _, err := s.Events().Run(s.ctx, as(estate.RoleReader, s.acme.ID, 0, s.net.ID), estate.ByAlias("plain", "run-9")); err == nil {
		t.Error("another workspace's reader found the run")
	}
}
