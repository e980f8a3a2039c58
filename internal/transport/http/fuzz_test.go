package http

import (
	"bytes"
	"net"
	"net/http"
	"testing"
	"time"

	"carillon/internal/delivery"
)

// played is a connection on which the other side has said everything already.
type played struct {
	net.Conn
	said *bytes.Reader
}

func (p played) Read(b []byte) (int, error)  { return p.said.Read(b) }
func (p played) Write(b []byte) (int, error) { return len(b), nil }
func (p played) SetDeadline(time.Time) error { return nil }
func (p played) Close() error                { return nil }

// FuzzAnswer feeds arbitrary bytes as the receiver's answer: it is read within bounds, or refused.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 429 No\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.0 503 No\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\nx"))
	to, err := parseTarget("http://hooks.example/")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		c := newConn(played{said: bytes.NewReader(said)}, nil, key{})
		got, err := c.exchange(t.Context(), to, &delivery.Message{}, limits{end: time.Now().Add(time.Hour), keep: 8})
		if err != nil {
			if c.reusable {
				t.Error("a broken connection would be kept")
			}
			return
		}
		if r := got.response; len(r.Body) > 8 || r.Status < 100 || (c.reusable && r.Truncated) || got.retryAfter < 0 {
			t.Errorf("%+v, %s", r, got.retryAfter)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"1", "-1", "99999999999999999999", "Fri, 31 Dec 1999 23:59:59 GMT", "1.5", " 3 "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := retryAfter(http.Header{"Retry-After": {text}}, time.Unix(1e9, 0))
		if got < 0 || got > maxRetryAfter {
			t.Errorf("%q: %s", text, got)
		}
	})
}
