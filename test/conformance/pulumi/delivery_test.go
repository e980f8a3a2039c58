package pulumi_test

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/test/conformance"
	"carillon/webhook"
)

// hook makes a webhook of a path and returns its name.
func (p *platform) hook(t *testing.T, path string, members map[string]any) string {
	t.Helper()
	body := map[string]any{"displayName": "Ops", "active": true}
	parts := strings.Split(path, "/")
	switch parts[2] {
	case "orgs":
		body["organizationName"] = parts[3]
	case "stacks":
		body["organizationName"], body["projectName"], body["stackName"] = parts[3], parts[4], parts[5]
	case "esc":
		body["organizationName"], body["projectName"], body["envName"] = parts[4], parts[5], parts[6]
	}
	for name, value := range members {
		body[name] = value
	}
	var made struct{ Name string }
	p.Want(t, http.StatusCreated, "POST", path, body, &made)
	return made.Name
}

const (
	organizationHooks = "/api/orgs/acme/hooks"
	stackHooks        = "/api/stacks/acme/website/prod/hooks"
	environmentHooks  = "/api/esc/environments/acme/website/prod/hooks"
)

// run sends a step of a run.
func (p *platform) run(t *testing.T, run map[string]any) {
	t.Helper()
	p.Want(t, http.StatusAccepted, "POST", "/v1/events", map[string]any{
		"kind": "run", "organization": map[string]string{"name": "acme"}, "project": map[string]string{"name": "website"},
		"workspace": map[string]string{"name": "prod"}, "actor": map[string]string{"name": "morty", "full_name": "Morty \u2028 Smith 🍹 & <Sons>"},
		"run": run,
	}, nil)
}

// arrived checks a request and returns its payload.
func arrived(t *testing.T, r conformance.Request, secret string) *webhook.PulumiPayload {
	t.Helper()
	header := http.Header{}
	for _, line := range r.Header {
		name, value, _ := strings.Cut(line, ": ")
		header.Add(name, value)
	}
	if secret != "" {
		if err := webhook.Verify(webhook.Pulumi, header, r.Body, secret); err != nil {
			t.Errorf("%v: %s", err, r.Body)
		}
	} else if _, signed := r.Value("Pulumi-Webhook-Signature"); signed {
		t.Error("there is a signature without a secret")
	}
	payload, err := webhook.ParsePulumi(value(t, r, "Pulumi-Webhook-Kind"), r.Body)
	if err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	return payload
}

