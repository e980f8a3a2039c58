package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("z", 40)
	for name, c := range map[string]struct {
		reply      string
		status     int
		body       string
		truncated  bool
		retryAfter time.Duration
		detail     string
		kept       bool // the connection
	}{
		"200":                     {okReply, 200, "ok", false, 0, "", true},
		"204":                     {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", false, 0, "", true},
		"202, empty":              {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, "", false, 0, "", true},
		"a redirect":              {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, "", false, 0, "", true},
		"a permanent redirect":    {"HTTP/1.1 308 Permanent Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 308, "", false, 0, "", true},
		"410":                     {"HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone", 410, "gone", false, 0, "", true},
		"seconds to wait":         {"HTTP/1.1 429 Too Many\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 429, "", false, 2 * time.Minute, "", true},
		"an absurd wait":          {"HTTP/1.1 503 No\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n", 503, "", false, 365 * 24 * time.Hour, "", true},
		"a date in the past":      {"HTTP/1.1 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n", 503, "", false, 0, "", true},
		"a wait that is none":     {"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, "", false, 0, "", true},
		"a negative wait":         {"HTTP/1.1 503 No\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", 503, "", false, 0, "", true},
		"a wait after success":    {"HTTP/1.1 200 OK\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", 200, "", false, 0, "", true},
		"chunks":                  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: trailer\r\n\r\n", 200, "abcde", false, 0, "", true},
		"interim answers":         {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + okReply, 200, "ok", false, 0, "", true},
		"switching protocols":     {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 101, "", false, 0, "", false},
		"compressed, as it came":  {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bx", 200, "\x1f\x8bx", false, 0, "", true},
		"HTTP/1.0":                {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, 0, "", false},
		"a connection to close":   {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, 0, "", false},
		"exactly what is kept":    {"HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n" + long[:32], 200, long[:32], false, 0, "", true},
		"longer than is kept":     {"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + long, 200, long[:32], true, 0, "the answer's body is longer than what is kept", false},
		"longer, in chunks":       {"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n" + long + "\r\n0\r\n\r\n", 500, long[:32], true, 0, "the answer's body is longer than what is kept", false},
		"more than was asked for": {okReply + "HTTP/1.1 200 OK\r\n", 200, "ok", false, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newAnswering(t, c.reply)
			sender, _ := newTransport(t, nil)
			msg := post("http://" + server.addr)
			msg.KeepBody = 32
			var result delivery.Result
			for range 2 {
				result = sender.Send(t.Context(), lane, msg)
				if result.Class != delivery.ClassAnswered || result.Status != c.status || result.Detail != c.detail {
					t.Fatalf("%+v", result)
				}
			}
			got := result.Response
			if string(got.Body) != c.body || got.Truncated != c.truncated || got.Status != c.status {
				t.Errorf("%+v", got)
			}
			if result.RetryAfter != c.retryAfter {
				t.Errorf("RetryAfter = %s, want %s", result.RetryAfter, c.retryAfter)
			}
			if result.StartedAt.IsZero() || result.StartedAt.Location() != time.UTC || result.Duration <= 0 {
				t.Errorf("started %s, took %s", result.StartedAt, result.Duration)
			}
			want := 2
			if c.kept {
				want = 1
			}
			if _, conns := server.seen(); conns != want {
				t.Errorf("%d connections for two requests, want %d", conns, want)
			}
		})
	}
}

func TestAnswerHeader(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, "HTTP/1.1 200 OK\r\nx-request-id: 7\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n")
	sender, _ := newTransport(t, nil)
	got := sender.Send(t.Context(), lane, post("http://"+server.addr)).Response
	if got == nil || len(got.Header["Set-Cookie"]) != 2 || got.Header["X-Request-Id"][0] != "7" {
		t.Errorf("%+v", got)
	}
}

func TestRetryAfterDate(t *testing.T) {
	t.Parallel()
	date := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	server := newAnswering(t, "HTTP/1.1 503 No\r\nRetry-After: "+date+"\r\nContent-Length: 0\r\n\r\n")
	sender, _ := newTransport(t, nil)
	got := sender.Send(t.Context(), lane, post("http://"+server.addr)).RetryAfter
	if got <= 50*time.Minute || got > time.Hour {
		t.Errorf("RetryAfter = %s", got)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
	sender, _ := newTransport(t, nil)
	msg := &delivery.Message{Method: "HEAD", URL: "http://" + server.addr}
	for range 2 {
		if result := sender.Send(t.Context(), lane, msg); !result.OK() || len(result.Response.Body) != 0 || result.Response.Truncated {
			t.Errorf("%+v", result)
		}
	}
	if _, conns := server.seen(); conns != 1 {
		t.Errorf("%d connections", conns)
	}
}

// TestStaleConnection has the receiver close a kept connection in the three ways it can do so; each time the request
// arrives over a new one, and is sent no more often than needed.
func TestStaleConnection(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*net.TCPConn, *bufio.Reader){
		"closed while unused":          func(*net.TCPConn, *bufio.Reader) {},
		"reset while unused":           func(c *net.TCPConn, _ *bufio.Reader) { _ = c.SetLinger(0) },
		"closed when the request came": func(_ *net.TCPConn, r *bufio.Reader) { _, _ = readRequest(r) },
		"reset when the request came":  func(c *net.TCPConn, r *bufio.Reader) { _, _ = readRequest(r); _ = c.SetLinger(0) },
		"spoke out of turn":            func(c *net.TCPConn, _ *bufio.Reader) { _, _ = io.WriteString(c, "HTTP/1.1 408 Timeout\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{})
			addr := rawServer(t, func(n int, c net.Conn) {
				r := bufio.NewReader(c)
				if _, err := readRequest(r); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(c, okReply)
				if n == 0 {
					if !strings.Contains(name, "came") {
						defer close(ended)
					}
					end(c.(*net.TCPConn), r)
					_ = c.Close()
				}
			})
			sender, _ := newTransport(t, nil)
			if result := sender.Send(t.Context(), lane, post("http://"+addr)); !result.OK() {
				t.Fatalf("%+v", result)
			}
			if !strings.Contains(name, "came") {
				<-ended
			}
			if result := sender.Send(t.Context(), lane, post("http://"+addr)); !result.OK() {
				t.Errorf("%+v", result)
			}
		})
	}
}

// TestFreshConnectionIsNotRepeated: only a kept connection can be stale.
func TestFreshConnectionIsNotRepeated(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := 0
	addr := rawServer(t, func(_ int, c net.Conn) {
		_, _ = readRequest(bufio.NewReader(c))
		mu.Lock()
		asked++
		mu.Unlock()
	})
	sender, _ := newTransport(t, nil)
	if result := sender.Send(t.Context(), lane, post("http://"+addr)); result.Class != delivery.ClassClosed {
		t.Errorf("%+v", result)
	}
	mu.Lock()
	defer mu.Unlock()
	if asked != 1 {
		t.Errorf("the request was sent %d times", asked)
	}
}

// TestAnswerBeforeTheRequestIsRead is a receiver that refuses a large body by its head and closes.
func TestAnswerBeforeTheRequestIsRead(t *testing.T) {
	t.Parallel()
	addr := rawServer(t, func(_ int, c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
	})
	sender, _ := newTransport(t, nil)
	msg := post("http://" + addr)
	msg.Body = make([]byte, 1<<20)
	if result := sender.Send(t.Context(), lane, msg); result.Status != 413 {
		t.Errorf("%+v", result)
	}
}

// TestManyAtOnce has as many connections as requests in flight, and keeps no more than it may.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const n = 20
	var gate sync.WaitGroup
	gate.Add(n)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gate" {
			gate.Done()
			gate.Wait()
		}
		_, _ = fmt.Fprint(w, r.RemoteAddr)
	})}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	sender, _ := newTransport(t, nil)
	var mu sync.Mutex
	first, second := map[string]bool{}, map[string]bool{}
	send := func(path string, into map[string]bool) {
		result := sender.Send(t.Context(), lane, post("http://"+listener.Addr().String()+path))
		mu.Lock()
		defer mu.Unlock()
		if !result.OK() {
			t.Errorf("%+v", result)
			return
		}
		into[string(result.Response.Body)] = true
	}
	var senders sync.WaitGroup
	for range n {
		senders.Go(func() { send("/gate", first) })
	}
	senders.Wait()
	for range n {
		send("/", second)
	}
	if len(first) != n {
		t.Errorf("%d connections for %d requests at once", len(first), n)
	}
	if len(second) != 1 {
		t.Errorf("%d connections for requests one after another", len(second))
	}
	for addr := range second {
		if !first[addr] {
			t.Error("a kept connection was not used")
		}
	}
}
