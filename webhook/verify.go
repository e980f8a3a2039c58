package webhook

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The headers of the platforms, in their own spelling.
const (
	HeaderTFESignature       = "X-TFE-Notification-Signature"
	HeaderScalrSignature     = "X-Signature"
	HeaderScalrDelivery      = "X-Scalr-Delivery-Id"
	HeaderSpaceliftSignature = "X-Signature-256"
	HeaderSpaceliftSHA1      = "X-Signature"
	HeaderPulumiSignature    = "Pulumi-Webhook-Signature"
	HeaderPulumiKind         = "Pulumi-Webhook-Kind"
	HeaderPulumiID           = "Pulumi-Webhook-ID"
)

// Verify checks that a request was signed with one of the secrets. body must be the bytes that came. The error wraps one
// of the Err values of this package.
func Verify(d Dialect, h http.Header, body []byte, secrets ...string) error {
	return Options{Dialect: d, Secrets: secrets}.Verify(h, body)
}

// DefaultTolerance is how old a signed time may be, and how far ahead.
const DefaultTolerance = 5 * time.Minute

// Options says how requests are verified. The zero value of each field but Secrets is fit for use.
type Options struct {
	// Dialect is what is accepted; when empty each request is taken for what Detect says.
	Dialect Dialect

	// Secrets are the valid ones: give the old and the new while you change it. Empty ones are refused, so that a variable
	// that was never set does not open the door.
	Secrets []string

	// EmptySecret admits "" in Secrets. Spacelift signs with an empty key when its webhook has no secret, which proves
	// nothing about the sender.
	EmptySecret bool

	// Unsigned accepts requests without looking at signatures, for senders that have no secret.
	Unsigned bool

	// RequireStandard refuses requests without the headers of Standard Webhooks, and with that those that were recorded and
	// sent again later. Carillon adds these headers; the platforms do not.
	RequireStandard bool

	// RefuseSHA1 does not accept Spacelift's older signature alone.
	RefuseSHA1 bool

	Tolerance time.Duration    // DefaultTolerance when 0; negative: times are not checked
	Now       func() time.Time // time.Now when nil

	// MaxBody bounds what Handler reads; 1 MiB when 0.
	MaxBody int64
}

// Verify checks a request by the options.
func (o Options) Verify(h http.Header, body []byte) error {
	if o.Unsigned {
		return nil
	}
	if err := o.checkSecrets(); err != nil {
		return err
	}
	d := o.Dialect
	if d == "" {
		var ok bool
		if d, ok = Detect(h, body); !ok {
			return fmt.Errorf("%w: neither headers nor body are those of a dialect", ErrUnknown)
		}
	}
	if err := o.verifyDialect(d, h, body); err != nil {
		return err
	}
	_, carries := value(h, HeaderStandardSignature)
	if d != Standard && (carries || o.RequireStandard) {
		return o.verifyStandard(h, body)
	}
	return nil
}

func (o Options) checkSecrets() error {
	if len(o.Secrets) == 0 {
		return ErrNoSecret
	}
	if slices.Contains(o.Secrets, "") && !o.EmptySecret {
		return fmt.Errorf("%w: one of the secrets is empty", ErrNoSecret)
	}
	return nil
}

func (o Options) verifyDialect(d Dialect, h http.Header, body []byte) error {
	switch d {
	case TFE:
		return o.verifyHex(h, HeaderTFESignature, "", sha512.New, body)
	case Scalr:
		return o.verifyScalr(h, body)
	case Spacelift:
		if _, ok := value(h, HeaderSpaceliftSignature); ok || o.RefuseSHA1 {
			return o.verifyHex(h, HeaderSpaceliftSignature, "sha256=", sha256.New, body)
		}
		return o.verifyHex(h, HeaderSpaceliftSHA1, "sha1=", sha1.New, body)
	case Pulumi:
		return o.verifyHex(h, HeaderPulumiSignature, "", sha256.New, body)
	case Standard:
		return o.verifyStandard(h, body)
	}
	return fmt.Errorf("%w: %q", ErrUnknown, d)
}

// verifyHex checks a signature in hexadecimal digits behind a prefix.
func (o Options) verifyHex(h http.Header, name, prefix string, digest func() hash.Hash, message ...[]byte) error {
	claimed, err := hexSignature(h, name, prefix, digest().Size())
	if err != nil {
		return err
	}
	if !o.matches(claimed, digest, message...) {
		return fmt.Errorf("%w: header %s was made with another secret or over other bytes", ErrMismatch, name)
	}
	return nil
}

// hexSignature reads a signature header; upper-case digits are accepted.
func hexSignature(h http.Header, name, prefix string, size int) ([]byte, error) {
	text, ok := value(h, name)
	if !ok {
		return nil, fmt.Errorf("%w: there is no header %s", ErrMissing, name)
	}
	if text == "" {
		return nil, fmt.Errorf("%w: header %s is empty; the sender has no secret", ErrMissing, name)
	}
	digits, ok := strings.CutPrefix(text, prefix)
	claimed, err := hex.DecodeString(digits)
	if !ok || err != nil || len(claimed) != size {
		return nil, fmt.Errorf("%w: header %s must be %q and %d hexadecimal digits", ErrMalformed, name, prefix, 2*size)
	}
	return claimed, nil
}

// matches compares in constant time, with every secret.
func (o Options) matches(claimed []byte, digest func() hash.Hash, message ...[]byte) bool {
	found := false
	for _, secret := range o.Secrets {
		if hmac.Equal(claimed, sum(digest, []byte(secret), message...)) {
			found = true
		}
	}
	return found
}

func sum(digest func() hash.Hash, key []byte, message ...[]byte) []byte {
	mac := hmac.New(digest, key)
	for _, part := range message {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// verifyScalr accepts the signature over body and Date, which Carillon sends, and two others, because the platform's text
// does not say which bytes it signs beside the body.
func (o Options) verifyScalr(h http.Header, body []byte) error {
	claimed, err := hexSignature(h, HeaderScalrSignature, "", sha256.Size)
	if err != nil {
		return err
	}
	date, dated := value(h, "Date")
	switch {
	case dated && (o.matches(claimed, sha256.New, body, []byte(date)) || o.matches(claimed, sha256.New, []byte(date), body)):
		at, err := parseDate(date)
		if err != nil {
			return fmt.Errorf("%w: header Date is not a time", ErrStale)
		}
		return o.checkTime("header Date", at)
	case o.matches(claimed, sha256.New, body):
		return nil // the time is not signed, so it says nothing
	}
	return fmt.Errorf("%w: header %s was made with another secret, or over another body or Date", ErrMismatch, HeaderScalrSignature)
}

// parseDate reads the Date header: Scalr's form, which is not that of HTTP, or one of the usual ones.
func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{scalrDate, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return http.ParseTime(text)
}

// scalrDate is the layout of Scalr's Date header.
const scalrDate = "2006-01-02T15:04:05-0700"

// checkTime refuses times too far from now.
func (o Options) checkTime(what string, at time.Time) error {
	tolerance := o.Tolerance
	switch {
	case tolerance < 0:
		return nil
	case tolerance == 0:
		tolerance = DefaultTolerance
	}
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	if age := now().Sub(at); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: %s is %s away from now, at most %s are accepted", ErrStale, what, age.Abs().Round(time.Second), tolerance)
	}
	return nil
}
