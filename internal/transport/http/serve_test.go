package http_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/transport"
	transporthttp "carillon/internal/transport/http"
)

var lane = transport.Lane{Key: "dst-1", Concurrency: 4}

// names is a resolver for the tests' hosts.
type names map[string]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	addr, ok := n[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.0.0.53:53", IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddr(addr)}, nil
}

// newTransport returns a transport that may send to loopback, and what it logs.
func newTransport(t *testing.T, change func(*transporthttp.Options)) (*transporthttp.Transport, *logged) {
	t.Helper()
	g, err := guard.New(guard.Options{Allow: []string{"127.0.0.0/8"}, Resolver: names{
		"example.com": "127.0.0.1", "inside.example": "10.0.0.1", "bücher.example": "127.0.0.1",
		"xn--bcher-kva.example": "127.0.0.1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	o := transporthttp.Options{Guard: g, Log: slog.New(slog.NewTextHandler(log, nil))}
	if change != nil {
		change(&o)
	}
	sender := transporthttp.New(o)
	t.Cleanup(func() { _ = sender.Close() })
	return sender, log
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// rawServer accepts connections and hands each to handle, with its number from 0. It returns its address.
func rawServer(t *testing.T, handle func(n int, c net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var handlers sync.WaitGroup
	handlers.Go(func() {
		for n := 0; ; n++ {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			handlers.Go(func() {
				defer c.Close()
				handle(n, c)
			})
		}
	})
	t.Cleanup(func() { _ = listener.Close(); handlers.Wait() })
	return listener.Addr().String()
}

// readRequest reads one request from a connection, as bytes.
func readRequest(r *bufio.Reader) (raw []byte, err error) {
	length := 0
	for {
		line, err := r.ReadBytes('\n')
		raw = append(raw, line...)
		if err != nil {
			return raw, err
		}
		text := strings.ToLower(strings.TrimSpace(string(line)))
		if rest, ok := strings.CutPrefix(text, "content-length:"); ok {
			for _, digit := range strings.TrimSpace(rest) {
				length = length*10 + int(digit-'0')
			}
		}
		if text == "" {
			break
		}
	}
	body := make([]byte, length)
	n, err := io.ReadFull(r, body)
	return append(raw, body[:n]...), err
}

// answering serves connections by one fixed answer a request and keeps what was asked.
type answering struct {
	addr string

	mu       sync.Mutex
	requests [][]byte
	conns    int
}

func newAnswering(t *testing.T, reply string) *answering {
	t.Helper()
	a := &answering{}
	a.addr = rawServer(t, func(_ int, c net.Conn) {
		a.mu.Lock()
		a.conns++
		a.mu.Unlock()
		r := bufio.NewReader(c)
		for {
			raw, err := readRequest(r)
			if err != nil {
				return
			}
			a.mu.Lock()
			a.requests = append(a.requests, raw)
			a.mu.Unlock()
			if _, err := io.WriteString(c, reply); err != nil {
				return
			}
		}
	})
	return a
}

func (a *answering) seen() (requests [][]byte, conns int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests, a.conns
}

const okReply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

func post(url string) *delivery.Message {
	return &delivery.Message{URL: url, Body: []byte(`{"a":1}`), Timeout: 10 * time.Second}
}

// tlsServer serves over TLS, with HTTP/2 if asked, and returns what the transport has to trust.
func tlsServer(t *testing.T, http2 bool, handler http.Handler) (*httptest.Server, func(*transporthttp.Options)) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = http2
	if !http2 {
		server.TLS = &tls.Config{NextProtos: []string{"http/1.1"}}
	}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return server, func(o *transporthttp.Options) { o.RootCAs = roots }
}
