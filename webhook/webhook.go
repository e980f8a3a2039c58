// Package webhook receives notifications about infrastructure runs: it verifies and parses the webhooks of HCP Terraform
// and Terraform Enterprise, Scalr, Spacelift and Pulumi Cloud, as these platforms and Carillon send them, and those of
// Standard Webhooks. It needs nothing but the standard library.
//
// # A receiver
//
// Handler does everything but your work. It reads the body within bounds, verifies the signature over the very bytes that
// came, parses them, calls you, and answers:
//
//	http.Handle("/hooks", webhook.Handler(webhook.Options{
//		Dialect: webhook.TFE,
//		Secrets: []string{os.Getenv("HOOK_SECRET")},
//	}, func(r *http.Request, m webhook.Message) error {
//		run := m.Payload.(*webhook.TFEPayload).Run
//		…
//		return nil // 200; an error is answered with 500, and the sender tries again
//	}))
//
// Four rules make a receiver a good one:
//
//   - Verify before you parse, over the raw body. A body that was decoded and encoded again has other bytes.
//   - Answer within ten seconds and work afterwards: note the message down, return nil.
//   - Expect repeats. Deliveries are at least once; Message.ID is the same on each repeat.
//   - Expect disorder. Where it matters compare the times or numbers in the payload, not the order of arrival.
//
// # Without Handler
//
// Verify checks a request that you have read yourself; ParseTFE, ParseScalr, ParseSpacelift and ParsePulumi turn bodies
// into values; Detect tells which platform a request is from; Sign makes what Verify accepts, for tests of your receiver.
//
// # What the signatures cover
//
//	dialect    header                        value
//	TFE        X-TFE-Notification-Signature  hex HMAC-SHA512 of the body
//	Scalr      X-Signature                   hex HMAC-SHA256 of the body followed by the value of the Date header
//	Spacelift  X-Signature-256               "sha256=" and hex HMAC-SHA256 of the body
//	           X-Signature                   "sha1=" and hex HMAC-SHA1 of the body
//	Pulumi     Pulumi-Webhook-Signature      hex HMAC-SHA256 of the body
//	Standard   webhook-signature             "v1," and base64 HMAC-SHA256 of id.timestamp.body
//
// All keys are the bytes of the secret. Apart from Scalr's Date, no platform signs a time, so whoever once saw a request can
// send it again. Carillon therefore adds the headers of Standard Webhooks, which do, to the platform's own: they are
// verified whenever they are there, and Options.RequireStandard refuses requests without them.
package webhook

import (
	"errors"
	"net/http"
	"strings"
)

// Dialect is the format of a platform's webhooks.
type Dialect string

// The dialects.
const (
	TFE       Dialect = "tfe"       // HCP Terraform and Terraform Enterprise
	Scalr     Dialect = "scalr"     // Scalr
	Spacelift Dialect = "spacelift" // Spacelift
	Pulumi    Dialect = "pulumi"    // Pulumi Cloud
	Standard  Dialect = "standard"  // Standard Webhooks alone; its payload is not parsed
)

// Dialects lists them all.
func Dialects() []Dialect { return []Dialect{TFE, Scalr, Spacelift, Pulumi, Standard} }

// What can be wrong with a request. The errors that Verify and the parsers return wrap these and say more.
var (
	ErrNoSecret  = errors.New("webhook: no secret to verify with")
	ErrMissing   = errors.New("webhook: the signature is missing")
	ErrMalformed = errors.New("webhook: the signature is malformed")
	ErrMismatch  = errors.New("webhook: the signature does not match")
	ErrStale     = errors.New("webhook: the request is too old or from the future")
	ErrUnknown   = errors.New("webhook: the dialect is not known")
	ErrPayload   = errors.New("webhook: the payload can not be read")
)

// value returns a header's first value and whether the header is there, whatever the spelling of its name: captured
// requests do not always have the canonical one.
func value(h http.Header, name string) (text string, ok bool) {
	if values := h.Values(name); len(values) > 0 {
		return values[0], true
	}
	for key, values := range h {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0], true
		}
	}
	return "", false
}
