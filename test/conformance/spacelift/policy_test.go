package spacelift_test

import (
	"fmt"
	"strings"
	"testing"

	"carillon/test/conformance"
)

// policy makes a notification policy of version 1.
func (p *platform) policy(t *testing.T, name, space, rules string) string {
	t.Helper()
	made := p.run(t, createPolicy, object{"input": object{
		"name": name, "body": "package spacelift\n\n" + rules, "type": "NOTIFICATION", "space": space, "engineType": "REGO_V1",
	}})
	return made.(object)["id"].(string)
}

// named makes a named webhook on a sink.
func (p *platform) named(t *testing.T, name, space string, sink *conformance.Sink, labels ...string) {
	t.Helper()
	p.run(t, createNamed, object{"input": object{
		"enabled": true, "endpoint": sink.URL, "space": space, "name": name, "secret": secret, "labels": labels,
	}})
}

// TestPoliciesRoute is section 4.4 from a run to a receiver: the contract's own policies, in both versions of the
// language, send finished runs to every named webhook labelled "prod".
func TestPoliciesRoute(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink, other := conformance.NewSink(t), conformance.NewSink(t)
	p.named(t, "Alerts (prod)", "root", sink, "msteams", "prod")
	p.named(t, "Others", "root", other)
	for version, name := range map[string]string{"REGO_V0": "route-by-label.v0.rego", "REGO_V1": "route-by-label.v1.rego"} {
		p.run(t, createPolicy, object{"input": object{
			"name": name, "body": string(file(t, "policy/"+name)), "type": "NOTIFICATION", "space": "root", "engineType": version,
		}})
	}
	p.run(t, setHeaders, object{"id": "alerts-prod", "input": entries("X-Api-Key", "k")})
	for _, status := range []string{"pending", "planning", "applying", "applied"} { // in the legacy space, which inherits from root
		p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", status, nil), nil)
	}
	r := sink.Wait(t, 1)[0]
	if run := verified(t, r, secret); run.State != "FINISHED" || run.StateVersion != 3 {
		t.Errorf("got %s", r.Body)
	}
	wantHeaders(t, r, "X-Api-Key")
	// A second run: had the two policies made two deliveries of the first, they would be here by now.
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-2", "errored", nil), nil)
	if got := states(t, sink.Wait(t, 2)); got != "FINISHED 3, FAILED 0" {
		t.Errorf("got %s", got)
	}
	if len(other.Requests()) != 0 {
		t.Errorf("the other webhook got %d requests", len(other.Requests()))
	}
}

// TestPoliciesShapeRequests: method, payload and headers of a rule; they stand above the webhook's own, never above the
// signatures.
func TestPoliciesShapeRequests(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.named(t, "drift-hook", "legacy", sink)
	p.run(t, setHeaders, object{"id": "drift-hook", "input": entries("X-Route", "the webhook's", "X-Own", "own")})
	p.run(t, createPolicy, object{"input": object{
		"name": "custom", "body": string(file(t, "policy/custom-request.v1.rego")), "type": "NOTIFICATION", "space": "legacy", "engineType": "REGO_V1",
	}})
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	r := sink.Wait(t, 1)[0]
	if !strings.HasPrefix(r.Line, "PUT ") {
		t.Errorf("got %s", r.Line)
	}
	for name, want := range map[string]string{"X-Route": "ops", "X-Own": "own", "Content-Type": "application/json"} {
		if got, _ := r.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body := string(r.Body)
	if !strings.HasPrefix(body, `{"at":1`) || !strings.HasSuffix(body, `,"log":"planned: ","run":"r-1","spacelift::logs::planning":"a key is never replaced"}`) || strings.Contains(body, "e+") {
		t.Errorf("got %s", body)
	}
	if got, want := headers(r).Get("X-Signature-256"), sign256(secret, r.Body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !strings.Contains(string(p.Do(t, "GET", "/v1/events?organization=acme&kind=other", nil).Body), "policy_sample") {
		t.Error("no sample was kept")
	}
}

// TestWherePoliciesApply: the run's space, and those above as long as each inherits.
func TestWherePoliciesApply(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.named(t, "hook", "root", sink)
	inherits := p.space(t, "inherits", "root")
	apart := p.run(t, createSpace, object{"input": object{"name": "apart", "description": "", "inheritEntities": false, "parentSpace": "root"}}).(object)["id"].(string)
	below := p.space(t, "below", apart)
	rule := func(name string) string {
		return fmt.Sprintf(`webhook contains {"endpoint_id": "hook", "payload": {"policy": %q, "stack": input.run_updated.stack.id, "space": input.run_updated.stack.space.id, "endpoints": input.webhook_endpoints}}`, name)
	}
	p.policy(t, "of-root", "root", rule("root"))
	p.policy(t, "of-apart", apart, rule("apart"))
	for i, c := range []struct{ space, want string }{
		{"legacy", `{"endpoints":[{"id":"hook","labels":[]}],"policy":"root","space":"legacy","stack":"s0"}`},
		{inherits, `{"endpoints":[{"id":"hook","labels":[]}],"policy":"root","space":"` + inherits + `","stack":"s1"}`},
		{"root", `{"endpoints":[{"id":"hook","labels":[]}],"policy":"root","space":"root","stack":"s2"}`},
	} {
		input := stackInput(fmt.Sprintf("s%d", i))
		input["space"] = c.space
		p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true){id}}`, object{"input": input})
		p.Want(t, 202, "POST", "/v1/events", event(fmt.Sprintf("s%d", i), "r", "pending", nil), nil)
		if got := string(sink.Wait(t, i+1)[i].Body); got != c.want {
			t.Errorf("%s: got %s, want %s", c.space, got, c.want)
		}
	}
	// The space apart reaches no webhook of root: its policy raises an internal error instead. So does the one below it.
	told := conformance.NewSink(t)
	p.Want(t, 201, "POST", "/v1/subscriptions", object{
		"organization": "acme", "dialect": "spacelift", "name": "errors", "url": told.URL, "secret": secret, "triggers": []string{"internal_error"},
	}, nil)
	for i, space := range []string{apart, below} {
		name := fmt.Sprintf("a%d", i)
		input := stackInput(name)
		input["space"] = space
		p.run(t, `mutation($input:StackInput!){stackCreate(input: $input, manageState: true){id}}`, object{"input": input})
		p.Want(t, 202, "POST", "/v1/events", event(name, "r", "pending", nil), nil)
		if got := string(told.Wait(t, i+1)[i].Body); !strings.Contains(got, `there is no endpoint \"hook\"`) || !strings.Contains(got, `"severity":"ERROR"`) {
			t.Errorf("got %s", got)
		}
	}
	if got := len(sink.Requests()); got != 3 {
		t.Errorf("%d requests", got)
	}
}

