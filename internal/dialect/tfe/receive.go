package tfe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// inboundLimit is the largest webhook that is read (§9).
const inboundLimit = 1 << 20

// Receive verifies and reads one of the platform's own webhooks (§9). What is signed well and not understood becomes an
// event of kind other that keeps the body: the platform adds triggers and statuses without notice.
func (*Dialect) Receive(in dialect.Inbound) (dialect.Received, error) {
	if len(in.Body) > inboundLimit {
		return dialect.Received{}, fault.New(fault.TooLarge, "The body has %d bytes; the limit is %d.", len(in.Body), inboundLimit)
	}
	if err := checkSignature(in); err != nil {
		return dialect.Received{}, err
	}
	var head struct {
		Notifications json.RawMessage `json:"notifications"`
		ChangeURL     json.RawMessage `json:"change_request_url"`
		Scope         json.RawMessage `json:"trigger_scope"`
	}
	if !json.Valid(in.Body) {
		return dialect.Received{}, fault.New(fault.Malformed, "The body is not JSON.")
	}
	if err := json.Unmarshal(in.Body, &head); err != nil {
		return dialect.Received{Events: []event.Event{unknown(in)}}, nil
	}
	var received dialect.Received
	switch {
	case head.Notifications != nil:
		received = receiveRun(in)
	case head.ChangeURL != nil:
		received = receiveChangeRequest(in)
	case head.Scope != nil:
		received = receiveWorkspace(in)
	default:
		received = dialect.Received{Events: []event.Event{unknown(in)}}
	}
	return understood(in, received), nil
}

// understood keeps what does not make a valid event as one of kind other, so that it is neither refused nor lost.
func understood(in dialect.Inbound, r dialect.Received) dialect.Received {
	for i := range r.Events {
		if r.Events[i].Validate() != nil {
			r.Events[i] = unknown(in)
		}
	}
	return r
}

// checkSignature compares in constant time. A source without a secret accepts only when it was made to.
func checkSignature(in dialect.Inbound) error {
	if len(in.Secrets) == 0 {
		if in.Unsigned {
			return nil
		}
		return fault.New(fault.Unauthorized, "The source has no secret and was not made to accept unsigned requests.")
	}
	given, err := hex.DecodeString(header(in.Header, SignatureHeader))
	if err == nil {
		for _, secret := range in.Secrets {
			if secret != "" && hmac.Equal(given, signature(secret, in.Body)) {
				return nil
			}
		}
	}
	return fault.New(fault.Unauthorized, "The header %s does not hold the signature of the body under the source's secret.", SignatureHeader)
}

// header reads a header whatever its spelling in the map.
func header(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return h.Get(name)
}

// newEvent is an event with what every webhook of a source says.
func newEvent(in dialect.Inbound, kind event.Kind, native event.Native) event.Event {
	native.Dialect, native.ContentType, native.Body = Name, header(in.Header, "Content-Type"), in.Body
	e := event.Event{
		Kind: kind, OccurredAt: in.At, Organization: in.Organization,
		Source: event.Source{Kind: "webhook", Dialect: Name, UserAgent: header(in.Header, "User-Agent")},
		Native: &native,
	}
	if in.Project != "" {
		e.Project = &event.Project{Name: in.Project}
	}
	return e
}

// inOrganization names the organization. The source's own wins over the payload's: a webhook must not reach the tenant
// that it names, but the one whose secret it knows.
func inOrganization(e *event.Event, name string) {
	if name == "" {
		return
	}
	if e.Organization.ID == 0 && e.Organization.Name == "" {
		e.Organization.Name = name
	}
	e.Source.Metadata = map[string]string{"organization_name": name}
}

// inWorkspace names the workspace; payloads about auto-destroy lack its identifier.
func inWorkspace(e *event.Event, id, name string) {
	e.Workspace = &event.Workspace{Name: name}
	if id != "" {
		e.Workspace.ExternalIDs = map[string]string{Name: id}
	}
}

// unknown keeps a webhook that is not understood. A repeat has the same bytes, so the key is their hash.
func unknown(in dialect.Inbound) event.Event {
	sum := sha256.Sum256(in.Body)
	e := newEvent(in, event.KindOther, event.Native{Kind: "unknown"})
	e.Key = key("other", hex.EncodeToString(sum[:16]))
	return e
}

// key spells an idempotency key: the same report has the same, whichever configuration sends it. A long one is replaced
// by its hash.
func key(family string, parts ...string) string {
	text := strings.Join(append([]string{Name, family}, parts...), "/")
	if len(text) > event.MaxName {
		sum := sha256.Sum256([]byte(text))
		text = Name + "/" + family + "/" + hex.EncodeToString(sum[:])
	}
	return text
}

// person is an actor by user name, nil for none.
func person(name *string) *event.Actor {
	if name == nil || *name == "" {
		return nil
	}
	return &event.Actor{Name: *name}
}

// value is a string that may be null.
func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
