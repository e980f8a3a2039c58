package scalr_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/test/conformance"
)

// TestDeliveredBytes compares deliveries of both generations with the sample files: identifiers and links are ours, every
// other byte, the headers and the signature are the platform's.
func TestDeliveredBytes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "my-development")
	ws := p.workspace(t, env, "my-example")
	first, second := conformance.NewSink(t), conformance.NewSink(t)
	hook := p.one(t, 201, "POST", "/webhooks", document("webhooks", object{"name": "Data Platform"},
		rels{"endpoint": p.endpoint(t, env, first.URL, nil).ID, "workspace": ws, "events": []string{"run:needs_attention"}}))
	in := p.integration(t, second.URL, object{"name": "Data Platform", "headers": []object{
		{"name": "X-Team", "value": "platform"}, {"name": "X-Api-Key", "value": "hidden", "sensitive": true}, {"name": "X-Team", "value": "again"},
		{"name": "User-Agent", "value": "mine"},
	}}, env)
	p.send(t, run("run-t6v0g8prd9qi2h0", "policy_checked", "my-development", "my-example", object{
		"awaiting": true, "variables": object{"foo": "bar"}, "external_ids": object{"scalr": "run-t6v0g8prd9qi2h0"},
	}))
	page := p.URL + "/v2/e/" + env + "/"
	want := strings.NewReplacer(
		"wh-t6v0g1l0dlqhh58", hook.ID, fileWorkspace, ws, fileEnvironment, env, "https://my.scalr.io/#/15986/17348/dashboard", page,
		"https://my.scalr.io/#/workspaces/dashboard?workspaceId="+fileWorkspace, page+"workspaces/"+ws,
		"https://my.scalr.io/#/workspaces/runs/dashboard?runId=run-t6v0g8prd9qi2h0", page+"workspaces/"+ws+"/runs/run-t6v0g8prd9qi2h0",
	).Replace(string(file(t, "delivery/gen1-needs_attention.json")))
	r := first.Wait(t, 1)[0]
	if string(r.Body) != want {
		t.Errorf("got\n%s\nwant\n%s", r.Body, want)
	}
	if got := verified(t, r); got.Event != "run:needs_attention" || got.Webhook.ID != hook.ID {
		t.Errorf("got %+v", got)
	}
	headers(t, r, map[string]string{"Content-Type": "application/json", "Content-Length": fmt.Sprint(len(r.Body))})

	r = second.Wait(t, 1)[0]
	if got := verified(t, r); got.Webhook.ID != in.ID || got.Run.CreatedBy.Username != "me@example.com" || got.Variables["foo"] != "bar" {
		t.Errorf("got %+v", got)
	}
	if !strings.HasPrefix(string(r.Body), `{"environment":{"id":"`+env+`","name":"my-development"`) || strings.HasSuffix(string(r.Body), "\n") {
		t.Errorf("got %s", r.Body)
	}
	headers(t, r, map[string]string{"X-Team": "platform", "X-Api-Key": "hidden", "User-Agent": "mine"})
	if lines := strings.Join(r.Header, "\n"); strings.Count(lines, "X-Team: ") != 2 || !strings.Contains(lines, "X-Team: again") || strings.Contains(lines, "Carillon/") {
		t.Errorf("got %s", lines)
	}
}

