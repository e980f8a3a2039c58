package http_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	transporthttp "carillon/internal/transport/http"
)

// short is the limit of attempts that are meant to run into it.
const short = 50 * time.Millisecond

// freePort returns an address that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// endless writes until the other side is gone.
func endless(c net.Conn, text string) {
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}

// replying reads the request and hands over.
func replying(then func(net.Conn)) func(int, net.Conn) {
	return func(_ int, c net.Conn) {
		if _, err := readRequest(bufio.NewReader(c)); err == nil {
			then(c)
		}
	}
}

// wait blocks until the other side closes.
func wait(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve  func(n int, c net.Conn)
		class  delivery.Class
		detail string
	}{
		"no answer at all": {replying(wait), delivery.ClassTimeout, "no answer within 50ms"},
		"nothing is read":  {func(_ int, c net.Conn) { wait(c) }, delivery.ClassTimeout, "no answer within 50ms"},
		"half a head": {replying(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: ")
			wait(c)
		}), delivery.ClassTimeout, "no answer within 50ms"},
		"a head that drips without end": {replying(func(c net.Conn) {
			for {
				if _, err := io.WriteString(c, "H"); err != nil {
					return
				}
				if _, err := c.Read(make([]byte, 1)); err != nil {
					return
				}
			}
		}), delivery.ClassTimeout, "no answer within 50ms"},
		"closed": {replying(func(net.Conn) {}), delivery.ClassClosed, "the connection was closed before an answer came"},
		"closed at once": {func(_ int, c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
			delivery.ClassClosed, "the connection was closed before an answer came"},
		"reset": {replying(func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }),
			delivery.ClassClosed, "the connection was closed before an answer came"},
		"closed inside the head": {replying(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-A: b\r\n") }),
			delivery.ClassClosed, "the connection was closed before an answer came"},
		"not HTTP": {replying(func(c net.Conn) { _, _ = io.WriteString(c, "220 mail.example ESMTP\r\n\r\n") }),
			delivery.ClassClosed, "the answer is not valid HTTP"},
		"no status": {replying(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 abc Hm\r\n\r\n") }),
			delivery.ClassClosed, "the answer is not valid HTTP"},
		"a wrong length": {replying(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n") }),
			delivery.ClassClosed, "the answer is not valid HTTP"},
		"a header without end": {replying(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			endless(c, "X-A: "+strings.Repeat("b", 1000)+"\r\n")
		}), delivery.ClassClosed, "the answer's header is larger than 64 KiB"},
		"a header line without end": {replying(func(c net.Conn) { endless(c, strings.Repeat("b", 1000)) }),
			delivery.ClassClosed, "the answer's header is larger than 64 KiB"},
		"interim answers without end": {replying(func(c net.Conn) { endless(c, "HTTP/1.1 100 Continue\r\n\r\n") }),
			delivery.ClassClosed, "the answer's header is larger than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, log := newTransport(t, nil)
			msg := post("http://" + rawServer(t, c.serve) + "/s3cret-path")
			if c.class == delivery.ClassTimeout {
				msg.Timeout = short
			}
			result := sender.Send(t.Context(), lane, msg)
			if result.Class != c.class || result.Detail != c.detail {
				t.Errorf("%s: %q, want %s: %q", result.Class, result.Detail, c.class, c.detail)
			}
			if result.Status != 0 || result.Response != nil || result.OK() || result.StartedAt.IsZero() {
				t.Errorf("%+v", result)
			}
			if text := log.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "class="+string(c.class)) {
				t.Errorf("log: %s", text)
			}
		})
	}
}

