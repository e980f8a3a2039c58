package scalr

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

const deliveryType = "webhook-integration-deliveries"

// deliveryAttributes is a delivery as the platform logs it (§5.8).
type deliveryAttributes struct {
	Status          string            `json:"status"`
	Attempts        int               `json:"attempts"`
	Error           *string           `json:"error-message"`
	TriggeredAt     string            `json:"triggered-at"`
	LastAttemptAt   *string           `json:"last-handle-attempt-at"` // null before the first, never "" (§8)
	RequestHeaders  map[string]string `json:"request-headers"`
	RequestBody     json.RawMessage   `json:"request-body"` // always an object (§8)
	ResponseCode    *int              `json:"response-code"`
	ResponseHeaders map[string]string `json:"response-headers"`
	ResponseBody    any               `json:"response-body"`
}

// Statuses of deliveries.
const (
	statusPending   = "pending"
	statusCompleted = "completed"
	statusFailed    = "failed"
)

func statusOf(state delivery.State) string {
	switch state {
	case delivery.Pending:
		return statusPending
	case delivery.Delivered:
		return statusCompleted
	}
	return statusFailed
}

// logged is a delivery, with what was sent as far as that was looked at.
type logged struct {
	summary store.Summary
	s       *subscription.Subscription // nil when nothing is known of it any more

	rendered bool
	attempt  *delivery.Attempt // the last that was made, nil before the first
	message  *delivery.Message // what it sent, or will send; nil when that can not be told any more
	payload  *payload
}

// render makes again what was sent, once.
func (c *call) render(l *logged) error {
	if l.rendered {
		return nil
	}
	l.rendered = true
	if err := c.lastAttempt(l); err != nil {
		return err
	}
	sent := l.attempt
	if sent == nil { // the body is known before it is sent
		sent = &delivery.Attempt{Delivery: l.summary.Delivery, Number: 1, Result: delivery.Result{StartedAt: l.summary.Delivery.ID.Time()}}
	}
	msg, _, err := c.Deliveries.Sent(c, c.who, *sent)
	if unseen(err) {
		l.payload = &payload{}
		return nil
	}
	if err != nil {
		return err
	}
	l.message = msg
	if l.payload, err = parsePayload(msg.Body); err != nil {
		l.payload = &payload{}
	}
	return nil
}

// lastAttempt finds the last attempt that was made; the newest entry of a delivery that was cancelled is none.
func (c *call) lastAttempt(l *logged) error {
	if l.attempt = l.summary.Last; l.attempt == nil || l.attempt.Number > 0 {
		return nil
	}
	l.attempt = nil
	if l.summary.Delivery.Attempts == 0 {
		return nil
	}
	_, attempts, err := c.Deliveries.Get(c, c.who, l.summary.Delivery.ID)
	if err != nil {
		return err
	}
	for i := range attempts {
		if attempts[i].Delivery.ID == l.summary.Delivery.ID && attempts[i].Number > 0 {
			l.attempt = &attempts[i]
		}
	}
	return nil
}

// deliveryResource renders a delivery (§5.8). Its relations are those that the body names.
func (c *call) deliveryResource(l *logged) (resource, error) {
	if err := c.render(l); err != nil {
		return resource{}, err
	}
	d, p := &l.summary.Delivery, l.payload
	a := deliveryAttributes{
		Status: statusOf(l.summary.State), Attempts: d.Attempts, Error: c.dialect.errorOf(l), TriggeredAt: timeText(d.ID.Time()),
		RequestHeaders: map[string]string{}, RequestBody: json.RawMessage("{}"),
	}
	if l.message != nil {
		a.RequestBody = l.message.Body
	}
	if l.attempt != nil {
		at := timeText(l.attempt.Result.StartedAt.Add(l.attempt.Result.Duration))
		a.LastAttemptAt, a.RequestHeaders = &at, requestHeaders(l.message)
		a.answered(l.attempt.Result.Response)
	}
	id := deliveryIDs.Encode(d.ID)
	c.remember(p)
	return resource{
		ID: id, Type: deliveryType, Attributes: a,
		Relationships: map[string]relationship{
			"webhook": toOne(integrationType, l.webhookID()), "event": toOne(definitionType, l.event()),
			"environment": toOne(environmentType, p.Environment.ID), "workspace": toOne(workspaceType, p.Workspace.ID),
			"run": toOne(runType, p.Run.ID), "triggered-by": toOne(userType, p.Run.CreatedBy.ID),
		},
		Links: selfLink{prefix + "/integrations/webhook-deliveries/" + id},
	}, nil
}

func (l *logged) webhookID() string {
	if l.s != nil {
		return webhookID(l.s)
	}
	return webhookIDs.Encode(l.summary.Delivery.Subscription)
}

// event names what was delivered; an attempt remembers it longer than the event is kept.
func (l *logged) event() string {
	if l.summary.Last != nil && l.summary.Last.Trigger != "" {
		return l.summary.Last.Trigger
	}
	if l.payload == nil {
		return ""
	}
	return l.payload.Event
}

// requestHeaders lists what was sent, several values of one name joined.
func requestHeaders(msg *delivery.Message) map[string]string {
	all := map[string]string{}
	if msg == nil {
		return all
	}
	for _, field := range msg.Header {
		if before, again := all[field.Name]; again {
			all[field.Name] = before + ", " + field.Value
		} else {
			all[field.Name] = field.Value
		}
	}
	all["Content-Length"] = strconv.Itoa(len(msg.Body))
	return all
}

// answered adds what the receiver answered, parsed where it is JSON.
func (a *deliveryAttributes) answered(r *delivery.Response) {
	if r == nil {
		return
	}
	a.ResponseCode, a.ResponseHeaders = &r.Status, map[string]string{}
	for name, values := range r.Header {
		a.ResponseHeaders[name] = strings.Join(values, ", ")
	}
	if len(r.Body) > 0 && !r.Truncated && json.Valid(r.Body) {
		a.ResponseBody = json.RawMessage(r.Body)
		return
	}
	a.ResponseBody = strings.ToValidUTF8(string(r.Body), "\uFFFD")
}

// errorOf says why a delivery did not arrive, nil where it did or was not tried yet (§5.8).
func (d *Dialect) errorOf(l *logged) *string {
	if l.summary.State == delivery.Delivered || l.summary.Last == nil {
		return nil
	}
	r := l.summary.Last.Result
	var text string
	switch r.Class {
	case delivery.ClassAnswered:
		text = strings.TrimSpace(fmt.Sprintf("HTTP %d %s", r.Status, http.StatusText(r.Status)))
	case delivery.ClassTimeout:
		text = fmt.Sprintf("timeout after %d s", int(d.patience(l, r).Round(time.Second)/time.Second))
	case delivery.ClassCancelled:
		text = strings.Replace(r.Detail, "the subscription was ", "webhook ", 1)
	default:
		text = r.Detail
	}
	if text == "" {
		text = string(r.Class)
	}
	return &text
}

// patience is how long an attempt waited.
func (d *Dialect) patience(l *logged, r delivery.Result) time.Duration {
	if r.Duration > 0 || l.s == nil {
		return r.Duration
	}
	return d.Policy(l.s).With(l.s.Delivery).Timeout
}
