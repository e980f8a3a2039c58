package spacelift_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// TestAuditTrailOperations replays the three operations against a receiver that answers, and looks at what it got.
func TestAuditTrailOperations(t *testing.T) {
	t.Parallel()
	p := &player{platform: newPlatform(t), used: map[int]bool{}, actual: map[string]string{}}
	if err := json.Unmarshal(file(t, "operations.json"), &p.all); err != nil {
		t.Fatal(err)
	}
	sink := conformance.NewSink(t)
	p.actual["https://hooks.example.test/audit"] = sink.URL
	p.play(t, "AuditTrailWebhookCreate")
	p.play(t, "AuditTrailWebhookRead")
	test := sink.Wait(t, 1)[0]
	wantHeaders(t, test, "X-A")
	if err := webhook.Verify(webhook.Spacelift, headers(test), test.Body, "audit-secret"); err != nil {
		t.Error(err)
	}
	hidden := regexp.MustCompile(`"SecretSHA":"[0-9a-f]{12}"`)
	got := hidden.ReplaceAllString(string(test.Body), `"SecretSHA":"x"`)
	got = regexp.MustCompile(`"timestamp":\d{13}}$`).ReplaceAllString(got, `"timestamp":0}`)
	got = regexp.MustCompile(`"actor":"api::[0-9A-Z]{26}"`).ReplaceAllString(got, `"actor":"api::ULID"`)
	endpoint, _ := json.Marshal(sink.URL)
	want := `{"account":"acme","action":"audit_trail_webhook.set","actor":"api::ULID","context":{"mutation":"auditTrailSetWebhook"},"data":{"args":{"CustomHeaders":{"Entries":[{"Key":"X-A","SecretSHA":"x"}]},"Enabled":true,"Endpoint":` +
		string(endpoint) + `,"IncludeRuns":true,"RetryOnFailure":null,"SecretSHA":"x"}},"remoteIP":"127.0.0.1","timestamp":0}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// Null headers remove all: what goes out changes, so it is tested again, and the record is not sent a second time.
	o := p.find(t, "AuditTrailWebhookCreate", 0)
	p.check(t, o, o.More[0].Variables, json.RawMessage(`{"data":{"auditTrailSetWebhook":{"enabled":true,"endpoint":"`+sink.URL+`","includeRuns":false,"secret":"","retryOnFailure":null}}}`))
	second := sink.Wait(t, 2)[1]
	if _, there := second.Value("X-A"); there {
		t.Error("the custom header is still sent")
	}
	if err := webhook.Verify(webhook.Spacelift, headers(second), second.Body, "audit-secret"); err != nil {
		t.Errorf("the secret was not kept: %v", err)
	}
	p.wantMessage(t, "endpoint must be a valid URL", o.Query, o.More[1].Variables)
	p.play(t, "AuditTrailWebhookDelete")
	last := sink.Wait(t, 3)[2]
	if !strings.Contains(string(last.Body), `"action":"audit_trail_webhook.delete"`) || !strings.Contains(string(last.Body), `"data":{}`) {
		t.Errorf("got %s", last.Body)
	}
	same(t, "gone", p.ask(t, p.jwt, `{auditTrailWebhook{enabled}}`, nil).data(t), object{"auditTrailWebhook": nil})
	same(t, "gone twice", p.ask(t, p.jwt, `mutation{auditTrailDeleteWebhook{enabled}}`, nil).data(t), object{"auditTrailDeleteWebhook": nil})
}

// actions lists the actions of the records that arrived.
func actions(t *testing.T, requests []conformance.Request) []string {
	t.Helper()
	var list []string
	for _, r := range requests {
		payload, err := webhook.ParseSpacelift(r.Body)
		switch {
		case err != nil:
			t.Fatal(err)
		case payload.Kind == webhook.SpaceliftAudit:
			list = append(list, payload.Audit.Action)
		default:
			list = append(list, string(payload.Kind))
		}
	}
	slices.Sort(list)
	return list
}

// TestEveryChangeIsRecorded is section 3.7: each mutation under its name, without any secret.
func TestEveryChangeIsRecorded(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.run(t, setAudit, object{"input": object{"enabled": true, "endpoint": sink.URL, "includeRuns": false, "secret": "audit-s3cret"}})
	dev := p.space(t, "dev", "root")
	p.run(t, updateSpace, object{"space": dev, "input": spaceInput("dev2", "root")})
	stack := p.stack(t, "Network")
	p.run(t, `mutation($input:StackInput!){stackUpdate(id:"network",input:$input){id}}`, object{"input": stackInput("Network")})
	hook := p.webhook(t, stack, "https://hooks.example.test/", "stack-s3cret", nil)
	p.run(t, updateWebhook, object{"stack": stack, "webhook": hook, "input": object{"enabled": true, "endpoint": "https://hooks.example.test/2", "secret": "other-s3cret"}})
	p.run(t, deleteWebhook, object{"stack": stack, "webhook": hook})
	named := namedInput("n", dev)
	named["secret"] = "named-s3cret"
	p.run(t, createNamed, object{"input": named})
	p.run(t, updateNamed, object{"id": "n", "input": named})
	p.run(t, setHeaders, object{"id": "n", "input": entries("X-A", "header-s3cret")})
	p.run(t, deleteHeaders, object{"id": "n", "headerKeys": []string{"X-A"}})
	p.run(t, `mutation{namedWebhooksIntegrationDelete(id:"n"){id}}`, nil)
	p.run(t, createModule, object{"input": object{"updateInput": object{"administrative": false, "branch": "main"}, "repository": "terraform-aws-vpc"}})
	p.run(t, `mutation{moduleUpdateV2(id:"terraform-aws-vpc",input:{administrative:false,branch:"main",repository:"r"}){id}}`, nil)
	p.run(t, `mutation{moduleDelete(id:"terraform-aws-vpc"){id}}`, nil)
	p.run(t, createPolicy, object{"input": object{"name": "p", "body": "package spacelift", "type": "PLAN"}})
	p.run(t, updatePolicy, object{"id": "p", "input": object{"name": "p", "body": "package spacelift"}})
	p.run(t, `mutation{policyDelete(id:"p"){id}}`, nil)
	p.run(t, `mutation{stackDelete(id:"network"){id}}`, nil)
	p.run(t, deleteSpace, object{"id": dev})
	p.run(t, `mutation{auditTrailWebhookSetHeaders(input:{entries:[{key:"X-B",value:"b-s3cret"}]}){enabled}}`, nil)
	p.run(t, `mutation{auditTrailWebhookDeleteHeaders(input:{keys:["x-b"]}){enabled}}`, nil)
	// What changes nothing, and what is refused, is not recorded.
	p.ask(t, p.jwt, `mutation{stackDelete(id:"network"){id}}`, nil)
	p.ask(t, p.jwt, createWebhook, object{"stack": "absent", "input": object{"enabled": true, "endpoint": "https://a.example.test"}})
	want := []string{
		"audit_trail_webhook.delete_headers", "audit_trail_webhook.set", "audit_trail_webhook.set_headers", "module.create", "module.delete", "module.update",
		"named_webhook.create", "named_webhook.delete", "named_webhook.delete_headers", "named_webhook.set_headers", "named_webhook.update",
		"policy.create", "policy.delete", "policy.update", "space.create", "space.delete", "space.update", "stack.create", "stack.delete", "stack.update",
		"webhook.create", "webhook.delete", "webhook.update",
	}
	requests := sink.Wait(t, len(want))
	if got := actions(t, requests); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	for _, r := range requests {
		if strings.Contains(string(r.Body), "s3cret") {
			t.Errorf("a secret is told: %s", r.Body)
		}
		if strings.Contains(string(r.Body), `"stack.create"`) && !strings.Contains(string(r.Body), `"data":{"ID":"network","args":{"Input":{"AdditionalProjectGlobs":null,"Administrative":false,`) {
			t.Errorf("got %s", r.Body)
		}
	}
}

// TestAuditTrailTest: the endpoint must take a test request before the webhook is enabled or moved (section 5.5).
func TestAuditTrailTest(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	input := func(enabled bool, endpoint string) object {
		return object{"input": object{"enabled": enabled, "endpoint": endpoint, "includeRuns": true, "secret": "s"}}
	}
	const failed = "could not deliver a test payload to the audit trail endpoint: "
	sink.Answer(500, "no")
	p.wantMessage(t, failed+"HTTP 500", setAudit, input(true, sink.URL))
	p.wantMessage(t, failed+"refused", setAudit, input(true, "http://127.0.0.1:1/"))
	same(t, "nothing was saved", p.ask(t, p.jwt, `{auditTrailWebhook{enabled}}`, nil).data(t), object{"auditTrailWebhook": nil})
	p.run(t, setAudit, input(false, sink.URL)) // saved disabled, never tested
	p.wantMessage(t, failed+"HTTP 500", setAudit, input(true, sink.URL))
	sink.Answer(200, "yes")
	p.run(t, setAudit, input(true, sink.URL))
	p.wantMessage(t, failed+"refused", setAudit, input(true, "http://127.0.0.1:1/"))
	same(t, "it stayed", p.run(t, `{auditTrailWebhook{enabled,endpoint,includeRuns,secret}}`, nil), object{"enabled": true, "endpoint": sink.URL, "includeRuns": true, "secret": ""})

	// includeRuns: the bodies of section 3.1 come too, of all stacks.
	before := len(sink.Requests())
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	verified(t, sink.Wait(t, before+1)[before], "s")
	p.wantMessage(t, `header "Host" is not allowed`, `mutation{auditTrailWebhookSetHeaders(input:{entries:[{key:"Host",value:"a"}]}){enabled}}`, nil)
	same(t, "there is one", p.run(t, `{namedWebhooksIntegrations{id}}`, nil), []any{})
}
