package spacelift

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"carillon/internal/rego"
)

// verdict is what a notification policy says (§4.4).
type verdict struct {
	Webhook     []webhookRule
	Inbox       []inboxRule
	Slack       []any
	PullRequest []any
	Sample      bool
}

// webhookRule asks for one delivery to a named webhook.
type webhookRule struct {
	Endpoint string
	Payload  any  // instead of the default body
	Custom   bool // Payload counts, be it null
	Method   string
	Headers  map[string]string
}

type inboxRule struct{ Title, Body, Severity string }

// methods are what a rule may ask for.
var methods = []string{"POST", "PUT", "PATCH", "DELETE"}

// readVerdict reads a policy's rules. What has not the documented form is a problem of the policy's author.
func readVerdict(rules rego.Rules) (v verdict, problems []string) {
	for _, each := range asList(rules["webhook"]) {
		rule, err := readWebhookRule(each)
		if err != nil {
			problems = append(problems, "webhook: "+err.Error())
			continue
		}
		v.Webhook = append(v.Webhook, rule)
	}
	for _, each := range asList(rules["inbox"]) {
		fields, ok := each.(map[string]any)
		if !ok {
			problems = append(problems, "inbox: a rule must be an object")
			continue
		}
		v.Inbox = append(v.Inbox, inboxRule{text(fields["title"]), text(fields["body"]), text(fields["severity"])})
	}
	v.Slack, v.PullRequest = asList(rules["slack"]), asList(rules["pull_request"])
	v.Sample, _ = rules["sample"].(bool)
	return v, problems
}

func readWebhookRule(rule any) (webhookRule, error) {
	fields, ok := rule.(map[string]any)
	if !ok {
		return webhookRule{}, fmt.Errorf("a rule must be an object")
	}
	r := webhookRule{Endpoint: text(fields["endpoint_id"]), Method: cmp.Or(text(fields["method"]), "POST")}
	if r.Endpoint == "" {
		return r, fmt.Errorf("endpoint_id is missing")
	}
	if !slices.Contains(methods, r.Method) {
		return r, fmt.Errorf("the method %q is not allowed", r.Method)
	}
	if payload, given := fields["payload"]; given {
		r.Payload, r.Custom = withoutLogs(payload), true
	}
	for name, value := range asObject(fields["headers"]) {
		field := headersInput{Entries: []keyValue{{name, text(value)}}}
		if err := field.check(); err != nil {
			return r, err
		}
		if r.Headers == nil {
			r.Headers = map[string]string{}
		}
		r.Headers[name] = text(value)
	}
	return r, nil
}

// logPlaceholder stands for a phase's log in values, never in keys. There are no logs here, so it becomes nothing.
var logPlaceholder = regexp.MustCompile(`spacelift::logs::(initializing|preparing|planning|applying)`)

func withoutLogs(value any) any {
	switch v := value.(type) {
	case string:
		return logPlaceholder.ReplaceAllLiteralString(v, "")
	case []any:
		list := make([]any, len(v))
		for i, each := range v {
			list[i] = withoutLogs(each)
		}
		return list
	case map[string]any:
		fields := make(map[string]any, len(v))
		for name, each := range v {
			fields[name] = withoutLogs(each)
		}
		return fields
	}
	return value
}

// asList reads a rule set: a list, or a single value.
func asList(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

func asObject(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

// text is a value as a rule means it: texts as they are, everything else as JSON.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(raw)
}
