package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	some := store.DeliveryFilter{States: []delivery.State{delivery.Exhausted}}
	for _, c := range []struct {
		name   string
		draft  replay.Draft
		fields []string
	}{
		{"an empty filter", replay.Draft{}, []string{"/filter"}},
		{"too fast", replay.Draft{Filter: some, Pace: replay.MaxPace + 1}, []string{"/pace"}},
		{"backwards", replay.Draft{Filter: some, Pace: -1, MaxPending: -1}, []string{"/pace", "/max_pending"}},
		{"too many at a time", replay.Draft{Filter: some, MaxPending: replay.MaxPending + 1}, []string{"/max_pending"}},
		{"the future", replay.Draft{Filter: store.DeliveryFilter{Range: store.Range{From: began.Add(time.Hour)}}}, []string{"/filter/from"}},
		{"from after to", replay.Draft{Filter: store.DeliveryFilter{Range: store.Range{From: began.Add(-time.Hour), To: began.Add(-2 * time.Hour)}}}, []string{"/filter/to"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				n := w.start("a", "", 0)
				c.draft.OrganizationID = organization
				_, err := n.Create(w.ctx, admin, c.draft)
				_, preview := n.Preview(w.ctx, admin, c.draft)
				for _, err := range []error{err, preview} {
					f, ok := errors.AsType[*fault.Error](err)
					if !ok || f.Code != fault.Invalid {
						t.Fatalf("%v", err)
					}
					var fields []string
					for _, field := range f.Fields() {
						fields = append(fields, field.Pointer)
					}
					if !slices.Equal(fields, c.fields) {
						t.Errorf("%v, want %v", fields, c.fields)
					}
				}
			})
		})
	}
}

func TestRights(t *testing.T) {
	t.Parallel()
	granted := func(g estate.Grant) estate.Principal { return estate.Principal{Grants: []estate.Grant{g}} }
	for _, c := range []struct {
		name string
		p    estate.Principal
		code fault.Code
	}{
		{"admin", admin, ""},
		{"site admin", estate.Principal{SiteAdmin: true}, ""},
		{"writer", granted(estate.Grant{OrganizationID: organization, Role: estate.RoleWriter}), fault.Forbidden},
		{"owner of a workspace", granted(estate.Grant{OrganizationID: organization, WorkspaceID: 30, Role: estate.RoleOwner}), fault.Forbidden},
		{"stranger", granted(estate.Grant{OrganizationID: 8, Role: estate.RoleOwner}), fault.NotFound},
		{"nobody", estate.Principal{}, fault.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				n := w.start("a", "", 0)
				id := w.create(n, failed())
				w.finish(n, id)
				_, created := n.Create(w.ctx, c.p, failed())
				_, previewed := n.Preview(w.ctx, c.p, failed())
				_, got := n.Get(w.ctx, c.p, id)
				_, listed := n.List(w.ctx, c.p, organization, store.Page{})
				for call, err := range map[string]error{"create": created, "preview": previewed, "get": got, "list": listed} {
					if (c.code == "") != (err == nil) || (err != nil && fault.CodeOf(err) != c.code) {
						t.Errorf("%s: %v", call, err)
					}
				}
				_, err := n.Cancel(w.ctx, c.p, id, false)
				want := c.code
				if want == "" {
					want = fault.Conflict // it is done
				}
				if !fault.Is(err, want) {
					t.Errorf("cancel: %v", err)
				}
				all, err := n.List(w.ctx, c.p, 0, store.Page{})
				if err != nil || (len(all) > 0) != (c.code == "") {
					t.Errorf("list of all: %v, %v", all, err)
				}
			})
		})
	}
}

func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		n := w.start("a", "", 0)
		if _, err := n.Get(w.ctx, admin, 99); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if _, err := n.Cancel(w.ctx, admin, 99, true); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

func TestListsHavePages(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		n := w.start("a", "", 0)
		both := estate.Principal{Grants: []estate.Grant{
			{OrganizationID: organization, Role: estate.RoleAdmin}, {OrganizationID: 8, Role: estate.RoleOwner}, {OrganizationID: 9, Role: estate.RoleReader},
		}}
		var made []ident.ID
		for i := range 6 {
			d := failed()
			d.OrganizationID = []ident.ID{organization, 8}[i%2]
			r, err := n.Create(w.ctx, both, d)
			w.must(err)
			made = append(made, r.ID)
		}
		ids := func(organization ident.ID, page store.Page) (ids []ident.ID) {
			all, err := n.List(w.ctx, both, organization, page)
			w.must(err)
			for _, r := range all {
				ids = append(ids, r.ID)
			}
			return ids
		}
		if got := ids(0, store.Page{Newest: true, Limit: 4}); !slices.Equal(got, []ident.ID{made[5], made[4], made[3], made[2]}) {
			t.Error(got)
		}
		if got := ids(0, store.Page{After: made[1], Limit: 2}); !slices.Equal(got, made[2:4]) {
			t.Error(got)
		}
		if got := ids(8, store.Page{Newest: true, Before: made[5]}); !slices.Equal(got, []ident.ID{made[3], made[1]}) {
			t.Error(got)
		}
	})
}

