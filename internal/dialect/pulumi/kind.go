package pulumi

// Kinds of the platform's webhooks: what the header says (§3.2, §4.1).
const (
	kindStack         = "stack"
	kindUpdate        = "stack_update"
	kindPreview       = "stack_preview"
	kindDeployment    = "deployment"
	kindDrift         = "drift_detection"
	kindRemediation   = "drift_remediation"
	kindPolicy        = "policy_violation"
	kindEnvironment   = "environment"
	kindRevision      = "environment_revision"
	kindRevisionTag   = "environment_revision_tag"
	kindTag           = "environment_tag"
	kindImported      = "imported_environment_changed"
	kindRotation      = "environment_rotation"
	kindChangeRequest = "change_request"
	kindPing          = "ping"
)

// keys lists what follows user and organization in a payload of each kind, in this order (§3.2).
var keys = map[string][]string{
	kindStack:       {"action", "projectName", "stackName"},
	kindUpdate:      {"projectName", "stackName", "updateUrl", "kind", "result", "resourceChanges", "isPreview"},
	kindPreview:     {"projectName", "stackName", "updateUrl", "kind", "result", "resourceChanges", "isPreview"},
	kindDeployment:  {"projectName", "stackName", "deploymentUrl", "version", "operation", "status"},
	kindDrift:       {"projectName", "stackName", "driftDetected", "driftRunId", "status", "resourceChanges", "referenceUrl"},
	kindRemediation: {"projectName", "stackName", "status", "resourceChanges", "referenceUrl"},
	kindPolicy:      {"projectName", "stackName", "updateUrl", "enforcementLevel", "violations"},
	kindEnvironment: {"projectName", "environmentName", "action"},
	kindRevision:    {"projectName", "environmentName", "action", "revision"},
	kindRevisionTag: {"projectName", "environmentName", "tagName", "action", "revision"},
	kindTag:         {"projectName", "environmentName", "tagName", "action"},
	kindImported:    {"projectName", "environmentName", "affectedRevisions", "importedEnvironmentReference"},
	kindRotation: {
		"projectName", "environmentName", "status", "preRotationRevision", "postRotationRevision", "errorMessage",
	},
	kindChangeRequest: {"projectName", "environmentName", "action", "changeRequest"},
}

// Statuses of deployments and drift runs (§3.2).
const (
	statusQueued    = "not-started"
	statusAccepted  = "accepted"
	statusRunning   = "running"
	statusFailed    = "failed"
	statusSucceeded = "succeeded"
	statusSkipped   = "skipped"
)
