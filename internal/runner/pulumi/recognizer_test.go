package pulumi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/pulumi"
)

func log(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "engine-events", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// read judges a command line.
func read(t testing.TB, line string) runner.Invocation {
	t.Helper()
	inv, ok := pulumi.Tool{}.Read(strings.Fields(line), nil)
	if !ok || !inv.Reported() {
		t.Fatalf("%q is no run", line)
	}
	return inv
}

// replay sends logs and what is printed between them through a command's track, and returns its events.
func replay(t testing.TB, line string, code int, parts ...any) []event.Event {
	t.Helper()
	inv := read(t, line)
	at := time.Unix(1795314403, 0)
	track := runner.NewTrack(inv, runner.Facts{RunID: "run-1", Place: runner.Place{Organization: "acme", Project: "website", Name: "prod"}, Tool: "pulumi"})
	events := track.Begin(at)
	observe := func(seen []runner.Observation) {
		for _, o := range seen {
			events = append(events, track.Observe(o, at)...)
		}
	}
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			observe(inv.Recognizer.Read(runner.Output, []byte(p)))
		case []byte:
			observe(inv.Recognizer.Read(runner.Aside, p))
		}
	}
	observe(inv.Recognizer.End())
	events = append(events, track.End(runner.Exit{Code: code}, at)...)
	for i := range events {
		if err := events[i].Validate(); err != nil {
			t.Fatalf("%+v: %v", events[i], err)
		}
	}
	return events
}