// TestRequest looks at every byte of a delivery.
func TestRequest(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	p.hook(t, stackHooks, map[string]any{"payloadUrl": sink.URL, "secret": "sécret ✓", "groups": []string{"stacks"}})
	p.run(t, map[string]any{"source_id": "r-1", "status": "applied", "operation": "destroy", "changes": map[string]any{"destroy": 6}})
	r := sink.Wait(t, 1)[0]
	want := `{"user":{"name":"Morty ` + "\u2028" + ` Smith 🍹 & <Sons>","githubLogin":"morty","avatarUrl":""},` +
		`"organization":{"name":"Acme Inc.","githubLogin":"acme","avatarUrl":""},"projectName":"website","stackName":"prod",` +
		`"updateUrl":"` + p.URL + `/acme/website/prod/updates/1","kind":"destroy","result":"succeeded","resourceChanges":{"delete":6},"isPreview":false}`
	if string(r.Body) != want {
		t.Errorf("got  %s\nwant %s", r.Body, want)
	}
	arrived(t, r, "sécret ✓")
	var names []string
	for _, line := range r.Header {
		name, _, _ := strings.Cut(line, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	if got := strings.Join(names, " "); got != "Accept Content-Length Content-Type Host Pulumi-Webhook-Id Pulumi-Webhook-Kind Pulumi-Webhook-Signature User-Agent" {
		t.Errorf("the headers are %s", got)
	}
	if value(t, r, "Accept") != "*/*" || value(t, r, "Content-Type") != "application/json" || value(t, r, "Pulumi-Webhook-Kind") != "stack_update" ||
		!regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(value(t, r, "Pulumi-Webhook-Id")) {
		t.Errorf("the headers are\n%s", strings.Join(r.Header, "\n"))
	}
}

// TestServiceRun follows a run of a service: what is told of the stack, what of the job, and how both are numbered.
func TestServiceRun(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	p.hook(t, organizationHooks, map[string]any{"payloadUrl": sink.URL, "groups": []string{"stacks", "deployments"}})
	for _, id := range []string{"r-1", "r-2"} {
		for _, status := range []string{"pending", "planning", "planned", "applying", "applied"} {
			p.run(t, map[string]any{"source_id": id, "status": status, "operation": "apply", "service": true})
		}
	}
	p.run(t, map[string]any{"source_id": "local", "status": "applied", "operation": "refresh"})
	var got []string
	for _, r := range sink.Wait(t, 11) {
		m := arrived(t, r, "")
		switch m.Kind {
		case "deployment":
			got = append(got, fmt.Sprintf("%s %d %s", m.Status, m.Version, m.DeploymentURL))
		default:
			got = append(got, m.UpdateKind+" "+m.Result+" "+m.UpdateURL[:strings.LastIndexByte(m.UpdateURL, '/')])
		}
	}
	slices.Sort(got)
	stack := p.URL + "/acme/website/prod"
	want := []string{
		"not-started 1 " + stack + "/deployments/1", "not-started 2 " + stack + "/deployments/2",
		"refresh succeeded " + stack + "/updates",
		"running 1 " + stack + "/deployments/1", "running 2 " + stack + "/deployments/2",
		"succeeded 1 " + stack + "/deployments/1", "succeeded 2 " + stack + "/deployments/2",
		"update succeeded " + stack + "/previews", "update succeeded " + stack + "/previews",
		"update succeeded " + stack + "/updates", "update succeeded " + stack + "/updates",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestScopes checks that each scope hears of its own, and the organization of everything.
func TestScopes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	all, stack, sibling, environment := conformance.NewSink(t), conformance.NewSink(t), conformance.NewSink(t), conformance.NewSink(t)
	p.hook(t, organizationHooks, map[string]any{"payloadUrl": all.URL})
	p.hook(t, stackHooks, map[string]any{"payloadUrl": stack.URL})
	p.hook(t, "/api/stacks/acme/website/dev/hooks", map[string]any{"payloadUrl": sibling.URL})
	p.hook(t, environmentHooks, map[string]any{"payloadUrl": environment.URL})
	p.run(t, map[string]any{"source_id": "r-1", "status": "applied"})
	for _, action := range []string{"created", "revision_created"} {
		p.Want(t, http.StatusAccepted, "POST", "/v1/events", map[string]any{
			"kind": "environment", "action": action, "organization": map[string]string{"name": "acme"},
			"environment": map[string]any{"project": "website", "name": "prod", "revision": 5},
		}, nil)
	}
	for name, tc := range map[string]struct {
		sink *conformance.Sink
		want string
	}{
		"organization": {all, "environment environment_revision stack_update"}, "stack": {stack, "stack_update"},
		"environment": {environment, "environment_revision"},
	} {
		var kinds []string
		for _, r := range tc.sink.Wait(t, len(strings.Fields(tc.want))) {
			kinds = append(kinds, value(t, r, "Pulumi-Webhook-Kind"))
		}
		if slices.Sort(kinds); strings.Join(kinds, " ") != tc.want {
			t.Errorf("%s hears %v", name, kinds)
		}
	}
	if n := len(sibling.Requests()); n != 0 {
		t.Errorf("another stack hears %d", n)
	}
}

// TestChat sends to what speaks Slack's and Teams' languages.
func TestChat(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"slack":    `{"text":":x: acme/website/prod update failed","attachments":[{"color":"#e01563"`,
		"ms_teams": `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null`,
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			p, sink := newPlatform(t), conformance.NewSink(t)
			name := p.hook(t, stackHooks, map[string]any{"payloadUrl": sink.URL, "format": format, "secret": "z", "filters": []string{"update_failed"}})
			p.run(t, map[string]any{"source_id": "r-1", "status": "errored", "phase": "apply"})
			r := sink.Wait(t, 1)[0]
			if !strings.HasPrefix(string(r.Body), want) || value(t, r, "Pulumi-Webhook-Kind") != "stack_update" {
				t.Errorf("got %s", r.Body)
			}
			arrived(t, r, "z")
			p.Want(t, http.StatusOK, "POST", stackHooks+"/"+name+"/ping", nil, nil)
			if r := sink.Wait(t, 2)[1]; !bytes.Contains(r.Body, []byte(`Test message for the webhook \"Ops\" of acme.`)) || value(t, r, "Pulumi-Webhook-Kind") != "ping" {
				t.Errorf("the ping is %s", r.Body)
			}
		})
	}
}

// delivered is a row of the delivery log.
type delivered struct {
	ID, Kind, Payload, RequestURL, RequestHeaders, ResponseHeaders, ResponseBody string
	Timestamp                                                                    int64
	Duration, ResponseCode                                                       int
}