// TestPoliciesOfOtherEvents: module versions and internal errors that come in are judged too; those without a space by
// root's policies.
func TestPoliciesOfOtherEvents(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	s, sink := p.source(t, nil), conformance.NewSink(t)
	p.named(t, "hook", "root", sink)
	p.policy(t, "all", "root", `webhook contains {"endpoint_id": "hook", "payload": {"m": input.module_version.version.number}} if input.module_version
webhook contains {"endpoint_id": "hook"} if input.internal_error`)
	s.post(t, "POST", file(t, "payloads/internal-error.json"))
	if got := string(sink.Wait(t, 1)[0].Body); got != string(file(t, "payloads/internal-error.json")) {
		t.Errorf("got %s", got)
	}
	s.post(t, "POST", file(t, "payloads/module-version.json"))
	if got := string(sink.Wait(t, 2)[1].Body); got != `{"m":"1.4.0"}` {
		t.Errorf("got %s", got)
	}
}

// TestPoliciesChange: a change counts for the next event, a deleted policy says nothing more, and a policy that does not
// compile is refused with the compiler's first message.
func TestPoliciesChange(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.named(t, "hook", "legacy", sink)
	id := p.policy(t, "one", "legacy", `webhook contains {"endpoint_id": "hook", "payload": 1}`)
	fire := func(run string, n int) string {
		t.Helper()
		p.Want(t, 202, "POST", "/v1/events", event("Network", run, "pending", nil), nil)
		return string(sink.Wait(t, n)[n-1].Body)
	}
	if got := fire("r-1", 1); got != "1" {
		t.Errorf("got %s", got)
	}
	change := func(body string) object {
		return object{"id": id, "input": object{"name": "one", "body": body, "engineType": nil}}
	}
	p.wantMessage(t, "policy body is not valid Rego: line 2: var y is unsafe", updatePolicy, change("package spacelift\nx := y"))
	p.run(t, updatePolicy, change("package spacelift\nwebhook contains {\"endpoint_id\": \"hook\", \"payload\": 2}"))
	if got := fire("r-2", 2); got != "2" {
		t.Errorf("got %s", got)
	}
	forbidden := object{"name": "f", "body": string(file(t, "policy/forbidden.v1.rego")), "type": "NOTIFICATION", "engineType": "REGO_V1"}
	if got := p.ask(t, p.jwt, createPolicy, object{"input": forbidden}); !strings.HasPrefix(got.message(), "policy body is not valid Rego: line 4: undefined function http.send") {
		t.Errorf("got %s", got.raw)
	}
	older := object{"name": "o", "body": string(file(t, "policy/route-by-label.v1.rego")), "type": "NOTIFICATION"} // version 0 by default
	if got := p.ask(t, p.jwt, createPolicy, object{"input": older}); !strings.HasPrefix(got.message(), "policy body is not valid Rego: ") {
		t.Errorf("got %s", got.raw)
	}
	p.run(t, `mutation($id:ID!){policyDelete(id: $id){id}}`, object{"id": id})
	p.policy(t, "two", "legacy", `webhook contains {"endpoint_id": "hook", "payload": 3}`)
	if got := fire("r-3", 3); got != "3" {
		t.Errorf("got %s", got)
	}
	var left struct {
		Items []struct{ Name, Channel string }
	}
	p.Want(t, 200, "GET", "/v1/subscriptions?organization=acme", nil, &left)
	if len(left.Items) != 2 {
		t.Errorf("got %+v", left)
	}
}

// TestStackWebhooksHearNothingOfPolicies: section 8, trap 11.
func TestStackWebhooksHearNothingOfPolicies(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	stack, named := conformance.NewSink(t), conformance.NewSink(t)
	p.webhook(t, p.stack(t, "Network"), stack.URL, secret, nil)
	p.named(t, "hook", "legacy", named)
	p.policy(t, "all", "legacy", `webhook contains {"endpoint_id": "hook", "payload": {"text": "hello"}}
inbox contains {"title": "t"}
sample := true`)
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	named.Wait(t, 1)
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "applied", nil), nil)
	named.Wait(t, 2)
	if got := states(t, stack.Wait(t, 2)); got != "QUEUED 0, FINISHED 1" {
		t.Errorf("got %s", got)
	}
}
