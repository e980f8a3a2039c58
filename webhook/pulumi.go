package webhook

import "encoding/json"

// PulumiPayload is a body of Pulumi Cloud. It holds the members of every kind; those of other kinds are empty.
type PulumiPayload struct {
	Kind string `json:"-"` // such as stack_update, deployment, drift_detection, environment, ping

	User            PulumiAccount `json:"user"` // who asked for it; may be empty
	Organization    PulumiAccount `json:"organization"`
	ProjectName     string        `json:"projectName"`
	StackName       string        `json:"stackName"`
	EnvironmentName string        `json:"environmentName"`

	Action string `json:"action"` // stack, environment…: created, deleted, updated, retracted
	Status string `json:"status"` // deployment, drift…: not-started, running, failed, succeeded, skipped

	// Of stack_update and stack_preview.
	UpdateURL       string         `json:"updateUrl"`
	UpdateKind      string         `json:"kind"`   // update, destroy, refresh, import
	Result          string         `json:"result"` // succeeded, failed
	ResourceChanges map[string]int `json:"resourceChanges"`
	IsPreview       bool           `json:"isPreview"`

	// Of deployment.
	DeploymentURL string `json:"deploymentUrl"`
	Version       int64  `json:"version"`
	Operation     string `json:"operation"`

	// Of drift_detection and drift_remediation.
	DriftDetected bool   `json:"driftDetected"`
	DriftRunID    string `json:"driftRunId"`
	ReferenceURL  string `json:"referenceUrl"`

	// Of policy_violation. The form is not published; what is not known is empty.
	EnforcementLevel string            `json:"enforcementLevel"`
	Violations       []PulumiViolation `json:"violations"`

	// Of the kinds about environments.
	Revision          int64           `json:"revision"`
	TagName           string          `json:"tagName"`
	AffectedRevisions []int64         `json:"affectedRevisions"`
	Imported          PulumiReference `json:"importedEnvironmentReference"`
	ChangeRequest     json.RawMessage `json:"changeRequest"`

	// Of ping.
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}

// PulumiAccount is a user or an organization.
type PulumiAccount struct {
	Name      string `json:"name"`
	Login     string `json:"githubLogin"`
	AvatarURL string `json:"avatarUrl"`
}

// PulumiViolation is one violation of a policy.
type PulumiViolation struct {
	PackName    string `json:"policyPackName"`
	PackVersion string `json:"policyPackVersionTag"`
	PolicyName  string `json:"policyName"`
	Message     string `json:"message"`
	ResourceURN string `json:"resourceUrn"`
	Severity    string `json:"severity"`
}

// PulumiReference names a revision of an environment.
type PulumiReference struct {
	ProjectName     string `json:"projectName"`
	EnvironmentName string `json:"environmentName"`
	Revision        int64  `json:"revision"`
}

// ParsePulumi reads a body of Pulumi Cloud. kind is the value of the header Pulumi-Webhook-Kind; without one it is guessed
// from the body, "" when nothing fits. Unknown kinds are read as far as their members are known.
func ParsePulumi(kind string, body []byte) (*PulumiPayload, error) {
	var members map[string]json.RawMessage
	if err := object(body, &members); err != nil {
		return nil, err
	}
	p := new(PulumiPayload)
	if err := object(body, p); err != nil {
		return nil, err
	}
	if p.Kind = kind; kind == "" {
		p.Kind = pulumiKind(members, p)
	}
	return p, nil
}

// pulumiKind guesses by members that only one kind has.
func pulumiKind(members map[string]json.RawMessage, p *PulumiPayload) string {
	for _, sign := range []struct{ member, kind string }{
		{"deploymentUrl", "deployment"}, {"driftDetected", "drift_detection"}, {"violations", "policy_violation"},
		{"importedEnvironmentReference", "imported_environment_changed"}, {"changeRequest", "change_request"},
		{"preRotationRevision", "environment_rotation"},
	} {
		if _, ok := members[sign.member]; ok {
			return sign.kind
		}
	}
	_, preview := members["isPreview"]
	switch {
	case preview && p.IsPreview:
		return "stack_preview"
	case preview:
		return "stack_update"
	case p.ReferenceURL != "":
		return "drift_remediation"
	case p.Action != "" && p.StackName != "":
		return "stack"
	case p.TagName != "" && p.Revision != 0:
		return "environment_revision_tag"
	case p.TagName != "":
		return "environment_tag"
	case p.Revision != 0:
		return "environment_revision"
	case p.Action != "" && p.EnvironmentName != "":
		return "environment"
	case p.Timestamp != 0 && p.Organization == PulumiAccount{}:
		return "ping"
	}
	return ""
}
