package pulumi

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

type inboundVector struct {
	Name     string            `json:"name"`
	Secret   string            `json:"secret"`
	Headers  map[string]string `json:"headers"`
	BodyFile string            `json:"body_file"`
	Expect   struct {
		Status  int            `json:"status"`
		Neutral map[string]any `json:"neutral"`
	} `json:"expect"`
}

func (v inboundVector) inbound(t testing.TB) dialect.Inbound {
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	in := dialect.Inbound{Header: h, Body: file(t, v.BodyFile), At: sampleMoment, Unsigned: v.Secret == ""}
	if v.Secret != "" {
		in.Secrets = []string{v.Secret}
	}
	return in
}

func TestInboundVectors(t *testing.T) {
	t.Parallel()
	vectors := fileAs[[]inboundVector](t, "inbound-vectors.json")
	if len(vectors) != 13 {
		t.Fatalf("there are %d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			got, err := New().Receive(v.inbound(t))
			if v.Expect.Status == http.StatusUnauthorized {
				if !fault.Is(err, fault.Unauthorized) || len(got.Events) != 0 {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if v.Headers[headerKind] == kindPing {
				if !got.Verified || len(got.Events) != 0 {
					t.Errorf("got %+v", got)
				}
				return
			}
			if len(got.Events) != 1 || got.Events[0].Validate() != nil {
				t.Fatalf("got %+v", got)
			}
			e := got.Events[0]
			if e.Key != "pulumi/8d001000-7ef4-4086-b12a-3ec6d3ea1de9" || e.Source.EventID != "8d001000-7ef4-4086-b12a-3ec6d3ea1de9" || !e.OccurredAt.Equal(sampleMoment) {
				t.Errorf("key %s, source %+v, at %v", e.Key, e.Source, e.OccurredAt)
			}
			told := told(&e)
			for name, want := range v.Expect.Neutral {
				if fmt.Sprint(told[name]) != fmt.Sprint(want) {
					t.Errorf("%s is %v, want %v", name, told[name], want)
				}
			}
		})
	}
}

// told describes an event in the words of the vectors.
func told(e *event.Event) map[string]any {
	facts := map[string]any{"organization": e.Organization.Name, "kind": e.Native.Kind}
	if e.Project != nil {
		facts["project"] = e.Project.Name
	}
	if e.Workspace != nil {
		facts["workspace"] = e.Workspace.Name
	}
	if e.Actor != nil {
		facts["actor"] = e.Actor.Name
	}
	switch {
	case e.Run != nil:
		maps.Copy(facts, toldOfRun(e.Run))
	case e.Assessment != nil:
		facts["event"], facts["run"] = "drift checked", e.Assessment.New.SourceID
		facts["drifted"], facts["status"] = e.Assessment.New.Drifted, e.Assessment.New.NativeStatus
	case e.Kind == event.KindWorkspace:
		facts["event"] = "workspace " + e.Action
	default:
		facts["event"] = string(e.Kind)
	}
	return facts
}

func toldOfRun(r *event.Run) map[string]any {
	facts := map[string]any{
		"run": r.SourceID, "run_number": r.Number, "phase": r.Phase, "url": r.URL,
		"plan_only": r.Operation == event.OperationPlan, "operation": string(operationOf(r.NativeType)),
		"event": map[event.Status]string{
			event.StatusApplied: "run completed", event.StatusPlannedAndFinished: "run completed", event.StatusErrored: "run errored",
			event.StatusPlanning: "run started", event.StatusPending: "run queued", event.StatusDiscarded: "run discarded",
		}[r.Status],
	}
	if r.Changes != nil {
		facts["changes"] = r.Changes.Operations
	}
	return facts
}

// signed is a request at a source of acme with a good signature.
func signed(kind, body string) dialect.Inbound {
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	if kind != "" {
		h.Set(headerKind, kind)
	}
	h.Set(headerSignature, hex.EncodeToString(signature("s3cret", []byte(body))))
	return dialect.Inbound{
		Header: h, Body: []byte(body), Secrets: []string{"older", "s3cret"}, At: sampleMoment,
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"}, Project: "infra",
	}
}

func receiveOne(t *testing.T, in dialect.Inbound) event.Event {
	t.Helper()
	got, err := New().Receive(in)
	if err != nil || len(got.Events) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := got.Events[0].Validate(); err != nil {
		t.Fatal(err)
	}
	return got.Events[0]
}

func TestReceiveWholeUpdate(t *testing.T) {
	t.Parallel()
	body := string(file(t, "payloads/stack_update.json"))
	got := receiveOne(t, signed(kindUpdate, body))
	changed := true
	want := event.Event{
		Kind: event.KindRun, Key: got.Key, OccurredAt: sampleMoment,
		Actor:        &event.Actor{Name: "morty", FullName: "Morty Smith", AvatarURL: "https://crazy-adventures.net/morty.png"},
		Organization: event.Organization{ID: sampleOrganization, Name: "acme"}, Project: &event.Project{Name: "website"},
		Workspace: &event.Workspace{Name: "website-prod"},
		Run: &event.Run{
			SourceID: "updates/42", Number: 42, URL: "https://app.pulumi.com/crazy-adventures/website/website-prod/updates/42",
			Operation: event.OperationRefresh, Status: event.StatusApplied, NativeType: "refresh", NativeStatus: "succeeded",
			HasChanges: &changed,
			Changes:    &event.Changes{Change: 3, Destroy: 1, Operations: map[string]int64{"update": 3, "delete": 1, "update-replace": 2}},
		},
		Source: event.Source{Kind: "webhook", Dialect: Name, Metadata: map[string]string{"organization_name": "crazy-adventures"}},
		Native: &event.Native{Dialect: Name, Kind: kindUpdate, ContentType: "application/json", Body: []byte(body)},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if !strings.HasPrefix(got.Key, "pulumi/") || got.Key != receiveOne(t, signed(kindUpdate, body)).Key {
		t.Errorf("the key is %s", got.Key)
	}
}

func TestReceiveDeployments(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]struct{ apply, preview event.Status }{
		statusQueued: {event.StatusPending, event.StatusPending}, statusRunning: {event.StatusPlanning, event.StatusPlanning},
		statusSucceeded: {event.StatusApplied, event.StatusPlannedAndFinished}, statusFailed: {event.StatusErrored, event.StatusErrored},
		statusSkipped: {event.StatusDiscarded, event.StatusDiscarded},
	} {
		for word, status2 := range map[string]event.Status{"update": want.apply, "preview": want.preview, "detect-drift": want.preview, "remediate-drift": want.apply} {
			body := `{"organization":{"githubLogin":"acme"},"projectName":"p","stackName":"s","deploymentUrl":"https://x/acme/p/s/deployments/7","version":7,"operation":"` + word + `","status":"` + status + `"}`
			e := receiveOne(t, signed(kindDeployment, body))
			if e.Run.Status != status2 || !e.Run.Service || e.Run.SourceID != "deployments/7" || e.Run.Number != 7 || e.Run.Drift != strings.HasSuffix(word, "-drift") {
				t.Errorf("%s %s: %+v", word, status, e.Run)
			}
		}
	}
	got, err := New().Receive(signed(kindDeployment, `{"organization":{"githubLogin":"acme"},"projectName":"p","stackName":"s","deploymentUrl":"https://x/deployments/7","status":"accepted"}`))
	if err != nil || len(got.Events) != 0 {
		t.Errorf("accepted says %+v, %v", got, err)
	}
}

// TestReceiveWithoutHeaders guesses the kind of every sample.
func TestReceiveWithoutHeaders(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{
		"stack": kindStack, "stack_update": kindUpdate, "stack_preview": kindPreview, "deployment": kindDeployment, "drift_detection": kindDrift,
		"environment": kindEnvironment, "environment_revision": kindRevision, "environment_revision_tag": kindRevisionTag,
		"environment_tag": kindTag, "change_request.ours": kindChangeRequest, "drift_remediation": "other",
	} {
		if got := receiveOne(t, signed("", string(file(t, "payloads/"+name+".json")))); got.Native.Kind != kind {
			t.Errorf("%s is taken for %s", name, got.Native.Kind)
		}
	}
	got, err := New().Receive(signed("", string(file(t, "payloads/ping.json"))))
	if err != nil || !got.Verified || len(got.Events) != 0 {
		t.Errorf("a ping is %+v, %v", got, err)
	}
}

// TestReceivedLeavesUnchanged sends every sample through: in as a webhook, out as a webhook, and its filter again.
func TestReceivedLeavesUnchanged(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ kind, filters string }{
		"stack": {kindStack, "stack_created"}, "stack_update": {kindUpdate, "refresh_succeeded"}, "stack_update.captured": {kindUpdate, "update_failed"},
		"stack_preview": {kindPreview, "preview_failed"}, "deployment": {kindDeployment, "deployment_started"},
		"drift_detection":   {kindDrift, "drift_detected drift_detection_succeeded"},
		"drift_remediation": {kindRemediation, "drift_remediation_succeeded"}, "policy_violation.ours": {kindPolicy, "policy_violation_mandatory"},
		"environment": {kindEnvironment, "environment_created"}, "environment_revision": {kindRevision, "environment_revision_created"},
		"environment_revision_tag": {kindRevisionTag, "environment_revision_tag_created"}, "environment_tag": {kindTag, "environment_tag_created"},
		"imported_environment_changed": {kindImported, "imported_environment_changed"},
		"environment_rotation.ours":    {kindRotation, "environment_rotation_failed"}, "change_request.ours": {kindChangeRequest, "change_request_approved"},
	} {
		body := file(t, "payloads/"+name+".json")
		e := receiveOne(t, signed(tc.kind, string(body)))
		said := announce(&e)
		if len(said) != 1 || said[0].kind != tc.kind || strings.Join(said[0].filters, " ") != tc.filters {
			t.Errorf("%s says %+v", name, said)
			continue
		}
		if msg := renderKind(t, &e, tc.kind, hook(subscription.ChannelWebhook)); !bytes.Equal(msg.Body, body) {
			t.Errorf("%s leaves as %s", name, msg.Body)
		}
		// What the neutral parts alone say must have the same filters: other sources say them.
		e.Native = nil
		found := false
		for _, a := range announce(&e) {
			found = found || a.kind == tc.kind && strings.Join(a.filters, " ") == tc.filters
		}
		if !found {
			t.Errorf("%s: without its body the event says %+v", name, announce(&e))
		}
	}
}

