package scalr

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// inbound is a request at a source of acme, as a vector signs it.
func inbound(body []byte, secret, date, signature string) dialect.Inbound {
	h := http.Header{"Content-Type": {"application/json"}, "Date": {date}, "X-Signature": {signature}, "X-Scalr-Delivery-Id": {"wd-t6v0hrnn58vu4m0"}}
	moment, _ := requestDate(date)
	return dialect.Inbound{
		Header: h, Body: body, Secrets: []string{"older", secret}, At: moment.Add(4 * time.Second),
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"}, Project: "infra",
	}
}

// TestReceiveVectors takes every vector in the three ways of signing, and with the strict option only in the first.
func TestReceiveVectors(t *testing.T) {
	t.Parallel()
	for i, v := range vectors(t) {
		body := file(t, "delivery/"+v.File)
		for scheme, signature := range map[string]string{schemeBodyDate: v.Signature, schemeBody: v.BodyAlone, schemeDateBody: v.DateFirst} {
			t.Run(fmt.Sprint(i, " ", v.File, " ", scheme), func(t *testing.T) {
				t.Parallel()
				in := inbound(body, v.Key, v.Date, strings.ToUpper(signature))
				got, err := New().Receive(in)
				if err != nil || len(got.Events) != 1 || got.Status != 200 || string(got.Body) != "{}" {
					t.Fatalf("got %+v, %v", got, err)
				}
				e := got.Events[0]
				if e.Source.Metadata["signature"] != scheme {
					t.Errorf("matched %s", e.Source.Metadata["signature"])
				}
				if err := e.Validate(); err != nil {
					t.Error(err)
				}
				sameBytes(t, e.Native.Body, body)
				in.Options = map[string]string{optionSignature: schemeBodyDate}
				if _, err := New().Receive(in); (err == nil) != (scheme == schemeBodyDate) {
					t.Errorf("with the strict option: %v", err)
				}
			})
		}
	}
}

// receive reads a body that is signed well.
func receive(t *testing.T, body []byte) event.Event {
	t.Helper()
	in := inbound(body, "k", "2020-11-25T00:43:38+0000", "")
	in.Secrets, in.Unsigned = nil, true
	got, err := New().Receive(in)
	if err != nil {
		t.Fatal(err)
	}
	return got.Events[0]
}

func TestReceiveFirstGeneration(t *testing.T) {
	t.Parallel()
	body := file(t, "delivery/gen1-needs_attention.json")
	actor := sampleUser
	got, want := receive(t, body), event.Event{
		Kind: event.KindRun, Key: "scalr/run/run:needs_attention/run-t6v0g8prd9qi2h0/policy_checked/2020-11-25T00:43:38",
		OccurredAt: at("2020-11-25T00:43:38Z"), Actor: &actor,
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"},
		Project: &event.Project{
			Name: "my-development", URL: "https://my.scalr.io/#/15986/17348/dashboard", ExternalIDs: external("env-sfuari395m7sck1"),
		},
		Workspace: &event.Workspace{
			Name: "my-example", URL: "https://my.scalr.io/#/workspaces/dashboard?workspaceId=ws-t5hft7e7v366rd0", ExternalIDs: external("ws-t5hft7e7v366rd0"),
		},
		Run: &event.Run{
			SourceID: "run-t6v0g8prd9qi2h0", ExternalIDs: external("run-t6v0g8prd9qi2h0"), Message: "Update variables.tf",
			URL: "https://my.scalr.io/#/workspaces/runs/dashboard?runId=run-t6v0g8prd9qi2h0", Status: "policy_checked", NativeStatus: "policy_checked",
			Awaiting: true, CreatedAt: at("2020-11-25T00:42:15Z"), CreatedBy: &actor, Origin: "ui", Service: true, Variables: map[string]string{"foo": "bar"},
		},
		Source: event.Source{
			Kind: "webhook", Dialect: Name, EventID: "wd-t6v0hrnn58vu4m0",
			Metadata: map[string]string{"webhook_id": "wh-t6v0g1l0dlqhh58", "webhook_name": "Data Platform", "signature": schemeUnsigned},
		},
		Native: &event.Native{Dialect: Name, Kind: runNeedsAttention, ContentType: "application/json", Body: body},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v %+v\nwant\n%+v %+v", got, got.Run, want, want.Run)
	}
}

