package http

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"carillon/internal/delivery"
)

// conn is one HTTP/1.1 connection. One request at a time runs over it.
type conn struct {
	net.Conn // with TLS where the address asks for it

	raw      net.Conn // below TLS
	key      key
	input    meter
	reader   *bufio.Reader
	used     bool // has served a request before
	reusable bool // the last answer was read to its end and the receiver keeps the connection

	// Places in the pool; they belong to it.
	idleSince    time.Time
	above, below *conn
	newer, older *conn
}

func newConn(c, raw net.Conn, k key) *conn {
	fresh := &conn{Conn: c, raw: raw, key: k}
	fresh.input.from = c
	fresh.reader = bufio.NewReader(&fresh.input)
	return fresh
}

// close ends the connection, whatever the system says to it. Only one that rests says good-bye over TLS: with a request
// under way that could block.
func (c *conn) close() {
	if c.reusable {
		_ = c.Conn.Close()
		return
	}
	_ = c.raw.Close()
}

func (c *conn) isHTTP2() bool {
	secured, ok := c.Conn.(*tls.Conn)
	return ok && secured.ConnectionState().NegotiatedProtocol == "h2"
}

// revive prepares a kept connection for its next request; it returns false when the receiver has closed it meanwhile, or
// has sent something that nobody asked for.
func (c *conn) revive(end time.Time) bool {
	return c.reader.Buffered() == 0 && c.SetDeadline(end) == nil && silent(c.raw)
}

// buffers are reused for requests; they are at most maxBuffer long.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

const maxBuffer = 64 << 10

// exchange writes the request and reads the answer. Afterwards reusable says whether the connection can be kept.
func (c *conn) exchange(ctx context.Context, to target, msg *delivery.Message, limits limits) (answer, error) {
	c.reusable = false
	c.input.reset(maxHeader)
	if err := c.SetDeadline(limits.end); err != nil {
		return answer{}, err
	}
	// A context that ends makes reads and writes return at once.
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	got, err := c.roundTrip(&to, msg, limits.keep)
	if !stop() {
		c.reusable = false
	}
	if err != nil {
		return answer{}, &stageError{stage: stageAnswer, within: limits.total, err: err}
	}
	return got, nil
}

func (c *conn) roundTrip(to *target, msg *delivery.Message, keep int) (answer, error) {
	buffer := buffers.Get().(*[]byte)
	request := appendRequest((*buffer)[:0], to, msg)
	_, writeErr := c.Write(request)
	if *buffer = request[:0]; cap(request) <= maxBuffer {
		buffers.Put(buffer)
	}
	if timeout, ok := errors.AsType[net.Error](writeErr); ok && timeout.Timeout() {
		return answer{}, writeErr
	}
	// A receiver may answer and close before it has read everything, so a failed write is no reason not to read.
	resp, err := c.readHead(msg.Method)
	if err != nil {
		if writeErr != nil {
			return answer{}, writeErr
		}
		return answer{}, err
	}
	c.input.left = unlimited
	got, complete := readAnswer(resp, keep) // the body is not closed: that would read on to its end
	c.reusable = complete && writeErr == nil && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols &&
		c.reader.Buffered() == 0
	return got, nil
}

// readHead reads the final answer's head, past any interim ones.
func (c *conn) readHead(method string) (*http.Response, error) {
	var request *http.Request // nil stands for one whose answer has a body
	if method == http.MethodHead {
		request = &http.Request{Method: method}
	}
	for {
		resp, err := http.ReadResponse(c.reader, request)
		switch {
		case err != nil && c.input.err != nil:
			return nil, c.input.err // what stopped the reading; err may complain about the half line before it
		case err != nil:
			return nil, err
		case resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols:
			return resp, nil
		}
	}
}

// wasStale reports whether a kept connection failed because the receiver had closed it, before any of an answer came.
func (c *conn) wasStale(ctx context.Context, err error) bool {
	return err != nil && c.used && !c.input.any && ctx.Err() == nil && isClosed(err)
}

// meter bounds what is read while the head of an answer is awaited, and knows whether anything came.
type meter struct {
	from io.Reader
	left int64
	any  bool
	err  error // of the read that failed
}

const unlimited = 1 << 62

var errHeaderTooLarge = errors.New("answer header too large")

func (m *meter) reset(limit int64) { m.left, m.any, m.err = limit, false, nil }

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		m.err = errHeaderTooLarge
		return 0, m.err
	}
	if int64(len(p)) > m.left {
		p = p[:m.left]
	}
	n, err := m.from.Read(p)
	m.left -= int64(n)
	m.any = m.any || n > 0
	m.err = err
	return n, err
}
