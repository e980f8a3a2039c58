package spacelift

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// inboundLimit is the largest webhook that is read (§9).
const inboundLimit = 1 << 20

// optionNoSHA1 as a source's option with the value "true" refuses requests that carry only the older signature (§9).
const optionNoSHA1 = "no_sha1"

// Receive verifies and reads one of the platform's own webhooks (§9). What is signed well and not understood is kept as an
// event of kind other: policies may send what they like.
func (*Dialect) Receive(in dialect.Inbound) (dialect.Received, error) {
	if len(in.Body) > inboundLimit {
		return dialect.Received{}, fault.New(fault.TooLarge, "The body has %d bytes; the limit is %d.", len(in.Body), inboundLimit)
	}
	if err := checkSignature(in); err != nil {
		return dialect.Received{}, err
	}
	e := read(in)
	if e.Validate() != nil {
		e = custom(in)
	}
	return dialect.Received{Events: []event.Event{e}}, nil
}

// checkSignature compares in constant time, the full value with its prefix. The older signature counts only where the
// newer one is absent.
func checkSignature(in dialect.Inbound) error {
	if len(in.Secrets) == 0 {
		if in.Unsigned {
			return nil
		}
		return fault.New(fault.Unauthorized, "The source has no secret and was not made to accept unsigned requests.")
	}
	header, sign := headerSHA256, signatureSHA256
	given := in.Header.Get(headerSHA256)
	if given == "" && in.Options[optionNoSHA1] != "true" {
		header, sign = headerSHA1, signatureSHA1
		given = in.Header.Get(headerSHA1)
	}
	if given == "" {
		return fault.New(fault.Malformed, "The request has neither of the headers %s and %s.", headerSHA256, headerSHA1)
	}
	for _, secret := range in.Secrets {
		if secret != "" && hmac.Equal([]byte(given), []byte(sign(secret, in.Body))) {
			return nil
		}
	}
	return fault.New(fault.Unauthorized, "The header %s does not hold the signature of the body under the source's secret.", header)
}

// read classifies a body by its members, as the platform's other receivers do (§9).
func read(in dialect.Inbound) event.Event {
	var members map[string]json.RawMessage
	if json.Unmarshal(in.Body, &members) != nil {
		return custom(in)
	}
	has := func(names ...string) bool {
		for _, name := range names {
			if value, there := members[name]; !there || string(value) == "null" {
				return false
			}
		}
		return true
	}
	e, ok := event.Event{}, false
	switch {
	case has("action"):
		e, ok = receiveAudit(in)
	case has("run", "state"):
		e, ok = receiveRun(in)
	case len(members) == 5 && has("title", "body", "error", "severity", "account"):
		e, ok = receiveError(in)
	case has("module", "version"):
		e, ok = receiveModule(in)
	}
	if !ok {
		return custom(in)
	}
	return e
}

// newEvent is an event with what every webhook of a source says. The account's name is kept; the organization is the
// source's own.
func newEvent(in dialect.Inbound, kind event.Kind, native, account string) event.Event {
	e := event.Event{
		Kind: kind, OccurredAt: in.At, Organization: in.Organization,
		Source: event.Source{Kind: "webhook", Dialect: Name, UserAgent: in.Header.Get("User-Agent")},
		Native: &event.Native{Dialect: Name, Kind: native, ContentType: in.Header.Get("Content-Type"), Body: in.Body},
	}
	if in.Project != "" {
		e.Project = &event.Project{Name: in.Project}
	}
	if account != "" {
		e.Source.Metadata = map[string]string{"account": account}
	}
	return e
}

// custom keeps a body that is none of the platform's own.
func custom(in dialect.Inbound) event.Event {
	return newEvent(in, event.KindOther, nativeCustom, "")
}

// key spells an idempotency key; a long one is replaced by its hash.
func key(parts ...string) string {
	text := strings.Join(append([]string{Name}, parts...), ":")
	if len(text) > event.MaxName {
		sum := sha256.Sum256([]byte(text))
		text = Name + ":" + hex.EncodeToString(sum[:])
	}
	return text
}

// bodyKey makes equal bytes the same event.
func bodyKey(body []byte) string {
	sum := sha256.Sum256(body)
	return key("body", hex.EncodeToString(sum[:]))
}
