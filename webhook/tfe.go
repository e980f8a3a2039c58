package webhook

import "fmt"

// TFEPayload is a body of HCP Terraform or Terraform Enterprise: one of Run, Workspace and ChangeRequest is set.
type TFEPayload struct {
	Version         Number `json:"payload_version"`
	ConfigurationID string `json:"notification_configuration_id"`

	Run           *TFERun            `json:"-"`
	Workspace     *TFEWorkspaceEvent `json:"-"`
	ChangeRequest *TFEChangeRequest  `json:"-"`
}

// TFERun is a step of a run. In a verification request everything but Notifications is empty.
type TFERun struct {
	URL              string            `json:"run_url"`
	ID               string            `json:"run_id"`
	Message          string            `json:"run_message"`
	CreatedAt        Time              `json:"run_created_at"`
	CreatedBy        string            `json:"run_created_by"`
	WorkspaceID      string            `json:"workspace_id"`
	WorkspaceName    string            `json:"workspace_name"`
	OrganizationName string            `json:"organization_name"`
	Notifications    []TFENotification `json:"notifications"`
}

// TFENotification is what happened to the run. Read all of them: the platform announces more than one per request.
type TFENotification struct {
	Message      string `json:"message"`
	Trigger      string `json:"trigger"`      // such as run:completed
	TriggerType  string `json:"trigger_type"` // finer, in project-wide configurations only
	RunStatus    string `json:"run_status"`
	RunUpdatedAt Time   `json:"run_updated_at"`
	RunUpdatedBy string `json:"run_updated_by"` // empty when no person did it
}

// TFEWorkspaceEvent is about a workspace: a health assessment, its automatic destruction, its end.
type TFEWorkspaceEvent struct {
	ConfigurationURL string     `json:"notification_configuration_url"`
	Scope            string     `json:"trigger_scope"` // assessment or workspace
	Trigger          string     `json:"trigger"`       // such as assessment:drifted
	Message          string     `json:"message"`
	Details          TFEDetails `json:"details"`
}

// TFEDetails holds the details of every kind of workspace event; those of other kinds are empty.
type TFEDetails struct {
	WorkspaceID      string `json:"workspace_id"` // absent from auto-destroy events
	WorkspaceName    string `json:"workspace_name"`
	OrganizationName string `json:"organization_name"`

	NewResult   *TFEAssessment `json:"new_assessment_result"`
	PriorResult *TFEAssessment `json:"prior_assessment_result"`

	AutoDestroyAt  Time   `json:"auto_destroy_at"`
	RunID          string `json:"run_external_id"`
	RunStatus      string `json:"run_status"`
	RunCreatedAt   Time   `json:"run_created_at"`
	RunCreateError string `json:"run_create_error_message"`
	TriggerType    string `json:"trigger_type"` // reminder or results

	DeletedAt Time   `json:"deleted_at"`
	DeletedBy string `json:"deleted_by"`
}

// TFEAssessment is the result of a health assessment.
type TFEAssessment struct {
	ID                 string `json:"id"`
	URL                string `json:"url"`
	Succeeded          bool   `json:"succeeded"`
	Drifted            bool   `json:"drifted"`
	AllChecksSucceeded bool   `json:"all_checks_succeeded"`
	ResourcesDrifted   int    `json:"resources_drifted"`
	ResourcesUndrifted int    `json:"resources_undrifted"`
	ChecksPassed       int    `json:"checks_passed"`
	ChecksFailed       int    `json:"checks_failed"`
	ChecksErrored      int    `json:"checks_errored"`
	ChecksUnknown      int    `json:"checks_unknown"`
	CreatedAt          Time   `json:"created_at"`
}

// TFEChangeRequest is a change request that was made for a workspace.
type TFEChangeRequest struct {
	URL              string `json:"change_request_url"`
	Subject          string `json:"change_request_subject"`
	Message          string `json:"change_request_message"`
	CreatedAt        Time   `json:"change_request_created_at"`
	CreatedBy        string `json:"change_request_created_by"`
	WorkspaceID      string `json:"workspace_id"`
	WorkspaceName    string `json:"workspace_name"`
	OrganizationName string `json:"organization_name"`
}

// ParseTFE reads a body of HCP Terraform or Terraform Enterprise.
func ParseTFE(body []byte) (*TFEPayload, error) {
	var shape struct {
		TFEPayload
		Notifications []struct{} `json:"notifications"`
		ChangeRequest *string    `json:"change_request_url"`
		Scope         *string    `json:"trigger_scope"`
	}
	if err := object(body, &shape); err != nil {
		return nil, err
	}
	p := shape.TFEPayload
	var err error
	switch {
	case len(shape.Notifications) > 0:
		p.Run = new(TFERun)
		err = object(body, p.Run)
	case shape.ChangeRequest != nil:
		p.ChangeRequest = new(TFEChangeRequest)
		err = object(body, p.ChangeRequest)
	case shape.Scope != nil:
		p.Workspace = new(TFEWorkspaceEvent)
		err = object(body, p.Workspace)
	default:
		err = fmt.Errorf("%w: it has neither notifications, nor trigger_scope, nor change_request_url", ErrPayload)
	}
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Trigger returns what the notification configuration asked for and got.
func (p *TFEPayload) Trigger() string {
	switch {
	case p.Run != nil:
		return p.Run.Notifications[0].Trigger
	case p.Workspace != nil:
		return p.Workspace.Trigger
	}
	return "change_request:created"
}

// Verification reports whether the platform only tries the address.
func (p *TFEPayload) Verification() bool { return p.Run != nil && p.Trigger() == "verification" }
