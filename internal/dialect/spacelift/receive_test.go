package spacelift

import (
	"net/http"
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// inbound is a signed request at a source of the organization "house".
func inbound(body []byte) dialect.Inbound {
	return dialect.Inbound{
		Header: http.Header{"X-Signature-256": {signatureSHA256(secret, body)}, "Content-Type": {"application/json"}},
		Body:   body, Secrets: []string{secret}, At: atMillis(1745700000000), Organization: event.Organization{ID: ident.ID(5 << 13), Name: "house"},
	}
}

func received(t *testing.T, body []byte) event.Event {
	t.Helper()
	got, err := New().Receive(inbound(body))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Events) != 1 || got.Status != 0 || got.Verified {
		t.Fatalf("got %+v", got)
	}
	if err := got.Events[0].Validate(); err != nil {
		t.Fatal(err)
	}
	return got.Events[0]
}

// TestRunsAreReadAndPassOnUnchanged reads every run sample and renders it again: the bytes are the same, and so is what
// would be written from the neutral event alone.
func TestRunsAreReadAndPassOnUnchanged(t *testing.T) {
	t.Parallel()
	for name := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := file(t, "payloads/"+name)
			e := received(t, body)
			if e.Kind != event.KindRun || !e.Run.Sequenced || e.Organization.Name != "house" || e.Source.Metadata["account"] != "acme" {
				t.Errorf("got %+v", e)
			}
			same(t, rendered(t, &e, hookAt(subscription.LevelWorkspace)), body)
			e.Native, e.Organization.Name = nil, "acme"
			same(t, rendered(t, &e, hookAt(subscription.LevelWorkspace)), body)
		})
	}
}

func TestOtherKindsPassOnUnchanged(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"payloads/audit-webhook-set.json": triggerAudit, "payloads/audit-webhook-delete.json": triggerAudit,
		"payloads/audit-stack-create.json": triggerAudit, "payloads/internal-error.json": triggerInternalError,
		"payloads/module-version.json": triggerModuleVersion,
	}
	for name, trigger := range cases {
		body := file(t, name)
		e := received(t, body)
		same(t, rendered(t, &e, hookAt(subscription.LevelOrganization, trigger)), body)
		if trigger == triggerModuleVersion {
			e.Native, e.Organization.Name = nil, "acme"
			same(t, rendered(t, &e, hookAt(subscription.LevelOrganization, trigger)), body)
		}
		if (e.Key == "") != (trigger == triggerInternalError) {
			t.Errorf("%s: the key is %q", name, e.Key)
		}
	}
}

// TestBodyOf2021IsRead: what came later may be missing (section 9).
func TestBodyOf2021IsRead(t *testing.T) {
	t.Parallel()
	e := received(t, file(t, "payloads/run-seed.json"))
	if e.Key != "spacelift:spacelift-io:01EF9PFPNFFM2MQXTJKHK1B869:4" || e.Run.Sequence != 4 || e.OccurredAt.Unix() != 1596979684 {
		t.Errorf("got %s, %d, %v", e.Key, e.Run.Sequence, e.OccurredAt)
	}
	if e.Workspace.ExternalIDs[Name] != "spacelift-demo" || e.Workspace.Name != "Spacelift demo" || e.Run.CreatedBy.Email != "marcinw@spacelift.io" {
		t.Errorf("got %+v, %+v", e.Workspace, e.Run)
	}
	if e.Run.Status != event.StatusPlannedAndFinished || e.Run.Changes.Total != 1 {
		t.Errorf("got %+v", e.Run)
	}
}

