package spacelift

import (
	"encoding/json"
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// rendered is the body of the only notice of an event, for a webhook that names it.
func rendered(t *testing.T, e *event.Event, s *subscription.Subscription) string {
	t.Helper()
	notices := New().Notices(e)
	if len(notices) != 1 {
		t.Fatalf("got %d notices", len(notices))
	}
	msg, err := New().Render(dialect.Input{Event: e, Notice: notices[0], Subscription: s, Site: sampleSite})
	if err != nil {
		t.Fatal(err)
	}
	if msg.Method != "POST" || msg.Get("Content-Type") != "application/json" || len(msg.Header) != 1 || !msg.PlainClient {
		t.Errorf("got %s with %v", msg.Method, msg.Header)
	}
	return string(msg.Body)
}

func same(t *testing.T, got string, want []byte) {
	t.Helper()
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRunBodiesAreTheSamples(t *testing.T) {
	t.Parallel()
	for name, e := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stored, err := event.Encode(e)
			if err != nil {
				t.Fatal(err)
			}
			again, err := event.Decode(stored)
			if err != nil {
				t.Fatal(err)
			}
			same(t, rendered(t, again, hookAt(subscription.LevelWorkspace)), file(t, "payloads/"+name))
		})
	}
}

func TestBodyOf2021(t *testing.T) {
	t.Parallel()
	s := hookAt(subscription.LevelWorkspace)
	s.Settings = json.RawMessage(`{"body":"2021"}`)
	same(t, rendered(t, sampleOf2021(), s), file(t, "payloads/run-seed.json"))
}

func TestModuleVersionBody(t *testing.T) {
	t.Parallel()
	e := sample(event.KindModuleVersion)
	e.Workspace = &event.Workspace{ID: sampleWorkspace, Name: "vpc", Tags: []string{"registry"}, Repository: "octo/terraform-default-vpc", VCS: "github", ExternalIDs: map[string]string{Name: "terraform-default-vpc"}}
	e.OccurredAt = atMillis(1745600600118)
	e.ModuleVersion = &event.ModuleVersion{
		ID: "01JSPYD8F0G2H4J6K8M0N2P4Q6", Number: "1.4.0", State: "active", Latest: true, Branch: "main", CreatedAt: atSecond(1745600455),
		Commit:   moduleCommit(),
		TestRuns: []event.ModuleTestRun{{ID: "01JSPYBD5E7F9G1H3J5K7M9N1P", Title: "default", State: "finished", CreatedAt: atSecond(1745600455), UpdatedAt: atSecond(1745600590)}},
	}
	same(t, rendered(t, e, hookAt(subscription.LevelProject, triggerModuleVersion)), file(t, "payloads/module-version.json"))
}

func TestInternalErrorBody(t *testing.T) {
	t.Parallel()
	e := sample(event.KindAccount)
	e.Organization.Name = "spacelift-io"
	e.Account = &event.Account{
		Title: "Invalid Stack Slug Triggered", Severity: "error", Cause: "policy triggered for Stack that doesn't exist",
		Body: "policy tried to trigger Stack 'this-is-not-a-stack' which either doesn't exist or this policy doesn't have access to",
	}
	same(t, rendered(t, e, hookAt(subscription.LevelOrganization, triggerInternalError)), file(t, "payloads/internal-error.json"))
}

