package scalr_test

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// TestTraps has a test for each trap of §8, by its number.
func TestTraps(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	env := p.environment(t, "one")
	ws := p.workspace(t, env, "w")
	sink := conformance.NewSink(t)
	ep := p.endpoint(t, env, sink.URL, object{"timeout": 40, "max-attempts": 8})
	hook := p.hook(t, ep.ID, env, "")
	p.send(t, run("run-1", "applied", "one", "w", nil))
	request := sink.Wait(t, 1)[0]
	t.Run("1 three forms of time", func(t *testing.T) {
		for _, r := range []resource{p.one(t, 200, "GET", "/environments/"+env, nil), p.one(t, 200, "GET", "/workspaces/"+ws, nil), p.one(t, 200, "GET", "/accounts/"+fileAccount, nil)} {
			moment(t, r.Attributes["created-at"])
		}
		date, _ := request.Value("Date")
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$`).MatchString(date) || !strings.Contains(string(request.Body), `"created_at": "2020-11-25T00:42:15"`) {
			t.Errorf("Date %s, body %s", date, request.Body)
		}
		text := string(p.Want(t, 200, "GET", base+"/endpoints/"+ep.ID, nil, nil).Body)
		if !strings.Contains(text, `"timeout":40`) || !strings.Contains(text, `"max-attempts":8`) {
			t.Errorf("got %s", text)
		}
	})
	t.Run("2 names of types", func(t *testing.T) {
		for path, want := range map[string]string{
			"/accounts": "accounts", "/environments": "environments", "/workspaces": "workspaces", "/endpoints": "endpoints", "/webhooks": "webhooks",
			"/integrations/webhooks": "webhook-integrations", "/event-definitions": "event-definitions", "/integrations/webhook-deliveries": "webhook-integration-deliveries",
		} {
			list := p.list(t, path, "include", "run,triggered-by,environment,workspace,webhook,event,account,endpoint,events,environments")
			if list.Data[0].Type != want {
				t.Errorf("%s: %s", path, list.Data[0].Type)
			}
			for _, r := range list.Included {
				if !strings.Contains(" accounts environments workspaces endpoints webhook-integrations event-definitions users runs ", " "+r.Type+" ") {
					t.Errorf("%s includes %s", path, r.Type)
				}
			}
		}
	})
	t.Run("3 relations that are always there", func(t *testing.T) {
		for path, name := range map[string]string{"/integrations/webhooks": "account", "/environments": "account", "/workspaces": "environment"} {
			for _, r := range p.list(t, path).Data {
				if r.rel(name) == "null" || p.one(t, 200, "GET", path+"/"+r.ID, nil).rel(name) != r.rel(name) {
					t.Errorf("%s lacks %s", path, name)
				}
			}
		}
	})
	t.Run("4 a delivery before its first answer", func(t *testing.T) {
		silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = silent.Close() }()
		other := p.environment(t, "silent")
		in := p.integration(t, "http://"+silent.Addr().String(), object{"timeout": 2, "max-attempts": 1}, other)
		p.send(t, run("run-2", "applied", "silent", "w", nil))
		a := p.list(t, "/integrations/webhook-deliveries", "filter[webhook]", in.ID).Data[0].Attributes
		body, isObject := a["request-body"].(map[string]any)
		if !isObject || body["event-name"] != "run:completed" || a["last-handle-attempt-at"] != nil || a["attempts"] != float64(0) || a["status"] != "pending" ||
			a["response-code"] != nil || a["response-body"] != nil || a["response-headers"] != nil || a["error-message"] != nil || len(a["request-headers"].(map[string]any)) != 0 {
			t.Errorf("got %v", a)
		}
		conformance.Eventually(t, func() error {
			a := p.list(t, "/integrations/webhook-deliveries", "filter[webhook]", in.ID).Data[0].Attributes
			if a["status"] != "failed" || a["error-message"] != "timeout after 2 s" || a["response-code"] != nil || a["attempts"] != float64(1) {
				return fmt.Errorf("got %v", a)
			}
			return nil
		})
	})
	t.Run("5 nothing is normalized", func(t *testing.T) {
		sent := object{
			"name": " Größe \"x\" ", "url": "HTTPS://User@Example.COM:443/a%2Fb/../c?q=%7e#frag", "timeout": 0, "max-attempts": 1000,
			"headers": []object{{"name": "x-LOWER", "value": " v ", "sensitive": false}},
		}
		made := p.one(t, 201, "POST", "/integrations/webhooks", document("webhook-integrations", sent, rels{"account": fileAccount, "events": []string{"run:needs_attention", "run:completed"}}))
		for _, r := range []resource{made, p.one(t, 200, "GET", "/integrations/webhooks/"+made.ID, nil)} {
			if r.rel("events") != "run:needs_attention run:completed" || fmt.Sprint(r.Attributes["headers"]) != "[map[name:x-LOWER sensitive:false value: v ]]" ||
				r.Attributes["name"] != sent["name"] || r.Attributes["url"] != sent["url"] || r.Attributes["timeout"] != float64(0) || r.Attributes["max-attempts"] != float64(1000) {
				t.Errorf("got %+v", r)
			}
		}
	})
	t.Run("6 a wrong request is never the server's fault", func(t *testing.T) {
		for _, body := range []string{"", "[]", "null", "7", `{"data":[]}`, `{"data":{"attributes":[]}}`, `{"data":{"attributes":{"name":{},"url":[],"headers":7,"timeout":1e99}}}`, `{"data":{"relationships":{"events":{"data":{}},"account":{"data":[]}}}}`, "\xff"} {
			for _, path := range []string{"/endpoints", "/webhooks", "/integrations/webhooks", "/environments", "/workspaces"} {
				if got := p.Do(t, "POST", base+path, body); got.Status < 400 || got.Status >= 500 || got.Status == 429 || len(got.Body) == 0 {
					t.Errorf("POST %s %s: %d, %s", path, body, got.Status, got.Body)
				}
			}
			if got := p.Do(t, "PATCH", base+"/integrations/webhooks/"+hook.ID, body); got.Status >= 500 || len(got.Body) == 0 {
				t.Errorf("PATCH %s: %d, %s", body, got.Status, got.Body)
			}
		}
	})
	t.Run("7 no percent signs in errors", func(t *testing.T) {
		title, detail, _ := p.refuse(t, 404, "POST", "/integrations/webhooks", document("webhook-integrations", object{"name": "n", "url": "https://a.example"}, rels{"environments": []string{"env-%s%d"}}))
		if strings.Contains(title+detail, "%") || !strings.Contains(detail, "'env-sd'") {
			t.Errorf("got %s, %s", title, detail)
		}
	})
	t.Run("8 every page but the last names the next", func(t *testing.T) {
		for number := 1; ; number++ {
			m := p.list(t, "/event-definitions", "page[size]", "1", "page[number]", fmt.Sprint(number)).Meta.Pagination
			if number == 3 {
				if m["next-page"] != nil || m["total-pages"] != float64(3) {
					t.Errorf("got %v", m)
				}
				break
			}
			if m["next-page"] != float64(number+1) {
				t.Fatalf("got %v", m)
			}
		}
	})
	t.Run("9 an exact name is on the first page", func(t *testing.T) {
		exact := p.integration(t, "https://a.example", object{"name": "data"})
		for i := range 25 {
			p.integration(t, "https://a.example", object{"name": fmt.Sprint("data-", i)})
		}
		if got := p.list(t, "/integrations/webhooks", "filter[account]", fileAccount, "query", "data"); got.Data[0].ID != exact.ID || len(got.Data) != 20 {
			t.Errorf("got %s", got.names())
		}
	})
	t.Run("10 a webhook shows its endpoint's numbers", func(t *testing.T) {
		a := p.one(t, 200, "GET", "/integrations/webhooks/"+hook.ID, nil).Attributes
		if a["timeout"] != float64(40) || a["max-attempts"] != float64(8) {
			t.Errorf("got %v", a)
		}
	})
	t.Run("11 what is deleted is not found", func(t *testing.T) {
		gone := p.integration(t, "https://a.example", nil)
		p.Want(t, 204, "DELETE", base+"/integrations/webhooks/"+gone.ID, nil, nil)
		p.refuse(t, 404, "GET", "/integrations/webhooks/"+gone.ID, nil)
		p.refuse(t, 404, "DELETE", "/integrations/webhooks/"+gone.ID, nil)
	})
	t.Run("12 nothing is shared by leaving out", func(t *testing.T) {
		made := p.integration(t, "https://a.example", object{"headers": []object{{"name": "X-A", "value": "b"}}})
		if made.Attributes["is-shared"] != false || made.rel("environments") != "" {
			t.Errorf("got %+v", made)
		}
		kept := p.one(t, 200, "PATCH", "/integrations/webhooks/"+made.ID, document("webhook-integrations", object{"name": "n"}, nil))
		cleared := p.one(t, 200, "PATCH", "/integrations/webhooks/"+made.ID, document("webhook-integrations", object{"headers": []object{}}, nil))
		if len(kept.Attributes["headers"].([]any)) != 1 || len(cleared.Attributes["headers"].([]any)) != 0 {
			t.Errorf("got %v, then %v", kept.Attributes["headers"], cleared.Attributes["headers"])
		}
	})
	t.Run("13 a colon in identifiers", func(t *testing.T) {
		var got page
		p.Want(t, 200, "GET", base+"/webhooks?filter%5Bevent%5D=run%3Acompleted&filter%5Benabled%5D=true&sort=name&query=hook", nil, &got)
		if got.names() != "hook" {
			t.Errorf("got %s", got.names())
		}
	})
	t.Run("14 locking is not served", func(t *testing.T) {
		for _, action := range []string{"lock", "unlock", "force-unlock"} {
			p.refuse(t, 404, "POST", "/workspaces/"+ws+"/actions/"+action, nil)
		}
	})
	t.Run("15 the date is part of the signature", func(t *testing.T) {
		h := http.Header{}
		for _, line := range request.Header {
			name, value, _ := strings.Cut(line, ":")
			h.Add(name, strings.TrimSpace(value))
		}
		if err := webhook.Verify(webhook.Scalr, h, request.Body, secret); err != nil {
			t.Error(err)
		}
		h.Set("Date", "Wed, 25 Nov 2020 00:43:38 GMT") // as a proxy would write it
		if webhook.Verify(webhook.Scalr, h, request.Body, secret) == nil {
			t.Error("a rewritten date is not noticed")
		}
	})
}
