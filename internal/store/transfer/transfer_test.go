package transfer_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres"
	"carillon/internal/store/postgres/pgtest"
	"carillon/internal/store/sqlite"
	"carillon/internal/store/transfer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main{M: m}) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openSQLite(t *testing.T) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "x.db"), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func openPostgres(t *testing.T) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Options{DSN: pgtest.Start(t).NewDatabase(t), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func quiet(string, int) {}

const events = 700 // more than a page

// organization is where everything of the tests is.
var organization = ident.Derive("organization", "acme")

// fill puts every kind of row into a store: what was delivered, given up, cancelled, is pending, was tried, sent again or
// pruned.
func fill(t *testing.T, s store.Store) {
	t.Helper()
	begin := time.Now().Add(-40 * 24 * time.Hour)
	tick := 0
	ids, err := ident.NewGenerator(0, func() time.Time { tick++; return begin.Add(time.Duration(tick) * time.Minute) })
	must(t, err)
	run := ids.New()
	for n := range events {
		e := store.Event{ID: ids.Block(3), Organization: organization, Workspace: 7, Project: 5, Kind: "run", Deliveries: 2, Body: fmt.Appendf(nil, `{"n": %d, "odd": "\u0000é"}`, n)}
		if n%2 == 0 {
			e.Key = fmt.Sprint("key-", n)
		}
		if n < 50 {
			e.Run, e.Sequence = run, int64(n)
		}
		if n == 0 {
			e.RunAlias = "plain:run-1"
		}
		a := store.Accept{Event: e}
		for k := range 2 {
			a.Deliveries = append(a.Deliveries, delivery.Delivery{
				ID: e.ID + ident.ID(k+1)*ident.Step, Event: e.ID, Organization: organization, Subscription: ident.ID(100 + k), Version: 3,
				Destination: ident.Derive("destination", fmt.Sprint(n%9)), Notice: k, Run: e.Run, Sequence: e.Sequence, Due: e.ID.Time(),
			})
		}
		_, err := s.Commit(t.Context(), &store.Batch{Accepts: []store.Accept{a}})
		must(t, err)
		record(t, s, n, a.Deliveries)
		if n == 3 {
			repeat := a.Deliveries[0]
			repeat.ID, repeat.Cause, repeat.Origin, repeat.Pinned = ids.New(), delivery.CauseRedelivery, repeat.ID, true
			_, err := s.Commit(t.Context(), &store.Batch{Queue: []delivery.Delivery{repeat}})
			must(t, err)
		}
	}
	alone := delivery.Delivery{ID: ids.New(), Organization: organization, Subscription: 100, Version: 1, Destination: 9, Cause: delivery.CauseVerification, Attempts: 1, Due: begin}
	_, err = s.Commit(t.Context(), &store.Batch{Attempts: []delivery.Attempt{attempt(alone, delivery.Delivered, 200)}})
	must(t, err)
	_, err = s.Prune(t.Context(), begin.Add(30*time.Minute), 5)
	must(t, err)
	manage(t, s)
}

// record ends or moves the deliveries of the nth event, each in another way.
func record(t *testing.T, s store.Store, n int, d []delivery.Delivery) {
	t.Helper()
	var b store.Batch
	switch n % 4 {
	case 0:
		b.Attempts = []delivery.Attempt{attempt(d[0], delivery.Delivered, 200), attempt(d[1], delivery.Exhausted, 410)}
	case 1:
		failed := attempt(d[0], delivery.Pending, 503)
		failed.Delivery.Due = d[0].Due.Add(time.Hour)
		b.Attempts = []delivery.Attempt{failed, {Delivery: d[1], State: delivery.Cancelled, Result: delivery.Result{Class: delivery.ClassCancelled}}}
		b.Moves = []delivery.Delivery{failed.Delivery}
	case 2:
		first := attempt(d[0], delivery.Pending, 500)
		b.Attempts = []delivery.Attempt{first, attempt(first.Delivery, delivery.Delivered, 204)}
	}
	_, err := s.Commit(t.Context(), &b)
	must(t, err)
}

func attempt(d delivery.Delivery, state delivery.State, status int) delivery.Attempt {
	d.Attempts++
	return delivery.Attempt{
		Delivery: d, Number: d.Attempts, State: state, Trigger: "run:applying", Repeat: status == 204, BodyHash: 1 << 63, BodySize: 77,
		Workspace: 7, Address: "https://hooks.example/…1", Result: delivery.Result{
			Class: delivery.ClassAnswered, Status: status, StartedAt: d.ID.Time().UTC(), Duration: time.Millisecond, Detail: "é",
			RetryAfter: time.Second, Response: &delivery.Response{
				Status: status, Header: map[string][]string{"B": {"1", "2"}, "A": {""}}, Body: []byte{0, 255}, Truncated: true,
			},
		},
	}
}