func TestSwitchedOffWebhookIsAWarning(t *testing.T) {
	t.Parallel()
	e := sample(event.KindNotifier)
	e.Action, e.Notifier = actionDisabled, &event.Notifier{SubscriptionName: "hook", Destination: "https://h…", Reason: "too many deliveries in a row failed"}
	var got map[string]string
	if err := json.Unmarshal([]byte(rendered(t, e, hookAt(subscription.LevelOrganization, triggerInternalError))), &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 || got["severity"] != "WARNING" || got["error"] != "too many deliveries in a row failed" || got["account"] != "acme" {
		t.Errorf("got %v", got)
	}
}

// auditSample rebuilds the event of an audit record from its sample.
func auditSample(t *testing.T, name string) *event.Event {
	t.Helper()
	var p struct {
		Action     string
		Actor      string
		ActorRoles []string `json:"actor_roles"`
		Context    struct{ Mutation string }
		Data       json.RawMessage
		RemoteIP   string
		Timestamp  int64
	}
	if err := json.Unmarshal(file(t, name), &p); err != nil {
		t.Fatal(err)
	}
	e := sample(event.KindAccount)
	e.Action, e.OccurredAt, e.Actor = "audit", atMillis(p.Timestamp), &event.Actor{Name: p.Actor}
	e.Account = &event.Account{Verb: p.Action, ActorRoles: p.ActorRoles, Mutation: p.Context.Mutation, Data: p.Data, RemoteIP: p.RemoteIP}
	return e
}

func TestAuditBodies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"payloads/audit-webhook-set.json", "payloads/audit-webhook-delete.json", "payloads/audit-stack-create.json"} {
		stored, err := event.Encode(auditSample(t, name))
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.Decode(stored)
		if err != nil {
			t.Fatal(err)
		}
		same(t, rendered(t, e, hookAt(subscription.LevelOrganization, triggerAudit)), file(t, name))
	}
}

// TestAuditDataIsLiteral: the store writes documents with escapes, bodies have none (section 3).
func TestAuditDataIsLiteral(t *testing.T) {
	t.Parallel()
	e := sample(event.KindAccount)
	e.Account = &event.Account{Verb: "stack.create", Data: json.RawMessage(`{"args":{"Name":"a \u003c b \u0026 ü","Big":12345678901234567890}}`)}
	if got := rendered(t, e, hookAt(subscription.LevelOrganization, triggerAudit)); !strings.Contains(got, `{"args":{"Big":12345678901234567890,"Name":"a < b & ü"}}`) {
		t.Errorf("got %s", got)
	}
	e.Actor = &event.Actor{Name: "zoe"}
	if got := rendered(t, e, hookAt(subscription.LevelOrganization, triggerAudit)); !strings.Contains(got, `"actor":"local::zoe"`) {
		t.Errorf("got %s", got)
	}
}

// TestAddressesOfTheEventWin: section 3.5.
func TestAddressesOfTheEventWin(t *testing.T) {
	t.Parallel()
	e := samples()["run-queued-minimal.json"]
	e.Run.SourceID, e.Workspace.Name = "org/run/1", "Ünï & co"
	got := rendered(t, e, hookAt(subscription.LevelWorkspace))
	for _, want := range []string{`"id":"org-run-1"`, `"url":"https://relay.example.test/stack/n-co/run/org-run-1"`, `"id":"n-co"`, `"name":"Ünï & co"`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	e.Run.URL, e.Workspace.URL = "https://ci.example.test/17", "https://ci.example.test/"
	got = rendered(t, e, hookAt(subscription.LevelWorkspace))
	if !strings.Contains(got, `"url":"https://ci.example.test/17"`) || !strings.Contains(got, `"url":"https://ci.example.test/","vcs"`) {
		t.Errorf("got %s", got)
	}
}

// TestTriggeredBy is section 3.6.
func TestTriggeredBy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		run  event.Run
		want string
	}{
		"nobody":              {event.Run{}, ""},
		"the source's word":   {event.Run{Trigger: "github/octo", CreatedBy: &event.Actor{Name: "zoe"}}, "github/octo"},
		"a person's address":  {event.Run{CreatedBy: &event.Actor{Name: "zoe", Email: "zoe@acme.test"}}, "zoe@acme.test"},
		"a person's login":    {event.Run{CreatedBy: &event.Actor{Name: "zoe"}}, "zoe"},
		"a push names nobody": {event.Run{Origin: "vcs", CreatedBy: &event.Actor{Name: "zoe"}}, ""},
	}
	for name, c := range cases {
		if got := triggeredBy(&c.run); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
