package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

func memory(t *testing.T) *conn {
	t.Helper()
	c, err := open(":memory:", readWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	return c
}

// TestBindingsOfSeveralStatementsAtOnce has two statements in use whose values must not get into each other's way, and
// values of every size.
func TestBindingsOfSeveralStatementsAtOnce(t *testing.T) {
	t.Parallel()
	c := memory(t)
	const text = "SELECT ?, ?, ? UNION ALL SELECT ?, ?, ?"
	for _, size := range []int{0, 1, 100, 5_000, 100_000, 3_000_000, 10} {
		long, blob := strings.Repeat("x", size), bytes.Repeat([]byte{0, 255}, size)
		outer, err := c.prepare(text)
		if err != nil {
			t.Fatal(err)
		}
		outer.string(long).bytes(blob).int(int64(size)).string("ü" + long).bytes(nil).null()
		for row := range 2 {
			if more, err := outer.step(); !more || err != nil {
				t.Fatalf("row %d: %v %v", row, more, err)
			}
			inner := fmt.Sprint(size, row)
			found, err := c.one(text, func(s *stmt) { s.string(inner).bytes(blob).some(0).text("").some(7).null() }, func(s *stmt) error {
				if s.colText(0) != inner || !bytes.Equal(s.colBytes(1), blob) {
					return errors.New("the inner values are not what was bound")
				}
				return nil
			})
			if !found || err != nil {
				t.Fatal(err)
			}
			want := []string{long, "ü" + long}[row]
			if outer.colText(0) != want || (row == 0 && !bytes.Equal(outer.colBytes(1), blob)) {
				t.Fatalf("size %d, row %d: the outer values are not what was bound", size, row)
			}
		}
		outer.done()
	}
}

func TestEveryParameterMustBeBound(t *testing.T) {
	t.Parallel()
	c := memory(t)
	for _, bind := range []func(*stmt){nil, func(s *stmt) { s.int(1) }, func(s *stmt) { s.int(1).int(2).int(3) }} {
		if _, err := c.one("SELECT ?, ?", bind, nil); err == nil {
			t.Error("a statement ran with parameters that nobody bound")
		}
	}
	if _, err := c.one("SELECT ?, ?", func(s *stmt) { s.int(1).int(2) }, nil); err != nil {
		t.Error(err)
	}
	if _, err := c.one("SELEC", nil, nil); err == nil || !strings.Contains(err.Error(), "syntax error") {
		t.Errorf("error %v", err)
	}
}

func TestAFailedTransactionLeavesNothing(t *testing.T) {
	t.Parallel()
	c := memory(t)
	if err := c.exec("CREATE TABLE t (x UNIQUE)"); err != nil {
		t.Fatal(err)
	}
	err := c.transact(func() error { return c.exec("INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)") })
	if !isUnique(err) {
		t.Fatalf("error %v, want one about uniqueness", err)
	}
	err = c.transact(func() error {
		if n := 0; c.each("SELECT * FROM t", nil, func(*stmt) (bool, error) { n++; return true, nil }) != nil || n > 0 {
			return errors.New("something is left")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAReaderCanBeStopped stops a query that would run for minutes, and uses its connection again.
func TestAReaderCanBeStopped(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db"), Readers: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT count(*) FROM n"
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.view(ctx, func(c *conn) error {
			cancel()
			_, err := c.one(endless, nil, nil)
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want that of the context", err)
		}
		if _, err := s.Books(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	held := make(chan struct{})
	go func() { _ = s.view(t.Context(), func(*conn) error { held <- struct{}{}; <-held; return nil }) }()
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Books(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v while every connection is in use", err)
	}
	held <- struct{}{}
}
