package pulumi

import (
	"net/url"
	"regexp"
	"strings"

	"carillon/internal/delivery"
)

// deploymentBody asks for a deployment of a stack with the stack's own settings (§3.5).
const deploymentBody = `{"operation":"update","inheritSettings":true}`

// stackShape is what payloadUrl is with the format pulumi_deployments: project/stack (§3.5).
var stackShape = regexp.MustCompile(`^[^\s/]+/[^\s/]+$`)

// direct addresses a request for a deployment. Without an upstream the address stays what it is, project/stack, which
// nothing can be sent to: the attempt fails at once and for good (§3.5).
func (u Upstream) direct(msg *delivery.Message, organization string) {
	project, stack, ok := strings.Cut(msg.URL, "/")
	if u.URL == "" || organization == "" || !ok || !stackShape.MatchString(msg.URL) || msg.Get(headerKind) == kindPing {
		return
	}
	msg.URL = strings.TrimSuffix(u.URL, "/") + "/api/stacks/" + url.PathEscape(organization) + "/" + url.PathEscape(project) + "/" +
		url.PathEscape(stack) + "/deployments"
	msg.Set("Authorization", "token "+u.Token)
	msg.Masked = append(msg.Masked, "Authorization")
}
