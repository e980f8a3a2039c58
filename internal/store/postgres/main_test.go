package postgres

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
	"carillon/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main{M: m}) }

// openAt opens a store on a database; its log goes to the test's output.
func openAt(t testing.TB, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{DSN: dsn, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// openNew opens a store on an empty database of its own.
func openNew(t testing.TB) *Store {
	t.Helper()
	return openAt(t, pgtest.Start(t).NewDatabase(t))
}

func TestStoreKeepsItsContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return openNew(t) }, storetest.Options{
		Cluster: true,
		Reopen: func(t *testing.T, s store.Store) store.Store {
			return openAt(t, s.(*Store).reads.Config().ConnString())
		},
	})
}