// TestBodiesThatDoNotEnd: the status counts; what was read is kept.
func TestBodiesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reply  string
		then   func(net.Conn)
		detail string
		body   string
	}{
		"endless":              {"HTTP/1.1 200 OK\r\n\r\n", func(c net.Conn) { endless(c, "0123456789") }, "the answer's body is longer than what is kept", "01234567"},
		"endless chunks":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", func(c net.Conn) { endless(c, "4\r\nabcd\r\n") }, "the answer's body is longer than what is kept", "abcdabcd"},
		"a length never kept":  {"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", func(c net.Conn) { endless(c, "0123456789") }, "the answer's body is longer than what is kept", "01234567"},
		"hanging":              {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", wait, "the answer's body did not end in time", "abc"},
		"hanging, no length":   {"HTTP/1.1 200 OK\r\n\r\nabc", wait, "the answer's body did not end in time", "abc"},
		"closed too early":     {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", func(net.Conn) {}, "the connection broke inside the answer's body", "abc"},
		"chunks that are none": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", func(net.Conn) {}, "the connection broke inside the answer's body", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, _ := newTransport(t, nil)
			msg := post("http://" + rawServer(t, replying(func(conn net.Conn) {
				_, _ = io.WriteString(conn, c.reply)
				c.then(conn)
			})))
			msg.KeepBody = 8
			if strings.HasPrefix(name, "hanging") {
				msg.Timeout = short
			}
			result := sender.Send(t.Context(), lane, msg)
			if !result.OK() || result.Detail != c.detail || !result.Response.Truncated || string(result.Response.Body) != c.body {
				t.Errorf("%+v %+v", result, result.Response)
			}
		})
	}
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':'):] }
	free := freePort(t)
	for name, c := range map[string]struct {
		url    string
		class  delivery.Class
		detail string
	}{
		"refused":                 {"http://" + free + "/", delivery.ClassRefused, "the connection was refused"},
		"refused by name":         {"https://example.com" + port(free) + "/", delivery.ClassRefused, "the connection was refused"},
		"no such host":            {"https://nowhere.example/", delivery.ClassDNS, "the host name has no address"},
		"forbidden address":       {"http://10.0.0.1/", delivery.ClassForbidden, "the address is not allowed as a destination"},
		"forbidden by its answer": {"http://inside.example/", delivery.ClassForbidden, "the address is not allowed as a destination"},
		"forbidden metadata":      {"http://169.254.169.254/latest", delivery.ClassForbidden, "the address is not allowed as a destination"},
		"forbidden port":          {"http://127.0.0.1:6379/", delivery.ClassForbidden, "the address is not allowed as a destination"},
	} {
		sender, log := newTransport(t, nil)
		result := sender.Send(t.Context(), lane, post(c.url))
		if result.Class != c.class || result.Detail != c.detail {
			t.Errorf("%s: %s: %q", name, result.Class, result.Detail)
		}
		if strings.Contains(result.Detail, "10.0.0") {
			t.Errorf("%s: an internal address is shown: %q", name, result.Detail)
		}
		if name == "forbidden by its answer" && !strings.Contains(log.String(), "10.0.0.1:80") {
			t.Errorf("the operator's log does not name the address: %s", log)
		}
	}
}

// TestConnectTimeout has a dialer that gets nowhere.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	stuck := func(ctx context.Context, _, _ string, _ syscall.RawConn) error { <-ctx.Done(); return ctx.Err() }
	g, err := guard.New(guard.Options{Allow: []string{"127.0.0.1"}, Dialer: &net.Dialer{ControlContext: stuck}})
	if err != nil {
		t.Fatal(err)
	}
	sender, _ := newTransport(t, func(o *transporthttp.Options) { o.Guard = g })
	msg := post("http://127.0.0.1:8080/")
	msg.ConnectTimeout = short
	result := sender.Send(t.Context(), lane, msg)
	if result.Class != delivery.ClassTimeout || result.Detail != "no connection within 50ms" {
		t.Errorf("%+v", result)
	}
}

