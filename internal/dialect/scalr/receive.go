package scalr

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// inboundLimit is the largest webhook that is read (§9).
const inboundLimit = 1 << 20

// Receive verifies and reads one of the platform's own webhooks, of either generation (§9). The payload does not name the
// account: the source does. What is signed well and is none of the three events is kept as one of kind other.
func (*Dialect) Receive(in dialect.Inbound) (dialect.Received, error) {
	if len(in.Body) > inboundLimit {
		return dialect.Received{}, fault.New(fault.TooLarge, "The body has %d bytes; the limit is %d.", len(in.Body), inboundLimit)
	}
	scheme, err := checkSignature(in)
	if err != nil {
		return dialect.Received{}, err
	}
	p, err := parsePayload(in.Body)
	if err != nil {
		return dialect.Received{}, err
	}
	e := p.event(in, scheme)
	if e.Validate() != nil {
		e = p.kept(in, scheme)
	}
	if err := e.Validate(); err != nil {
		return dialect.Received{}, err
	}
	return dialect.Received{Events: []event.Event{e}, Status: http.StatusOK, Body: []byte("{}")}, nil
}

// event turns a payload into the event that it reports.
func (p *payload) event(in dialect.Inbound, scheme string) event.Event {
	if !isEvent(p.Event) || cmp.Or(p.Workspace.Name, p.Workspace.ID) == "" {
		return p.kept(in, scheme)
	}
	e := p.kept(in, scheme)
	e.Kind, e.Key = event.KindRun, p.key(in)
	e.Actor = p.Run.actor()
	e.Project = p.project(in)
	e.Workspace = &event.Workspace{
		Name: cmp.Or(p.Workspace.Name, p.Workspace.ID), URL: p.Workspace.URL, ExternalIDs: externalID(p.Workspace.ID),
	}
	e.Run = p.run()
	return e
}

// kept is a payload as an event of kind other, which reaches nobody by itself. It holds what the sender said, unread.
func (p *payload) kept(in dialect.Inbound, scheme string) event.Event {
	return event.Event{
		Kind: event.KindOther, Key: p.key(in), OccurredAt: p.occurred(in), Organization: in.Organization,
		Source: event.Source{
			Kind: "webhook", Dialect: Name, EventID: clipped(header(in.Header, headerDelivery)),
			UserAgent: clipped(header(in.Header, "User-Agent")), Metadata: p.metadata(scheme),
		},
		Native: &event.Native{
			Dialect: Name, Kind: clipped(p.Event), ContentType: clipped(header(in.Header, "Content-Type")), Body: in.Body,
		},
	}
}

// metadata is what the payload says of its sender, and how that proved itself.
func (p *payload) metadata(scheme string) map[string]string {
	all := map[string]string{"webhook_id": p.Webhook.ID, "webhook_name": p.Webhook.Name, "signature": scheme}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// key names what is reported, not who reports it: several webhooks of the platform may tell of one step of a run. A
// payload that lacks the time of the step is told apart by its delivery, or by its bytes (§9).
func (p *payload) key(in dialect.Inbound) string {
	switch id := header(in.Header, headerDelivery); {
	case p.Run.UpdatedAt != "":
		return key("run", p.Event, p.Run.ID, p.Run.Status, p.Run.UpdatedAt)
	case id != "":
		return key("delivery", id)
	}
	sum := sha256.Sum256(in.Body)
	return key("body", hex.EncodeToString(sum[:]))
}

// key spells an idempotency key; a long one is replaced by its hash.
func key(family string, parts ...string) string {
	text := strings.Join(append([]string{Name, family}, parts...), "/")
	if len(text) > event.MaxName || strings.ContainsFunc(text, isControl) {
		sum := sha256.Sum256([]byte(text))
		text = Name + "/" + family + "/" + hex.EncodeToString(sum[:])
	}
	return text
}

// occurred is the time of the step: what the payload says, else the request's date, else now (§9).
func (p *payload) occurred(in dialect.Inbound) time.Time {
	if t := moment(p.Run.UpdatedAt); !t.IsZero() {
		return t
	}
	if t, ok := requestDate(header(in.Header, headerDate)); ok && plausible(t) {
		return t.UTC()
	}
	return in.At
}

// project is the environment; a payload without one leaves the source's own place.
func (p *payload) project(in dialect.Inbound) *event.Project {
	if name := cmp.Or(p.Environment.Name, p.Environment.ID); name != "" {
		return &event.Project{Name: name, URL: p.Environment.URL, ExternalIDs: externalID(p.Environment.ID)}
	}
	if in.Project != "" {
		return &event.Project{Name: in.Project}
	}
	return nil
}

func externalID(id string) map[string]string {
	if id == "" {
		return nil
	}
	return map[string]string{Name: id}
}

// header reads a header whatever its spelling in the map.
func header(h http.Header, name string) string {
	if value := h.Get(name); value != "" {
		return value
	}
	for key, values := range h {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

// clipped keeps as much of a text as a name may have.
func clipped(text string) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text), "?")
	for len(text) > event.MaxName {
		text = strings.ToValidUTF8(text[:event.MaxName], "")
	}
	return text
}
