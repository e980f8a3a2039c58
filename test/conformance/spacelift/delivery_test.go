package spacelift_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

const secret = "very-very-secret"

// verified checks a delivery as a receiver does, with both signatures, and returns the run that it tells of.
func verified(t *testing.T, r conformance.Request, secret string) *webhook.SpaceliftRunEvent {
	t.Helper()
	h := headers(r)
	options := webhook.Options{Dialect: webhook.Spacelift, Secrets: []string{secret}, EmptySecret: secret == ""}
	if err := options.Verify(h, r.Body); err != nil {
		t.Errorf("X-Signature-256: %v", err)
	}
	h.Del("X-Signature-256")
	if err := options.Verify(h, r.Body); err != nil {
		t.Errorf("X-Signature: %v", err)
	}
	payload, err := webhook.ParseSpacelift(r.Body)
	if err != nil || payload.Kind != webhook.SpaceliftRunState {
		t.Fatalf("got %v, %v: %s", payload, err, r.Body)
	}
	return payload.Run
}

// TestRunSamplesArrive sends the samples in at a source and receives them: the very bytes, signed with the webhook's
// secret, and no header but the platform's.
func TestRunSamplesArrive(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	source := p.source(t, nil)
	sink := conformance.NewSink(t)
	p.Want(t, 201, "POST", "/v1/subscriptions", object{
		"organization": "acme", "dialect": "spacelift", "name": "all", "url": sink.URL, "secret": secret, "triggers": []string{"run_state_changed_event"},
	}, nil)
	names := []string{
		"run-tracked-finished", "run-tracked-confirmed-note", "run-queued-minimal", "run-task-performing", "run-proposed-drift", "run-module-testing", "run-seed",
	}
	for i, name := range names {
		body := file(t, "payloads/"+name+".json")
		if got := source.post(t, "POST", body); got.Status != 200 {
			t.Fatalf("%s: got %d, %s", name, got.Status, got.Body)
		}
		r := sink.Wait(t, i+1)[i]
		if string(r.Body) != string(body) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, r.Body, body)
		}
		verified(t, r, secret)
		wantHeaders(t, r)
	}
}

// wantHeaders checks that a request has the platform's headers and no other (section 2.1).
func wantHeaders(t *testing.T, r conformance.Request, more ...string) {
	t.Helper()
	var names []string
	for name, values := range headers(r) {
		names = append(names, name)
		if len(values) != 1 {
			t.Errorf("%s is there %d times", name, len(values))
		}
	}
	want := append([]string{"Accept-Encoding", "Content-Length", "Content-Type", "Host", "User-Agent", "X-Signature", "X-Signature-256"}, more...)
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the headers are %v, want %v", names, want)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip"} {
		if got, _ := r.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r.Line != "POST /hook HTTP/1.1" {
		t.Errorf("got %s", r.Line)
	}
}

// TestAWholeRun follows a run of another source: states of this platform, counted from 0 without a gap.
func TestAWholeRun(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	stack := p.stack(t, "Network")
	p.webhook(t, stack, sink.URL, secret, nil)
	for _, status := range []string{"pending", "plan_queued", "planning", "planned", "applying", "applying", "post_apply_running", "applied"} {
		p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", status, nil), nil)
	}
	requests := sink.Wait(t, 4)
	slices.SortFunc(requests, func(a, b conformance.Request) int {
		return int(verified(t, a, secret).StateVersion - verified(t, b, secret).StateVersion)
	})
	if got, want := states(t, requests), "QUEUED 0, PLANNING 1, APPLYING 2, FINISHED 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	last := verified(t, requests[3], secret)
	if last.Account != "acme" || last.Stack.ID != "network" || last.Stack.Repository != "octo/infra" || last.Stack.VCS != "GITHUB" ||
		last.Run.URL != p.URL+"/stack/network/run/r-1" || last.Stack.URL != p.URL+"/stack/network" || !last.WorkerPool.Public {
		t.Errorf("got %+v", last)
	}
	wantHeaders(t, requests[0])
}

