//go:build !nopolicy

package spacelift

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/rego"
	"carillon/internal/subscription"
)

// TestPolicyCases evaluates every case of policy/expected.json.
func TestPolicyCases(t *testing.T) {
	t.Parallel()
	var cases []struct {
		Policy, Engine, Input, Error string
		Result                       json.RawMessage
	}
	if err := json.Unmarshal(file(t, "policy/expected.json"), &cases); err != nil {
		t.Fatal(err)
	}
	e := newEngine()
	for i, c := range cases {
		p, err := e.compile(t.Context(), c.Engine, string(file(t, "policy/"+c.Policy)), strings.ToUpper)
		if (err != nil) != (c.Error == "compile") {
			t.Errorf("%d, %s: %v", i, c.Policy, err)
		}
		if err != nil {
			continue
		}
		rules, err := p.Eval(t.Context(), file(t, "policy/"+c.Input))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range rules { // rules that are not of the documented five are the policy's own business
			if !slices.Contains([]string{"webhook", "slack", "inbox", "pull_request", "sample"}, name) || reflect.DeepEqual(value, []any{}) {
				delete(rules, name)
			}
		}
		got, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		if want := plain(t, c.Result); plain(t, got) != want {
			t.Errorf("%d, %s: got %s, want %s", i, c.Policy, got, want)
		}
	}
}

// plain spells JSON so that it can be compared; numbers keep their digits.
func plain(t *testing.T, raw []byte) string {
	t.Helper()
	out, err := plainJSON(raw)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// shape lists the members of a document, lists by their first element.
func shape(prefix string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		var all []string
		for name, each := range v {
			all = append(append(all, prefix+"."+name), shape(prefix+"."+name, each)...)
		}
		return all
	case []any:
		if len(v) > 0 {
			return shape(prefix+"[]", v[0])
		}
	}
	return nil
}

// TestPolicyInputs builds the inputs and holds their members against the samples: none is missing, whatever is unknown.
func TestPolicyInputs(t *testing.T) {
	t.Parallel()
	w := newWorld()
	run := samples()["run-tracked-confirmed-note.json"]
	run.Workspace.ID = 0
	version := sample(event.KindModuleVersion)
	version.ModuleVersion = &event.ModuleVersion{ID: "v", Number: "1.4.0", State: "active", TestRuns: []event.ModuleTestRun{{ID: "t", CreatedAt: atSecond(5)}}}
	problem := sample(event.KindAccount)
	problem.Account = &event.Account{Title: "a", Body: "b", Cause: "c"}
	for name, e := range map[string]*event.Event{"run-updated": run, "module-version": version, "internal-error": problem} {
		c := &call{api: &api{Services: w.services(), dialect: New()}, account: w.organizations.items[0]}
		raw, err := c.policyInput(t.Context(), e, []endpoint{{ID: "a", Labels: []string{"b"}}})
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if json.Unmarshal(raw, &got) != nil || json.Unmarshal(file(t, "policy/input-"+name+".json"), &want) != nil {
			t.Fatal(string(raw))
		}
		have := shape("", got)
		for _, member := range shape("", want) {
			unknown := strings.Contains(member, ".changes[]") || strings.Contains(member, ".timing[]")
			if !unknown && !slices.Contains(have, member) {
				t.Errorf("%s: %s is missing", name, member)
			}
		}
	}
}

