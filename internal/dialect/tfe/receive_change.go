package tfe

import (
	"encoding/json"
	"path"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// receiveChangeRequest reads the payload of team scope (§3.4).
func receiveChangeRequest(in dialect.Inbound) dialect.Received {
	var p struct {
		URL       *string `json:"change_request_url"`
		Subject   *string `json:"change_request_subject"`
		Message   *string `json:"change_request_message"`
		CreatedAt *string `json:"change_request_created_at"`
		CreatedBy *string `json:"change_request_created_by"`
		inboundDetails
	}
	if err := json.Unmarshal(in.Body, &p); err != nil || value(p.URL) == "" {
		return one(unknown(in))
	}
	e := workspaceEvent(in, event.KindChangeRequest, changeRequestCreated, &p.inboundDetails)
	id := path.Base(value(p.URL))
	e.Action = "created"
	e.Key = key("change_request", id)
	e.OccurredAt = momentOr(value(p.CreatedAt), in.At)
	e.Actor = person(p.CreatedBy)
	e.ChangeRequest = &event.ChangeRequest{
		SourceID: id, Subject: value(p.Subject), Message: value(p.Message), URL: value(p.URL),
		CreatedAt: moment(value(p.CreatedAt)), CreatedBy: person(p.CreatedBy),
	}
	return one(e)
}