// manage puts records in: the older one is written again, and one is deleted.
func manage(t *testing.T, s store.Store) {
	t.Helper()
	put := func(changes ...store.Change) {
		t.Helper()
		_, err := s.Apply(t.Context(), changes)
		must(t, err)
	}
	first := store.Record{Kind: store.KindOrganization, ID: 1, Name: "acme", Aliases: []string{"b:1", "a:1"}, Body: []byte(`{"v": 1}`)}
	put(store.Insert(&first))
	put(store.Insert(&store.Record{Kind: store.KindSubscription, ID: 100, Parent: 1, Name: "all", Body: []byte(`{}`)}),
		store.Insert(&store.Record{Kind: store.KindVersion, ID: 101, Parent: 100, Name: "3", Body: []byte(`{"version": 3}`)}))
	put(store.Insert(&store.Record{Kind: "of_a_later_release", ID: 5, Body: []byte(`{}`)}))
	put(store.Insert(&store.Record{Kind: store.KindTeam, ID: 6, Parent: 1, Name: "gone", Body: []byte(`{}`)}))
	first.Body = []byte(`{"v": 2}`)
	put(store.Update(&first), store.Delete(store.KindTeam, 6))
}

func TestEverythingIsCopied(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) transfer.Target{
		"into PostgreSQL":             func(t *testing.T) transfer.Target { return openPostgres(t) },
		"into another embedded store": func(t *testing.T) transfer.Target { return openSQLite(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := openSQLite(t), open(t)
			fill(t, from)
			want, err := from.Books(t.Context())
			must(t, err)
			seen := map[string]int{}
			counts, err := transfer.Copy(t.Context(), from, to, func(what string, done int) { seen[what] = done })
			must(t, err)
			got, err := to.Books(t.Context())
			must(t, err)
			if got != want || !got.Balanced() || got.Counted == 0 || got.Exhausted == 0 || got.Cancelled == 0 {
				t.Errorf("the books are %+v, want %+v", got, want)
			}
			if counts.Records != 4 || counts.Events >= events || counts.Events < events-5 || counts.Deliveries != int(want.Counted) || seen["attempts compared"] != counts.Attempts {
				t.Errorf("copied %+v, reported %v", counts, seen)
			}
			checkRecords(t, to)
			checkHistory(t, from, to)
		})
	}
}

// checkRecords holds the records, their aliases and their order.
func checkRecords(t *testing.T, s store.Store) {
	t.Helper()
	acme, err := s.ByAlias(t.Context(), store.KindOrganization, "a:1")
	must(t, err)
	if slices.Sort(acme.Aliases); acme.Name != "acme" || string(acme.Body) != `{"v": 2}` || !slices.Equal(acme.Aliases, []string{"a:1", "b:1"}) {
		t.Errorf("the organization is %+v", acme)
	}
	version, err := s.ByName(t.Context(), store.KindVersion, 100, "3")
	must(t, err)
	if version.Revision > acme.Revision {
		t.Errorf("the version has revision %d, after the organization's %d", version.Revision, acme.Revision)
	}
}

// checkHistory holds what people see of both stores.
func checkHistory(t *testing.T, from, to store.Store) {
	t.Helper()
	for _, state := range delivery.States() {
		filter := store.DeliveryFilter{States: []delivery.State{state}}
		want, err := from.CountDeliveries(t.Context(), filter, 1e6)
		must(t, err)
		got, err := to.CountDeliveries(t.Context(), filter, 1e6)
		must(t, err)
		if got != want || want == 0 {
			t.Errorf("%d deliveries are %s, want %d", got, state, want)
		}
	}
	run, err := to.RunByAlias(t.Context(), "plain:run-1", []ident.ID{organization})
	if last, lastErr := to.LastOfRun(t.Context(), run); err == nil && (lastErr != nil || last.Sequence != 49) {
		t.Errorf("the run's last event is %+v, %v", last, lastErr)
	}
	page := store.Page{Newest: true, Limit: 1}
	repeats, err := to.ListDeliveries(t.Context(), store.DeliveryFilter{Cause: ptr(delivery.CauseRedelivery)}, page)
	must(t, err)
	if len(repeats) != 1 || !repeats[0].Delivery.Pinned {
		t.Fatalf("the redelivery is %+v", repeats)
	}
	before, err := from.Attempts(t.Context(), repeats[0].Delivery.Origin)
	must(t, err)
	after, err := to.Attempts(t.Context(), repeats[0].Delivery.Origin)
	must(t, err)
	if len(before) != len(after) {
		t.Errorf("%d attempts, want %d", len(after), len(before))
	}
	verdicts, err := to.Commit(t.Context(), &store.Batch{Accepts: []store.Accept{{Event: store.Event{
		ID: ident.At(time.Now()), Organization: organization, Kind: "run", Key: "key-100", Body: []byte("{}"),
	}}}})
	must(t, err)
	if len(verdicts) != 1 || verdicts[0].Duplicate == 0 {
		t.Errorf("an event that was sent before the move is taken again: %+v", verdicts)
	}
}