func TestReceiveOdd(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ kind, body string }{
		"nothing":            {kindUpdate, `{}`},
		"wrong types":        {kindUpdate, `{"user":7,"organization":[],"projectName":{},"stackName":null,"resourceChanges":[1],"isPreview":"x","result":7}`},
		"no user":            {kindUpdate, `{"organization":{"githubLogin":"acme"},"projectName":"p","stackName":"s","result":"succeeded","kind":"update"}`},
		"unknown result":     {kindUpdate, `{"projectName":"p","stackName":"s","result":"odd","updateUrl":"https://x/updates/1"}`},
		"unknown status":     {kindDeployment, `{"projectName":"p","stackName":"s","status":"odd","deploymentUrl":"https://x/deployments/1"}`},
		"drift is running":   {kindDrift, `{"projectName":"p","stackName":"s","status":"running","driftDetected":false}`},
		"bad addresses":      {kindUpdate, `{"user":{"githubLogin":"m","avatarUrl":"not an address"},"projectName":"p","stackName":"s","result":"failed","updateUrl":"javascript:alert(1)/updates/7"}`},
		"a very long name":   {kindStack, `{"action":"created","projectName":"p","stackName":"` + strings.Repeat("x", 5000) + `"}`},
		"negative counts":    {kindUpdate, `{"projectName":"p","stackName":"s","result":"failed","updateUrl":"https://x/updates/1","resourceChanges":{"create":-4}}`},
		"policy without any": {kindPolicy, `{"projectName":"p","stackName":"s"}`},
		"no kind":            {"bad kind!", `{"a":1}`},
	} {
		e := receiveOne(t, signed(tc.kind, tc.body))
		if e.Native == nil || string(e.Native.Body) != tc.body {
			t.Errorf("%s: the body is lost: %+v", name, e)
		}
	}
	for _, body := range []string{"", "[]", "null", "7", `"x"`, "{", "\xff"} {
		if _, err := New().Receive(signed(kindUpdate, body)); !fault.Is(err, fault.Malformed) {
			t.Errorf("%q: %v", body, err)
		}
	}
	big := signed(kindUpdate, "{}")
	big.Body = bytes.Repeat([]byte(" "), inboundLimit+1)
	if _, err := New().Receive(big); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a large body: %v", err)
	}
}

func FuzzReceive(f *testing.F) {
	for _, v := range fileAs[[]inboundVector](f, "inbound-vectors.json") {
		f.Add(v.Headers[headerKind], file(f, v.BodyFile))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		in := signed(kind, string(body))
		got, err := New().Receive(in)
		if err != nil {
			return
		}
		for i := range got.Events {
			if err := got.Events[i].Validate(); err != nil {
				t.Fatalf("the engine refuses the event: %v", err)
			}
			for _, n := range New().Notices(&got.Events[i]) {
				for _, channel := range New().Channels() {
					if _, err := New().Render(dialect.Input{Event: &got.Events[i], Notice: n, Subscription: hook(channel), Site: sampleSite}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	})
}
