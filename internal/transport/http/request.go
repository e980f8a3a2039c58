package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/guard"
)

// What a plain Go client adds to a request (delivery.Message.PlainClient).
const (
	plainUserAgent = "Go-http-client/1.1"
	plainEncoding  = "gzip"
)

// target is where a request goes, taken from its URL.
type target struct {
	secure bool
	host   string // as the Host header has it
	addr   string // host:port to connect to
	name   string // host without port, for TLS
	uri    string // of the request line
	url    *url.URL
}

func (t target) key() key { return key{t.secure, t.addr} }

// configError is a message that can not be sent, whoever receives it. Its text may be shown.
type configError struct{ text string }

func (e *configError) Error() string { return e.text }

// parseTarget reads a message's URL. Its errors do not quote it.
func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return target{}, &configError{"the URL can not be used: it must be of the form https://host/path"}
	}
	host, err := httpguts.PunycodeHostPort(u.Host)
	if err != nil {
		return target{}, &configError{"the host of the URL is not a valid name"}
	}
	t := target{secure: u.Scheme == "https", host: host, addr: host, uri: u.RequestURI(), url: u}
	if strings.Contains(t.uri, " ") { // a query is kept as it was written, and a space would end the request line early
		t.uri = strings.ReplaceAll(t.uri, " ", "%20")
	}
	port := u.Port()
	switch {
	case port != "":
		t.name = strings.Trim(strings.TrimSuffix(host, ":"+port), "[]")
		return t, nil
	case t.secure:
		port = "443"
	default:
		port = "80"
	}
	t.name = strings.Trim(strings.TrimSuffix(host, ":"), "[]")
	t.addr = net.JoinHostPort(t.name, port)
	return t, nil
}

// connectionHeaders belong to the connection and are never taken from a message: they would change where the request
// ends.
var connectionHeaders = []string{
	"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade",
}

// checkMessage refuses what would not be one well-formed request.
func checkMessage(msg *delivery.Message) error {
	if msg.Method != "" && !httpguts.ValidHeaderFieldName(msg.Method) || msg.Method == "CONNECT" {
		return &configError{fmt.Sprintf("%q is not a method that can be sent", msg.Method)}
	}
	for i := range msg.Header {
		field := &msg.Header[i]
		if !httpguts.ValidHeaderFieldName(field.Name) {
			return &configError{fmt.Sprintf("%q is not a header name", field.Name)}
		}
		if !httpguts.ValidHeaderFieldValue(field.Value) {
			return &configError{fmt.Sprintf("the value of header %s holds a character that is not allowed", field.Name)}
		}
		if isConnectionHeader(field.Name) {
			return &configError{fmt.Sprintf("the header %s belongs to the connection and can not be set", field.Name)}
		}
	}
	return nil
}

// isConnectionHeader compares lengths and letters before it lowers anything: it runs for every header of every request.
func isConnectionHeader(name string) bool {
	return slices.ContainsFunc(connectionHeaders, func(c string) bool {
		return len(c) == len(name) && strings.EqualFold(c, name)
	})
}

// appendRequest writes the request as HTTP/1.1. The order is the one that a Go client has, so that a PlainClient can not
// be told from one.
func appendRequest(b []byte, to *target, msg *delivery.Message) []byte {
	method := msg.Method
	if method == "" {
		method = "POST"
	}
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, to.uri...)
	b = append(b, " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", to.host)
	if msg.PlainClient && !has(msg, "User-Agent") {
		b = appendField(b, "User-Agent", plainUserAgent)
	}
	if len(msg.Body) > 0 || method == "POST" || method == "PUT" || method == "PATCH" {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(msg.Body)), 10)
		b = append(b, "\r\n"...)
	}
	for i := range msg.Header {
		b = appendField(b, msg.Header[i].Name, msg.Header[i].Value)
	}
	if msg.PlainClient && !has(msg, "Accept-Encoding") {
		b = appendField(b, "Accept-Encoding", plainEncoding)
	}
	b = append(b, "\r\n"...)
	return append(b, msg.Body...)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// has reports whether the message sets a header, be it to nothing.
func has(msg *delivery.Message, name string) bool {
	return slices.ContainsFunc(msg.Header, func(f delivery.HeaderField) bool { return strings.EqualFold(f.Name, name) })
}

// limits bound one attempt.
type limits struct {
	end     time.Time     // of the whole attempt, the answer's body included
	total   time.Duration // for the text that says it was too short
	connect time.Duration
	keep    int // bytes of the answer's body
}

func newLimits(ctx context.Context, msg *delivery.Message, start time.Time) limits {
	l := limits{total: msg.Timeout, connect: msg.ConnectTimeout, keep: msg.KeepBody}
	if l.total <= 0 {
		l.total = defaultTimeout
	}
	if l.connect <= 0 {
		l.connect = defaultConnect
	}
	if l.keep <= 0 {
		l.keep = defaultKeepBody
	}
	l.end = start.Add(l.total)
	if end, ok := ctx.Deadline(); ok && end.Before(l.end) {
		l.end = end
	}
	return l
}

// configIfFault turns the guard's objection to the form of a URL into a fault of the message; forbidden addresses stay
// what they are.
func configIfFault(err error) error {
	if objection, ok := errors.AsType[*fault.Error](err); ok && !errors.Is(err, guard.ErrForbidden) {
		return &configError{objection.Message}
	}
	return err
}
