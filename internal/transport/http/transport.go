// Package http sends messages as HTTP requests.
//
// It writes exactly the headers of a message, spelled and ordered as the message has them, and reads what the receiver
// answers, bounded in size and time. A Send is one attempt: no redirect is followed, no status is judged, nothing is
// tried again. The one exception is no second attempt in the receiver's eyes: when a kept connection turns out to have
// been closed before any byte of an answer came, the request goes out on a new one, as every HTTP client does it.
//
// HTTP/1.1 runs over connections of its own (conn, pool), because a delivery costs little else: net/http's client keeps
// two goroutines a connection and takes twice the CPU for the same request (BenchmarkSend compares both). Reading the
// answer is net/http's ReadResponse. HTTP/2, where a receiver offers it, and the operator's egress proxy go through
// net/http's transport (relay). Every connection is made by the guard, but for those to the egress proxy.
package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/url"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/transport"
)

// What holds when a message or the options say nothing.
const (
	defaultTimeout     = 10 * time.Second
	defaultConnect     = 3 * time.Second
	defaultKeepBody    = 16 << 10
	defaultMaxIdle     = 1024
	defaultIdleTimeout = time.Minute
	maxHeader          = 64 << 10 // of an answer, interim answers included
	sessions           = 1024     // TLS sessions kept for resumption
)

// Options sets up a Transport.
type Options struct {
	Guard *guard.Guard // required

	// Proxy is the operator's egress proxy; variables of the environment are never read. It takes the guard's place when
	// connections are made; forbidden addresses that stand in a URL literally are refused all the same.
	Proxy *url.URL

	RootCAs     *x509.CertPool // nil: those of the system
	MaxIdle     int            // connections kept in all; 1024 when 0
	IdleTimeout time.Duration  // how long one is kept unused; a minute when 0
	Log         *slog.Logger   // gets the details that receivers' owners do not see; nil: none
}

// Transport sends messages over HTTP. It is safe for concurrent use.
type Transport struct {
	guard *guard.Guard
	tls   *tls.Config
	pool  *pool
	relay *relay
	proxy bool
	log   *slog.Logger
}

var _ transport.Transport = (*Transport)(nil)

// New returns a transport. It starts nothing: connections are made when messages are sent.
func New(o Options) *Transport {
	if o.MaxIdle == 0 {
		o.MaxIdle = defaultMaxIdle
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transport{
		guard: o.Guard,
		tls: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs, NextProtos: []string{"h2", "http/1.1"},
			ClientSessionCache: tls.NewLRUClientSessionCache(sessions),
		},
		pool:  &pool{max: o.MaxIdle, timeout: o.IdleTimeout},
		proxy: o.Proxy != nil,
		log:   o.Log,
	}
	t.relay = newRelay(t, o)
	return t
}

// Send makes one attempt. The lane's connections are kept by host, so that destinations on one host share them; since a
// connection is only made for a request, there are never more of them than the lanes of that host have requests in flight.
func (t *Transport) Send(ctx context.Context, _ transport.Lane, msg *delivery.Message) delivery.Result {
	start := time.Now()
	result := delivery.Result{StartedAt: start.UTC()}
	answer, err := t.attempt(ctx, msg, start)
	switch {
	case err != nil:
		t.fail(ctx, msg, &result, err)
	default:
		result.Class, result.Status, result.Response = delivery.ClassAnswered, answer.response.Status, answer.response
		result.RetryAfter, result.Detail = answer.retryAfter, answer.detail
	}
	result.Duration = time.Since(start)
	return result
}

// Close drops idle connections. Requests in flight end undisturbed; their connections are not kept.
func (t *Transport) Close() error {
	t.pool.close()
	t.relay.close()
	return nil
}

// attempt sends the message by the road that fits.
func (t *Transport) attempt(ctx context.Context, msg *delivery.Message, start time.Time) (answer, error) {
	to, err := parseTarget(msg.URL)
	if err != nil {
		return answer{}, err
	}
	if err := checkMessage(msg); err != nil {
		return answer{}, err
	}
	limits := newLimits(ctx, msg, start)
	if t.proxy {
		// The proxy looks names up; what can be judged without a look-up is judged here.
		if err := t.guard.CheckURL(msg.URL); err != nil {
			return answer{}, configIfFault(err)
		}
		return t.relay.send(ctx, to, msg, limits, nil)
	}
	if to.secure && t.pool.speaksHTTP2(to.key()) {
		return t.relay.send(ctx, to, msg, limits, nil)
	}
	return t.direct(ctx, to, msg, limits)
}

// direct sends over a kept or a new HTTP/1.1 connection.
func (t *Transport) direct(ctx context.Context, to target, msg *delivery.Message, limits limits) (answer, error) {
	if kept := t.pool.get(to.key(), limits.end); kept != nil {
		got, err := kept.exchange(ctx, to, msg, limits)
		if !kept.wasStale(ctx, err) {
			t.pool.put(kept)
			return got, err
		}
		kept.close()
	}
	fresh, err := t.dial(ctx, to, limits)
	if err != nil {
		return answer{}, err
	}
	if fresh.isHTTP2() {
		t.pool.markHTTP2(to.key())
		return t.relay.send(ctx, to, msg, limits, fresh.Conn)
	}
	got, err := fresh.exchange(ctx, to, msg, limits)
	t.pool.put(fresh)
	return got, err
}

// dial makes a connection through the guard, with TLS where the address asks for it.
func (t *Transport) dial(ctx context.Context, to target, limits limits) (*conn, error) {
	raw, err := t.dialTCP(ctx, to.addr, limits)
	if err != nil {
		return nil, err
	}
	if !to.secure {
		return newConn(raw, raw, to.key()), nil
	}
	secured, err := t.handshake(ctx, raw, to.name, limits.end)
	if err != nil {
		return nil, err
	}
	return newConn(secured, raw, to.key()), nil
}

func (t *Transport) dialTCP(ctx context.Context, addr string, limits limits) (net.Conn, error) {
	within := min(limits.connect, time.Until(limits.end))
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	conn, err := t.guard.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, &stageError{stage: stageConnect, within: limits.connect, err: err}
	}
	return conn, nil
}

// handshake closes the connection when it fails.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, name string, end time.Time) (*tls.Conn, error) {
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	config := t.tls.Clone()
	config.ServerName = name
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // the handshake's error says more
		return nil, &stageError{stage: stageTLS, err: err}
	}
	return secured, nil
}
