package pulumi

import (
	"strings"

	"carillon/internal/event"
)

// announceStack says that a stack came or went.
func announceStack(e *event.Event) []announcement {
	if e.Workspace == nil {
		return nil
	}
	return one(announcement{kind: kindStack, action: e.Action}, "stack_"+e.Action)
}

// announceAssessment says how a check for drift ended. A message about checks of conditions alone is none.
func announceAssessment(e *event.Event) []announcement {
	if e.Assessment == nil || e.Workspace == nil || e.Action == "check_failure" {
		return nil
	}
	status, found := statusFailed, e.Assessment.New
	if found.Succeeded {
		status = statusSucceeded
	}
	if found.RemediatesDrift {
		return remediation(status)
	}
	return detection(status, found.Succeeded && found.Drifted)
}

// announceDeployment says where a job stands that is no run of its own.
func announceDeployment(e *event.Event) []announcement {
	if e.Deployment == nil || e.Workspace == nil {
		return nil
	}
	status := e.Action
	if status == "queued" {
		status = statusQueued
	}
	return job(operationWord(e.Deployment.Operation), status)
}

// announcePolicy says that policies were violated: mandatory ones stop the run.
func announcePolicy(e *event.Event) []announcement {
	if e.Policy == nil || e.Workspace == nil {
		return nil
	}
	level := "advisory"
	if e.Policy.Blocking {
		level = "mandatory"
	}
	return one(announcement{kind: kindPolicy, outcome: level}, "policy_violation_"+level)
}

// environmentActions maps the neutral actions on a configuration set to the platform's kinds (§4.3).
var environmentActions = []struct{ prefix, kind string }{
	{"revision_tag_", kindRevisionTag},
	{"revision_", kindRevision},
	{"tag_", kindTag},
	{"rotation_", kindRotation},
	{"imported_", kindImported},
	{"", kindEnvironment},
}

// announceEnvironment says what happened to a configuration set.
func announceEnvironment(e *event.Event) []announcement {
	if e.Environment == nil {
		return nil
	}
	for _, rule := range environmentActions {
		action, fits := strings.CutPrefix(e.Action, rule.prefix)
		if !fits {
			continue
		}
		name := rule.kind + "_" + action
		if rule.kind == kindImported {
			name = "imported_environment_" + action
		}
		return one(announcement{kind: rule.kind, action: action, outcome: action}, name)
	}
	return nil
}

// announceChangeRequest says what became of a request to change a configuration set. Requests about workspaces have no
// counterpart here.
func announceChangeRequest(e *event.Event) []announcement {
	if e.ChangeRequest == nil || e.Environment == nil {
		return nil
	}
	return one(announcement{kind: kindChangeRequest, action: e.Action}, "change_request_"+e.Action)
}
