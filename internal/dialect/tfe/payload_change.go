package tfe

import (
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// changeRequestPayload is version 1 of team scope; it has no notifications array (§3.4).
type changeRequestPayload struct {
	PayloadVersion  int     `json:"payload_version"`
	ConfigurationID string  `json:"notification_configuration_id"`
	URL             string  `json:"change_request_url"`
	Subject         string  `json:"change_request_subject"`
	Message         string  `json:"change_request_message"`
	CreatedAt       *string `json:"change_request_created_at"`
	CreatedBy       *string `json:"change_request_created_by"`
	WorkspaceID     string  `json:"workspace_id"`
	WorkspaceName   string  `json:"workspace_name"`
	Organization    string  `json:"organization_name"`
}

func newChangeRequestPayload(in dialect.Input) changeRequestPayload {
	e, request := in.Event, in.Event.ChangeRequest
	return changeRequestPayload{
		PayloadVersion:  1,
		ConfigurationID: configurationID(in.Subscription),
		URL:             changeRequestPage(in.Site, e),
		Subject:         request.Subject,
		Message:         request.Message,
		CreatedAt:       millis(changeRequestedAt(e)),
		CreatedBy:       text(actorName(changeRequester(e))),
		WorkspaceID:     workspaceID(e.Workspace),
		WorkspaceName:   e.Workspace.Name,
		Organization:    e.Organization.Name,
	}
}

func changeRequestedAt(e *event.Event) time.Time {
	if e.ChangeRequest.CreatedAt.IsZero() {
		return happened(e)
	}
	return e.ChangeRequest.CreatedAt
}

func changeRequester(e *event.Event) *event.Actor {
	if e.ChangeRequest.CreatedBy != nil {
		return e.ChangeRequest.CreatedBy
	}
	return e.Actor
}
