package postgres

import (
	"context"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
)

// pair opens two stores on one database: two nodes.
func pair(t testing.TB) (first, second *Store) {
	t.Helper()
	dsn := pgtest.Start(t).NewDatabase(t)
	return openAt(t, dsn), openAt(t, dsn)
}

// expire ends a node's lease by the database's clock, as if it had not been heard of for long.
func expire(t testing.TB, s *Store, node int) {
	t.Helper()
	_, err := s.reads.Exec(context.Background(), "UPDATE node SET expires = clock_timestamp() - interval '1 s' WHERE number = $1", node)
	if err != nil {
		t.Fatal(err)
	}
}

// TestNumberOfTheDeadIsFenced has a process that was paused for longer than its lease while another one got its number.
func TestNumberOfTheDeadIsFenced(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	a := newMaker(t, time.Now()).accept(3)
	commit(t, first, store.Batch{Accepts: []store.Accept{a}})
	node := join(t, first, time.Hour)
	before := claimAll(t, first, node)
	expire(t, first, node)
	if again := join(t, second, time.Hour); again != node {
		t.Fatalf("the second got number %d, want %d again", again, node)
	}
	attempt := ended(a.Deliveries[0], delivery.Delivered)
	_, err := first.Commit(t.Context(), &store.Batch{Owner: node, Epochs: before, Attempts: []delivery.Attempt{attempt}})
	wantFenced(t, "commit before anybody claimed", err)
	after := claimAll(t, second, node)
	if len(after) != delivery.Shards {
		t.Fatalf("the second claimed %d shards", len(after))
	}
	_, err = first.Commit(t.Context(), &store.Batch{Owner: node, Epochs: before, Attempts: []delivery.Attempt{attempt}})
	wantFenced(t, "commit", err)
	_, err = first.Renew(t.Context(), node, time.Hour)
	wantFenced(t, "renew", err)
	if got, err := first.Claim(t.Context(), node, after); err != nil || len(got) > 0 {
		t.Errorf("the first claimed %v (%v)", got, err)
	}
	if err := first.Release(t.Context(), node, []int{0, 1, 2}); err != nil {
		t.Error(err)
	}
	if err := first.Leave(t.Context(), node); err != nil {
		t.Error(err)
	}
	// Neither took anything from the living owner of the number.
	commit(t, second, store.Batch{Owner: node, Epochs: after, Attempts: []delivery.Attempt{attempt}})
	c, err := second.Renew(t.Context(), node, time.Hour)
	if err != nil || c.Owners[0].Node != node || len(c.Nodes) != 1 {
		t.Errorf("the cluster is %+v (%v)", c, err)
	}
}

// TestTakeoverWaitsForRecordingsUnderWay holds the fence as a commit does while others want the node's shards or its
// number: they get them after that commit, so that they read what it recorded.
func TestTakeoverWaitsForRecordingsUnderWay(t *testing.T) {
	t.Parallel()
	takeovers := map[string]func(s *Store, other int, seen map[int]int64) error{
		"a claim": func(s *Store, other int, seen map[int]int64) error {
			_, err := s.Claim(context.Background(), other, seen)
			return err
		},
		"a newcomer": func(s *Store, _ int, _ map[int]int64) error {
			_, err := s.Join(context.Background(), "n", time.Hour)
			return err
		},
	}
	for name, takeOver := range takeovers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := pair(t)
			node, other := join(t, first, time.Hour), join(t, second, time.Hour)
			before := claimAll(t, first, node)
			tx, err := first.reads.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			const fence = "SELECT fence($1, $2, $3)"
			if _, err := tx.Exec(t.Context(), fence, int16(node), []int16{5, 6}, []int64{before[5], before[6]}); err != nil {
				t.Fatal(err)
			}
			if _, err := first.Renew(t.Context(), node, time.Hour); err != nil {
				t.Errorf("the lease can not be renewed while a commit runs: %v", err)
			}
			expire(t, second, node)
			taken := make(chan error, 1)
			go func() { taken <- takeOver(second, other, before) }()
			eventually(t, "waiting for the commit", func() (waits bool, err error) {
				err = first.reads.QueryRow(t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waits)
				return waits, err
			})
			select {
			case err := <-taken:
				t.Fatalf("the shards were taken in the middle of a commit (%v)", err)
			default:
			}
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-taken; err != nil {
				t.Fatal(err)
			}
			_, err = first.reads.Exec(t.Context(), fence, int16(node), []int16{5}, []int64{before[5]})
			if refusalOf(err) != refusedFence {
				t.Errorf("the former owner passes the fence: %v", err)
			}
		})
	}
}

func TestLeaseEndsByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	node := join(t, first, 50*time.Millisecond)
	other := join(t, second, time.Hour)
	eventually(t, "the end of the lease", func() (bool, error) {
		c, err := second.Renew(t.Context(), other, time.Hour)
		return err == nil && len(c.Nodes) == 1, err
	})
	_, err := first.Renew(t.Context(), node, time.Hour)
	wantFenced(t, "renew", err)
	if got, err := first.Claim(t.Context(), node, map[int]int64{1: 0}); err != nil || len(got) > 0 {
		t.Errorf("a dead node claimed %v (%v)", got, err)
	}
}

func TestNumbersRunOut(t *testing.T) {
	t.Parallel()
	s := openNew(t)
	for want := range ident.MaxNode + 1 {
		if node := join(t, s, time.Hour); node != want {
			t.Fatalf("node %d joined as %d", want, node)
		}
	}
	if _, err := s.Join(t.Context(), "one too many", time.Hour); err == nil || !strings.Contains(err.Error(), "all 64 numbers are taken") {
		t.Errorf("got %v", err)
	}
	if err := s.Leave(t.Context(), 17); err != nil {
		t.Fatal(err)
	}
	if node := join(t, s, time.Hour); node != 17 {
		t.Errorf("joined as %d, want the number that is free", node)
	}
}

func TestClosingGivesLeasesUp(t *testing.T) {
	t.Parallel()
	first, second := pair(t)
	claimAll(t, first, join(t, first, time.Hour))
	other := join(t, second, time.Hour)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if epochs := claimAll(t, second, other); len(epochs) != delivery.Shards {
		t.Errorf("%d shards could be claimed", len(epochs))
	}
	if err := first.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}