func TestReceiveSecondGeneration(t *testing.T) {
	t.Parallel()
	got := receive(t, file(t, "delivery/gen2-errored.json"))
	if r := got.Run; got.Kind != event.KindRun || r.Status != event.StatusCanceled || r.Awaiting || r.Message != "Updated instance\n" || !r.CreatedAt.Equal(at("2024-07-03T16:25:44Z")) {
		t.Errorf("got %+v", r)
	}
	// The names of variables are people's own: they are not folded.
	if want := map[string]string{"some_name": "bar", "Other-Name": ""}; !reflect.DeepEqual(got.Run.Variables, want) {
		t.Errorf("got %v", got.Run.Variables)
	}
	if got.Project.ExternalIDs[Name] != "env-u0b83rvjmsjk123" || got.Workspace.ExternalIDs[Name] != "ws-v0ofgj8d3p1a2kq" {
		t.Errorf("got %+v, %+v", got.Project, got.Workspace)
	}
	if got := receive(t, file(t, "delivery/gen1-errored.json")); got.Actor != nil || got.Run.CreatedBy != nil {
		t.Errorf("empty parts make an actor: %+v", got.Actor)
	}
	dry := receive(t, []byte(`{"event-name":"run:completed","run":{"id":"run-1","status":"planned_and_finished"},"workspace":{"name":"w"}}`))
	if dry.Run.Operation != event.OperationPlan || dry.Project.Name != "infra" {
		t.Errorf("a dry run: %+v in %+v", dry.Run, dry.Project)
	}
}

// TestReceiveLittle takes what is not complete, and keeps what is not known (§9).
func TestReceiveLittle(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		kind event.Kind
		key  string
	}{
		"minimal":         {string(file(t, "delivery/gen1-minimal.json")), event.KindOther, "scalr/delivery/wd-t6v0hrnn58vu4m0"},
		"an unknown word": {`{"event_name":"run:started","run":{"id":"run-1","updated_at":"2020-11-25T00:43:38.25+02:00"}}`, event.KindOther, "scalr/run/run:started/run-1//2020-11-25T00:43:38.25+02:00"},
		"only an id":      {`{"event_name":"run:errored","run":{"id":"run-1","status":"Strange One"},"workspace":{"id":"ws-1"}}`, event.KindRun, "scalr/delivery/wd-t6v0hrnn58vu4m0"},
		"a long name":     {`{"event_name":"run:errored","run":{"id":"run-1"},"workspace":{"name":"` + strings.Repeat("x", 300) + `"}}`, event.KindOther, "scalr/delivery/wd-t6v0hrnn58vu4m0"},
		"other types":     {`{"event_name":"run:errored","run":{"id":"run-1","message":7,"created_by":[]},"workspace":{"name":"w"},"environment":null,"variables":{"a":1,"b":{ "c":[null] },"d":null}}`, event.KindRun, "scalr/delivery/wd-t6v0hrnn58vu4m0"},
	} {
		got := receive(t, []byte(tc.body))
		if got.Kind != tc.kind || got.Key != tc.key || string(got.Native.Body) != tc.body {
			t.Errorf("%s: got %s, %s", name, got.Kind, got.Key)
		}
		if name == "other types" && !reflect.DeepEqual(got.Run.Variables, map[string]string{"a": "1", "b": `{"c":[null]}`, "d": "null"}) {
			t.Errorf("%s: got %v", name, got.Run.Variables)
		}
		if name == "only an id" && (got.Run.Status != event.StatusErrored || got.Workspace.Name != "ws-1" || got.Run.NativeStatus != "Strange One") {
			t.Errorf("%s: got %+v", name, got.Run)
		}
		if name == "an unknown word" && !got.OccurredAt.Equal(at("2020-11-24T22:43:38.25Z")) {
			t.Errorf("%s: %v", name, got.OccurredAt)
		}
		if name == "minimal" && !got.OccurredAt.Equal(at("2020-11-25T00:43:38Z")) {
			t.Errorf("%s: the request's date is not used: %v", name, got.OccurredAt)
		}
	}
}

// TestReceiveKeys lets several webhooks of the platform tell of one step, once.
func TestReceiveKeys(t *testing.T) {
	t.Parallel()
	body := string(file(t, "delivery/gen1-completed.json"))
	first, second := receive(t, []byte(body)), receive(t, []byte(strings.Replace(body, "wh-t6v0g1l0dlqhh58", "wh-other", 1)))
	if first.Key != second.Key {
		t.Errorf("got %s and %s", first.Key, second.Key)
	}
	in := inbound([]byte(`{"event_name":"run:completed","run":{"id":"run-1","created_at":"9999-01-01T00:00:00"}}`), "", "0001-01-01T00:00:00Z", "")
	in.At = at("2026-01-01T00:00:00Z")
	in.Secrets, in.Unsigned = nil, true
	in.Header.Del(headerDelivery)
	got, err := New().Receive(in)
	if err != nil || !strings.HasPrefix(got.Events[0].Key, "scalr/body/") || !got.Events[0].OccurredAt.Equal(in.At) {
		t.Errorf("without anything to tell it apart: %+v, %v", got, err)
	}
}

