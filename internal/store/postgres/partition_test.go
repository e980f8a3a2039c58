package postgres

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
)

func partitions(t testing.TB, s *Store) []string {
	t.Helper()
	names, err := read(t.Context(), s, pgx.RowTo[string], selectPartitions)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPartitionOf(t *testing.T) {
	t.Parallel()
	begin := ident.At(time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC))
	for name, c := range map[string]struct {
		id   ident.ID
		want string
	}{
		"the beginning":        {0, "attempt_20240101"},
		"a week begins":        {begin, "attempt_20261116"},
		"one before":           {begin - 1, "attempt_20261109"},
		"in the middle":        {begin + week/2, "attempt_20261116"},
		"the end of time":      {math.MaxInt64, partitionOf(math.MaxInt64 - 1).name()},
		"the week before that": {math.MaxInt64 - week, partitionOf(math.MaxInt64 - week - 1).name()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := partitionOf(c.id)
			if p.name() != c.want || p.low > c.id || (p.high <= c.id && p.high != math.MaxInt64) || p.high <= p.low {
				t.Errorf("%d lies in %s from %d to %d, want %s", c.id, p.name(), p.low, p.high, c.want)
			}
			if begin, err := time.Parse(partitionDay, p.name()[len(partitionPrefix):]); err != nil || partitionOf(ident.At(begin)) != p {
				t.Errorf("the name %s does not lead back to the partition (%v)", p.name(), err)
			}
		})
	}
}

func TestPartitionsAreMadeAhead(t *testing.T) {
	t.Parallel()
	dsn := pgtest.Start(t).NewDatabase(t)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	s, err := Open(t.Context(), Options{DSN: dsn, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := partitions(t, s), []string{"attempt_20261116", "attempt_20261123", "attempt_20261130"}; !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
	now = now.AddDate(0, 0, 7)
	if _, err := s.Prune(t.Context(), now.AddDate(0, 0, -1), 10); err != nil {
		t.Fatal(err)
	}
	if got, want := partitions(t, s), []string{"attempt_20261123", "attempt_20261130", "attempt_20261207"}; !slices.Equal(got, want) {
		t.Errorf("a week later there are %v, want %v", got, want)
	}
}

// TestPartitionsAreMadeOnDemand records attempts that no partition made ahead takes: of long ago, of far ahead, all in one
// batch with everything else.
func TestPartitionsAreMadeOnDemand(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	var b store.Batch
	var last []delivery.Attempt
	for _, from := range []time.Time{time.Now().AddDate(-1, 0, 0), time.Now(), time.Now().AddDate(1, 0, 0)} {
		a := newMaker(t, from).accept(2)
		b.Accepts = append(b.Accepts, a)
		last = append(last, ended(a.Deliveries[0], delivery.Delivered))
	}
	b.Attempts = last
	before := len(partitions(t, s))
	commit(t, s, b)
	if got := len(partitions(t, s)); got != before+2 {
		t.Errorf("%d partitions, want %d", got, before+2)
	}
	if books := balanced(t, s); books.Accepted != 6 || books.Delivered != 3 {
		t.Errorf("books %+v", books)
	}
	list, err := s.ListDeliveries(t.Context(), store.DeliveryFilter{Subscription: 101}, store.Page{Newest: true})
	if err != nil || len(list) != 3 || list[0].Delivery.ID != last[2].Delivery.ID || list[2].Delivery.ID != last[0].Delivery.ID {
		t.Errorf("over several partitions the list is %+v (%v)", list, err)
	}
}

func TestPartitionsGoWithTheirLastEvent(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	now := time.Now()
	old := newMaker(t, now.AddDate(0, 0, -30))
	done, pending, later := old.accept(1), old.accept(1), newMaker(t, now.AddDate(0, 0, -15)).accept(1)
	commit(t, s, store.Batch{Accepts: []store.Accept{done, pending, later}})
	commit(t, s, store.Batch{Attempts: []delivery.Attempt{
		ended(done.Deliveries[0], delivery.Delivered), ended(later.Deliveries[0], delivery.Delivered),
	}})
	prune := func(want int) []string {
		t.Helper()
		removed, err := s.Prune(t.Context(), now.AddDate(0, 0, -8), 100)
		if err != nil || removed != want {
			t.Errorf("removed %d, want %d (%v)", removed, want, err)
		}
		return partitions(t, s)
	}
	oldest := partitionOf(done.Event.ID).name()
	if left := prune(2); !slices.Contains(left, oldest) {
		t.Errorf("the partition of a pending delivery went: %v", left)
	}
	commit(t, s, store.Batch{Attempts: []delivery.Attempt{ended(pending.Deliveries[0], delivery.Cancelled)}})

	// Somebody reads the history at the moment: the partition stays until the next time.
	tx, err := s.reads.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE attempt IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	if left := prune(1); !slices.Contains(left, oldest) {
		t.Errorf("the partition went under a reader: %v", left)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	left := prune(0)
	if slices.Contains(left, oldest) || slices.Contains(left, partitionOf(later.Event.ID).name()) {
		t.Errorf("partitions without an event are left: %v", left)
	}
	// An attempt of that time is recorded all the same: its partition comes again.
	late := old.accept(1)
	commit(t, s, store.Batch{Accepts: []store.Accept{late}, Attempts: []delivery.Attempt{ended(late.Deliveries[0], delivery.Delivered)}})
	if summary, err := s.Delivery(t.Context(), late.Deliveries[0].ID); err != nil || summary.State != delivery.Delivered {
		t.Errorf("the late delivery is %+v (%v)", summary, err)
	}
}
