// Package sqlite keeps everything in one SQLite database in one file: the store of an installation of one process.
//
// One connection writes, a few others read beside it (write-ahead log). A commit returns after the log was synced, and
// who commits much at once gathers it first, in package committer. The file is locked for the process; all shards belong
// to node 0. What nobody searches for is packed into one column (pack.go): columns cost time on the way in.
//
// The package never decides what to deliver or when.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"carillon/internal/store"
)

// Options say where the database is.
type Options struct {
	Path string           // of the database file, which is made when it is missing; its directory must exist
	Now  func() time.Time // time.Now when nil
	Log  *slog.Logger     // slog.Default when nil

	Readers    int // connections that read for the engine, 2 when 0
	Browsers   int // connections that read history for people, 3 when 0: their lists never hold the engine up
	CacheBytes int // memory for pages of the connection that writes, 16 MiB when 0
}

// Store is an open database.
type Store struct {
	path         string
	now          func() time.Time
	lock         *lock
	leases       leases
	lanes        lanes
	writer       chan *conn // holds the connection that nobody uses
	readers      chan *conn
	browsers     chan *conn
	pools        []chan *conn // where each connection belongs, in the order in which they were opened
	checkpointer *checkpointer
	closing      sync.Once
	closed       chan struct{}
}

var _ store.Store = (*Store)(nil)

// errClosed is returned by every method after Close.
var errClosed = errors.New("the database is closed")

// Open locks the database, brings its schema up to date and opens it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Readers == 0 {
		o.Readers = 2
	}
	if o.Browsers == 0 {
		o.Browsers = 3
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	lock, err := takeLock(o.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: o.Path, now: o.Now, lock: lock, closed: make(chan struct{}),
		writer: make(chan *conn, 1), readers: make(chan *conn, o.Readers), browsers: make(chan *conn, o.Browsers),
	}
	if err := s.open(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	o.Log.InfoContext(ctx, "the database is open", "path", o.Path)
	return s, nil
}

// Path returns the path of the database file.
func (s *Store) Path() string { return s.path }

func (s *Store) open(o Options) error {
	steps, err := readMigrations(migrations)
	if err != nil {
		return err
	}
	w, err := open(o.Path, readWrite)
	if err != nil {
		return err
	}
	s.add(s.writer, w)
	if err := setUp(w, o.CacheBytes); err != nil {
		return err
	}
	if err := migrate(w, steps, o.Now()); err != nil {
		return err
	}
	opened, clean, err := countOpening(w)
	if err != nil {
		return err
	}
	s.leases.start(opened, clean)
	k, err := open(o.Path, readWrite)
	if err != nil {
		return err
	}
	if err := k.exec("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0"); err != nil {
		k.close()
		return fmt.Errorf("set up the copying connection: %w", err)
	}
	s.checkpointer = newCheckpointer(k, o.Log)
	go s.checkpointer.run(s)
	for _, pool := range []chan *conn{s.readers, s.browsers} {
		for range cap(pool) {
			r, err := open(o.Path, readOnly)
			if err != nil {
				return err
			}
			s.add(pool, r)
			if err := r.exec("PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192"); err != nil {
				return fmt.Errorf("set up a reading connection: %w", err)
			}
		}
	}
	return nil
}

// add puts a new connection where it belongs.
func (s *Store) add(pool chan *conn, c *conn) {
	s.pools = append(s.pools, pool)
	pool <- c
}

// Close waits for what is running and releases the database. Closing twice is harmless.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		if s.checkpointer != nil {
			<-s.checkpointer.ended
			s.checkpointer.c.close()
		}
		// The first one goes last: it writes, so it then copies the log into the database and removes it.
		for _, pool := range slices.Backward(s.pools) {
			(<-pool).close()
		}
		err = s.lock.release()
	})
	return err
}
