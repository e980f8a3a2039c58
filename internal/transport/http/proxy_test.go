package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	transporthttp "carillon/internal/transport/http"
)

// proxy is a small egress proxy: it answers plain requests itself and connects CONNECT requests to one address.
type proxy struct {
	addr string

	mu    sync.Mutex
	lines []string
}

func newProxy(t *testing.T, answer, tunnelTo string) *proxy {
	t.Helper()
	p := &proxy{}
	p.addr = rawServer(t, func(_ int, c net.Conn) {
		r := bufio.NewReader(c)
		raw, err := readRequest(r)
		if err != nil {
			return
		}
		line, _, _ := strings.Cut(string(raw), "\r\n")
		p.mu.Lock()
		p.lines = append(p.lines, line)
		p.mu.Unlock()
		if !strings.HasPrefix(line, "CONNECT ") || tunnelTo == "" {
			_, _ = io.WriteString(c, answer)
			return
		}
		to, err := net.Dial("tcp", tunnelTo)
		if err != nil {
			t.Error(err)
			return
		}
		defer to.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 Connected\r\n\r\n")
		done := make(chan struct{})
		go func() { defer close(done); _, _ = io.Copy(to, r); _ = to.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(c, to)
		_ = c.Close()
		<-done
	})
	return p
}

func (p *proxy) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lines
}

// through makes a transport use the proxy; its guard allows nothing, because the proxy takes its place.
func through(t *testing.T, addr string) func(*transporthttp.Options) {
	g, err := guard.New(guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *transporthttp.Options) { o.Guard, o.Proxy = g, &url.URL{Scheme: "http", Host: addr} }
}

func TestPlainRequestThroughProxy(t *testing.T) {
	t.Parallel()
	p := newProxy(t, okReply, "")
	sender, _ := newTransport(t, through(t, p.addr))
	result := sender.Send(t.Context(), lane, post("http://hooks.example/a?b"))
	if !result.OK() || string(result.Response.Body) != "ok" {
		t.Errorf("%+v", result)
	}
	if got := p.asked(); len(got) != 1 || got[0] != "POST http://hooks.example/a?b HTTP/1.1" {
		t.Errorf("asked %q", got)
	}
}

func TestTunnelThroughProxy(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		server, trust := tlsServer(t, http2, echo)
		p := newProxy(t, "", server.Listener.Addr().String())
		sender, _ := newTransport(t, func(o *transporthttp.Options) { through(t, p.addr)(o); trust(o) })
		seen := echoed(t, sender.Send(t.Context(), lane, post("https://example.com/hook")))
		if want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[http2]; seen.Proto != want || seen.Host != "example.com" {
			t.Errorf("%+v", seen)
		}
		if got := p.asked(); len(got) != 1 || got[0] != "CONNECT example.com:443 HTTP/1.1" {
			t.Errorf("asked %q", got)
		}
	}
}

func TestFaultsOfTheProxyAreItsOwn(t *testing.T) {
	t.Parallel()
	status := func(code int) string { return fmt.Sprintf("HTTP/1.1 %d Hm\r\nContent-Length: 2\r\n\r\nhm", code) }
	untrusted, _ := tlsServer(t, false, echo)
	for name, c := range map[string]struct {
		proxy  string
		url    string
		class  delivery.Class
		status int
		detail string
	}{
		"refused":                     {freePort(t), "http://hooks.example/", delivery.ClassProxy, 0, "the egress proxy can not be reached"},
		"refused, tunnel":             {freePort(t), "https://hooks.example/", delivery.ClassProxy, 0, "the egress proxy can not be reached"},
		"credentials":                 {newProxy(t, status(407), "").addr, "http://hooks.example/", delivery.ClassProxy, 0, "the egress proxy answered 407"},
		"credentials, tunnel":         {newProxy(t, status(407), "").addr, "https://hooks.example/", delivery.ClassProxy, 0, "the egress proxy answered 407"},
		"bad gateway":                 {newProxy(t, status(502), "").addr, "http://hooks.example/", delivery.ClassProxy, 0, "the egress proxy answered 502"},
		"bad gateway, tunnel":         {newProxy(t, status(502), "").addr, "https://hooks.example/", delivery.ClassProxy, 0, "the egress proxy answered 502"},
		"the receiver's own status":   {newProxy(t, status(503), "").addr, "http://hooks.example/", delivery.ClassAnswered, 503, ""},
		"the receiver's TLS":          {newProxy(t, "", untrusted.Listener.Addr().String()).addr, "https://example.com/", delivery.ClassTLS, 0, "the TLS handshake failed: the certificate is signed by an unknown authority"},
		"a literal forbidden address": {newProxy(t, okReply, "").addr, "http://169.254.169.254/", delivery.ClassForbidden, 0, "the address is not allowed as a destination"},
		"a URL that can not be used":  {newProxy(t, okReply, "").addr, "http://127.1/", delivery.ClassConfig, 0, "The host of the URL is not a valid name: an IPv4 address is written as four decimal numbers, such as 192.0.2.7."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, _ := newTransport(t, through(t, c.proxy))
			result := sender.Send(t.Context(), lane, post(c.url))
			if result.Class != c.class || result.Status != c.status || result.Detail != c.detail {
				t.Errorf("%+v", result)
			}
		})
	}
}

// TestEnvironmentIsNotAsked: a proxy named by the environment is not used.
func TestEnvironmentIsNotAsked(t *testing.T) {
	p := newProxy(t, okReply, "")
	for _, name := range []string{"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://"+p.addr)
	}
	server := newAnswering(t, okReply)
	sender, _ := newTransport(t, nil)
	if result := sender.Send(t.Context(), lane, post("http://example.com"+server.addr[len("127.0.0.1"):])); !result.OK() {
		t.Errorf("%+v", result)
	}
	secured, trust := tlsServer(t, true, http.NotFoundHandler())
	sender, _ = newTransport(t, trust)
	if result := sender.Send(t.Context(), lane, post(secured.URL)); result.Status != 404 {
		t.Errorf("%+v", result)
	}
	if got := p.asked(); len(got) != 0 {
		t.Errorf("the proxy was asked %q", got)
	}
}
