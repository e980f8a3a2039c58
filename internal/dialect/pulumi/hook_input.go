package pulumi

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"carillon/internal/subscription"
)

// Bounds of a webhook (§5.2).
const (
	displayNameLimit = 255
	urlLimit         = 2048
	secretLimit      = 1024
)

// removeSecret is the secret that takes the secret away (§5.3).
const removeSecret = "__remove-secret"

// hookInput is a webhook as clients send it. Keys that are not here are ignored, those of answers among them.
type hookInput struct {
	Organization *string  `json:"organizationName"`
	Project      *string  `json:"projectName"`
	Stack        *string  `json:"stackName"`
	Environment  *string  `json:"envName"`
	Name         *string  `json:"name"`
	DisplayName  string   `json:"displayName"`
	PayloadURL   string   `json:"payloadUrl"`
	Secret       string   `json:"secret"`
	Active       bool     `json:"active"`
	Format       string   `json:"format"`
	Filters      []string `json:"filters"`
	Groups       []string `json:"groups"`
}

// read decodes the request's body, which must be a JSON object. Null is as good as absent.
func (c *call) read(into any) error {
	body, err := io.ReadAll(c.request.Body)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return err
		}
		return malformed
	}
	if !strings.HasPrefix(strings.TrimLeft(string(body), " \t\r\n"), "{") || json.Unmarshal(body, into) != nil {
		return malformed
	}
	return nil
}

// identity checks the names in the body against the path. A new webhook must repeat them all, a change none (§5.3).
func (in *hookInput) identity(t *target, fresh bool) error {
	differs := func(given *string, want string) bool {
		if given == nil {
			return fresh
		}
		return *given != want
	}
	switch {
	case differs(in.Organization, t.organization.Name):
		return badRequest("Organization name from request body doesn't match URL.")
	case t.level == subscription.LevelOrganization:
		return nil
	case differs(in.Project, t.project):
		return badRequest("Project name from request body doesn't match URL.")
	case t.level == subscription.LevelWorkspace && differs(in.Stack, t.name):
		return badRequest("Stack name from request body doesn't match URL.")
	case t.level == subscription.LevelEnvironment && differs(in.Environment, t.name):
		return badRequest("Env name from request body doesn't match URL.")
	}
	return nil
}

// apply lays the input over a webhook, in the order of the checks (§5.5). What is absent clears, but for the format and
// the secret, which stay (§5.3).
func (in *hookInput) apply(s *subscription.Subscription, plain *subscription.Secrets) error {
	level := s.Scope().Level
	if n := utf8.RuneCountInString(in.DisplayName); strings.TrimSpace(in.DisplayName) == "" || n > displayNameLimit {
		return badRequest("Invalid display name provided")
	}
	if in.Format != "" {
		channel, known := channelOf(in.Format)
		if !known {
			return badRequest("Invalid format '%s'", in.Format)
		}
		s.Channel = channel
	}
	if s.Channel == subscription.ChannelTrigger && level == subscription.LevelOrganization {
		return badRequest("'pulumi_deployments' format can only be used on stack or environment webhooks.")
	}
	if !isAddress(in.PayloadURL, s.Channel) {
		return badRequest("Invalid payload URL provided")
	}
	if i := slices.IndexFunc(in.Groups, func(g string) bool { return !isGroup(g, level) }); i >= 0 {
		return badRequest("Invalid group '%s'", in.Groups[i])
	}
	if i := slices.IndexFunc(in.Filters, func(f string) bool { return !isFilter(f, level) }); i >= 0 {
		return badRequest("Invalid filter '%s'", in.Filters[i])
	}
	switch {
	case len(in.Secret) > secretLimit:
		return badRequest("Invalid secret provided")
	case in.Secret == removeSecret:
		plain.Secret = ""
	case in.Secret != "":
		plain.Secret = in.Secret
	}
	plain.URL = in.PayloadURL
	s.Name, s.Enabled = in.DisplayName, in.Active
	s.Triggers = slices.Concat(in.Filters, in.Groups)
	s.All = len(s.Triggers) == 0
	return nil
}

// isAddress reports whether a text can be the payloadUrl of a format (§3.4). Whether it may be sent to is the guard's
// business.
func isAddress(text string, channel subscription.Channel) bool {
	if len(text) > urlLimit || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
		return false
	}
	if channel == subscription.ChannelTrigger {
		return stackShape.MatchString(text)
	}
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Opaque == ""
}
