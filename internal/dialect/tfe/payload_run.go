package tfe

import "carillon/internal/dialect"

// runPayload is version 1: a run, or the verification (§3.1, §3.2).
type runPayload struct {
	PayloadVersion  int               `json:"payload_version"`
	ConfigurationID string            `json:"notification_configuration_id"`
	RunURL          *string           `json:"run_url"`
	RunID           *string           `json:"run_id"`
	RunMessage      *string           `json:"run_message"`
	RunCreatedAt    *string           `json:"run_created_at"`
	RunCreatedBy    *string           `json:"run_created_by"`
	WorkspaceID     *string           `json:"workspace_id"`
	WorkspaceName   *string           `json:"workspace_name"`
	Organization    *string           `json:"organization_name"`
	Notifications   []runNotification `json:"notifications"`
}

// runNotification is the one element of notifications. TriggerType appears in project scope alone (§4.3).
type runNotification struct {
	Message      string  `json:"message"`
	Trigger      string  `json:"trigger"`
	TriggerType  string  `json:"trigger_type,omitempty"`
	RunStatus    *string `json:"run_status"`
	RunUpdatedAt *string `json:"run_updated_at"`
	RunUpdatedBy *string `json:"run_updated_by"`
}

func newRunPayload(in dialect.Input, t *transition, c choice) runPayload {
	e, run := in.Event, in.Event.Run
	url, id, message, workspace := runPage(in.Site, e), runID(run), run.Message, workspaceID(e.Workspace)
	return runPayload{
		PayloadVersion:  1,
		ConfigurationID: configurationID(in.Subscription),
		RunURL:          &url,
		RunID:           &id,
		RunMessage:      &message,
		RunCreatedAt:    millis(run.CreatedAt),
		RunCreatedBy:    text(runCreator(run)),
		WorkspaceID:     &workspace,
		WorkspaceName:   &e.Workspace.Name,
		Organization:    &e.Organization.Name,
		Notifications: []runNotification{{
			Message:      t.message,
			Trigger:      c.trigger,
			TriggerType:  c.kind,
			RunStatus:    text(string(run.Status)),
			RunUpdatedAt: millis(happened(e)),
			RunUpdatedBy: text(actorName(e.Actor)),
		}},
	}
}
