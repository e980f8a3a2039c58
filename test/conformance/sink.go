package conformance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Request is one request that a sink received, as it came over the wire.
type Request struct {
	Line   string   // "POST /hook HTTP/1.1"
	Header []string // lines, spelled as sent
	Body   []byte
}

// Value returns the first value of a header and whether it is there, for a name spelled exactly so.
func (r Request) Value(name string) (string, bool) {
	for _, line := range r.Header {
		if value, found := strings.CutPrefix(line, name+":"); found {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// Sink is a receiver on this machine. It reads HTTP by hand, because Go's server would change the spelling of headers.
type Sink struct {
	URL string // with a path

	mu       sync.Mutex
	requests []Request
	status   int
	answer   string
}

// NewSink starts a sink that answers 200 with "ok" until Answer says otherwise.
func NewSink(t testing.TB) *Sink {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Sink{URL: "http://" + listener.Addr().String() + "/hook", status: http.StatusOK, answer: "ok"}
	var open sync.WaitGroup
	var conns sync.Map
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Store(conn, true)
			open.Go(func() {
				defer conns.Delete(conn)
				s.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		conns.Range(func(conn, _ any) bool {
			_ = conn.(net.Conn).Close()
			return true
		})
		open.Wait()
	})
	return s
}

// Answer sets what the sink answers from now on.
func (s *Sink) Answer(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.answer = status, body
}

// Requests returns what was received so far.
func (s *Sink) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Wait returns the first n requests once they are there.
func (s *Sink) Wait(t testing.TB, n int) []Request {
	t.Helper()
	Eventually(t, func() error {
		if got := len(s.Requests()); got < n {
			return fmt.Errorf("%d of %d requests arrived", got, n)
		}
		return nil
	})
	return s.Requests()
}

func (s *Sink) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		request, err := readRequest(in)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, request)
		status, answer := s.status, s.answer
		s.mu.Unlock()
		_, err = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nX-Sink: a\r\nX-Sink: b\r\nContent-Length: %d\r\n\r\n%s",
			status, http.StatusText(status), len(answer), answer)
		if err != nil {
			return
		}
	}
}

func readRequest(in *bufio.Reader) (Request, error) {
	var r Request
	length := 0
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return r, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case r.Line == "":
			r.Line = line
		case line == "":
			r.Body = make([]byte, length)
			_, err := io.ReadFull(in, r.Body)
			return r, err
		default:
			r.Header = append(r.Header, line)
			if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "Content-Length") {
				if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
					return r, err
				}
			}
		}
	}
}
