package spacelift

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"carillon/internal/event"
)

// errorBody is §3.3: exactly these five members.
type errorBody struct {
	Title    string `json:"title"`
	Body     string `json:"body"`
	Error    string `json:"error"`
	Severity string `json:"severity"`
	Account  string `json:"account"`
}

// Severities of an internal error (§3.3).
const (
	severityInfo    = "INFO"
	severityWarning = "WARNING"
	severityError   = "ERROR"
)

func newErrorBody(e *event.Event) errorBody {
	if n := e.Notifier; n != nil {
		return errorBody{
			Title: "Webhook disabled", Severity: severityWarning, Account: e.Organization.Name, Error: n.Reason,
			Body: fmt.Sprintf("The webhook %q (%s) was switched off. Switch it on again when its endpoint is well.", n.SubscriptionName, n.Destination),
		}
	}
	a := e.Account
	return errorBody{
		Title: a.Title, Body: a.Body, Error: a.Cause, Account: e.Organization.Name,
		Severity: cmp.Or(strings.ToUpper(a.Severity), severityError),
	}
}

// auditBody is §3.7.
type auditBody struct {
	Account    string          `json:"account"`
	Action     string          `json:"action"`
	Actor      string          `json:"actor"`
	ActorRoles []string        `json:"actor_roles,omitempty"`
	Context    auditContext    `json:"context"`
	Data       json.RawMessage `json:"data"`
	RemoteIP   string          `json:"remoteIP"`
	Timestamp  int64           `json:"timestamp"` // milliseconds, unlike run events
}

type auditContext struct {
	Mutation string `json:"mutation"`
}

func newAuditBody(e *event.Event) (auditBody, error) {
	a := e.Account
	data, err := plainJSON(a.Data)
	if err != nil {
		return auditBody{}, fmt.Errorf("read the record's data: %w", err)
	}
	return auditBody{
		Account: e.Organization.Name, Action: a.Verb, Actor: auditActor(e.Actor), ActorRoles: a.ActorRoles,
		Context: auditContext{Mutation: a.Mutation}, Data: data, RemoteIP: a.RemoteIP, Timestamp: millis(e.OccurredAt),
	}, nil
}

// auditActor is "<source>::<identity>"; our own users are local.
func auditActor(a *event.Actor) string {
	switch {
	case a == nil:
		return ""
	case strings.Contains(a.Name, "::"):
		return a.Name
	}
	return "local::" + cmp.Or(a.Name, a.Email, a.ID)
}

// plainJSON writes a document with the keys of its objects in order and without escapes that a body does not have: in the
// store the document may have got some.
func plainJSON(document json.RawMessage) (json.RawMessage, error) {
	if len(document) == 0 {
		return json.RawMessage("{}"), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return encode(value)
}