// TestStateVersionAfterARestart lets the program end in the middle of a run; events come twice.
func TestStateVersionAfterARestart(t *testing.T) {
	t.Parallel()
	data, sink := t.TempDir(), conformance.NewSink(t)
	step := func(status, key string) object {
		e := event("Network", "r-1", status, nil)
		e["key"] = key
		return e
	}
	t.Run("before", func(t *testing.T) {
		p := newPlatform(t, "--data", data)
		p.webhook(t, p.stack(t, "Network"), sink.URL, "", nil)
		for _, e := range []object{step("pending", "1"), step("planning", "2"), step("pending", "1"), step("planned", "3")} {
			p.Want(t, 202, "POST", "/v1/events", e, nil)
		}
		sink.Wait(t, 2)
	})
	t.Run("after", func(t *testing.T) {
		p := conformance.Start(t, "--data", data)
		for _, e := range []object{step("planned", "3"), step("applying", "4"), step("planning", "2"), step("applied", "5")} {
			p.Want(t, 202, "POST", "/v1/events", e, nil)
		}
		requests := sink.Wait(t, 4)
		slices.SortFunc(requests, func(a, b conformance.Request) int {
			return int(verified(t, a, "").StateVersion - verified(t, b, "").StateVersion)
		})
		if got, want := states(t, requests), "QUEUED 0, PLANNING 1, APPLYING 2, FINISHED 3"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestOutOfOrder sends the platform's own transitions in late and twice: each is passed on once under its number, and the
// run does not go back.
func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	source, sink := p.source(t, nil), conformance.NewSink(t)
	stack := p.stack(t, "Network")
	p.webhook(t, stack, sink.URL, secret, nil)
	for _, n := range []struct {
		number int
		state  string
	}{{0, "QUEUED"}, {3, "PLANNING"}, {1, "READY"}, {3, "PLANNING"}, {4, "FINISHED"}, {2, "PREPARING"}} {
		body := fmt.Sprintf(`{"account":"a","state":%q,"stateVersion":%d,"timestamp":1745600%03d,"run":{"id":"R1","type":"PROPOSED"},"stack":{"id":"network","name":"Network"}}`, n.state, n.number, n.number)
		if got := source.post(t, "PUT", []byte(body)); got.Status != 200 {
			t.Fatalf("got %d, %s", got.Status, got.Body)
		}
	}
	requests := sink.Wait(t, 5)
	slices.SortFunc(requests, func(a, b conformance.Request) int {
		return strings.Compare(string(a.Body[30:70]), string(b.Body[30:70]))
	})
	got := strings.Split(states(t, requests), ", ")
	slices.Sort(got)
	if want := []string{"FINISHED 4", "PLANNING 3", "PREPARING 2", "QUEUED 0", "READY 1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	shown := p.run(t, `{stack(id: "network"){state}}`, nil)
	if len(sink.Requests()) != 5 {
		t.Errorf("%d requests", len(sink.Requests()))
	}
	_ = shown
}

// TestARealTerraformRun applies a configuration under `carillon run`: a receiver of this dialect hears of it state by
// state.
func TestARealTerraformRun(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("terraform")
	if err != nil {
		t.Fatal("terraform is needed on PATH: ", err)
	}
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.webhook(t, p.stack(t, "laptop"), sink.URL, secret, true)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte("resource \"terraform_data\" \"a\" {\n  input = \"one\"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	inDir(t, p, dir, tool, "init", "-input=false", "-no-color")
	inDir(t, p, dir, conformance.Program(t), "run", "--workspace", "acme/laptop", "--message", "from here", "--", tool, "apply", "-auto-approve", "-input=false", "-no-color")
	requests := sink.Wait(t, 4)
	slices.SortFunc(requests, func(a, b conformance.Request) int {
		return int(verified(t, a, secret).StateVersion - verified(t, b, secret).StateVersion)
	})
	if got, want := states(t, requests), "QUEUED 0, PLANNING 1, APPLYING 2, FINISHED 3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	last := verified(t, requests[3], secret)
	if last.Run.Type != "TRACKED" || last.Run.Delta == nil || last.Run.Delta.Added != 1 || last.Stack.ID != "laptop" {
		t.Errorf("got %+v", last)
	}
	if state := p.run(t, `{stack(id: "laptop"){state}}`, nil).(object)["state"]; state != "FINISHED" {
		t.Errorf("the stack is %v", state)
	}
}

func inDir(t *testing.T, p *platform, dir, program string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CARILLON_SERVER="+p.URL, "CARILLON_TOKEN="+conformance.AdminToken, "CARILLON_SPOOL="+filepath.Join(dir, "spool"),
		"CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE="+os.DevNull)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

// TestNoSecretSignsWithAnEmptyKey: section 2.2.
func TestNoSecretSignsWithAnEmptyKey(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.webhook(t, p.stack(t, "Network"), sink.URL, "", nil)
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	verified(t, sink.Wait(t, 1)[0], "")
}

// TestSwitches starts the program with the dialect's options.
func TestSwitches(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "--dialect-option", "spacelift.no_sha1=true", "--dialect-option", "spacelift.show_secrets=true", "--dialect-option", "spacelift.no_audit_test=true")
	sink := conformance.NewSink(t)
	stack := p.stack(t, "Network")
	p.webhook(t, stack, sink.URL, secret, nil)
	reader := p.exchange(t, p.apiKey(t, "reader"))
	shown := p.ask(t, reader, readWebhooks, object{"id": stack}).data(t)
	if !strings.Contains(spell(t, shown), secret) {
		t.Errorf("the secret is not shown: %v", shown)
	}
	p.run(t, setAudit, object{"input": object{"enabled": true, "endpoint": "http://127.0.0.1:1/", "includeRuns": false, "secret": ""}})
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	if _, there := sink.Wait(t, 1)[0].Value("X-Signature"); there {
		t.Error("X-Signature is sent")
	}
}

// TestTenFailuresSwitchOff: sections 2.3 and 8.8. The webhook shows as disabled, an internal error tells of it, and
// switching it on starts the count anew.
func TestTenFailuresSwitchOff(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	failing, told := conformance.NewSink(t), conformance.NewSink(t)
	failing.Answer(404, "no")
	stack := p.stack(t, "Network")
	hook := p.webhook(t, stack, failing.URL, secret, nil)
	p.Want(t, 201, "POST", "/v1/subscriptions", object{
		"organization": "acme", "dialect": "spacelift", "name": "errors", "url": told.URL, "secret": secret, "triggers": []string{"internal_error"},
	}, nil)
	fail := func(run string, n int) {
		for i := range n {
			p.Want(t, 202, "POST", "/v1/events", event("Network", fmt.Sprintf("%s-%d", run, i), "pending", nil), nil)
			failing.Wait(t, 1)
		}
	}
	fail("first", 10)
	conformance.Eventually(t, func() error {
		if w := p.webhooks(t, stack)[0]; w["enabled"] != false {
			return fmt.Errorf("got %v", w)
		}
		return nil
	})
	var body map[string]string
	if err := json.Unmarshal(told.Wait(t, 1)[0].Body, &body); err != nil {
		t.Fatal(err)
	}
	if len(body) != 5 || body["severity"] != "WARNING" || body["account"] != "acme" {
		t.Errorf("got %v", body)
	}
	sent := len(failing.Requests())
	p.Want(t, 202, "POST", "/v1/events", event("Network", "while-off", "pending", nil), nil)
	on := object{"stack": stack, "webhook": hook, "input": object{"enabled": true, "endpoint": failing.URL, "secret": "", "retryOnFailure": nil}}
	p.run(t, updateWebhook, on)
	fail("second", 9)
	conformance.Eventually(t, func() error {
		if got := len(failing.Requests()); got != sent+9 {
			return fmt.Errorf("%d requests", got)
		}
		return nil
	})
	if w := p.webhooks(t, stack)[0]; w["enabled"] != true {
		t.Errorf("got %v", w)
	}
	verified(t, failing.Requests()[sent], secret) // the secret was kept
}

// TestRedelivery sends a body again: the same bytes, signed with the secret as it is now.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	stack := p.stack(t, "Network")
	hook := p.webhook(t, stack, sink.URL, "old", nil)
	p.Want(t, 202, "POST", "/v1/events", event("Network", "r-1", "pending", nil), nil)
	first := sink.Wait(t, 1)[0]
	verified(t, first, "old")
	p.run(t, updateWebhook, object{"stack": stack, "webhook": hook, "input": object{"enabled": true, "endpoint": sink.URL, "secret": "new"}})
	var list struct{ Items []struct{ ID string } }
	conformance.Eventually(t, func() error {
		p.Want(t, 200, "GET", "/v1/deliveries?organization=acme", nil, &list)
		if len(list.Items) == 0 {
			return fmt.Errorf("the delivery is not listed")
		}
		return nil
	})
	p.Do(t, "POST", "/v1/deliveries/"+list.Items[0].ID+"/redeliver", object{})
	again := sink.Wait(t, 2)[1]
	if string(again.Body) != string(first.Body) {
		t.Errorf("got\n%s\nwant\n%s", again.Body, first.Body)
	}
	verified(t, again, "new")
}

// TestBodyOf2021 is the per-webhook setting of section 3.1.
func TestBodyOf2021(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	source, sink := p.source(t, nil), conformance.NewSink(t)
	p.Want(t, 201, "POST", "/v1/subscriptions", object{
		"organization": "acme", "dialect": "spacelift", "name": "older", "url": sink.URL, "secret": secret, "triggers": []string{"run_state_changed_event"},
		"settings": object{"body": "2021"},
	}, nil)
	body := string(file(t, "payloads/run-seed.json"))
	source.post(t, "POST", []byte(body))
	if got, want := string(sink.Wait(t, 1)[0].Body), strings.Replace(body, `"account":"spacelift-io"`, `"account":"acme"`, 1); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
