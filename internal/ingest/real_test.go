package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"carillon/internal/committer"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/subscription"
)

// installation is a real database with as many ways in as a test asks for. Each has a memory and a committer of its own,
// as every node has.
type installation struct {
	*manage.Manage
	db    store.Store
	index *subscription.Index
	nodes []*ingest.Ingest
}

func install(t testing.TB, nodes int) *installation {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(t.TempDir(), "carillon.db"), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	keyring, err := seal.NewKeyring(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	in := &installation{db: db, index: &subscription.Index{}}
	dialects := []dialect.Dialect{plain{name: "alpha"}}
	in.Manage = manage.New(manage.Deps{Store: db, Keyring: keyring, Index: in.index, IDs: ids, Dialects: dialects, Log: log})
	if err := in.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Organizations().Create(context.Background(), estate.System(), estate.Organization{Common: estate.Common{Name: "acme"}}); err != nil {
		t.Fatal(err)
	}
	for range nodes {
		gather := committer.New(db, committer.Options{Log: log})
		t.Cleanup(func() {
			if err := gather.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		in.nodes = append(in.nodes, ingest.New(ingest.Deps{
			Committer: gather, Ledger: db, Index: in.index, Dialects: dialects, Registrar: in.Manage, IDs: ids,
		}))
	}
	in.SetAccept(in.nodes[0].Accept)
	return in
}

func TestRealStoreManyNodesOneRun(t *testing.T) {
	t.Parallel()
	in := install(t, 3)
	organization, err := in.Organizations().Get(t.Context(), estate.System(), estate.ByName(0, "acme"))
	if err != nil {
		t.Fatal(err)
	}
	in.index.Put(&subscription.Subscription{
		ID: 1, Version: 1, OrganizationID: organization.ID, Dialect: "alpha", Enabled: true, All: true, Destination: 1,
		Scopes: []subscription.Scope{{Level: subscription.LevelOrganization, ID: organization.ID}},
	})
	const each = 25
	var wg sync.WaitGroup
	for n := range 6 {
		wg.Go(func() {
			for k := range each {
				status := event.Status(fmt.Sprintf("s_%d_%d", n, k))
				for {
					receipts, err := in.nodes[n%3].Accept(t.Context(), []event.Event{step(status, withKey(string(status))), step(status, withKey(string(status)))})
					if fault.Is(err, fault.Unavailable) {
						continue
					}
					if err != nil || receipts[0].Event != receipts[1].Event {
						t.Errorf("%+v, %v", receipts, err)
					}
					break
				}
			}
		})
	}
	wg.Wait()
	last := lastOf(t, in)
	events, err := in.db.RunEvents(t.Context(), last.Run)
	if err != nil || len(events) != 6*each {
		t.Fatalf("%d events are stored, want %d: %v", len(events), 6*each, err)
	}
	for n, e := range events {
		if e.Sequence != int64(n) {
			t.Fatalf("position %d has the number %d", n, e.Sequence)
		}
	}
	books, err := in.db.Books(t.Context())
	if err != nil || books.Accepted != 6*each || !books.Balanced() {
		t.Errorf("books %+v, %v", books, err)
	}
}

// lastOf finds the newest event of the run "r1".
func lastOf(t *testing.T, in *installation) store.Event {
	t.Helper()
	events, err := in.db.ListEvents(t.Context(), store.EventFilter{}, store.Page{Newest: true, Limit: 1})
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[0]
}

func TestRealEstatePlacesAndExplains(t *testing.T) {
	t.Parallel()
	in := install(t, 1)
	organization, err := in.Organizations().Get(t.Context(), estate.System(), estate.ByName(0, "acme"))
	if err != nil {
		t.Fatal(err)
	}
	parent, err := in.Projects().Create(t.Context(), estate.System(), estate.Project{Common: estate.Common{Name: "parent"}, OrganizationID: organization.ID})
	if err != nil {
		t.Fatal(err)
	}
	child, err := in.Projects().Create(t.Context(), estate.System(), estate.Project{
		Common: estate.Common{Name: "child"}, OrganizationID: organization.ID, ParentID: parent.ID, Inherits: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, at := range []ident.ID{parent.ID, child.ID} {
		in.index.Put(&subscription.Subscription{
			ID: ident.ID(n + 1), Version: 1, OrganizationID: organization.ID, Dialect: "alpha", Enabled: true, All: true, Destination: 1,
			Scopes: []subscription.Scope{{Level: subscription.LevelProject, ID: at}},
		})
	}
	receipts, err := in.nodes[0].Accept(t.Context(), []event.Event{
		step("pending", func(e *event.Event) { e.Project = &event.Project{Name: "child"} }),
		step("planning", func(e *event.Event) { e.Project = &event.Project{Name: "parent"}; e.Workspace.Name = "other" }),
	})
	if err != nil {
		t.Fatal(err)
	}
	if receipts[0].Deliveries != 2 || receipts[1].Deliveries != 1 {
		t.Errorf("got %+v", receipts)
	}
	stored, err := in.db.Events(t.Context(), []ident.ID{receipts[0].Event, receipts[1].Event})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(stored, func(a, b store.Event) int { return int(a.ID - b.ID) })
	var got []string
	for _, row := range stored {
		e, err := event.Decode(row.Body)
		if err != nil {
			t.Fatal(err)
		}
		explanations, err := in.nodes[0].Explain(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, spell(explanations))
	}
	want := []string{"1 matches[matches] 2 matches[matches]", "1 matches[matches] 2 other_scope[other_scope]"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func BenchmarkAcceptIntoARealStore(b *testing.B) {
	in := install(b, 1)
	b.ReportAllocs()
	b.SetParallelism(64)
	var mu sync.Mutex
	next := 0
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			next++
			name := fmt.Sprint("run-", next)
			mu.Unlock()
			if _, err := in.nodes[0].Accept(b.Context(), []event.Event{step("applied", ofRun(name))}); err != nil {
				b.Error(err)
			}
		}
	})
}
