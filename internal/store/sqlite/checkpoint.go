package sqlite

import (
	"log/slog"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// checkpointPages is after how many pages the log is copied into the database. A page that changed several times until
// then is copied once.
const checkpointPages = 32768

const checkpoint = "PRAGMA wal_checkpoint(PASSIVE)"

// checkpointer copies the log into the database beside the work. SQLite would do that at the end of a commit, and whoever
// waits for that commit would wait for all of it. Here a connection of its own copies what there is while others write,
// and then, between two commits, the little that they wrote meanwhile; the log begins anew with the next commit.
type checkpointer struct {
	c     *conn
	pages int32 // due after so many
	log   *slog.Logger
	due   chan struct{}
	ended chan struct{}
}

func newCheckpointer(c *conn, log *slog.Logger) *checkpointer {
	return &checkpointer{c: c, pages: checkpointPages, log: log, due: make(chan struct{}, 1), ended: make(chan struct{})}
}

// run copies whenever it is due until the store is closed.
func (k *checkpointer) run(s *Store) {
	defer close(k.ended)
	for {
		select {
		case <-k.due:
		case <-s.closed:
			return
		}
		err := k.c.do(checkpoint)
		if err == nil {
			select {
			case w := <-s.writer:
				err = w.do(checkpoint)
				s.writer <- w
			case <-s.closed:
				return
			}
		}
		if err != nil {
			// Nothing is lost: the log is complete, and the next time copies this too.
			k.log.Warn("the log could not be copied into the database", "error", err)
		}
	}
}

// wrote notes that a transaction was committed.
func (k *checkpointer) wrote(w *conn) {
	if w.written() < k.pages {
		return
	}
	w.forgetWritten()
	select {
	case k.due <- struct{}{}:
	default:
	}
}

// written is how many pages the connection has written since forgetWritten.
func (c *conn) written() int32 { return c.status(0) }

func (c *conn) forgetWritten() { c.status(1) }

func (c *conn) status(reset int32) int32 {
	if c.counters == 0 {
		c.counters = libc.Xcalloc(c.tls, 2, 4)
	}
	lib.Xsqlite3_db_status(c.tls, c.db, lib.SQLITE_DBSTATUS_CACHE_WRITE, c.counters, c.counters+4, reset)
	return **(**int32)(unsafe.Pointer(&c.counters)) // the library's memory: the collector does not move it
}