// TestLog compares the log with what arrived, byte for byte, and with what was answered.
func TestLog(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	name := p.hook(t, organizationHooks, map[string]any{"payloadUrl": sink.URL, "secret": "z", "filters": []string{"update_succeeded"}})
	sink.Answer(http.StatusMethodNotAllowed, "no \xff way"+strings.Repeat("x", 70<<10))
	p.run(t, map[string]any{"source_id": "r-1", "status": "applied"})
	first := sink.Wait(t, 1)[0]
	var rows []delivered
	conformance.Eventually(t, func() error {
		p.Want(t, http.StatusOK, "GET", organizationHooks+"/"+name+"/deliveries", nil, &rows)
		if len(rows) != 1 {
			return fmt.Errorf("there are %d rows", len(rows))
		}
		return nil
	})
	row := rows[0]
	wantHeaders := ""
	for _, header := range []string{"Accept", "Content-Type", "Pulumi-Webhook-Id", "Pulumi-Webhook-Kind", "Pulumi-Webhook-Signature"} {
		wantHeaders += header + ": " + value(t, first, header) + "\r\n"
	}
	if row.Payload != string(first.Body) || row.RequestHeaders != wantHeaders || row.ID != value(t, first, "Pulumi-Webhook-Id") || row.Kind != "stack_update" {
		t.Errorf("the row is %+v, arrived was %s", row, first.Body)
	}
	if row.RequestURL != sink.URL || row.ResponseCode != 405 || !strings.HasPrefix(row.ResponseBody, "no \uFFFD wayxxx") ||
		row.ResponseHeaders != "Content-Length: 71688\r\nContent-Type: text/plain\r\nX-Sink: a\r\nX-Sink: b\r\n" {
		t.Errorf("the row is %+v", row)
	}
	if n := len(row.ResponseBody); n < 60<<10 || n > 65<<10 || time.Since(time.Unix(row.Timestamp, 0)) > time.Minute {
		t.Errorf("%d bytes of the answer are kept, at %d", n, row.Timestamp)
	}
	// A refusal is not tried again; a person may. The bytes stay, address and secret are the present ones.
	moved := conformance.NewSink(t)
	p.Want(t, http.StatusOK, "PATCH", organizationHooks+"/"+name, map[string]any{"displayName": "Renamed", "payloadUrl": moved.URL, "secret": "new", "format": "raw"}, nil)
	var again delivered
	p.Want(t, http.StatusOK, "POST", organizationHooks+"/"+name+"/deliveries/"+row.ID+"/redeliver", nil, &again)
	second := moved.Wait(t, 1)[0]
	if again.ID != row.ID || again.ResponseCode != 200 || !bytes.Equal(second.Body, first.Body) || value(t, second, "Pulumi-Webhook-Id") != row.ID {
		t.Errorf("again %+v", again)
	}
	arrived(t, second, "new")
	p.Want(t, http.StatusOK, "GET", organizationHooks+"/"+name+"/deliveries", nil, &rows)
	if len(rows) != 2 || rows[0] != again || rows[1].Payload != row.Payload || rows[1].RequestHeaders != row.RequestHeaders {
		t.Errorf("the rows are %+v", rows)
	}
	if n := len(sink.Requests()); n != 1 {
		t.Errorf("the refusal was followed by %d requests", n-1)
	}
}

// TestDeployments starts deployments on another installation, and says so where there is none.
func TestDeployments(t *testing.T) {
	t.Parallel()
	upstream := conformance.NewSink(t)
	base := strings.TrimSuffix(upstream.URL, "/hook")
	with := newPlatform(t, "--dialect-option", "pulumi.upstream-url="+base, "--dialect-option", "pulumi.upstream-token=pul-upstream")
	with.hook(t, stackHooks, map[string]any{"payloadUrl": "website/dev", "format": "pulumi_deployments", "filters": []string{"update_succeeded"}})
	with.run(t, map[string]any{"source_id": "r-1", "status": "applied"})
	r := upstream.Wait(t, 1)[0]
	if r.Line != "POST /api/stacks/acme/website/dev/deployments HTTP/1.1" || value(t, r, "Authorization") != "token pul-upstream" ||
		string(r.Body) != `{"operation":"update","inheritSettings":true}` {
		t.Errorf("%s\n%s\n%s", r.Line, strings.Join(r.Header, "\n"), r.Body)
	}
	without := newPlatform(t)
	name := without.hook(t, stackHooks, map[string]any{"payloadUrl": "website/dev", "format": "pulumi_deployments", "filters": []string{"update_succeeded"}})
	without.run(t, map[string]any{"source_id": "r-1", "status": "applied"})
	var rows []delivered
	conformance.Eventually(t, func() error {
		without.Want(t, http.StatusOK, "GET", stackHooks+"/"+name+"/deliveries", nil, &rows)
		if len(rows) != 1 {
			return fmt.Errorf("there are %d rows", len(rows))
		}
		return nil
	})
	if rows[0].ResponseCode != 0 || rows[0].ResponseBody != "URL error with webhook" || rows[0].RequestURL != "website/dev" {
		t.Errorf("the row is %+v", rows[0])
	}
	var pending struct{ Items []any }
	without.Want(t, http.StatusOK, "GET", "/v1/deliveries?state=pending", nil, &pending)
	if len(pending.Items) != 0 {
		t.Errorf("%d deliveries are tried again", len(pending.Items))
	}
}
