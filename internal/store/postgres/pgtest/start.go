package pgtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// TB is what Start needs of a *testing.T or *testing.B. It is spelled out so that programs that use Launch do not carry
// the testing package.
type TB interface {
	Helper()
	Name() string
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Cleanup(func())
}

// shared is the server of this test binary. Starting one for every test would cost a second each.
var shared struct {
	mu     sync.Mutex
	server *Server
	dir    string
	err    error
}

// databases numbers the databases of this test binary.
var databases atomic.Int64

// Start returns the server that all tests of the binary share, starting it on the first call. Main stops it; without Main
// it ends with the process. It fails the test when PostgreSQL is not installed.
func Start(t TB) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.dir, shared.server, shared.err = LaunchTemporary(context.Background())
	}
	if shared.err != nil {
		t.Fatalf("start PostgreSQL for the tests: %v", shared.err)
	}
	return shared.server
}

// StartOwn starts a server for one test alone, for tests that stop or kill it.
func StartOwn(t TB) *Server {
	t.Helper()
	dir, server, err := LaunchTemporary(context.Background())
	if err != nil {
		t.Fatalf("start PostgreSQL for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := Remove(server, dir); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return server
}

// LaunchTemporary is Launch in a new temporary directory, which it returns; Remove ends both.
func LaunchTemporary(ctx context.Context, settings ...string) (dir string, server *Server, err error) {
	dir, err = os.MkdirTemp(shortTempDir(), "carillon-pg-")
	if err != nil {
		return "", nil, err
	}
	server, err = Launch(ctx, dir, settings...)
	if err != nil {
		_ = os.RemoveAll(dir)
		return "", nil, err
	}
	return dir, server, nil
}

// shortTempDir is where temporary directories go. The path of a socket has about a hundred characters at most.
func shortTempDir() string {
	const longest = 60
	if dir := os.TempDir(); len(dir) <= longest {
		return dir
	}
	return filepath.FromSlash("/tmp")
}

// Remove stops a server and removes its directory.
func Remove(server *Server, dir string) error {
	if err := server.Stop(); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// NewDatabase makes an empty database for a test, removes it when the test ends, and returns its connection string.
func (s *Server) NewDatabase(t TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	dsn, err := s.CreateDatabase(context.Background(), name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if s.PID() == 0 {
			return
		}
		if err := s.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("%v", err)
		}
	})
	return dsn
}

// Main wraps a test binary's *testing.M so that the shared server stops when the tests have run:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main{M: m}.Run()) }
type Main struct{ M interface{ Run() int } }

// Run runs the tests and stops the shared server.
func (m Main) Run() int {
	code := m.M.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		return code
	}
	err := Remove(shared.server, shared.dir)
	shared.server = nil
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}