// judged evaluates a policy in the legacy space on an event and returns what followed, shortly.
func judged(t *testing.T, w *world, body string, e *event.Event) string {
	t.Helper()
	id := w.policy(t, body, engineV1)
	before := len(w.events)
	s := &subscription.Subscription{Channel: subscription.ChannelWork}
	msg, err := New().Render(dialect.Input{Event: e, Notice: New().Notices(e)[0], Subscription: s, Site: sampleSite})
	if err != nil {
		t.Fatal(err)
	}
	msg.URL = policyScheme + id
	if err := New().Work(t.Context(), w.services(), msg); err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, each := range w.events[before:] {
		if err := each.Validate(); err != nil {
			t.Errorf("%+v: %v", each, err)
		}
		part := each.Action
		switch {
		case each.Native != nil && each.Action == nativeRouted:
			part += " " + each.Native.Trigger + " " + string(each.Native.Body)
		case each.Account != nil:
			part += fmt.Sprintf(" %s|%s|%s|%s", each.Account.Severity, each.Account.Title, each.Account.Body, each.Account.Cause)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "\n")
}

// policy stores a policy in the legacy space and returns the identifier of its record.
func (w *world) policy(t *testing.T, body, engine string) string {
	t.Helper()
	p := policyRecord{ID: "p", Name: "P", Body: body, Type: policyNotification, Engine: engine, Project: sampleProject}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	c := &call{api: &api{Services: w.services(), dialect: New()}}
	p.record.Body = raw
	if err := c.savePolicy(t.Context(), &p); err != nil {
		t.Fatal(err)
	}
	return p.record.ID.String()
}

func TestWork(t *testing.T) {
	t.Parallel()
	minimal := string(file(t, "payloads/run-queued-minimal.json"))
	literal, err := json.Marshal(minimal)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ body, want string }{
		"nothing": {`x := 1`, ``},
		"the default body": {`webhook contains {"endpoint_id": "on"}`,
			`routed named_webhook:on {"method":"POST","body":` + string(literal) + `,"trigger":"run_state_changed_event"}`},
		"a body of its own": {`webhook contains {"endpoint_id": "on", "method": "PUT", "headers": {"X-A": "1"}, "payload": {"b": "<ü> spacelift::logs::planning!", "a": [input.run_updated.run.created_at, "spacelift::logs::applying"]}}`,
			`routed named_webhook:on {"method":"PUT","headers":{"X-A":"1"},"body":"{\"a\":[1745600200000000000,\"\"],\"b\":\"\u003cü\u003e !\"}","trigger":"custom"}`},
		"null is a body":     {`webhook contains {"endpoint_id": "on", "payload": null}`, `routed named_webhook:on {"method":"POST","body":"null","trigger":"custom"}`},
		"switched off":       {`webhook contains {"endpoint_id": "off"}`, ``},
		"unknown":            {`webhook contains {"endpoint_id": "absent"}`, `internal_error error|Notification policy failed|The notification policy "P" could not be carried out.|webhook: there is no endpoint "absent"`},
		"no endpoint":        {`webhook contains {}`, `internal_error error|Notification policy failed|The notification policy "P" could not be carried out.|webhook: endpoint_id is missing`},
		"a forbidden one":    {`webhook contains {"endpoint_id": "on", "method": "TRACE"}`, `internal_error error|Notification policy failed|The notification policy "P" could not be carried out.|webhook: the method "TRACE" is not allowed`},
		"a wrong header":     {`webhook contains {"endpoint_id": "on", "headers": {"X-Signature": "1"}}`, `internal_error error|Notification policy failed|The notification policy "P" could not be carried out.|webhook: header "X-Signature" is not allowed`},
		"does not compile":   {`x := y`, `internal_error error|Notification policy failed|The notification policy "P" could not be carried out.|the policy does not compile: line 3: var y is unsafe`},
		"inbox":              {`inbox contains {"title": "T", "body": "B", "severity": "WARNING"}`, `inbox warning|T|B|`},
		"inbox, by default":  {`inbox contains {"severity": "odd"}`, `inbox info|Run ci-4711 is QUEUED|https://relay.example.test/stack/laptop/run/ci-4711|`},
		"skipped":            {`slack contains {"channel_id": "C"}` + "\n" + `pull_request contains {"id": 1}`, ``},
		"sample":             {`sample := true`, `policy_sample`},
		"sample, not wanted": {`sample := false`, ``},
		"endpoints":          {`inbox contains {"title": "a", "body": json.marshal(input.webhook_endpoints)}`, `inbox info|a|[{"id":"on","labels":["l"]}]|`},
		"sanitized":          {`inbox contains {"title": "a", "body": x} if { x := sanitized("secret"); count(x) == 12; x == lower(x) }` + "\n" + `inbox contains {"title": "b", "body": "b"} if sanitized("x") == sanitized("x")`, ``},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			for _, hook := range []struct {
				name string
				on   bool
			}{{"on", true}, {"off", false}} {
				s := hookAt(subscription.LevelProject, namedTrigger(hook.name))
				s.Name, s.Enabled, s.Settings, s.ExternalIDs = hook.name, hook.on, json.RawMessage(`{"created_for":"named","labels":["l"]}`), map[string]string{Name: hook.name}
				s.ID = w.id()
				w.subscriptions.items = append(w.subscriptions.items, *s)
			}
			e := samples()["run-queued-minimal.json"]
			got := judged(t, w, "package spacelift\n\n"+c.body, e)
			if name == "sanitized" {
				if strings.Count(got, "inbox") != 2 || strings.Contains(got, "secret") {
					t.Errorf("got %s", got)
				}
				return
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestPoliciesOnInternalErrorsRaiseNone: it would go round (section 3.3).
func TestPoliciesOnInternalErrorsRaiseNone(t *testing.T) {
	t.Parallel()
	e := sample(event.KindAccount)
	e.Workspace, e.Action, e.Account = nil, actionInternalError, &event.Account{Title: "a", Severity: "error"}
	if got := judged(t, newWorld(), "package spacelift\n\nwebhook contains {\"endpoint_id\": \"absent\"}", e); got != "" {
		t.Errorf("got %s", got)
	}
}

// TestEqualResultsHaveOneKey: several policies that ask for the same make one delivery per event.
func TestEqualResultsHaveOneKey(t *testing.T) {
	t.Parallel()
	w := newWorld()
	s := hookAt(subscription.LevelProject, namedTrigger("on"))
	s.Settings, s.ExternalIDs = json.RawMessage(`{"created_for":"named"}`), map[string]string{Name: "on"}
	w.subscriptions.items = append(w.subscriptions.items, *s)
	for _, body := range []string{"webhook contains {\"endpoint_id\": \"on\"}", "a := \"on\"\nwebhook contains {\"endpoint_id\": a}", "webhook contains {\"endpoint_id\": \"on\", \"method\": \"PUT\"}"} {
		judged(t, w, "package spacelift\n\n"+body, samples()["run-queued-minimal.json"])
	}
	if k := []string{w.events[0].Key, w.events[1].Key, w.events[2].Key}; k[0] == "" || k[0] != k[1] || k[0] == k[2] {
		t.Errorf("got %v", k)
	}
}

// TestRoutedDeliveries renders what a policy asked for: its method, its headers above the webhook's own, its body.
func TestRoutedDeliveries(t *testing.T) {
	t.Parallel()
	e := sample(event.KindOther)
	e.Native = &event.Native{Dialect: Name, Kind: nativeRouted, Trigger: namedTrigger("a"), Body: []byte(`{"method":"PUT","headers":{"Content-Type":"text/plain","X-B":"2"},"body":"hello","trigger":"custom"}`)}
	n := New().Notices(e)
	if len(n) != 1 || n[0].Triggers[0] != "named_webhook:a" || !n[0].Unlisted || n[0].OpenTo(subscription.LevelOrganization) {
		t.Fatalf("got %+v", n)
	}
	msg, err := New().Render(dialect.Input{Event: e, Notice: n[0], Subscription: hookAt(subscription.LevelProject), Site: sampleSite})
	if err != nil {
		t.Fatal(err)
	}
	if msg.Method != "PUT" || msg.Get("Content-Type") != "text/plain" || msg.Get("X-B") != "2" || string(msg.Body) != "hello" || !slices.Equal(msg.Held, []string{"Content-Type", "X-B"}) {
		t.Errorf("got %+v", msg)
	}
}

// TestWorkThatIsOfNoUse ends, and is not tried again.
func TestWorkThatIsOfNoUse(t *testing.T) {
	t.Parallel()
	w := newWorld()
	id := w.policy(t, "package spacelift", engineV1)
	body, err := event.Encode(samples()["run-queued-minimal.json"])
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		msg  delivery.Message
		fine bool
	}{
		"no event":         {delivery.Message{URL: policyScheme + id, Body: []byte("{")}, false},
		"no policy":        {delivery.Message{URL: "spacelift:elsewhere", Body: body}, false},
		"a deleted policy": {delivery.Message{URL: policyScheme + w.id().String(), Body: body}, true},
		"a silent policy":  {delivery.Message{URL: policyScheme + id, Body: body}, true},
	} {
		if err := New().Work(t.Context(), w.services(), &c.msg); (err == nil) != c.fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkPolicy is what one evaluation costs: a compile once, then the evaluation alone.
func BenchmarkPolicy(b *testing.B) {
	text, input := string(file(b, "policy/route-by-label.v1.rego")), file(b, "policy/input-run-updated.json")
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := rego.Compile(b.Context(), rego.V1, rego.Options{Package: regoPackage}, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("evaluate", func(b *testing.B) {
		p, err := rego.Compile(b.Context(), rego.V1, rego.Options{Package: regoPackage}, text)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := p.Eval(b.Context(), input); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDelivery is what one delivery costs in this package: notice, body, signatures.
func BenchmarkDelivery(b *testing.B) {
	e, d, s := samples()["run-tracked-finished.json"], New(), hookAt(subscription.LevelWorkspace)
	b.ReportAllocs()
	for b.Loop() {
		msg, err := d.Render(dialect.Input{Event: e, Notice: d.Notices(e)[0], Subscription: s, Site: sampleSite})
		if err != nil {
			b.Fatal(err)
		}
		d.Sign(msg, dialect.Signing{Secrets: []string{secret}})
	}
}

// BenchmarkMatch is what an event costs where nobody has a policy: the notice, and the look-ups of its two triggers.
func BenchmarkMatch(b *testing.B) {
	var index subscription.Index
	for i := range 10_000 {
		s := hookAt(subscription.LevelWorkspace)
		s.ID, s.Scopes[0].ID = s.ID+ident.ID(i), s.Scopes[0].ID+ident.ID(i)
		index.Put(s)
	}
	e, d := samples()["run-tracked-finished.json"], New()
	places := []subscription.Scope{{Level: subscription.LevelWorkspace, ID: sampleWorkspace}, {Level: subscription.LevelProject, ID: sampleProject}, {Level: subscription.LevelOrganization, ID: sampleOrganization}}
	for name, triggers := range map[string]int{"with the policies' trigger": 2, "without": 1} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				notices := d.Notices(e)
				notices[0].Triggers = notices[0].Triggers[:triggers]
				if len(index.Match(Name, notices, places)) != 1 {
					b.Fatal("it does not match")
				}
			}
		})
	}
}
