package tfe

import (
	"encoding/json"
	"strconv"

	"carillon/internal/dialect"
	"carillon/internal/event"
)

// inboundDetails is the details object of every workspace event (§3.3, §9).
type inboundDetails struct {
	New           *assessmentResult `json:"new_assessment_result"`
	Prior         *assessmentResult `json:"prior_assessment_result"`
	AutoDestroyAt *string           `json:"auto_destroy_at"`
	RunCreatedAt  *string           `json:"run_created_at"`
	RunStatus     *string           `json:"run_status"`
	RunID         *string           `json:"run_external_id"`
	RunError      *string           `json:"run_create_error_message"`
	DeletedAt     *string           `json:"deleted_at"`
	DeletedBy     *string           `json:"deleted_by"`
	WorkspaceID   *string           `json:"workspace_id"`
	WorkspaceName *string           `json:"workspace_name"`
	Organization  *string           `json:"organization_name"`
}

// receiveWorkspace reads version 2.
func receiveWorkspace(in dialect.Inbound) dialect.Received {
	var p struct {
		Trigger string         `json:"trigger"`
		Details inboundDetails `json:"details"`
	}
	if err := json.Unmarshal(in.Body, &p); err != nil {
		return dialect.Received{Events: []event.Event{unknown(in)}}
	}
	switch p.Trigger {
	case triggerVerification:
		return dialect.Received{Verified: true}
	case assessmentDrifted, assessmentCheckFailure, assessmentFailed:
		return one(assessmentEvent(in, p.Trigger, &p.Details))
	case autoDestroyReminder, autoDestroyRunResults, autoDestroyResultsWire:
		return one(autoDestroyEventOf(in, p.Trigger, &p.Details))
	case workspaceDeleted:
		return one(deletedEvent(in, &p.Details))
	}
	return one(unknown(in))
}

func one(e event.Event) dialect.Received { return dialect.Received{Events: []event.Event{e}} }

func workspaceEvent(in dialect.Inbound, kind event.Kind, trigger string, d *inboundDetails) event.Event {
	e := newEvent(in, kind, event.Native{Kind: string(kind), Trigger: trigger})
	inOrganization(&e, value(d.Organization))
	inWorkspace(&e, value(d.WorkspaceID), value(d.WorkspaceName))
	return e
}

// actions are the neutral words of what assessments found.
var actions = map[string]string{
	assessmentDrifted: "drifted", assessmentCheckFailure: "check_failure", assessmentFailed: "failed",
}

func assessmentEvent(in dialect.Inbound, trigger string, d *inboundDetails) event.Event {
	if d.New == nil {
		return unknown(in)
	}
	e := workspaceEvent(in, event.KindAssessment, trigger, d)
	e.Action = actions[trigger]
	e.Key = key("assessment", trigger, d.New.ID)
	e.OccurredAt = momentOr(value(d.New.CreatedAt), in.At)
	e.Assessment = &event.Assessment{New: d.New.neutral()}
	if d.Prior != nil {
		prior := d.Prior.neutral()
		e.Assessment.Prior = &prior
	}
	if trigger == assessmentDrifted { // the platform reports drift only when it is new
		changed := true
		e.Assessment.DriftChanged = &changed
	}
	return e
}

func (r *assessmentResult) neutral() event.AssessmentResult {
	return event.AssessmentResult{
		SourceID: r.ID, URL: r.URL, Succeeded: r.Succeeded, Drifted: r.Drifted, AllChecksSucceeded: r.AllChecksSucceeded,
		ResourcesDrifted: r.ResourcesDrifted, ResourcesUndrifted: r.ResourcesUndrifted, ChecksPassed: r.ChecksPassed,
		ChecksFailed: r.ChecksFailed, ChecksErrored: r.ChecksErrored, ChecksUnknown: r.ChecksUnknown,
		CreatedAt: moment(value(r.CreatedAt)),
	}
}

// autoDestroyEventOf reads a reminder or the results of an auto-destroy run; the latter have two spellings (O8).
func autoDestroyEventOf(in dialect.Inbound, trigger string, d *inboundDetails) event.Event {
	e := workspaceEvent(in, event.KindWorkspace, trigger, d)
	e.AutoDestroy = &event.AutoDestroy{
		At: moment(value(d.AutoDestroyAt)), RunSourceID: value(d.RunID), RunStatus: event.Status(value(d.RunStatus)),
		RunCreatedAt: moment(value(d.RunCreatedAt)), RunError: value(d.RunError),
	}
	e.OccurredAt = momentOr(value(d.RunCreatedAt), momentOr(value(d.AutoDestroyAt), in.At))
	name := value(d.WorkspaceName)
	if trigger == autoDestroyReminder {
		e.Action = "auto_destroy_reminder"
		e.Key = key("auto_destroy_reminder", name, value(d.AutoDestroyAt), strconv.Itoa(remindStep(e.AutoDestroy.At, in.At)))
		return e
	}
	e.Action = "auto_destroy_results"
	subject := value(d.RunID)
	if subject == "" {
		subject = value(d.RunError)
	}
	e.Key = key("auto_destroy_results", name, subject)
	return e
}

func deletedEvent(in dialect.Inbound, d *inboundDetails) event.Event {
	e := workspaceEvent(in, event.KindWorkspace, workspaceDeleted, d)
	e.Action = "deleted"
	e.Key = key("workspace_deleted", value(d.WorkspaceID), value(d.WorkspaceName))
	e.OccurredAt = momentOr(value(d.DeletedAt), in.At)
	e.Actor = person(d.DeletedBy)
	return e
}
