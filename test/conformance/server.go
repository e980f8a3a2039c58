// Package conformance starts the real program for tests that drive it with the platforms' own clients. It is a module of
// its own, so that those clients never become dependencies of the program.
package conformance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// AdminToken is the token of the installation's administrator in every server that Start starts.
const AdminToken = "conformance-admin-token-0123456789abcdef"

// Server is a running program.
type Server struct {
	URL     string // "http://127.0.0.1:port"
	CAFile  string // what a client of StartTLS must trust, "" otherwise
	Program string // the binary that runs

	client *http.Client
	log    *lockedBuffer
}

// built is where the program lies when this process built it.
var built = filepath.Join(os.TempDir(), fmt.Sprintf("carillon-conformance-%d", os.Getpid()))

// program is CARILLON_PROGRAM, or the binary that is built once per test process. Main removes it.
var program = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("CARILLON_PROGRAM"); given != "" {
		return given, nil
	}
	path := filepath.Join(built, "carillon")
	build := exec.Command("go", "build", "-o", path, "./cmd/carillon")
	build.Dir = root()
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

// Built is the directory for what tests build beside the program; Main removes it.
func Built() string { return built }

// Main runs a package's tests and removes what they built; every TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	if err := os.RemoveAll(built); err != nil {
		fmt.Fprintln(os.Stderr, "remove the built program:", err)
	}
	os.Exit(code)
}

// root is the directory of the program's module, above the tests' own.
func root() string {
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "cmd", "carillon")); missing == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	return "."
}

// Start starts the program on a free port of this machine with an empty data directory, and stops it when the test ends.
// Destinations on the loopback are allowed. More arguments are those of "carillon serve".
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := launch(t, t.TempDir(), args...)
	s.awaitToken(t)
	return s
}

// StartTLS is Start for https with a CA of the server's own, which the answer names.
func StartTLS(t testing.TB, args ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := launch(t, dir, append([]string{"--tls-self-signed"}, args...)...)
	s.CAFile = filepath.Join(dir, "ca.pem")
	authority, err := os.ReadFile(s.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(authority) {
		t.Fatalf("%s holds no certificate", s.CAFile)
	}
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}}
	t.Cleanup(s.client.CloseIdleConnections)
	s.awaitToken(t)
	return s
}

// Client returns an HTTP client that trusts the server.
func (s *Server) Client() *http.Client { return s.client }

// launch starts the program with a data directory.
func launch(t testing.TB, dir string, args ...string) *Server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--data", dir, "--egress-allow", "127.0.0.0/8", "--log-level", "debug",
	}, args...)
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "CARILLON_ADMIN_TOKEN="+AdminToken)
	s := &Server{Program: path, client: http.DefaultClient, log: &lockedBuffer{}}
	cmd.Stderr = s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, cmd, s) })
	s.URL = s.address(t, out)
	return s
}

// awaitToken waits until the administrator's token counts: a fresh installation makes it once it listens.
func (s *Server) awaitToken(t testing.TB) {
	t.Helper()
	Eventually(t, func() error {
		if got := s.Do(t, "GET", "/v1/organizations", nil); got.Status != http.StatusOK {
			return fmt.Errorf("the administrator's token gives %d", got.Status)
		}
		return nil
	})
}

// address reads the first line of the program's output, and drains the rest.
func (s *Server) address(t testing.TB, out io.Reader) string {
	t.Helper()
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(first), "listening on ")
	if err != nil || !found {
		t.Fatalf("the program did not say where it listens: %q, %v\n%s", first, err, s.log)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return url
}

// stop ends the program softly and shows its log when the test failed.
func stop(t testing.TB, cmd *exec.Cmd, s *Server) {
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop the program: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the program ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		t.Error("the program did not stop within 30 s")
	}
	if t.Failed() {
		t.Logf("log of the program:\n%s", s.log)
	}
}

// Answer is what the server answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request as the administrator. A body of type string or []byte goes out as it is, any other as JSON.
func (s *Server) Do(t testing.TB, method, path string, body any) Answer {
	t.Helper()
	return s.As(t, AdminToken, method, path, body)
}

// As is Do with a token; the empty token sends none.
func (s *Server) As(t testing.TB, token, method, path string, body any) Answer {
	t.Helper()
	var content []byte
	switch b := body.(type) {
	case nil:
	case string:
		content = []byte(b)
	case []byte:
		content = b
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.send(t, r)
}

func (s *Server) send(t testing.TB, r *http.Request) Answer {
	t.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}
}

// Want is Do that decodes the answer into v, unless v is nil, and fails the test on another status.
func (s *Server) Want(t testing.TB, status int, method, path string, body, v any) Answer {
	t.Helper()
	got := s.Do(t, method, path, body)
	if got.Status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, got.Status, status, got.Body)
	}
	if v != nil {
		if err := json.Unmarshal(got.Body, v); err != nil {
			t.Fatalf("%s %s: %v: %s", method, path, err, got.Body)
		}
	}
	return got
}

// Eventually waits until check returns nil, for what happens after an answer.
func Eventually(t testing.TB, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("it never happened: %v", err)
		case <-tick.C:
		}
	}
}

// lockedBuffer takes the program's log while tests read it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
