package httpapi

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// deliveryView is a delivery as lists show it.
type deliveryView struct {
	ID             ident.ID     `json:"id"`
	Event          ident.ID     `json:"event,omitzero"`
	OrganizationID ident.ID     `json:"organization_id"`
	Subscription   ident.ID     `json:"subscription"`
	Version        int64        `json:"version"` // of the subscription, when the delivery was made
	Destination    ident.ID     `json:"destination"`
	State          string       `json:"state"`
	Attempts       int          `json:"attempts"`
	Due            *time.Time   `json:"due,omitempty"` // of the next attempt, while it is pending
	Cause          string       `json:"cause"`
	Origin         ident.ID     `json:"origin,omitzero"` // the delivery that this one repeats
	Run            ident.ID     `json:"run,omitzero"`
	Sequence       *int64       `json:"sequence,omitempty"`
	CreatedAt      time.Time    `json:"created_at"`
	Last           *attemptView `json:"last,omitempty"` // the newest attempt, without the answer
}

func viewDelivery(s *store.Summary) deliveryView {
	d := &s.Delivery
	view := deliveryView{
		ID: d.ID, Event: d.Event, OrganizationID: d.Organization, Subscription: d.Subscription, Version: d.Version,
		Destination: d.Destination, State: s.State.String(), Attempts: d.Attempts, Cause: d.Cause.String(), Origin: d.Origin,
		Run: d.Run, CreatedAt: d.ID.Time(),
	}
	if s.State == delivery.Pending {
		due := d.Due.UTC()
		view.Due = &due
	}
	if d.Run != 0 {
		view.Sequence = &d.Sequence
	}
	if s.Last != nil {
		last := viewAttempt(s.Last, brief)
		view.Last = &last
	}
	return view
}

// attemptView is one try.
type attemptView struct {
	Delivery   ident.ID      `json:"delivery"` // a repetition by hand has its own
	Number     int           `json:"number"`   // 0: the delivery ended without being tried
	State      string        `json:"state"`    // in which the attempt left the delivery
	Class      string        `json:"class"`
	Status     int           `json:"status,omitempty"` // of the answer
	Detail     string        `json:"detail,omitempty"`
	StartedAt  time.Time     `json:"started_at,omitzero"`
	DurationMS float64       `json:"duration_ms"`
	RetryAfter float64       `json:"retry_after_seconds,omitempty"` // what the receiver asked for
	Trigger    string        `json:"trigger,omitempty"`
	Address    string        `json:"address,omitempty"` // redacted
	Repeat     bool          `json:"possibly_repeated,omitempty"`
	BodySize   int           `json:"body_size,omitempty"` // of the request
	Node       int           `json:"node"`
	Response   *responseView `json:"response,omitempty"`
}

// responseView is what a destination answered, as far as it is kept. Header and body are for those who may write.
type responseView struct {
	Status    int                 `json:"status"`
	Header    map[string][]string `json:"header,omitempty"`
	Body      string              `json:"body,omitempty"`
	Base64    bool                `json:"base64,omitempty"` // the body is not text
	Truncated bool                `json:"truncated,omitempty"`
	Hidden    bool                `json:"hidden,omitempty"` // the reader's role does not show header and body
}

// depth is how much an answer shows of what a destination answered.
type depth uint8

const (
	brief  depth = iota // nothing: a list
	closed              // that there is something which is not for the reader
	whole               // header and body
)

// viewAttempt shows an attempt.
func viewAttempt(a *delivery.Attempt, shown depth) attemptView {
	r := &a.Result
	view := attemptView{
		Delivery: a.Delivery.ID, Number: a.Number, State: a.State.String(), Class: string(r.Class), Status: r.Status, Detail: r.Detail,
		StartedAt: r.StartedAt, DurationMS: float64(r.Duration.Microseconds()) / 1000, RetryAfter: r.RetryAfter.Seconds(),
		Trigger: a.Trigger, Address: a.Address, Repeat: a.Repeat, BodySize: a.BodySize, Node: a.Node,
	}
	if r.Response == nil || shown == brief {
		return view
	}
	view.Response = &responseView{Status: r.Response.Status, Truncated: r.Response.Truncated, Hidden: shown == closed}
	if shown == whole {
		view.Response.Header = r.Response.Header
		view.Response.Body, view.Response.Base64 = text(r.Response.Body)
	}
	return view
}

// text shows bytes as they are when they are text, else in base64.
func text(body []byte) (shown string, encoded bool) {
	if utf8.Valid(body) {
		return string(body), false
	}
	return base64.StdEncoding.EncodeToString(body), true
}

// requestView is a request or mail as it leaves.
type requestView struct {
	Channel string      `json:"channel"`
	Method  string      `json:"method,omitempty"`
	URL     string      `json:"url,omitempty"` // whole only for those who may edit the subscription
	Header  [][2]string `json:"header,omitempty"`
	Body    string      `json:"body,omitempty"`
	Base64  bool        `json:"base64,omitempty"`
	Mail    *mailView   `json:"mail,omitempty"`
	Trigger string      `json:"trigger,omitempty"`
}

type mailView struct {
	Recipients []string `json:"recipients"`
	Subject    string   `json:"subject"`
	Text       string   `json:"text"`
	HTML       string   `json:"html,omitempty"`
}

// viewMessage shows a message; the headers that it names as masked must be masked already.
func viewMessage(m *delivery.Message) requestView {
	view := requestView{Channel: string(m.Channel), Trigger: m.Trigger}
	if m.Mail != nil {
		view.Mail = &mailView{m.Mail.Recipients, m.Mail.Subject, m.Mail.Text, m.Mail.HTML}
		if view.Mail.Recipients == nil {
			view.Mail.Recipients = []string{}
		}
		return view
	}
	view.Method, view.URL = m.Method, m.URL
	if view.Method == "" {
		view.Method = "POST"
	}
	for _, field := range m.Header {
		view.Header = append(view.Header, [2]string{field.Name, field.Value})
	}
	view.Body, view.Base64 = text(m.Body)
	return view
}
