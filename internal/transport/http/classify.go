package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
)

// stage is how far an attempt had come.
type stage uint8

const (
	stageConnect stage = iota
	stageTLS
	stageAnswer
	stageRelay // somewhere inside net/http
)

// stageError says in which stage an attempt failed.
type stageError struct {
	stage  stage
	within time.Duration // the limit of the stage
	err    error
}

func (e *stageError) Error() string {
	return [...]string{"connect", "tls handshake", "await answer", "send"}[e.stage] + ": " + e.err.Error()
}

func (e *stageError) Unwrap() error { return e.err }

// fail fills in the result of an attempt that got no answer and logs the cause, which the result does not show.
func (t *Transport) fail(ctx context.Context, msg *delivery.Message, result *delivery.Result, err error) {
	if inner, ok := errors.AsType[*url.Error](err); ok { // it quotes the URL, which is a secret
		err = inner.Err
	}
	result.Class, result.Detail = classify(ctx, err)
	level := slog.LevelInfo
	if result.Class == delivery.ClassForbidden {
		level = slog.LevelWarn
	}
	t.log.LogAttrs(ctx, level, "attempt got no answer", slog.String("class", string(result.Class)),
		slog.String("address", guard.Redact(msg.URL)), slog.Any("err", err))
}

// classify says what stopped an attempt. The text is for those who may see the subscription: no address, no resolver
// detail, nothing that the receiver did not say itself.
func classify(ctx context.Context, err error) (delivery.Class, string) {
	if config, ok := errors.AsType[*configError](err); ok {
		return delivery.ClassConfig, config.text
	}
	if errors.Is(err, guard.ErrForbidden) {
		return delivery.ClassForbidden, "the address is not allowed as a destination"
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return delivery.ClassStopped, "the attempt was stopped before an answer came"
	}
	if proxy, ok := asProxyError(err); ok {
		return delivery.ClassProxy, proxy
	}
	at, _ := errors.AsType[*stageError](err)
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return classifyLookup(err)
	}
	if isTimeout(err) {
		return delivery.ClassTimeout, timeoutText(at)
	}
	if isTLS(at, err) {
		return delivery.ClassTLS, tlsText(err)
	}
	return classifyConnection(at, err)
}

func classifyLookup(err error) (delivery.Class, string) {
	if dns, _ := errors.AsType[*net.DNSError](err); dns.IsNotFound {
		return delivery.ClassDNS, "the host name has no address"
	}
	return delivery.ClassDNS, "the host name could not be looked up"
}

func classifyConnection(at *stageError, err error) (delivery.Class, string) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return delivery.ClassRefused, "the connection was refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return delivery.ClassRefused, "the host can not be reached"
	case isClosed(err):
		return delivery.ClassClosed, "the connection was closed before an answer came"
	case at != nil && at.stage == stageConnect:
		return delivery.ClassRefused, "no connection could be made"
	case errors.Is(err, errHeaderTooLarge):
		return delivery.ClassClosed, fmt.Sprintf("the answer's header is larger than %d KiB", maxHeader>>10)
	case at != nil && at.stage == stageRelay:
		return delivery.ClassClosed, "the request was broken off before an answer came"
	}
	return delivery.ClassClosed, "the answer is not valid HTTP"
}

// isClosed reports whether the other side ended the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

func isTimeout(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func timeoutText(at *stageError) string {
	switch {
	case at == nil || at.within == 0:
		return "no answer in time"
	case at.stage == stageConnect:
		return fmt.Sprintf("no connection within %s", at.within)
	}
	return fmt.Sprintf("no answer within %s", at.within)
}

// isTLS reports whether the handshake failed. Through the egress proxy it is net/http's, and only its error tells.
func isTLS(at *stageError, err error) bool {
	if at != nil && at.stage == stageTLS {
		return true
	}
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return verification || record || alertText(err) != ""
}

// alertText returns the TLS alert by which a receiver ended the connection, "" without one. With TLS 1.3 that can come
// after the handshake, in place of an answer.
func alertText(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}

// tlsText says why a handshake failed as far as it helps the receiver's owner.
func tlsText(err error) string {
	const failed = "the TLS handshake failed"
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return failed + ": the receiver does not speak TLS"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return failed + ": the certificate has expired or is not valid yet"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return failed + ": the certificate is for another host name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return failed + ": the certificate is signed by an unknown authority"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed + ": the certificate is not valid"
	}
	if alert := alertText(err); alert != "" {
		return failed + ": the receiver refused it (" + alert + ")"
	}
	return failed
}
