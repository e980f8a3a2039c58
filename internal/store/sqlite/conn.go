package sqlite

import (
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	_ "modernc.org/sqlite" // corrects the library for some platforms when it is linked
	lib "modernc.org/sqlite/lib"
)

// conn is one connection to a database, for one goroutine at a time; interrupt alone may be called by others. It calls
// the library itself rather than through database/sql: binding and stepping without reflection, without a mutex and
// without a copy of every row takes a fifth off the cost of a commit.
type conn struct {
	tls *libc.TLS
	db  uintptr

	// idle holds prepared statements that nobody uses, by their text. The texts are constants, so there are few.
	idle map[string][]*stmt

	counters uintptr // where the library writes its counters, see status
}

// mode says what a connection may do.
type mode int32

const (
	readWrite mode = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_CREATE
	readOnly  mode = lib.SQLITE_OPEN_READONLY
)

// open connects to the database file of the path.
func open(path string, m mode) (*conn, error) {
	c := &conn{tls: libc.NewTLS(), idle: map[string][]*stmt{}}
	name, err := libc.CString(path)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, name)
	var out outParam
	rc := lib.Xsqlite3_open_v2(c.tls, name, out.init(c.tls), int32(m)|lib.SQLITE_OPEN_NOMUTEX, 0)
	c.db = out.take(c.tls)
	if rc != lib.SQLITE_OK {
		err := c.failure(rc)
		c.close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	lib.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	lib.Xsqlite3_busy_timeout(c.tls, c.db, 10_000)
	return c, nil
}

// exec runs statements without parameters and forgets their rows.
func (c *conn) exec(script string) error {
	text, err := libc.CString(script)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, text)
	if rc := lib.Xsqlite3_exec(c.tls, c.db, text, 0, 0, 0); rc != lib.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

// changes is how many rows the last statement wrote.
func (c *conn) changes() int64 { return lib.Xsqlite3_changes64(c.tls, c.db) }

// inTransaction reports whether a transaction is open; an error may have ended it.
func (c *conn) inTransaction() bool { return lib.Xsqlite3_get_autocommit(c.tls, c.db) == 0 }

// interrupt makes what the connection is doing fail soon. Any goroutine may call it.
func (c *conn) interrupt() { lib.Xsqlite3_interrupt(c.tls, c.db) }

func (c *conn) close() {
	for _, idle := range c.idle {
		for _, s := range idle {
			s.finalize()
		}
	}
	lib.Xsqlite3_close_v2(c.tls, c.db)
	libc.Xfree(c.tls, c.counters)
	c.tls.Close()
}

// failure describes the last error of the connection.
func (c *conn) failure(rc int32) error {
	e := &failure{code: rc, message: "out of memory"}
	if c.db != 0 {
		e.code = lib.Xsqlite3_extended_errcode(c.tls, c.db)
		e.message = libc.GoString(lib.Xsqlite3_errmsg(c.tls, c.db))
	}
	return e
}

// failure is an error of SQLite.
type failure struct {
	code    int32 // extended result code
	message string
}

func (e *failure) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.message, e.code) }

// isUnique reports whether err says that a unique index or a primary key has such an entry already.
func isUnique(err error) bool {
	e, ok := errors.AsType[*failure](err)
	return ok && (e.code == lib.SQLITE_CONSTRAINT_UNIQUE || e.code == lib.SQLITE_CONSTRAINT_PRIMARYKEY || e.code == lib.SQLITE_CONSTRAINT_ROWID)
}

// isInterrupted reports whether err is the effect of interrupt.
func isInterrupted(err error) bool {
	e, ok := errors.AsType[*failure](err)
	return ok && e.code&0xff == lib.SQLITE_INTERRUPT
}

// outParam is where the library writes a pointer for us.
type outParam struct{ at uintptr }

func (o *outParam) init(tls *libc.TLS) uintptr {
	o.at = libc.Xcalloc(tls, 1, types.Size_t(unsafe.Sizeof(uintptr(0))))
	return o.at
}

func (o *outParam) take(tls *libc.TLS) uintptr {
	// The address is one of the library's memory, which the garbage collector neither moves nor frees.
	value := **(**uintptr)(unsafe.Pointer(&o.at))
	libc.Xfree(tls, o.at)
	return value
}