func TestSignaturesOfInboundRequests(t *testing.T) {
	t.Parallel()
	body := file(t, "payloads/run-seed.json")
	with := func(change func(*dialect.Inbound)) dialect.Inbound {
		in := inbound(body)
		change(&in)
		return in
	}
	only := func(header, value string) func(*dialect.Inbound) {
		return func(in *dialect.Inbound) { in.Header = http.Header{header: {value}} }
	}
	cases := map[string]struct {
		in   dialect.Inbound
		want fault.Code
	}{
		"both":               {with(func(in *dialect.Inbound) { in.Header.Set("X-Signature", "sha1=wrong") }), ""},
		"the older one":      {with(only("X-Signature", signatureSHA1(secret, body))), ""},
		"the older is wrong": {with(only("X-Signature", signatureSHA1("other", body))), fault.Unauthorized},
		"the older forbidden": {with(func(in *dialect.Inbound) {
			only("X-Signature", signatureSHA1(secret, body))(in)
			in.Options = map[string]string{"no_sha1": "true"}
		}), fault.Malformed},
		"none":               {with(func(in *dialect.Inbound) { in.Header = http.Header{} }), fault.Malformed},
		"wrong":              {with(only("X-Signature-256", signatureSHA256("other", body))), fault.Unauthorized},
		"without its prefix": {with(only("X-Signature-256", signatureSHA256(secret, body)[7:])), fault.Unauthorized},
		"wrong beside the older": {with(func(in *dialect.Inbound) {
			in.Header = http.Header{"X-Signature-256": {"sha256=00"}, "X-Signature": {signatureSHA1(secret, body)}}
		}), fault.Unauthorized},
		"the prior secret": {with(func(in *dialect.Inbound) { in.Secrets = []string{"new", secret} }), ""},
		"an empty secret": {with(func(in *dialect.Inbound) {
			in.Secrets = []string{""}
			in.Header.Set("X-Signature-256", signatureSHA256("", body))
		}), fault.Unauthorized},
		"no secret":          {with(func(in *dialect.Inbound) { in.Secrets = nil }), fault.Unauthorized},
		"unsigned by choice": {with(func(in *dialect.Inbound) { in.Secrets, in.Unsigned, in.Header = nil, true, http.Header{} }), ""},
		"too large":          {with(func(in *dialect.Inbound) { in.Body = make([]byte, 1<<20+1) }), fault.TooLarge},
	}
	for name, c := range cases {
		if _, err := New().Receive(c.in); fault.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestVectorsAreVerified(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		in := inbound(file(t, v.Body))
		in.Secrets = []string{v.Secret}
		for header, value := range map[string]string{headerSHA256: v.SHA256, headerSHA1: v.SHA1} {
			in.Header = http.Header{header: {value}}
			if _, err := New().Receive(in); (err == nil) != (v.Secret != "") {
				t.Errorf("%s, %s: %v", v.Name, header, err)
			}
		}
	}
}

// TestBodiesAreClassified is rule 3 of section 9, and what is lenient by rule 4.
func TestBodiesAreClassified(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body string
		want event.Kind
	}{
		"an action wins":            {`{"action":"stack.create","run":{"id":"1"},"state":"QUEUED"}`, event.KindAccount},
		"run and state":             {`{"run":{"id":"1"},"state":"QUEUED","stack":{"id":"a"},"more":{"x":[1]}}`, event.KindRun},
		"nulls":                     {`{"run":{"id":"1","commit":null,"delta":null,"triggeredBy":null},"state":"QUEUED","note":null,"stack":{"id":"a","labels":null},"workerPool":null}`, event.KindRun},
		"a word that is new":        {`{"run":{"id":"1","type":"NEW_TYPE"},"state":"NEW STATE","stateVersion":0,"stack":{"id":"a"}}`, event.KindRun},
		"a run without a stack":     {`{"run":{"id":"1"},"state":"QUEUED"}`, event.KindOther},
		"a run without an id":       {`{"run":{},"state":"QUEUED","stack":{"id":"a"}}`, event.KindOther},
		"five members":              {`{"title":"a","body":"b","error":"c","severity":"INFO","account":"d"}`, event.KindAccount},
		"six members":               {`{"title":"a","body":"b","error":"c","severity":"INFO","account":"d","e":1}`, event.KindOther},
		"a severity that is new":    {`{"title":"a","body":"b","error":"c","severity":"DIRE","account":"d"}`, event.KindOther},
		"module and version":        {`{"module":{"id":"m","name":"m"},"version":{"number":"1.0.0"}}`, event.KindModuleVersion},
		"a policy's own":            {`{"text":"hello"}`, event.KindOther},
		"a list":                    {`[1]`, event.KindOther},
		"no JSON":                   {`hello`, event.KindOther},
		"nothing":                   {``, event.KindOther},
		"a name with control codes": {`{"run":{"id":"1"},"state":"QUEUED","stack":{"id":"a","name":"a\u0007b"}}`, event.KindRun},
	}
	for name, c := range cases {
		if e := received(t, []byte(c.body)); e.Kind != c.want {
			t.Errorf("%s: got %s, want %s", name, e.Kind, c.want)
		} else if string(e.Native.Body) != c.body {
			t.Errorf("%s: the body is not kept", name)
		}
	}
}

// TestStatesAreReadBackwards is the middle of section 9's table; every word stays beside the status.
func TestStatesAreReadBackwards(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"QUEUED": "pending", "READY": "pending", "PREPARING": "pending", "INITIALIZING": "initializing", "PLANNING": "planning",
		"UNCONFIRMED": "planned, waiting", "CONFIRMED": "confirmed", "PREPARING_APPLY": "confirmed", "APPLYING": "applying",
		"PERFORMING": "applying", "DESTROYING": "applying", "REPLAN_REQUESTED": "planning", "PREPARING_REPLAN": "planning",
		"PENDING_REVIEW": "planned, waiting", "FINISHED": "applied", "FAILED": "errored", "CANCELED": "canceled",
		"DISCARDED": "discarded", "STOPPED": "canceled", "SKIPPED": "skipped", "PENDING": "pending", "BRAND_NEW": "other",
	}
	if len(want) != len(states)+1 {
		t.Errorf("%d states of %d", len(want), len(states))
	}
	for state, status := range want {
		e := received(t, []byte(`{"account":"acme","run":{"id":"1","type":"TRACKED"},"state":"`+state+`","stateVersion":3,"stack":{"id":"a"}}`))
		got := string(e.Run.Status)
		if e.Run.Awaiting {
			got += ", waiting"
		}
		if got != status || e.Run.NativeStatus != state || e.Key != "spacelift:acme:1:3" {
			t.Errorf("%s: got %s, %s, %s", state, got, e.Run.NativeStatus, e.Key)
		}
		if body := rendered(t, &e, hookAt(subscription.LevelWorkspace)); !strings.Contains(body, state) {
			t.Errorf("%s is not passed on: %s", state, body)
		}
	}
}

func FuzzReceive(f *testing.F) {
	for name := range samples() {
		f.Add(file(f, "payloads/"+name))
	}
	for _, v := range vectors(f) {
		f.Add(file(f, v.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > inboundLimit {
			return
		}
		e := received(t, body)
		for _, n := range New().Notices(&e) {
			s := hookAt(subscription.LevelOrganization, n.Name)
			if _, err := New().Render(dialect.Input{Event: &e, Notice: n, Subscription: s, Site: sampleSite}); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
	})
}