// spelled lists events: status, phase, counts, policies.
func spelled(t testing.TB, events []event.Event) string {
	t.Helper()
	var parts []string
	for _, e := range events {
		text := ""
		switch {
		case e.Kind == event.KindPolicy:
			text = "policy " + e.Policy.Violations[0].Policy
			if e.Policy.Blocking {
				text += " blocking"
			}
		default:
			text = string(e.Run.Status)
			if e.Run.Awaiting {
				text += " awaiting"
			}
			if e.Run.Phase != "" {
				text += " in " + string(e.Run.Phase)
			}
			if e.Run.Changes != nil {
				counts, err := json.Marshal(e.Run.Changes.Operations)
				if err != nil {
					t.Fatal(err)
				}
				text += " " + string(counts)
			}
			if e.Run.Error != "" {
				text += " (" + e.Run.Error + ")"
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func TestLogs(t *testing.T) {
	t.Parallel()
	preview, up, failed, early := log(t, "preview-succeeded.jsonl"), log(t, "up-succeeded.jsonl"), log(t, "up-failed.jsonl"), log(t, "up-failed-before-engine.jsonl")
	drift, destroy, violated := log(t, "refresh-preview-no-drift.jsonl"), log(t, "destroy-succeeded.jsonl"), log(t, "policy-event.jsonl")
	drifted := []byte(strings.Replace(string(drift), `{"same":9}`, `{"same":7,"update":1,"delete":1}`, 1))
	canceled := []byte(strings.Replace(string(up), `"result":"succeeded"`, `"result":"canceled"`, 1))
	planFailed := []byte(strings.Replace(string(failed), `"isPreview":false`, `"isPreview":true`, 1))
	old := []byte(strings.Replace(string(up), `,"result":"succeeded"`, ``, 1))
	prelude := []byte(`{"sequence":0,"timestamp":1,"preludeEvent":{"config":{}}}` + "\n")
	const question = "\x1b[1mDo you want to perform this update?\x1b[0m  [Use arrows to move]"
	for name, tc := range map[string]struct {
		line  string
		code  int
		parts []any
		want  string
	}{
		"preview":                     {"pulumi preview", 0, []any{preview}, `pending; planning; planned_and_finished {"create":9}`},
		"preview that failed":         {"pulumi preview", 255, []any{planFailed}, `pending; planning; errored in plan (updating bucket: AccessDenied)`},
		"preview, engine not started": {"pulumi pre", 1, []any{early}, `pending; planning; errored in plan (pulumi pre ended with exit code 1.)`},
		"up, both phases":             {"pulumi up --yes", 0, []any{preview, up}, `pending; planning; planned {"create":9}; applying {"create":9}; applied {"create":9}`},
		"up, the plan was missed":     {"pulumi up -y", 0, []any{up}, `pending; planning; planned; applying; applied {"create":9}`},
		"up without a plan":           {"pulumi up --skip-preview -y", 0, []any{up}, `pending; applying; applied {"create":9}`},
		"up that failed":              {"pulumi up --yes", 255, []any{preview, failed}, `pending; planning; planned {"create":9}; applying {"create":9}; errored in apply {"same":8} (updating bucket: AccessDenied)`},
		"up whose plan failed":        {"pulumi up --yes", 255, []any{planFailed}, `pending; planning; errored in plan (updating bucket: AccessDenied)`},
		"up, engine not started":      {"pulumi update", 255, []any{early}, `pending; planning; errored (pulumi update ended with exit code 255.)`},
		"up, asked, yes":              {"pulumi up", 0, []any{preview, question, "yes\n", up}, `pending; planning; planned awaiting {"create":9}; confirmed {"create":9}; applying {"create":9}; applied {"create":9}`},
		"up, asked, no":               {"pulumi up", 255, []any{preview, question, "no\nconfirmation declined, not proceeding with the update\n"}, `pending; planning; planned awaiting {"create":9}; discarded {"create":9}`},
		"up, canceled":                {"pulumi up --yes", 8, []any{preview, canceled}, `pending; planning; planned {"create":9}; applying {"create":9}; canceled in apply {"create":9}`},
		"up, interrupted by hand":     {"pulumi up --yes", 8, []any{preview, prelude, "^C received; cancelling. If you would like to terminate immediately, press ^C again.\n"}, `pending; planning; planned {"create":9}; applying {"create":9}; canceled in apply {"create":9}`},
		"up by an older release":      {"pulumi up --yes --skip-preview", 0, []any{old}, `pending; applying; applied {"create":9}`},
		"up without any log":          {"pulumi up --yes", 0, nil, `pending; planning; applied`},
		"destroy":                     {"pulumi destroy --yes --skip-preview", 0, []any{destroy}, `pending; applying; applied {"delete":9}`},
		"refresh":                     {"pulumi refresh -y -f", 0, []any{[]byte(strings.Replace(string(drift), `"isPreview":true`, `"isPreview":false`, 1))}, `pending; applying; applied {"same":9}`},
		"no drift":                    {"pulumi refresh --preview-only", 0, []any{drift}, `pending; planning; planned_and_finished {"same":9}`},
		"drift":                       {"pulumi refresh --preview-only", 0, []any{drifted}, `pending; planning; planned_and_finished {"delete":1,"same":7,"update":1}`},
		"policies":                    {"pulumi up --yes", 255, []any{prelude, violated, []byte(strings.ReplaceAll(string(violated), "mandatory", "advisory")), violated, planFailed}, `pending; planning; policy s3-no-public-read blocking; errored in plan (updating bucket: AccessDenied)`},
		"nonsense in the log":         {"pulumi preview", 0, []any{[]byte("x\n{\"summaryEvent\":7}\n{\n\n"), preview}, `pending; planning; planned_and_finished {"create":9}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := spelled(t, replay(t, tc.line, tc.code, tc.parts...)); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestFacts looks at what a whole run says beside its statuses.
func TestFacts(t *testing.T) {
	t.Parallel()
	events := replay(t, "pulumi refresh --preview-only", 0, log(t, "refresh-preview-no-drift.jsonl"))
	last := events[len(events)-1].Run
	if !last.Drift || last.Operation != event.OperationPlan || last.HasChanges == nil || *last.HasChanges || last.NativeType != "refresh --preview-only" {
		t.Errorf("%+v", last)
	}
	events = replay(t, "pulumi up --yes", 255, log(t, "policy-event.jsonl"), log(t, "up-failed.jsonl"))
	policies := 0
	for _, e := range events {
		if e.Kind != event.KindPolicy {
			continue
		}
		policies++
		want := []event.Violation{{
			Pack: "aws-guard", PackVersion: "1.4.0", Policy: "s3-no-public-read", Message: "Buckets must not be public.",
			Resource: "urn:pulumi:prod::website::aws:s3/bucket:Bucket::site", Severity: "high",
		}}
		if !reflect.DeepEqual(e.Policy.Violations, want) || e.Key != "cli:run-1:policy:0" || e.Action != "violated" {
			t.Errorf("%+v %+v", e, e.Policy)
		}
	}
	if policies != 1 {
		t.Errorf("%d policy events", policies)
	}
}

// TestNothingOfResourcesIsKept checks that what the log says of resources reaches no event, and neither does anything of
// the configuration.
func TestNothingOfResourcesIsKept(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"up-succeeded.jsonl", "up-failed.jsonl", "destroy-succeeded.jsonl", "preview-succeeded.jsonl"} {
		body, err := json.Marshal(replay(t, "pulumi up --yes", 0, log(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"dbPassword", "eu-west-1", "aws:s3", "urn:pulumi", "res-"} {
			if strings.Contains(string(body), secret) {
				t.Errorf("%s: %q is in %s", name, secret, body)
			}
		}
	}
}

// TestChunks checks that it does not matter how the log and the output are cut.
func TestChunks(t *testing.T) {
	t.Parallel()
	text := string(log(t, "up-failed.jsonl"))
	whole := spelled(t, replay(t, "pulumi up --yes", 255, []byte(text)))
	for _, size := range []int{1, 7, 100, 4096} {
		var parts []any
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			parts, rest = append(parts, []byte(rest[:n])), rest[n:]
		}
		if got := spelled(t, replay(t, "pulumi up --yes", 255, parts...)); got != whole {
			t.Errorf("in pieces of %d: %s", size, got)
		}
	}
	var question []any
	for _, c := range "Do you want to perform this update?" {
		question = append(question, string(c))
	}
	if got := spelled(t, replay(t, "pulumi up", 255, question...)); !strings.Contains(got, "planned awaiting") {
		t.Errorf("the question is missed: %s", got)
	}
	long := append([]byte(`{"resourcePreEvent":"`+strings.Repeat("x", 3<<20)+`"summaryEvent"`+"\n"), log(t, "preview-succeeded.jsonl")...)
	if got := spelled(t, replay(t, "pulumi preview", 0, long)); got != `pending; planning; planned_and_finished {"create":9}` {
		t.Errorf("after a long line: %s", got)
	}
}

func FuzzRecognizer(f *testing.F) {
	for _, name := range []string{"up-failed.jsonl", "policy-event.jsonl"} {
		f.Add(log(f, name), "Do you want to perform this update?")
	}
	f.Fuzz(func(t *testing.T, aside []byte, printed string) {
		_ = replay(t, "pulumi up", 1, aside, printed)
	})
}