func TestUnusableMessages(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, okReply)
	url := "http://" + server.addr + "/"
	field := func(name, value string) *delivery.Message {
		msg := post(url)
		msg.Add(name, value)
		return msg
	}
	for name, c := range map[string]struct {
		msg    *delivery.Message
		detail string
	}{
		"no URL":             {post(""), "the URL can not be used"},
		"a broken URL":       {post("http://a b/s3cret"), "the URL can not be used"},
		"another scheme":     {post("ftp://" + server.addr), "the URL can not be used"},
		"a user":             {post("http://u:s3cret@" + server.addr), "the URL can not be used"},
		"a line in a value":  {field("X-A", "b\r\nX-C: s3cret"), "the value of header X-A"},
		"a line in a name":   {field("X-A\r\nX-B", "c"), "is not a header name"},
		"an empty name":      {field("", "c"), "is not a header name"},
		"transfer encoding":  {field("transfer-encoding", "chunked"), "transfer-encoding belongs to the connection"},
		"content length":     {field("Content-Length", "1"), "Content-Length belongs to the connection"},
		"host":               {field("HOST", "x"), "HOST belongs to the connection"},
		"connection":         {field("Connection", "close"), "Connection belongs to the connection"},
		"a method with text": {&delivery.Message{URL: url, Method: "POST / HTTP/1.1\r\n"}, "is not a method"},
		"connect":            {&delivery.Message{URL: url, Method: "CONNECT"}, "is not a method"},
	} {
		sender, log := newTransport(t, nil)
		result := sender.Send(t.Context(), lane, c.msg)
		if result.Class != delivery.ClassConfig || !strings.Contains(result.Detail, c.detail) {
			t.Errorf("%s: %s: %q", name, result.Class, result.Detail)
		}
		if strings.Contains(result.Detail+log.String(), "s3cret") {
			t.Errorf("%s: a secret is shown: %q, %s", name, result.Detail, log)
		}
	}
	if requests, _ := server.seen(); len(requests) != 0 {
		t.Errorf("%d requests were sent", len(requests))
	}
}

func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sender, _ := newTransport(t, nil)
	addr := rawServer(t, replying(func(c net.Conn) { cancel(); wait(c) }))
	if result := sender.Send(ctx, lane, post("http://"+addr)); result.Class != delivery.ClassStopped {
		t.Errorf("%+v", result)
	}
	if result := sender.Send(ctx, lane, post("http://"+addr)); result.Class != delivery.ClassStopped {
		t.Errorf("before the connection: %+v", result)
	}
}

func TestDeadlineOfTheCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	sender, _ := newTransport(t, nil)
	if result := sender.Send(ctx, lane, post("http://"+rawServer(t, replying(wait)))); result.Class != delivery.ClassTimeout {
		t.Errorf("%+v", result)
	}
}

func TestAfterClose(t *testing.T) {
	t.Parallel()
	server := newAnswering(t, okReply)
	sender, _ := newTransport(t, nil)
	for range 2 {
		if result := sender.Send(t.Context(), lane, post("http://"+server.addr)); !result.OK() {
			t.Errorf("%+v", result)
		}
		if err := sender.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, conns := server.seen(); conns != 2 {
		t.Errorf("%d connections", conns)
	}
}

func TestBadTLS(t *testing.T) {
	t.Parallel()
	server, trust := tlsServer(t, false, http.NotFoundHandler())
	port := strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	ancient := rawServer(t, func(_ int, c net.Conn) {
		config := &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		_ = tls.Server(c, config).Handshake()
	})
	demanding := rawServer(t, func(_ int, c net.Conn) {
		config := &tls.Config{Certificates: server.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert}
		secured := tls.Server(c, config)
		_ = secured.Handshake()
		wait(secured)
	})
	for name, c := range map[string]struct {
		url    string
		trust  bool
		class  delivery.Class
		detail string
	}{
		"unknown authority":  {"https://127.0.0.1:" + port, false, delivery.ClassTLS, "signed by an unknown authority"},
		"another host":       {"https://bücher.example:" + port, true, delivery.ClassTLS, "for another host name"},
		"no TLS":             {"https://" + plain.Listener.Addr().String(), true, delivery.ClassTLS, "does not speak TLS"},
		"too old":            {"https://" + ancient, true, delivery.ClassTLS, "the TLS handshake failed"},
		"closed":             {"https://" + rawServer(t, func(int, net.Conn) {}), true, delivery.ClassTLS, "the TLS handshake failed"},
		"hanging":            {"https://" + rawServer(t, func(_ int, c net.Conn) { wait(c) }), true, delivery.ClassTimeout, "no answer in time"},
		"client certificate": {"https://" + demanding, true, delivery.ClassTLS, "the receiver refused it (tls: certificate required)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, _ := newTransport(t, func(o *transporthttp.Options) {
				if c.trust {
					trust(o)
				}
			})
			msg := post(c.url)
			if name == "hanging" {
				msg.Timeout = short
			}
			result := sender.Send(t.Context(), lane, msg)
			if result.Class != c.class || !strings.Contains(result.Detail, c.detail) {
				t.Errorf("%s: %q, want %s: %q", result.Class, result.Detail, c.class, c.detail)
			}
		})
	}
}
