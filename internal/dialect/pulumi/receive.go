package pulumi

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// inboundLimit is the largest webhook that is read (§9.1).
const inboundLimit = 1 << 20

// Receive verifies and reads one of the platform's own webhooks (§9). What is not understood becomes an event of kind
// other that keeps the body: the platform adds kinds without notice.
func (*Dialect) Receive(in dialect.Inbound) (dialect.Received, error) {
	if len(in.Body) > inboundLimit {
		return dialect.Received{}, fault.New(fault.TooLarge, "The body has %d bytes; the limit is %d.", len(in.Body), inboundLimit)
	}
	if err := checkSignature(in); err != nil {
		return dialect.Received{}, err
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(in.Body, &fields) != nil || fields == nil {
		return dialect.Received{}, fault.New(fault.Malformed, "The body is not a JSON object.")
	}
	kind := in.Header.Get(headerKind)
	if !kindShape.MatchString(kind) {
		kind = guessKind(fields)
	}
	if kind == kindPing {
		return dialect.Received{Verified: true}, nil
	}
	c, _ := readContent(kind, in.Body)
	w := webhook{in: in, content: &c}
	e, said := w.event()
	if !said {
		return dialect.Received{}, nil
	}
	for _, plainer := range []func() event.Event{w.other, w.bare} {
		if e.Validate() == nil {
			break
		}
		e = plainer()
	}
	return dialect.Received{Events: []event.Event{e}}, nil
}

// checkSignature compares in constant time, ignoring the case of the digits. A source without a secret accepts only when
// it was made to, and then ignores the header.
func checkSignature(in dialect.Inbound) error {
	if len(in.Secrets) == 0 {
		if in.Unsigned {
			return nil
		}
		return fault.New(fault.Unauthorized, "The source has no secret and was not made to accept unsigned requests.")
	}
	given, err := hex.DecodeString(strings.ToLower(in.Header.Get(headerSignature)))
	if err == nil {
		for _, secret := range in.Secrets {
			if secret != "" && hmac.Equal(given, signature(secret, in.Body)) {
				return nil
			}
		}
	}
	return fault.New(fault.Unauthorized, "The header Pulumi-Webhook-Signature does not hold the signature of the body under the source's secret.")
}

// guessKind tells the kind of a payload without the header by members that only one kind has (§9.1).
func guessKind(fields map[string]json.RawMessage) string {
	has := func(names ...string) bool {
		for _, name := range names {
			if _, there := fields[name]; !there {
				return false
			}
		}
		return true
	}
	switch {
	case has("isPreview") && read[bool](fields, "isPreview"):
		return kindPreview
	case has("isPreview"):
		return kindUpdate
	case has("deploymentUrl"):
		return kindDeployment
	case has("driftDetected"):
		return kindDrift
	case has("action", "stackName"):
		return kindStack
	case has("action", "tagName", "revision"):
		return kindRevisionTag
	case has("action", "tagName"):
		return kindTag
	case has("action", "changeRequest"):
		return kindChangeRequest
	case has("action", "environmentName", "revision"):
		return kindRevision
	case has("action", "environmentName"):
		return kindEnvironment
	case has("timestamp", "message") && !has("organization"):
		return kindPing
	}
	return "other"
}

// webhook is a webhook that is being read.
type webhook struct {
	in      dialect.Inbound
	content *content
}

// bare is an event with what every webhook says at least: that it came.
func (w webhook) bare() event.Event {
	e := event.Event{
		Kind: event.KindOther, Key: w.key(), OccurredAt: w.in.At, Organization: w.in.Organization,
		Source: event.Source{Kind: "webhook", Dialect: Name, UserAgent: w.in.Header.Get("User-Agent")},
		Native: &event.Native{
			Dialect: Name, Kind: w.content.kind, ContentType: w.in.Header.Get("Content-Type"), Body: w.in.Body,
		},
	}
	if id := w.in.Header.Get(headerID); isUUID(id) {
		e.Source.EventID = id
	}
	if w.in.Project != "" {
		e.Project = &event.Project{Name: w.in.Project}
	}
	return e
}

// key is the event's ID, which a redelivery repeats; without one it follows from what was said (§9.1).
func (w webhook) key() string {
	if id := w.in.Header.Get(headerID); isUUID(id) {
		return Name + "/" + strings.ToLower(id)
	}
	sum := sha256.Sum256([]byte(w.content.kind + "\n" + string(w.in.Body)))
	return Name + "/" + hex.EncodeToString(sum[:])
}

// other is an event that is not understood beyond where it happened.
func (w webhook) other() event.Event {
	e, c := w.bare(), w.content
	if c.user.Name != "" || c.user.Login != "" {
		e.Actor = &event.Actor{Name: c.user.Login, FullName: c.user.Name, AvatarURL: webAddress(c.user.Avatar)}
	}
	w.organize(&e)
	if c.project != "" {
		e.Project = &event.Project{Name: c.project}
	}
	switch {
	case c.stack != "":
		e.Workspace = &event.Workspace{Name: c.stack}
	case c.environment != "":
		e.Environment = &event.Environment{Project: c.project, Name: c.environment}
	}
	return e
}

// organize names the organization. The source's own wins over the payload's: a webhook must not reach the tenant that it
// names, but the one whose secret it knows.
func (w webhook) organize(e *event.Event) {
	named := w.content.organization
	if e.Organization.ID == 0 && e.Organization.Name == "" {
		e.Organization.Name = named.Login
	}
	if named.Login == "" {
		return
	}
	e.Source.Metadata = map[string]string{"organization_name": named.Login}
	if named.Login == e.Organization.Name {
		e.Organization.DisplayName = cmp.Or(e.Organization.DisplayName, named.Name)
		e.Organization.AvatarURL = cmp.Or(e.Organization.AvatarURL, webAddress(named.Avatar))
	}
}

// webAddress drops what is no address of the web: the rest of the event must not be refused for it.
func webAddress(text string) string {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || len(text) > event.MaxURL {
		return ""
	}
	return text
}