// headers checks a request's headers, and those that each delivery has (§2).
func headers(t *testing.T, r conformance.Request, want map[string]string) {
	t.Helper()
	if r.Line != "POST /hook HTTP/1.1" {
		t.Errorf("got %s", r.Line)
	}
	for name, value := range want {
		if got, _ := r.Value(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
	date, _ := r.Value("Date")
	if at, err := time.Parse("2006-01-02T15:04:05-0700", date); err != nil || !strings.HasSuffix(date, "+0000") || time.Since(at) > time.Minute {
		t.Errorf("Date: %q", date)
	}
	if id, _ := r.Value("X-Scalr-Delivery-Id"); !strings.HasPrefix(id, "wd-") || len(id) != 18 {
		t.Errorf("X-Scalr-Delivery-Id: %q", id)
	}
	if signature, _ := r.Value("X-Signature"); len(signature) != 64 || strings.ToLower(signature) != signature {
		t.Errorf("X-Signature: %q", signature)
	}
}

// TestWhoHears is §4.4: environments and accounts pass their webhooks down, also to what is made later.
func TestWhoHears(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	one, two := p.environment(t, "one"), p.environment(t, "two")
	a := p.workspace(t, one, "a")
	p.workspace(t, one, "b")
	p.workspace(t, two, "c")
	ep, ofOne := p.endpoint(t, "", sink.URL, nil).ID, p.endpoint(t, one, sink.URL, nil).ID
	named := func(r resource, name string) string {
		p.one(t, 200, "PATCH", "/webhooks/"+r.ID, document("webhooks", object{"name": name}, nil))
		return name
	}
	named(p.hook(t, ofOne, one, a), "workspace-a")
	named(p.hook(t, ofOne, one, ""), "environment-one")
	named(p.hook(t, ep, "", ""), "account")
	named(p.integration(t, sink.URL, object{"is-shared": true}), "shared")
	named(p.integration(t, sink.URL, nil, two), "linked-two")
	named(p.integration(t, sink.URL, nil, one, two), "linked-both")
	named(p.integration(t, sink.URL, nil), "nobody")
	named(p.integration(t, sink.URL, object{"is-shared": true, "enabled": false}), "off")
	deaf := p.integration(t, sink.URL, object{"is-shared": true})
	p.one(t, 200, "PATCH", "/integrations/webhooks/"+deaf.ID, document("webhook-integrations", object{}, rels{"events": []string{}}))

	// Workspaces and environments that come to be known by their first run are later than every webhook.
	heard := map[string]string{
		"a": "account environment-one linked-both shared workspace-a", "b": "account environment-one linked-both shared",
		"c": "account linked-both linked-two shared", "later": "account environment-one linked-both shared", "new": "account shared",
	}
	total := 0
	for _, at := range []struct{ environment, workspace string }{{"one", "a"}, {"one", "b"}, {"two", "c"}, {"one", "later"}, {"three", "new"}} {
		p.send(t, run("run-"+at.workspace, "applied", at.environment, at.workspace, nil))
		total += len(strings.Fields(heard[at.workspace]))
	}
	got := map[string][]string{}
	ids := map[string]bool{}
	for _, r := range sink.Wait(t, total) {
		payload := verified(t, r)
		got[payload.Workspace.Name] = append(got[payload.Workspace.Name], payload.Webhook.Name)
		id, _ := r.Value("X-Scalr-Delivery-Id")
		ids[id] = true
	}
	for workspace, want := range heard {
		if g := sortedWords(got[workspace]); g != want {
			t.Errorf("%s: %s, want %s", workspace, g, want)
		}
	}
	if len(ids) != total {
		t.Errorf("%d identifiers for %d deliveries", len(ids), total)
	}
	if list := p.list(t, "/integrations/webhooks", "filter[environment]", one, "sort", "name"); list.names() != "account environment-one integration linked-both off shared workspace-a" {
		t.Errorf("got %s", list.names())
	}
	if list := p.list(t, "/integrations/webhooks", "filter[environment]", "env-unknown"); len(list.Data) != 0 {
		t.Errorf("got %s", list.names())
	}
	for query, want := range map[string]string{"environment " + one: "environment-one workspace-a", "workspace " + a: "workspace-a", "environment " + two: ""} {
		name, value, _ := strings.Cut(query, " ")
		if list := p.list(t, "/webhooks", "filter["+name+"]", value, "sort", "name"); list.names() != want {
			t.Errorf("%s: %s", query, list.names())
		}
	}
	last := p.list(t, "/webhooks", "query", "workspace-a").Data[0]
	if at := moment(t, last.Attributes["last-triggered-at"]); time.Since(at) > time.Minute {
		t.Errorf("last triggered at %v", at)
	}
}

func sortedWords(words []string) string {
	all := map[string]bool{}
	for _, word := range words {
		all[word] = true
	}
	var list []string
	for word := range all {
		list = append(list, word)
	}
	for i := range list {
		for j := range list[:i] {
			if list[i] < list[j] {
				list[i], list[j] = list[j], list[i]
			}
		}
	}
	return strings.Join(list, " ")
}

// TestDeliveryLog is §5.8: what the log shows is what was sent and answered.
func TestDeliveryLog(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "my-development")
	ws := p.workspace(t, env, "my-example")
	sink, broken := conformance.NewSink(t), conformance.NewSink(t)
	sink.Answer(200, `{"ok": true}`)
	broken.Answer(503, "try later")
	good := p.integration(t, sink.URL, object{"name": "good", "headers": []object{{"name": "X-Team", "value": "platform"}, {"name": "X-Api-Key", "value": "hidden", "sensitive": true}}}, env)
	bad := p.integration(t, broken.URL, object{"name": "bad", "max-attempts": 1}, env)
	p.send(t, run("run-t6v0g8prd9qi2h0", "policy_override", "my-development", "my-example", object{"external_ids": object{"scalr": "run-t6v0g8prd9qi2h0"}}))
	var all page
	conformance.Eventually(t, func() error {
		all = p.list(t, "/integrations/webhook-deliveries", "sort", "status")
		if len(all.Data) == 2 && all.Data[0].Attributes["status"] == "completed" && all.Data[1].Attributes["status"] == "failed" {
			return nil
		}
		return fmt.Errorf("got %+v", all.Data)
	})
	sent := sink.Wait(t, 1)[0]
	id, _ := sent.Value("X-Scalr-Delivery-Id")
	one := p.one(t, 200, "GET", "/integrations/webhook-deliveries/"+id, nil)
	a := one.Attributes
	body, err := json.Marshal(a["request-body"])
	if err != nil {
		t.Fatal(err)
	}
	var x, y any
	if json.Unmarshal(body, &x) != nil || json.Unmarshal(sent.Body, &y) != nil || !reflect.DeepEqual(x, y) {
		t.Errorf("got %s, sent %s", body, sent.Body)
	}
	shown := a["request-headers"].(map[string]any)
	for _, name := range []string{"Date", "X-Signature", "X-Scalr-Delivery-Id", "Content-Type", "Content-Length", "X-Team"} {
		if want, _ := sent.Value(name); shown[name] != want {
			t.Errorf("%s: %v, sent %s", name, shown[name], want)
		}
	}
	if shown["X-Api-Key"] != "***" || strings.Contains(fmt.Sprint(one), "hidden") {
		t.Errorf("the sensitive header is shown: %v", shown)
	}
	if a["attempts"] != float64(1) || a["error-message"] != nil || a["response-code"] != float64(200) || !reflect.DeepEqual(a["response-body"], map[string]any{"ok": true}) {
		t.Errorf("got %v", a)
	}
	if answered := a["response-headers"].(map[string]any); answered["X-Sink"] != "a, b" || answered["Content-Type"] != "text/plain" {
		t.Errorf("got %v", answered)
	}
	moment(t, a["triggered-at"])
	moment(t, a["last-handle-attempt-at"])
	for name, want := range map[string]string{
		"webhook": good.ID, "event": "run:needs_attention", "environment": env, "workspace": ws, "run": "run-t6v0g8prd9qi2h0", "triggered-by": "user-stp8qjcvjljlo1o",
	} {
		if got := one.rel(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	failed := all.Data[1].Attributes
	if failed["error-message"] != "HTTP 503 Service Unavailable" || failed["response-body"] != "try later" || failed["attempts"] != float64(1) {
		t.Errorf("got %v", failed)
	}
	sameShape(t, "webhook-deliveries.read", p.Want(t, 200, "GET", base+"/integrations/webhook-deliveries/"+id, nil, nil).Body, shaped(t))
	included := p.list(t, "/integrations/webhook-deliveries", "include", "event,webhook,environment,workspace,run,triggered-by", "filter[webhook]", good.ID)
	var kinds []string
	for _, r := range included.Included {
		kinds = append(kinds, r.Type)
	}
	if got := sortedWords(kinds); got != "environments event-definitions runs users webhook-integrations workspaces" {
		t.Errorf("included %s", got)
	}
	for _, tc := range []struct {
		query string
		want  int
	}{
		{"filter[status]=completed", 1}, {"filter[status]=failed", 1}, {"filter[status]=pending", 0}, {"filter[status]=strange", 0},
		{"filter[webhook]=" + bad.ID, 1}, {"filter[webhook]=wh-x", 0}, {"filter[event]=run:needs_attention", 2}, {"filter[event]=run:completed", 0},
		{"filter[environment]=" + env, 2}, {"filter[environment]=env-x", 0}, {"filter[workspace]=" + ws, 2}, {"filter[workspace]=ws-x", 0},
		{"filter[run]=run-t6v0g8prd9qi2h0", 2}, {"filter[run]=run-x", 0}, {"filter[account]=" + fileAccount, 2}, {"filter[account]=acc-x", 0},
		{"query=GOOD", 1}, {"query=t6v0g8", 2}, {"query=503", 1}, {"query=nothing", 0}, {"sort=-attempts,triggered-at", 2}, {"sort=last-handle-attempt-at", 2},
	} {
		name, value, _ := strings.Cut(tc.query, "=")
		if got := p.list(t, "/integrations/webhook-deliveries", name, value); len(got.Data) != tc.want {
			t.Errorf("%s: %d deliveries, want %d", tc.query, len(got.Data), tc.want)
		}
	}
	stats := p.one(t, 200, "GET", "/integrations/webhooks/"+bad.ID+"?fields%5Bwebhook-integrations%5D=statistics", nil).Attributes["statistics"].(map[string]any)
	if want := map[string]any{"delivered": float64(0), "failed": float64(1), "total": float64(1)}; !reflect.DeepEqual(stats["last-hour"], want) || !reflect.DeepEqual(stats["last-week"], want) {
		t.Errorf("got %v", stats)
	}
	// A deleted webhook's deliveries stay readable.
	p.Want(t, 204, "DELETE", base+"/integrations/webhooks/"+good.ID, nil, nil)
	again := p.one(t, 200, "GET", "/integrations/webhook-deliveries/"+id, nil)
	if !reflect.DeepEqual(again.Attributes["request-body"], a["request-body"]) || again.rel("webhook") != good.ID {
		t.Errorf("got %+v", again)
	}
	if got := p.list(t, "/integrations/webhook-deliveries", "filter[webhook]", good.ID); len(got.Data) != 1 {
		t.Errorf("got %d", len(got.Data))
	}
}

// shaped is the sample delivery as a webhook integration's: the sample's body is of the other generation, and our headers
// come on top.
func shaped(t *testing.T) []byte {
	t.Helper()
	var sample struct {
		Data     map[string]any `json:"data"`
		Included []any          `json:"included"`
	}
	if err := json.Unmarshal(file(t, "api/responses/webhook-deliveries.read.json"), &sample); err != nil {
		t.Fatal(err)
	}
	a := sample.Data["attributes"].(map[string]any)
	var body any
	if err := json.Unmarshal(file(t, "delivery/gen2-completed.json"), &body); err != nil {
		t.Fatal(err)
	}
	a["request-body"] = body
	for _, name := range []string{"Accept", "User-Agent", "webhook-id", "webhook-timestamp", "webhook-signature"} {
		a["request-headers"].(map[string]any)[name] = ""
	}
	a["response-headers"].(map[string]any)["X-Sink"] = ""
	a["response-headers"].(map[string]any)["Content-Length"] = ""
	out, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRetries is §2.2: the number of tries is the webhook's, each is signed anew, and a change counts for the next try.
func TestRetries(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	sink, moved := conformance.NewSink(t), conformance.NewSink(t)
	sink.Answer(500, "no")
	moved.Answer(302, "elsewhere")
	ep := p.endpoint(t, env, sink.URL, object{"max-attempts": 2})
	hook := p.hook(t, ep.ID, env, "")
	p.send(t, run("run-1", "errored", "one", "w", nil))
	before := sink.Wait(t, 1)[0]
	var pending page
	conformance.Eventually(t, func() error {
		if pending = p.list(t, "/integrations/webhook-deliveries"); len(pending.Data) == 1 && pending.Data[0].Attributes["attempts"] == float64(1) {
			return nil
		}
		return fmt.Errorf("got %+v", pending.Data)
	})
	if a := pending.Data[0].Attributes; a["status"] != "pending" || a["error-message"] != "HTTP 500 Internal Server Error" || a["response-code"] != float64(500) {
		t.Errorf("got %v", a)
	}
	p.one(t, 200, "PATCH", "/endpoints/"+ep.ID, document("endpoints", object{"url": moved.URL}, nil))
	p.one(t, 200, "PATCH", "/webhooks/"+hook.ID, document("webhooks", object{"name": "renamed"}, nil))
	after := moved.Wait(t, 1)[0]
	verified(t, before)
	verified(t, after)
	if string(before.Body) != string(after.Body) {
		t.Errorf("the body changed: %s", after.Body)
	}
	for name, same := range map[string]bool{"X-Scalr-Delivery-Id": true, "Date": false, "X-Signature": false} {
		a, _ := before.Value(name)
		b, _ := after.Value(name)
		if (a == b) != same {
			t.Errorf("%s: %s, then %s", name, a, b)
		}
	}
	id, _ := after.Value("X-Scalr-Delivery-Id")
	conformance.Eventually(t, func() error {
		a := p.one(t, 200, "GET", "/integrations/webhook-deliveries/"+id, nil).Attributes
		if a["status"] != "failed" || a["attempts"] != float64(2) || a["response-code"] != float64(302) || a["error-message"] != "HTTP 302 Found" {
			return fmt.Errorf("got %v", a)
		}
		return nil
	})
	if len(sink.Requests())+len(moved.Requests()) != 2 {
		t.Errorf("%d and %d requests", len(sink.Requests()), len(moved.Requests()))
	}
}

// TestWithdrawnWebhooks is §2.2: what a webhook is owed when it is switched off or deleted ends as failed, and a pending
// delivery shows its body before anything was sent.
func TestWithdrawnWebhooks(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	for name, withdraw := range map[string]func(resource){
		"webhook disabled": func(r resource) {
			p.one(t, 200, "PATCH", "/integrations/webhooks/"+r.ID, document("webhook-integrations", object{"enabled": false}, nil))
		},
		"webhook deleted": func(r resource) { p.Want(t, 204, "DELETE", base+"/integrations/webhooks/"+r.ID, nil, nil) },
	} {
		sink := conformance.NewSink(t)
		sink.Answer(500, "no")
		in := p.integration(t, sink.URL, nil, env)
		p.send(t, run("run-"+in.ID, "errored", "one", "w", nil), run("run-"+in.ID, "discarded", "one", "w", nil))
		sink.Wait(t, 1)
		filter := []string{"filter[webhook]", in.ID}
		conformance.Eventually(t, func() error {
			if got := p.list(t, "/integrations/webhook-deliveries", filter...); len(got.Data) != 1 || got.Data[0].Attributes["attempts"] != float64(1) {
				return fmt.Errorf("got %+v", got.Data)
			}
			return nil
		})
		withdraw(in)
		conformance.Eventually(t, func() error {
			got := p.list(t, "/integrations/webhook-deliveries", filter...)
			if len(got.Data) != 1 {
				return fmt.Errorf("%d deliveries", len(got.Data))
			}
			a := got.Data[0].Attributes
			if a["status"] != "failed" || a["error-message"] != name || a["response-code"] != float64(500) || a["attempts"] != float64(1) {
				return fmt.Errorf("got %v", a)
			}
			return nil
		})
	}
}

// TestRedelivery: a delivery that is repeated by hand is a new one (§2), and no route of this API repeats (§5.8).
func TestRedelivery(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	sink := conformance.NewSink(t)
	p.integration(t, sink.URL, nil, env)
	p.send(t, run("run-1", "applied", "one", "w", nil))
	first := sink.Wait(t, 1)[0]
	var deliveries struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	p.Want(t, 200, "GET", "/v1/deliveries?organization=mainiacp", nil, &deliveries)
	if got := p.Do(t, "POST", "/v1/deliveries/"+deliveries.Items[0].ID+"/redeliver", nil); got.Status/100 != 2 {
		t.Fatalf("got %d, %s", got.Status, got.Body)
	}
	second := sink.Wait(t, 2)[1]
	verified(t, second)
	a, _ := first.Value("X-Scalr-Delivery-Id")
	b, _ := second.Value("X-Scalr-Delivery-Id")
	if a == b || string(first.Body) != string(second.Body) {
		t.Errorf("got %s and %s", a, b)
	}
	conformance.Eventually(t, func() error {
		if got := p.list(t, "/integrations/webhook-deliveries"); len(got.Data) != 2 {
			return fmt.Errorf("%d deliveries", len(got.Data))
		}
		return nil
	})
}

// TestLongAnswers keeps the first 64 KiB of what a receiver answers (§2.2).
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	sink := conformance.NewSink(t)
	sink.Answer(200, strings.Repeat("é", 40_000))
	p.integration(t, sink.URL, nil, env)
	p.send(t, run("run-1", "applied", "one", "w", nil))
	conformance.Eventually(t, func() error {
		got := p.list(t, "/integrations/webhook-deliveries")
		if len(got.Data) != 1 || got.Data[0].Attributes["status"] != "completed" {
			return fmt.Errorf("got %+v", got.Data)
		}
		if body := got.Data[0].Attributes["response-body"].(string); body != strings.Repeat("é", 32<<10) {
			t.Errorf("%d bytes are kept", len(body))
		}
		return nil
	})
}