func TestReceiveRefuses(t *testing.T) {
	t.Parallel()
	v := vectors(t)[1]
	body := file(t, "delivery/"+v.File)
	good := func() dialect.Inbound { return inbound(body, v.Key, v.Date, v.Signature) }
	for name, tc := range map[string]struct {
		change func(in *dialect.Inbound)
		want   fault.Code
	}{
		"good":             {func(*dialect.Inbound) {}, ""},
		"too large":        {func(in *dialect.Inbound) { in.Body = make([]byte, inboundLimit+1) }, fault.TooLarge},
		"no signature":     {func(in *dialect.Inbound) { in.Header.Del(headerSignature) }, fault.Unauthorized},
		"half a signature": {func(in *dialect.Inbound) { in.Header.Set(headerSignature, v.Signature[:32]) }, fault.Unauthorized},
		"SHA-1":            {func(in *dialect.Inbound) { in.Header.Set(headerSignature, strings.Repeat("a", 40)) }, fault.Unauthorized},
		"another body":     {func(in *dialect.Inbound) { in.Body = append([]byte(" "), body...) }, fault.Unauthorized},
		"another secret":   {func(in *dialect.Inbound) { in.Secrets = []string{"x", ""} }, fault.Unauthorized},
		"no secret":        {func(in *dialect.Inbound) { in.Secrets = nil }, fault.Unauthorized},
		"another date":     {func(in *dialect.Inbound) { in.Header.Set(headerDate, "2020-11-25T00:43:39+0000") }, fault.Unauthorized},
		"just in time":     {func(in *dialect.Inbound) { in.At = at("2020-11-25T00:48:38Z") }, ""},
		"too old":          {func(in *dialect.Inbound) { in.At = at("2020-11-25T00:48:39Z") }, fault.Unauthorized},
		"from the future":  {func(in *dialect.Inbound) { in.At = at("2020-11-25T00:38:37Z") }, fault.Unauthorized},
		"old, and time is off": {func(in *dialect.Inbound) {
			in.At, in.Options = at("2026-01-01T00:00:00Z"), map[string]string{optionTolerance: "0"}
		}, ""},
		"within a wider time": {func(in *dialect.Inbound) {
			in.At, in.Options = at("2020-11-25T01:43:38Z"), map[string]string{optionTolerance: "3600"}
		}, ""},
		"old, but the body alone": {func(in *dialect.Inbound) {
			in.At = at("2026-01-01T00:00:00Z")
			in.Header.Set(headerSignature, v.BodyAlone)
		}, ""},
		"not JSON":                   {unsigned("nonsense"), fault.Malformed},
		"a list":                     {unsigned("[]"), fault.Malformed},
		"null":                       {unsigned("null"), fault.Malformed},
		"something behind":           {unsigned(`{"event_name":"run:errored","run":{"id":"r"}} {}`), fault.Malformed},
		"something broken behind":    {unsigned(`{"event_name":"run:errored","run":{"id":"r"}}}`), fault.Malformed},
		"no event name":              {unsigned(`{"run":{"id":"r"}}`), fault.Invalid},
		"no run":                     {unsigned(`{"event_name":"run:errored","run":{}}`), fault.Invalid},
		"white space behind is fine": {unsigned("{\"event_name\":\"run:errored\",\"run\":{\"id\":\"r\"}}\n\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := good()
			tc.change(&in)
			got, err := New().Receive(in)
			if fault.CodeOf(err) != tc.want {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func unsigned(body string) func(in *dialect.Inbound) {
	return func(in *dialect.Inbound) { in.Body, in.Secrets, in.Unsigned = []byte(body), nil, true }
}

// TestDatesOfOtherForms are accepted beside the platform's (§9).
func TestDatesOfOtherForms(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"2020-11-25T00:43:38+0000", "2020-11-25T01:43:38+01:00", "2020-11-25T00:43:38.5Z", "Wed, 25 Nov 2020 00:43:38 GMT"} {
		got, ok := requestDate(date)
		if !ok || got.UTC().Format(time.DateTime) != "2020-11-25 00:43:38" {
			t.Errorf("%s: %v", date, got)
		}
	}
}

// FuzzReceive watches that whatever is accepted can be stored.
func FuzzReceive(f *testing.F) {
	for _, name := range []string{"gen1-minimal", "gen1-completed", "gen2-errored"} {
		f.Add(file(f, "delivery/"+name+".json"))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in := dialect.Inbound{Header: http.Header{}, Body: body, Unsigned: true, At: at("2026-01-01T00:00:00Z"), Organization: event.Organization{Name: "acme"}}
		got, err := New().Receive(in)
		if err != nil {
			if fault.CodeOf(err) == fault.Internal {
				t.Errorf("%v is not a fault", err)
			}
			return
		}
		if err := got.Events[0].Validate(); err != nil {
			t.Error(err)
		}
	})
}
