package sqlite

import (
	"fmt"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// stmt is a prepared statement in use. Its parameters are bound one after the other, then it is stepped. A statement
// that is done goes back to its connection.
type stmt struct {
	c      *conn
	source string
	handle uintptr
	wants  int32 // parameters
	bound  int32
	rc     int32 // first error of binding
	arena  arena // of the texts and blobs that are bound
}

// prepare returns a statement of the text, prepared earlier or now. The caller ends it with done.
func (c *conn) prepare(text string) (*stmt, error) {
	if idle := c.idle[text]; len(idle) > 0 {
		s := idle[len(idle)-1]
		c.idle[text] = idle[:len(idle)-1]
		return s, nil
	}
	source, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, source)
	var out outParam
	rc := lib.Xsqlite3_prepare_v3(c.tls, c.db, source, -1, lib.SQLITE_PREPARE_PERSISTENT, out.init(c.tls), 0)
	handle := out.take(c.tls)
	if rc != lib.SQLITE_OK {
		return nil, fmt.Errorf("prepare %q: %w", text, c.failure(rc))
	}
	return &stmt{c: c, source: text, handle: handle, wants: lib.Xsqlite3_bind_parameter_count(c.tls, handle)}, nil
}

// int binds the next parameter.
func (s *stmt) int(v int64) *stmt {
	s.bound++
	s.check(lib.Xsqlite3_bind_int64(s.c.tls, s.handle, s.bound, v))
	return s
}

// some binds the next parameter, zero as NULL.
func (s *stmt) some(v int64) *stmt {
	if v == 0 {
		return s.null()
	}
	return s.int(v)
}

func (s *stmt) null() *stmt {
	s.bound++
	s.check(lib.Xsqlite3_bind_null(s.c.tls, s.handle, s.bound))
	return s
}

// string binds the next parameter.
func (s *stmt) string(v string) *stmt {
	s.bound++
	piece, at := s.arena.put(s.c.tls, len(v)+1) // one more: an empty text needs an address too
	copy(piece, v)
	s.check(lib.Xsqlite3_bind_text(s.c.tls, s.handle, s.bound, at, int32(len(v)), 0))
	return s
}

// text binds the next parameter, "" as NULL.
func (s *stmt) text(v string) *stmt {
	if v == "" {
		return s.null()
	}
	return s.string(v)
}

func (s *stmt) bytes(v []byte) *stmt {
	s.bound++
	piece, at := s.arena.put(s.c.tls, len(v)+1)
	copy(piece, v)
	s.check(lib.Xsqlite3_bind_blob(s.c.tls, s.handle, s.bound, at, int32(len(v)), 0))
	return s
}

func (s *stmt) check(rc int32) {
	if s.rc == lib.SQLITE_OK {
		s.rc = rc
	}
}

// step runs to the next row; false means that there is none.
func (s *stmt) step() (bool, error) {
	if s.bound != s.wants {
		return false, fmt.Errorf("%d of %d parameters are bound: %s", s.bound, s.wants, s.source)
	}
	if s.rc != lib.SQLITE_OK {
		return false, s.c.failure(s.rc)
	}
	switch rc := lib.Xsqlite3_step(s.c.tls, s.handle); rc {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		return false, s.c.failure(rc)
	}
}

// run steps to the end and makes the statement ready to be bound again.
func (s *stmt) run() error {
	for {
		more, err := s.step()
		if more {
			continue
		}
		s.reset()
		return err
	}
}

// reset makes the statement ready to be bound again.
func (s *stmt) reset() {
	lib.Xsqlite3_reset(s.c.tls, s.handle)
	s.arena.reset(s.c.tls)
	s.bound, s.rc = 0, lib.SQLITE_OK
}

func (s *stmt) finalize() {
	lib.Xsqlite3_finalize(s.c.tls, s.handle)
	s.arena.free(s.c.tls)
}

// done gives the statement back to its connection.
func (s *stmt) done() {
	s.reset()
	s.c.idle[s.source] = append(s.c.idle[s.source], s)
}

func (s *stmt) colInt(i int32) int64 { return lib.Xsqlite3_column_int64(s.c.tls, s.handle, i) }

func (s *stmt) colText(i int32) string { return string(s.raw(i)) }

// colBytes returns a copy of a blob.
func (s *stmt) colBytes(i int32) []byte { return append([]byte(nil), s.raw(i)...) }

// raw is a text or blob where it lies, until the next step.
func (s *stmt) raw(i int32) []byte {
	at := lib.Xsqlite3_column_blob(s.c.tls, s.handle, i)
	if at == 0 {
		return nil
	}
	return libc.GoBytes(at, int(lib.Xsqlite3_column_bytes(s.c.tls, s.handle, i)))
}
