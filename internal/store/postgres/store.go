// Package postgres keeps everything in a PostgreSQL database that any number of nodes share.
//
// It implements package store with SQL text of its own. Commit is one round trip: statements that take arrays, sent
// together as one implicit transaction. Leases, fencing and hints let several nodes work on one database; the
// database's clock is the only one that they trust. The package knows nothing of order, policies or matching, starts
// no goroutine beside its connection pools, and acknowledges nothing that a crash of the server could take back.
package postgres

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"carillon/internal/store"
)

// Options say which database to open and how.
type Options struct {
	// DSN is a connection string of PostgreSQL, as a URL or as key=value words. With several hosts the one that accepts
	// writes is used.
	DSN string

	// Writers is how many transactions of Commit may run at a time; 0 means 2. More do not help: each takes in whatever
	// gathered while the others waited for the disk.
	Writers int

	// Now is the clock by which partitions are made ahead; nil is the system's.
	Now func() time.Time

	// Log hears of what mended itself: lost connections and the like; nil is silence.
	Log *slog.Logger
}

const (
	defaultWriters = 2

	// readers bounds the connections for the engine's reads and for records, listers those for people's lists. Leases and
	// hints have a connection each beside them.
	readers = 6
	listers = 4

	closeTimeout = 5 * time.Second
)

// Store is one node's access to the database.
type Store struct {
	now      func() time.Time
	log      *slog.Logger
	instance string // tells this store's own hints from others'

	writes *pgxpool.Pool // hot statements alone
	reads  *pgxpool.Pool // the engine's reads, records, and making room
	lists  *pgxpool.Pool // people's reads: slow ones hold nobody else up
	leases *pgxpool.Pool // a renewal never waits behind a scan
	listen *pgx.ConnConfig

	slots   chan *writer // one for each connection of writes
	members members
}

var _ store.Store = (*Store)(nil)

// Open connects to the database, brings its tables up to date and checks that it keeps what it acknowledges.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Writers <= 0 {
		o.Writers = defaultWriters
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var instance [6]byte
	_, _ = rand.Read(instance[:]) // never fails
	s := &Store{now: o.Now, log: o.Log, instance: hex.EncodeToString(instance[:]), slots: make(chan *writer, o.Writers)}
	for slot := range o.Writers {
		s.slots <- &writer{slot: slot}
	}
	if err := s.open(ctx, o); err != nil {
		s.closePools()
		return nil, fmt.Errorf("open the PostgreSQL store: %w", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	if err := migrate(ctx, o.DSN, migrations, s.log); err != nil {
		return err
	}
	var err error
	if s.reads, err = newPool(ctx, o.DSN, readers, setupReader); err != nil {
		return err
	}
	if s.lists, err = newPool(ctx, o.DSN, listers, setupLister); err != nil {
		return err
	}
	if s.leases, err = newPool(ctx, o.DSN, 1, setupReader); err != nil {
		return err
	}
	if s.writes, err = newPool(ctx, o.DSN, o.Writers, setupWriter); err != nil {
		return err
	}
	config, err := configure(o.DSN)
	if err != nil {
		return err
	}
	s.listen = config.ConnConfig
	return s.makeAhead(ctx)
}

// Close waits for what is running, gives up leases that the store still holds, so that nobody waits for their end, and
// closes the connections.
func (s *Store) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, node := range s.members.all() {
		if err := s.vacate(ctx, node); err != nil {
			s.log.WarnContext(ctx, "could not give up a lease: it ends by itself", "error", err)
		}
	}
	s.closePools()
	return nil
}

func (s *Store) closePools() {
	var group sync.WaitGroup
	for _, pool := range s.pools() {
		if pool != nil {
			group.Go(pool.Close)
		}
	}
	group.Wait()
}

func (s *Store) pools() []*pgxpool.Pool { return []*pgxpool.Pool{s.writes, s.reads, s.lists, s.leases} }

// one returns the single item of a list, or ErrNotFound.
func one[T any](items []T, err error) (T, error) {
	if err == nil && len(items) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return items[0], nil
}

// wrap says what we were doing when err happened. What callers test for with errors.Is stays in the chain.
func wrap(doing string, err error) error {
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
