package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"time"

	"carillon/internal/delivery"
)

// relay sends by net/http's transport: to receivers that chose HTTP/2, and through the operator's egress proxy.
type relay struct {
	transport *http.Transport
	through   *url.URL // the proxy, nil without one
}

// How HTTP/2 connections are found to be dead: a ping after a while without a frame, and its answer awaited.
const (
	pingAfter  = 15 * time.Second
	pingAnswer = 10 * time.Second
)

func newRelay(t *Transport, o Options) *relay {
	r := &relay{through: o.Proxy}
	r.transport = &http.Transport{
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           o.MaxIdle,
		MaxIdleConnsPerHost:    o.MaxIdle,
		IdleConnTimeout:        o.IdleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAnswer},
	}
	if o.Proxy != nil {
		r.transport.Proxy = http.ProxyURL(o.Proxy)
		r.transport.TLSClientConfig = t.tls
		r.transport.TLSHandshakeTimeout = defaultTimeout
		r.transport.DialContext = (&net.Dialer{Timeout: defaultConnect}).DialContext
		r.transport.OnProxyConnectResponse = refusedByProxy
		return r
	}
	r.transport.DialContext = t.guard.DialContext // never used: plain HTTP goes by conn
	r.transport.DialTLSContext = t.dialHTTP2
	return r
}

// dialHTTP2 is net/http's way to a connection: the one that showed that the receiver speaks HTTP/2, or a new one.
func (t *Transport) dialHTTP2(ctx context.Context, _, addr string) (net.Conn, error) {
	limits := limits{connect: defaultConnect, end: time.Now().Add(defaultTimeout)}
	if hand, ok := ctx.Value(handoverKey{}).(*handover); ok {
		if conn := hand.take(); conn != nil {
			return conn, nil
		}
		limits.connect = hand.connect
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	raw, err := t.dialTCP(ctx, addr, limits)
	if err != nil {
		return nil, err
	}
	return t.handshake(ctx, raw, host, limits.end)
}

func (r *relay) close() { r.transport.CloseIdleConnections() }

// send makes the attempt. made is a connection to start with, or nil.
func (r *relay) send(ctx context.Context, to target, msg *delivery.Message, limits limits, made net.Conn) (answer, error) {
	hand := &handover{conn: made, connect: limits.connect}
	defer hand.drop()
	reused := false
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { reused = got.Reused }}
	// net/http dials in a context of its own, which keeps the values of this one.
	bounded, cancel := context.WithDeadline(httptrace.WithClientTrace(context.WithValue(ctx, handoverKey{}, hand), trace), limits.end)
	defer cancel()
	request := newRequest(to, msg).WithContext(bounded)
	resp, err := r.transport.RoundTrip(request)
	if err != nil && reused && isClosed(err) && bounded.Err() == nil { // as with conn.wasStale
		request.Body, _ = request.GetBody() // never fails: the body is in memory
		resp, err = r.transport.RoundTrip(request)
	}
	if err != nil {
		if at, ok := errors.AsType[*stageError](err); ok {
			return answer{}, at
		}
		return answer{}, &stageError{stage: stageRelay, within: limits.total, err: err}
	}
	defer resp.Body.Close() // before its end this closes the stream or the connection, which is what is wanted
	if err := r.proxyFault(to, resp); err != nil {
		return answer{}, err
	}
	got, _ := readAnswer(resp, limits.keep)
	return got, nil
}

// newRequest builds the request for net/http. Header names are map keys as they are spelled: HTTP/1.1 writes them so.
func newRequest(to target, msg *delivery.Message) *http.Request {
	header := make(http.Header, len(msg.Header)+3)
	for _, field := range msg.Header {
		header[field.Name] = append(header[field.Name], field.Value)
	}
	switch {
	case !has(msg, "User-Agent") && !msg.PlainClient:
		header["User-Agent"] = nil // keeps net/http from adding its own
	case header["User-Agent"] == nil && has(msg, "User-Agent"):
		header["User-Agent"] = []string{msg.Get("User-Agent")} // the only spelling that net/http looks for
		for name := range header {
			if name != "User-Agent" && len(name) == len("User-Agent") && http.CanonicalHeaderKey(name) == "User-Agent" {
				delete(header, name)
			}
		}
	}
	if msg.PlainClient && !has(msg, "Accept-Encoding") {
		header["Accept-Encoding"] = []string{plainEncoding}
	}
	// An empty key lets net/http send again on a new connection when a kept one was closed before any answer; nothing of
	// it is sent.
	if !has(msg, "Idempotency-Key") {
		header["Idempotency-Key"] = []string{}
	}
	method := msg.Method
	if method == "" {
		method = http.MethodPost
	}
	request := &http.Request{
		Method: method, URL: to.url, Host: to.host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody, GetBody: func() (io.ReadCloser, error) { return http.NoBody, nil },
	}
	if len(msg.Body) > 0 {
		body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(msg.Body)), nil }
		request.Body, _ = body()
		request.GetBody, request.ContentLength = body, int64(len(msg.Body))
	}
	return request
}

// handoverKey is the context's key of a handover.
type handoverKey struct{}

// handover carries a connection that turned out to speak HTTP/2 into net/http, which asks for one by a callback.
type handover struct {
	connect time.Duration

	mu   sync.Mutex
	conn net.Conn
}

func (h *handover) take() net.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	conn := h.conn
	h.conn = nil
	return conn
}

// drop closes the connection when net/http had another one and did not ask.
func (h *handover) drop() {
	if conn := h.take(); conn != nil {
		_ = conn.Close() // never used
	}
}

// proxyError is a fault of the egress proxy. Its text may be shown.
type proxyError struct{ text string }

func (e *proxyError) Error() string { return e.text }

// refusedByProxy turns the proxy's own answer to CONNECT into a fault of the proxy.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{fmt.Sprintf("the egress proxy answered %d", resp.StatusCode)}
}

// proxyFault recognizes answers to plain requests that the proxy gave itself: a receiver asks for no proxy credentials,
// and is not a gateway that could not reach itself.
func (r *relay) proxyFault(to target, resp *http.Response) error {
	if r.through == nil || to.secure {
		return nil
	}
	switch resp.StatusCode {
	case http.StatusProxyAuthRequired, http.StatusBadGateway:
		return &proxyError{fmt.Sprintf("the egress proxy answered %d", resp.StatusCode)}
	}
	return nil
}

// asProxyError tells the proxy's faults from the receiver's.
func asProxyError(err error) (text string, ok bool) {
	if proxy, ok := errors.AsType[*proxyError](err); ok {
		return proxy.text, true
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the egress proxy can not be reached", true
	}
	return "", false
}
