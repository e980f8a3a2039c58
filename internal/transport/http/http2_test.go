package http_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"carillon/internal/delivery"
)

// request is what a receiver saw, told in its answer.
type request struct {
	Proto  string
	From   string
	Header http.Header
	Host   string
	Length int64
	Body   string
}

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_ = json.NewEncoder(w).Encode(request{r.Proto, r.RemoteAddr, r.Header, r.Host, r.ContentLength, string(body)})
})

func echoed(t *testing.T, result delivery.Result) request {
	t.Helper()
	var seen request
	if !result.OK() {
		t.Fatalf("%+v", result)
	}
	if err := json.Unmarshal(result.Response.Body, &seen); err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	server, trust := tlsServer(t, true, echo)
	sender, _ := newTransport(t, trust)
	from := map[string]bool{}
	for range 3 {
		msg := post(server.URL + "/hook")
		msg.Add("X-OLD-Signature", "abc")
		msg.Add("X-Empty", "")
		seen := echoed(t, sender.Send(t.Context(), lane, msg))
		if seen.Proto != "HTTP/2.0" || seen.Body != `{"a":1}` || seen.Length != 7 {
			t.Errorf("%+v", seen)
		}
		if seen.Header.Get("X-Old-Signature") != "abc" || len(seen.Header) != 3 || seen.Header["X-Empty"] == nil {
			t.Errorf("header %v", seen.Header) // the third is Content-Length
		}
		from[seen.From] = true
	}
	if len(from) != 1 {
		t.Errorf("%d connections for three requests", len(from))
	}
}

func TestHTTP2PlainClient(t *testing.T) {
	t.Parallel()
	server, trust := tlsServer(t, true, echo)
	sender, _ := newTransport(t, trust)
	msg := post(server.URL)
	msg.PlainClient = true
	seen := echoed(t, sender.Send(t.Context(), lane, msg))
	if seen.Header.Get("User-Agent") != "Go-http-client/2.0" || seen.Header.Get("Accept-Encoding") != "gzip" {
		t.Errorf("header %v", seen.Header)
	}
	msg.Add("user-agent", "mine")
	seen = echoed(t, sender.Send(t.Context(), lane, msg))
	if got := seen.Header["User-Agent"]; len(got) != 1 || got[0] != "mine" {
		t.Errorf("user agent %q", got)
	}
}

// TestHTTP2AtOnce begins with several requests to a host of which nothing is known.
func TestHTTP2AtOnce(t *testing.T) {
	t.Parallel()
	server, trust := tlsServer(t, true, echo)
	sender, _ := newTransport(t, trust)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			if result := sender.Send(t.Context(), lane, post(server.URL)); !result.OK() {
				t.Errorf("%+v", result)
			}
		})
	}
	senders.Wait()
}

func TestHTTP2Failures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		check   func(*testing.T, delivery.Result)
	}{
		"no answer": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(t *testing.T, r delivery.Result) {
			if r.Class != delivery.ClassTimeout || r.Detail != "no answer within 50ms" {
				t.Errorf("%+v", r)
			}
		}},
		"stream reset": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, func(t *testing.T, r delivery.Result) {
			if r.Class != delivery.ClassClosed || r.Detail != "the request was broken off before an answer came" {
				t.Errorf("%+v", r)
			}
		}},
		"endless body": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		}, func(t *testing.T, r delivery.Result) {
			if !r.OK() || !r.Response.Truncated || len(r.Response.Body) != 16<<10 {
				t.Errorf("%+v", r)
			}
		}},
		"header too large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-A", strings.Repeat("x", 100<<10))
		}, func(t *testing.T, r delivery.Result) {
			if r.Class != delivery.ClassClosed {
				t.Errorf("%+v", r)
			}
		}},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusSeeOther) }, func(t *testing.T, r delivery.Result) {
			if r.Class != delivery.ClassAnswered || r.Status != http.StatusSeeOther {
				t.Errorf("%+v", r)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, trust := tlsServer(t, true, c.handler)
			sender, _ := newTransport(t, trust)
			msg := post(server.URL)
			if name == "no answer" {
				msg.Timeout = short
			}
			for range 2 { // by the first connection, and by what is known then
				c.check(t, sender.Send(t.Context(), lane, msg))
			}
		})
	}
}

func TestHTTP2Stopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server, trust := tlsServer(t, true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	sender, _ := newTransport(t, trust)
	if result := sender.Send(ctx, lane, post(server.URL)); result.Class != delivery.ClassStopped {
		t.Errorf("%+v", result)
	}
}

// TestHTTP2Restart has a receiver whose connections all end: the next request makes a new one.
func TestHTTP2Restart(t *testing.T) {
	t.Parallel()
	server, trust := tlsServer(t, true, echo)
	sender, _ := newTransport(t, trust)
	for range 3 {
		if result := sender.Send(t.Context(), lane, post(server.URL)); !result.OK() {
			t.Errorf("%+v", result)
		}
		server.CloseClientConnections()
	}
}

func TestTLSConnectionsAreKeptAndSessionsResumed(t *testing.T) {
	t.Parallel()
	type seen struct {
		from    string
		resumed bool
	}
	var mu sync.Mutex
	var all []seen
	server, trust := tlsServer(t, false, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, seen{r.RemoteAddr, r.TLS.DidResume})
		if r.TLS.Version != tls.VersionTLS13 || r.Proto != "HTTP/1.1" {
			t.Errorf("%x, %s", r.TLS.Version, r.Proto)
		}
	}))
	sender, _ := newTransport(t, trust)
	for range 2 {
		for range 2 {
			if result := sender.Send(t.Context(), lane, post(server.URL)); !result.OK() {
				t.Fatalf("%+v", result)
			}
		}
		_ = sender.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(all) != 4 || all[0].from != all[1].from || all[0].resumed || !all[2].resumed || all[2].from == all[1].from {
		t.Errorf("%+v", all)
	}
}
