package cli_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"carillon/internal/cli"
	"carillon/internal/store/postgres/pgtest"
)

// TestMain makes the test binary play carillon when it is called by that name, so that scripts and crash tests run the
// program as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(pgtest.Main{M: m}, map[string]func(){
		"carillon": func() {
			os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
	})
}

const adminToken = "carillon_test_admin_token_0123456789abcdef"

// node is one server process.
type node struct {
	t       *testing.T
	command *exec.Cmd
	url     string
	log     *syncBuffer
	ended   chan error
}

// startNode starts `carillon serve` and waits until it listens.
func startNode(t *testing.T, dir string, flags ...string) *node {
	t.Helper()
	n := launchNode(t, dir, flags...)
	if n.url == "" {
		t.Fatalf("the server did not start:\n%s", n.log)
	}
	return n
}

// launchNode is startNode for a server that may end before it listens: its url is then empty.
func launchNode(t *testing.T, dir string, flags ...string) *node {
	t.Helper()
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", dir, "--admin-token", adminToken}, flags...)
	if !slices.Contains(flags, "--egress-allow") {
		args = append(args, "--egress-allow", "127.0.0.0/8")
	}
	n := &node{t: t, command: exec.Command("carillon", args...), log: &syncBuffer{}, ended: make(chan error, 1)}
	n.command.Stderr = n.log
	out, err := n.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.kill)
	first := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				first <- url
			}
		}
		err := n.command.Wait()
		close(first)
		n.ended <- err
	}()
	n.url = <-first
	return n
}

// kill ends the process as a crash would.
func (n *node) kill() {
	_ = n.command.Process.Kill()
	n.wait()
}

// stop ends the process softly, as people do.
func (n *node) stop() { n.end(os.Interrupt) }

// terminate ends the process softly, as supervisors do.
func (n *node) terminate() { n.end(syscall.SIGTERM) }

func (n *node) end(signal os.Signal) {
	n.t.Helper()
	if err := n.command.Process.Signal(signal); err != nil {
		n.t.Fatal(err)
	}
	n.wait()
}

// untilBalanced waits until nothing is pending and the accounts agree.
func (n *node) untilBalanced() {
	n.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		books := n.call(http.MethodGet, "/v1/accounting", nil, http.StatusOK)
		if books["balanced"] != true {
			n.t.Fatalf("the books do not balance: %v", books)
		}
		if books["pending"] == 0.0 {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("still pending: %v\n%s", books, n.log)
		}
	}
}

// wait waits for the process's end.
func (n *node) wait() {
	err := <-n.ended
	n.ended <- err
}

// call makes a request as the administrator and decodes the answer, which must have one of the statuses.
func (n *node) call(method, path string, body any, statuses ...int) map[string]any {
	n.t.Helper()
	status, answer, err := n.try(method, path, body)
	if err != nil {
		n.t.Fatalf("%s %s: %v\n%s", method, path, err, n.log)
	}
	for _, want := range statuses {
		if status == want {
			return answer
		}
	}
	n.t.Fatalf("%s %s: status %d, want %v: %v\n%s", method, path, status, statuses, answer, n.log)
	return nil
}

// try is call for requests that may fail because the server dies.
func (n *node) try(method, path string, body any) (int, map[string]any, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(raw)
	}
	request, err := http.NewRequest(method, n.url+path, reader)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err
	}
	var answer map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			return response.StatusCode, nil, fmt.Errorf("answer is not a JSON object: %s", raw)
		}
	}
	return response.StatusCode, answer, nil
}

// receiver is a real HTTP receiver that keeps a ledger of what arrived: the judge of every delivery test.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	ledger []arrival
	status int
	takes  time.Duration
	grew   chan struct{}
}

// arrival is one request that arrived.
type arrival struct {
	Path   string
	Header http.Header
	Body   []byte
}

func startReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusOK, grew: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.ledger = append(r.ledger, arrival{q.URL.Path, q.Header.Clone(), body})
		status, takes := r.status, r.takes
		r.mu.Unlock()
		select {
		case r.grew <- struct{}{}:
		default:
		}
		if takes > 0 {
			<-time.After(takes)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

// answer sets the status of later answers.
func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// take sets how long later answers take.
func (r *receiver) take(takes time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.takes = takes
}

// arrivals returns what arrived so far.
func (r *receiver) arrivals() []arrival {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]arrival(nil), r.ledger...)
}

// until waits until the ledger satisfies a condition; what it waits for must happen within the deadline.
func (r *receiver) until(t *testing.T, what string, ok func([]arrival) bool) []arrival {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for {
		if all := r.arrivals(); ok(all) {
			return all
		}
		select {
		case <-r.grew:
		case <-deadline:
			t.Fatalf("waited in vain for %s; arrived: %d", what, len(r.arrivals()))
		}
	}
}

// syncBuffer is a log that a process writes and a test reads.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write appends.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns everything written so far.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