func TestOnlySoManyAtATime(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(replay.MaxRunning, 1)
		w.engine.change(func(e *engine) { e.auto = false })
		n := w.start("a", "", 0)
		for i := range replay.MaxRunning {
			d := failed()
			d.Filter.Run = ident.ID(5000 + i)
			w.create(n, d)
		}
		w.pass(time.Second)
		if _, err := n.Create(w.ctx, admin, failed()); !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
		w.engine.deliver(w.engine.rows()[0])
		w.pass(2 * time.Second)
		w.create(n, failed())
	})
}

func TestAuditEntriesComeWithTheChange(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(200, 1)
		n := w.start("a", "", 0)
		id := w.create(n, failed())
		w.pass(100 * time.Millisecond)
		for range 2 {
			_, err := n.Cancel(w.ctx, admin, id, false)
			w.must(err)
		}
		records, err := w.store.List(w.ctx, store.KindAudit, organization, store.Page{})
		w.must(err)
		var noted []string
		for _, r := range records {
			noted = append(noted, string(r.Body))
		}
		if want := []string{`"ada create"`, `"ada cancel"`}; !slices.Equal(noted, want) {
			t.Errorf("%v, want %v", noted, want)
		}
	})
}

func TestNewNeedsWhatItWorksWith(t *testing.T) {
	t.Parallel()
	if _, err := replay.New(replay.Deps{Index: &subscription.Index{}}); err == nil {
		t.Error("no store, and no error")
	}
}

var update = flag.Bool("update", false, "write testdata")

// TestTheRecordIsRead holds the form in which replays are stored: those of an earlier release must be read.
func TestTheRecordIsRead(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		body, err := os.ReadFile("testdata/record.json")
		w.must(err)
		_, err = w.store.Apply(w.ctx, []store.Change{store.Insert(&store.Record{Kind: store.KindReplay, ID: 77, Parent: organization, Body: body})})
		w.must(err)
		s, err := replay.New(replay.Deps{Store: w.store, Engine: w.engine, Index: w.index, IDs: w.ids})
		w.must(err)
		r, err := s.Get(w.ctx, admin, 77)
		w.must(err)
		if r.Filter.Cause == nil || *r.Filter.Cause != delivery.CauseEvent || len(r.Filter.States) != 2 || r.Progress.Plan == nil || r.Progress.Open[0].Shard != 12 {
			t.Errorf("%+v", r)
		}
		_, err = s.Cancel(w.ctx, admin, 77, true)
		w.must(err)
		record, err := w.store.Get(w.ctx, store.KindReplay, 77)
		w.must(err)
		var indented bytes.Buffer
		w.must(json.Indent(&indented, record.Body, "", "  "))
		want, err := os.ReadFile("testdata/cancelled.json")
		if *update {
			w.must(os.WriteFile("testdata/cancelled.json", append(indented.Bytes(), '\n'), 0o644))
		} else if w.must(err); indented.String() != strings.TrimSpace(string(want)) {
			t.Errorf("got\n%s\nwant\n%s", &indented, want)
		}
	})
}

func TestARecordThatCanNotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no JSON":          `{`,
		"an unknown state": `{"filter":{"states":["lost"]}}`,
		"an unknown cause": `{"filter":{"cause":"whim"}}`,
		"a broken item":    `{"progress":{"open":["x.1"]}}`,
		"an item at large": `{"progress":{"open":["06gjs9k1q8r00"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				_, err := w.store.Apply(w.ctx, []store.Change{store.Insert(&store.Record{Kind: store.KindReplay, ID: 77, Parent: organization, Body: []byte(body)})})
				w.must(err)
				s, err := replay.New(replay.Deps{Store: w.store, Engine: w.engine, Index: w.index, IDs: w.ids})
				w.must(err)
				if r, err := s.Get(w.ctx, admin, 77); err == nil || fault.CodeOf(err) != fault.Internal {
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
}

// slow is a store in which choosing takes its time.
type slow struct {
	store.Store
	wait time.Duration
}

func (s slow) ListDeliveries(ctx context.Context, f store.DeliveryFilter, p store.Page) ([]store.Summary, error) {
	if f.Event == 0 {
		select {
		case <-time.After(s.wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return s.Store.ListDeliveries(ctx, f, p)
}

func TestTheLeaseIsKeptWhileChoosingTakesLong(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		all := w.fail(30, 1)
		w.store = slow{w.store, time.Minute}
		nodes := []*node{w.start("a", "", 0), w.start("b", "", 0)}
		id := w.create(nodes[0], failed())
		holder := ""
		for range 50 {
			w.pass(time.Second)
			switch l := w.get(nodes[0], id).Lease; {
			case holder == "":
				holder = l.Holder
			case l.Holder != holder || !l.Until.After(time.Now()):
				t.Fatalf("the lease passed from %s to %+v", holder, l)
			}
		}
		w.finish(nodes[0], id)
		if got := w.engine.origins(); !slices.Equal(got, idsOf(all)) {
			t.Errorf("sent again: %v", got)
		}
	})
}

func TestAStopThatMayNotWaitGivesUp(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		w.fail(3, 1)
		w.store = slow{w.store, time.Hour}
		n := w.start("a", "", 0)
		w.create(n, failed())
		w.pass(time.Second)
		ctx, cancel := context.WithTimeout(w.ctx, 5*time.Second)
		defer cancel()
		n.stopped = true
		if err := n.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