func ptr[T any](v T) *T { return &v }

func TestTargetMustBeEmpty(t *testing.T) {
	t.Parallel()
	from := openSQLite(t)
	for name, put := range map[string]func(to *sqlite.Store) error{
		"a record": func(to *sqlite.Store) error {
			_, err := to.Apply(t.Context(), []store.Change{store.Put(&store.Record{Kind: store.KindSetting, ID: 1, Body: []byte("{}")})})
			return err
		},
		"a record that is gone": func(to *sqlite.Store) error {
			_, err := to.Apply(t.Context(), []store.Change{store.Delete(store.KindSetting, 1)})
			return err
		},
		"an event": func(to *sqlite.Store) error {
			_, err := to.Commit(t.Context(), &store.Batch{Accepts: []store.Accept{{Event: store.Event{ID: 64, Kind: "x", Body: []byte("{}")}}}})
			return err
		},
		"an attempt": func(to *sqlite.Store) error {
			_, err := to.Commit(t.Context(), &store.Batch{Attempts: []delivery.Attempt{attempt(delivery.Delivery{ID: 64}, delivery.Delivered, 200)}})
			return err
		},
		"accounts": func(to *sqlite.Store) error {
			return to.EnterBooks(t.Context(), store.Books{Accepted: 1, Delivered: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			to := openSQLite(t)
			must(t, put(to))
			if _, err := transfer.Copy(t.Context(), from, to, quiet); !fault.Is(err, fault.Conflict) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// spoiled is a target that stores something else than it is given.
type spoiled struct {
	*sqlite.Store
	spoil func(*store.Batch)
}

func (s spoiled) Commit(ctx context.Context, b *store.Batch) ([]store.Verdict, error) {
	s.spoil(b)
	return s.Store.Commit(ctx, b)
}

func TestDifferencesAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*store.Batch)
		want  string
	}{
		"a lost attempt":    {func(b *store.Batch) { b.Attempts = b.Attempts[:max(0, len(b.Attempts)-1)] }, "the copy holds"},
		"another body":      {func(b *store.Batch) { changeEvent(b, func(e *store.Event) { e.Body = []byte("{}") }) }, "the events of the copy differ"},
		"another due time":  {func(b *store.Batch) { changeRow(b, func(d *delivery.Delivery) { d.Due = d.Due.Add(time.Hour) }) }, "the pending deliveries of the copy differ"},
		"a lost delivery":   {func(b *store.Batch) { b.Queue = b.Queue[:max(0, len(b.Queue)-1)] }, "the copy holds"},
		"another's attempt": {func(b *store.Batch) { changeAttempt(b, func(a *delivery.Attempt) { a.Trigger = "x" }) }, "the attempts of the copy differ"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from := openSQLite(t)
			fill(t, from)
			_, err := transfer.Copy(t.Context(), from, spoiled{openSQLite(t), c.spoil}, quiet)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "must not be used") {
				t.Errorf("got %v, want an error that says %q", err, c.want)
			}
		})
	}
}

func changeEvent(b *store.Batch, change func(*store.Event)) {
	if len(b.Accepts) > 0 {
		change(&b.Accepts[0].Event)
	}
}

func changeRow(b *store.Batch, change func(*delivery.Delivery)) {
	if len(b.Queue) > 0 {
		change(&b.Queue[0])
	}
}

func changeAttempt(b *store.Batch, change func(*delivery.Attempt)) {
	if len(b.Attempts) > 0 {
		change(&b.Attempts[0])
	}
}
