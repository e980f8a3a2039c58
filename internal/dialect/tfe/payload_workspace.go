package tfe

import (
	"carillon/internal/dialect"
	"carillon/internal/event"
)

// workspacePayload is version 2, which the platform prints as a string (§3.3).
type workspacePayload struct {
	PayloadVersion   string `json:"payload_version"`
	ConfigurationID  string `json:"notification_configuration_id"`
	ConfigurationURL string `json:"notification_configuration_url"`
	TriggerScope     string `json:"trigger_scope"`
	Trigger          string `json:"trigger"`
	Message          string `json:"message"`
	Details          any    `json:"details"`
}

type assessmentDetails struct {
	New           assessmentResult  `json:"new_assessment_result"`
	Prior         *assessmentResult `json:"prior_assessment_result"`
	WorkspaceID   string            `json:"workspace_id"`
	WorkspaceName string            `json:"workspace_name"`
	Organization  string            `json:"organization_name"`
}

type assessmentResult struct {
	ID                 string  `json:"id"`
	URL                string  `json:"url"`
	Succeeded          bool    `json:"succeeded"`
	Drifted            bool    `json:"drifted"`
	AllChecksSucceeded bool    `json:"all_checks_succeeded"`
	ResourcesDrifted   int64   `json:"resources_drifted"`
	ResourcesUndrifted int64   `json:"resources_undrifted"`
	ChecksPassed       int64   `json:"checks_passed"`
	ChecksFailed       int64   `json:"checks_failed"`
	ChecksErrored      int64   `json:"checks_errored"`
	ChecksUnknown      int64   `json:"checks_unknown"`
	CreatedAt          *string `json:"created_at"`
}

// autoDestroyDetails has no workspace_id, unlike the others.
type autoDestroyDetails struct {
	AutoDestroyAt *string `json:"auto_destroy_at"`
	RunCreatedAt  *string `json:"run_created_at"`
	RunStatus     *string `json:"run_status"`
	RunID         *string `json:"run_external_id"`
	RunError      *string `json:"run_create_error_message"`
	TriggerType   string  `json:"trigger_type"` // reminder or results: not the key of §3.1
	WorkspaceName string  `json:"workspace_name"`
	Organization  string  `json:"organization_name"`
}

type deletedDetails struct {
	DeletedAt     *string `json:"deleted_at"`
	DeletedBy     *string `json:"deleted_by"`
	WorkspaceID   string  `json:"workspace_id"`
	WorkspaceName string  `json:"workspace_name"`
	Organization  string  `json:"organization_name"`
}

func newWorkspacePayload(in dialect.Input, trigger string) workspacePayload {
	id := configurationID(in.Subscription)
	scope, details := "workspace", any(nil)
	switch trigger {
	case autoDestroyReminder, autoDestroyRunResults:
		details = newAutoDestroyDetails(in.Event, trigger)
	case workspaceDeleted:
		details = newDeletedDetails(in.Event)
	default:
		scope, details = "assessment", newAssessmentDetails(in.Event, in.Site)
	}
	return workspacePayload{
		PayloadVersion:   "2",
		ConfigurationID:  id,
		ConfigurationURL: in.Site.BaseURL + configurationPath(id),
		TriggerScope:     scope,
		Trigger:          trigger,
		Message:          workspaceMessages[trigger],
		Details:          details,
	}
}

func configurationPath(id string) string { return "/api/v2/notification-configurations/" + id }

// workspaceMessages are the texts of §3.3.
var workspaceMessages = map[string]string{
	assessmentDrifted:      "Drift Detected",
	assessmentCheckFailure: "Checks Failed",
	assessmentFailed:       "Health Assessment Failed",
	autoDestroyReminder:    "Auto Destroy Reminder",
	autoDestroyRunResults:  "Auto Destroy Results",
	workspaceDeleted:       "Workspace Deleted",
}

func newAssessmentDetails(e *event.Event, site dialect.Site) assessmentDetails {
	d := assessmentDetails{
		New:           newAssessmentResult(e, &e.Assessment.New, site),
		WorkspaceID:   workspaceID(e.Workspace),
		WorkspaceName: e.Workspace.Name,
		Organization:  e.Organization.Name,
	}
	if e.Assessment.Prior != nil {
		prior := newAssessmentResult(e, e.Assessment.Prior, site)
		d.Prior = &prior
	}
	return d
}

func newAssessmentResult(e *event.Event, r *event.AssessmentResult, site dialect.Site) assessmentResult {
	id, at := resultID(e, r), r.CreatedAt
	if at.IsZero() {
		at = happened(e)
	}
	return assessmentResult{
		ID: id, URL: site.BaseURL + "/api/v2/assessment-results/" + id,
		Succeeded: r.Succeeded, Drifted: r.Drifted, AllChecksSucceeded: r.AllChecksSucceeded,
		ResourcesDrifted: r.ResourcesDrifted, ResourcesUndrifted: r.ResourcesUndrifted,
		ChecksPassed: r.ChecksPassed, ChecksFailed: r.ChecksFailed, ChecksErrored: r.ChecksErrored, ChecksUnknown: r.ChecksUnknown,
		CreatedAt: seconds(at),
	}
}

func newAutoDestroyDetails(e *event.Event, trigger string) autoDestroyDetails {
	a, kind := e.AutoDestroy, "results"
	if trigger == autoDestroyReminder {
		kind = "reminder"
	}
	return autoDestroyDetails{
		AutoDestroyAt: seconds(a.At),
		RunCreatedAt:  seconds(a.RunCreatedAt),
		RunStatus:     text(string(a.RunStatus)),
		RunID:         text(a.RunSourceID),
		RunError:      text(a.RunError),
		TriggerType:   kind,
		WorkspaceName: e.Workspace.Name,
		Organization:  e.Organization.Name,
	}
}

func newDeletedDetails(e *event.Event) deletedDetails {
	return deletedDetails{
		DeletedAt:     seconds(happened(e)),
		DeletedBy:     text(actorName(e.Actor)),
		WorkspaceID:   workspaceID(e.Workspace),
		WorkspaceName: e.Workspace.Name,
		Organization:  e.Organization.Name,
	}
}
