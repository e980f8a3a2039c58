package pulumi

import (
	"cmp"
	"encoding/json"
)

// content is what one webhook says: the members of every kind's payload (§3). Which of them a kind has, keys tells.
type content struct {
	kind string

	user         account
	organization account
	project      string
	stack        string
	environment  string

	action    string
	operation string // of an update: its kind; of a deployment: its operation
	result    string
	status    string
	link      string // updateUrl, deploymentUrl or referenceUrl
	version   int64
	changes   counts
	preview   bool

	drifted  bool
	driftRun string

	level      string
	violations []violation

	tag       string
	revision  int64
	affected  []int64
	imported  reference
	before    int64
	after     int64
	complaint string
	request   changeRequest
}

// account is a user or an organization (§3.1).
type account struct {
	Name   string `json:"name"`
	Login  string `json:"githubLogin"`
	Avatar string `json:"avatarUrl"`
}

type violation struct {
	Pack     string `json:"policyPackName"`
	Version  string `json:"policyPackVersionTag"`
	Policy   string `json:"policyName"`
	Message  string `json:"message"`
	Resource string `json:"resourceUrn"`
	Severity string `json:"severity"`
}

type reference struct {
	Project  string `json:"projectName"`
	Name     string `json:"environmentName"`
	Revision int64  `json:"revision"`
}

type changeRequest struct {
	ID          string `json:"id"`
	Revision    int64  `json:"latestRevisionNumber"`
	Status      string `json:"status"`
	Description string `json:"description"`
}

// body writes the payload of the content's kind (§3).
func (c *content) body() ([]byte, error) {
	members := object{{"user", c.user}, {"organization", c.organization}}
	for _, key := range keys[c.kind] {
		members = append(members, member{key, c.value(key)})
	}
	return encode(members)
}

// value returns a member of the payload by its key.
func (c *content) value(key string) any {
	switch key {
	case "projectName":
		return c.project
	case "stackName":
		return c.stack
	case "environmentName":
		return c.environment
	case "action":
		return c.action
	case "kind", "operation":
		return c.operation
	case "result":
		return c.result
	case "status":
		return c.status
	case "updateUrl", "deploymentUrl", "referenceUrl":
		return c.link
	case "version":
		return c.version
	case "resourceChanges":
		return c.changes
	case "isPreview":
		return c.preview
	case "driftDetected":
		return c.drifted
	case "driftRunId":
		return c.driftRun
	case "enforcementLevel":
		return c.level
	case "violations":
		return append([]violation{}, c.violations...)
	}
	return c.environmentValue(key)
}

// environmentValue returns a member that only payloads about environments have.
func (c *content) environmentValue(key string) any {
	switch key {
	case "tagName":
		return c.tag
	case "revision":
		return c.revision
	case "affectedRevisions":
		return append([]int64{}, c.affected...)
	case "importedEnvironmentReference":
		return c.imported
	case "preRotationRevision":
		return c.before
	case "postRotationRevision":
		return c.after
	case "errorMessage":
		return c.complaint
	}
	return c.request
}

// readContent reads somebody else's payload as far as it is understood; ok is false for what is no JSON object.
func readContent(kind string, body []byte) (c content, ok bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return content{}, false
	}
	c = content{
		kind: kind, user: read[account](fields, "user"), organization: read[account](fields, "organization"),
		project: read[string](fields, "projectName"), stack: read[string](fields, "stackName"),
		environment: read[string](fields, "environmentName"), action: read[string](fields, "action"),
		operation: cmp.Or(read[string](fields, "kind"), read[string](fields, "operation")),
		result:    read[string](fields, "result"), status: read[string](fields, "status"),
		link: cmp.Or(read[string](fields, "updateUrl"), read[string](fields, "deploymentUrl"),
			read[string](fields, "referenceUrl")),
		version: read[int64](fields, "version"), changes: read[counts](fields, "resourceChanges"),
		preview: read[bool](fields, "isPreview"), drifted: read[bool](fields, "driftDetected"),
		driftRun: read[string](fields, "driftRunId"), level: read[string](fields, "enforcementLevel"),
		violations: read[[]violation](fields, "violations"), tag: read[string](fields, "tagName"),
		revision: read[int64](fields, "revision"), affected: read[[]int64](fields, "affectedRevisions"),
		imported: read[reference](fields, "importedEnvironmentReference"), before: read[int64](fields, "preRotationRevision"),
		after: read[int64](fields, "postRotationRevision"), complaint: read[string](fields, "errorMessage"),
		request: read[changeRequest](fields, "changeRequest"),
	}
	return c, true
}
