package pulumi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

const (
	orgPath   = "/api/orgs/acme/hooks"
	stackPath = "/api/stacks/acme/website/prod/hooks"
	envPath   = "/api/esc/environments/acme/website/prod/hooks"
)

// complaintOf reads an error's body.
func complaintOf(t *testing.T, body []byte) (code int, text string) {
	t.Helper()
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return p.Code, p.Message
}

// TestOrderOfChecks breaks one more rule from the last to the first: each answer is about the earliest that is broken.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", secretLimit+1)
	type broken struct {
		member, value string
		status        int
		want          string
	}
	for name, tc := range map[string]struct {
		path  string
		body  map[string]string
		rules []broken
	}{
		"organization": {orgPath, map[string]string{"organizationName": `"acme"`}, []broken{
			{"name", `"there"`, 409, "Conflict: Webhook with name there already exists."},
			{"secret", `"` + long + `"`, 400, "Bad Request: Invalid secret provided"},
			{"filters", `["x"]`, 400, "Bad Request: Invalid filter 'x'"},
			{"groups", `["y"]`, 400, "Bad Request: Invalid group 'y'"},
			{"payloadUrl", `"ftp://x"`, 400, "Bad Request: Invalid payload URL provided"},
			{"format", `"pulumi_deployments"`, 400, "Bad Request: 'pulumi_deployments' format can only be used on stack or environment webhooks."},
			{"format", `"xml"`, 400, "Bad Request: Invalid format 'xml'"},
			{"displayName", `" "`, 400, "Bad Request: Invalid display name provided"},
			{"name", `"a b"`, 400, "Bad Request: Invalid webhook name"},
			{"organizationName", `"ACME"`, 400, "Bad Request: Organization name from request body doesn't match URL."},
			{"active", `"yes"`, 400, "Bad Request: request body is not valid JSON."},
		}},
		"stack": {stackPath, map[string]string{"organizationName": `"acme"`, "projectName": `"website"`, "stackName": `"prod"`}, []broken{
			{"stackName", `"dev"`, 400, "Bad Request: Stack name from request body doesn't match URL."},
			{"projectName", `null`, 400, "Bad Request: Project name from request body doesn't match URL."},
			{"organizationName", `""`, 400, "Bad Request: Organization name from request body doesn't match URL."},
		}},
		"environment": {envPath, map[string]string{"organizationName": `"acme"`, "projectName": `"website"`, "envName": `"prod"`}, []broken{
			{"filters", `["update_failed"]`, 400, "Bad Request: Invalid filter 'update_failed'"},
			{"groups", `["stacks"]`, 400, "Bad Request: Invalid group 'stacks'"},
			{"envName", `null`, 400, "Bad Request: Env name from request body doesn't match URL."},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			body := map[string]string{"displayName": `"x"`, "payloadUrl": `"https://x"`}
			for member, value := range tc.body {
				body[member] = value
			}
			body["name"] = `"there"`
			if rec := w.call("owner", "POST", tc.path, spell(body)); rec.Code != http.StatusCreated {
				t.Fatalf("%d: %s", rec.Code, rec.Body)
			}
			body["name"] = `"new"`
			for _, rule := range tc.rules {
				body[rule.member] = rule.value
				rec := w.call("owner", "POST", tc.path, spell(body))
				if code, text := complaintOf(t, rec.Body.Bytes()); rec.Code != rule.status || code != rule.status || text != rule.want {
					t.Errorf("%s=%.40s: %d %d %s, want %s", rule.member, rule.value, rec.Code, code, text, rule.want)
				}
			}
			for token, want := range map[string]string{
				"reader": "Forbidden: the token does not have the role \"admin\" here.", "stranger": "Not Found: Organization 'acme' not found",
				"unknown": "Unauthorized: No credentials provided or are invalid.", "": "Unauthorized: No credentials provided or are invalid.",
			} {
				if _, text := complaintOf(t, w.call(token, "POST", tc.path, spell(body)).Body.Bytes()); text != want {
					t.Errorf("%q: %s", token, text)
				}
			}
			if len(w.hooks.items) != 1 {
				t.Errorf("there are %d webhooks", len(w.hooks.items))
			}
		})
	}
}

// spell writes an object of raw members.
func spell(members map[string]string) string {
	var parts []string
	for name, value := range members {
		parts = append(parts, `"`+name+`":`+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

const good = `{"organizationName":"acme","displayName":"x","payloadUrl":"https://x"`

func TestBodies(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"": 400, "null": 400, "[]": 400, "7": 400, `"x"`: 400, good: 400, good + "} trailing": 400, good + `,"filters":"x"}`: 400, good + `,"filters":[7]}`: 400,
		good + `,"active":1}`: 400, good + `,"name":7}`: 400, " \n" + good + "}": 201, good + `,"filters":null,"groups":null,"format":null,"secret":null,"name":null}`: 201,
		good + `,"secret":"__remove-secret","unknown":{"a":[1]}}`: 201, strings.Repeat(" ", requestLimit) + good + "}": 413,
		good + `,"displayName":"` + strings.Repeat("é", 255) + `"}`: 201, good + `,"displayName":"` + strings.Repeat("é", 256) + `"}`: 400,
		good + `,"payloadUrl":"https://x/` + strings.Repeat("y", 2048) + `"}`: 400, good + `,"payloadUrl":"https://x/\n"}`: 400, good + `,"payloadUrl":"https://"}`: 400,
		good + `,"payloadUrl":"https:x"}`: 400, good + `,"payloadUrl":"https://forbidden"}`: 400, good + `,"name":"` + strings.Repeat("a", 32) + `"}`: 201,
	} {
		rec := newWorld(t).call("owner", "POST", orgPath, body)
		if rec.Code != want {
			t.Errorf("%.80q: %d %s", body, rec.Code, rec.Body)
		}
		if rec.Code == 201 && strings.Contains(rec.Body.String(), `"hasSecret":true`) {
			t.Errorf("%.80q: a secret was made", body)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.hooks.taken = 2 // drawn again
	if rec := w.call("owner", "POST", orgPath, good+"}"); rec.Code != http.StatusCreated {
		t.Fatalf("%d: %s", rec.Code, rec.Body)
	}
	w.hooks.taken = 1 // somebody else was faster
	rec := w.call("owner", "POST", orgPath, good+`,"name":"mine"}`)
	if _, text := complaintOf(t, rec.Body.Bytes()); rec.Code != http.StatusConflict || text != "Conflict: Webhook with name mine already exists." {
		t.Errorf("%d: %s", rec.Code, rec.Body)
	}
	// One that another face made has a name too, always the same one, and keeps it when it is changed here.
	s := hook(subscription.ChannelWebhook)
	s.ID, s.Scopes[0].ID = w.id(), w.org.ID
	w.hooks.items, w.hooks.plain[s.ID] = append(w.hooks.items, *s), subscription.Secrets{URL: "https://y"}
	name := hookName(s)
	if len(name) != 8 || !hookShape.MatchString(name) {
		t.Fatalf("its name is %q", name)
	}
	for _, method := range []string{"GET", "PATCH", "GET"} {
		if rec := w.call("owner", method, orgPath+"/"+name, good+"}"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), `"name":"`+name+`"`) {
			t.Errorf("%s: %d %s", method, rec.Code, rec.Body)
		}
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for request, want := range map[string]int{
		"GET /api/nothing": 404, "POST /api/stacks/acme/website/prod/encrypt": 404, "PUT " + orgPath: 405, "PATCH " + orgPath: 405, "POST " + orgPath + "/x": 405,
		"GET " + orgPath + "/x/ping": 405, "DELETE /api/user": 405, "GET /api/stacks/acme/website": 405, "GET /api/preview/environments/acme/prod/hooks": 404,
		"GET " + stackPath: 200, "GET " + envPath: 200, "GET " + stackPath + "/x/deliveries": 200, "GET " + stackPath + "/x": 404,
		"POST " + orgPath + "/x/deliveries/y/redeliver": 404, "HEAD /api/stacks/acme/website": 404, "GET /api/stacks/acme/website/prod": 404,
		"DELETE /api/stacks/acme/website/prod": 404, "GET /api/user": 200, "GET /api/user/stacks": 200, "GET /api/orgs/other/hooks": 404,
	} {
		method, path, _ := strings.Cut(request, " ")
		rec := w.call("owner", method, path, "")
		if rec.Code != want || rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", request, rec.Code, rec.Body)
		}
		if method != "HEAD" && want >= 400 {
			if code, text := complaintOf(t, rec.Body.Bytes()); code != want || !strings.HasPrefix(text, http.StatusText(want)+": ") {
				t.Errorf("%s: %s", request, rec.Body)
			}
		}
	}
	for _, path := range []string{"/api/capabilities", "/api/cli/version", "/api/openapi/pulumi-spec.json"} {
		if rec := w.call("", "GET", path, ""); rec.Code != http.StatusOK || !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	r := w.call("owner", "GET", "/api/orgs/ac%6De/hooks", "")
	if r.Code != http.StatusOK || r.Body.String() != "[]" {
		t.Errorf("an encoded path: %d %s", r.Code, r.Body)
	}
}

// TestOpenAPI checks the document that clients look operations up in.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, path := range doc.Paths {
		for _, operation := range path {
			ids = append(ids, strings.ToLower(operation.OperationID))
		}
	}
	slices.Sort(ids)
	if len(ids) != 31 || len(slices.Compact(ids)) != 31 {
		t.Errorf("there are %d operations: %v", len(ids), ids)
	}
	for _, ref := range strings.Split(string(openAPI), `"$ref"`)[1:] {
		_, at, _ := strings.Cut(ref, "#/")
		at = at[:strings.IndexByte(at, '"')]
		var node any
		_ = json.Unmarshal(openAPI, &node)
		for _, part := range strings.Split(at, "/") {
			object, _ := node.(map[string]any)
			node = object[part]
		}
		if node == nil {
			t.Errorf("%s leads nowhere", at)
		}
	}
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.call("owner", "POST", orgPath, good+`,"name":"h"}`)
	rec := w.call("owner", "POST", orgPath+"/h/ping", "")
	const ping = `"kind":"ping","payload":"{\"a\":1}","timestamp":1772600767,"duration":1,"requestUrl":"https://example.com/x","requestHeaders":"Accept: */*\r\nContent-Type: application/json\r\nPulumi-Webhook-Id: `
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), ping) || !strings.HasSuffix(rec.Body.String(), `"responseCode":0,"responseHeaders":"","responseBody":"URL error with webhook"}`) {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	var first record
	if err := json.Unmarshal(rec.Body.Bytes(), &first); err != nil {
		t.Fatal(err)
	}
	rec = w.call("owner", "POST", orgPath+"/h/deliveries/"+first.ID+"/redeliver", "")
	if !strings.HasSuffix(rec.Body.String(), `"responseCode":200,"responseHeaders":"A: `+"\uFFFD"+`\r\nX-B: 1\r\nX-B: 2\r\n","responseBody":"ok `+"\uFFFD"+`"}`) || !strings.Contains(rec.Body.String(), first.ID) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	var rows []record
	list := func() []record {
		t.Helper()
		rows = nil
		if err := json.Unmarshal(w.call("reader", "GET", orgPath+"/h/deliveries", "").Body.Bytes(), &rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if list(); len(rows) != 2 || rows[0].ResponseCode != 200 || rows[1] != first {
		t.Errorf("rows %+v", rows)
	}
	// Of another webhook, or what can not be made again: not there.
	w.call("owner", "POST", orgPath, good+`,"name":"other"}`)
	w.attempts[0].BodySize = 1
	for _, path := range []string{orgPath + "/other/deliveries/" + first.ID + "/redeliver", orgPath + "/h/deliveries/" + first.ID + "/redeliver", orgPath + "/h/deliveries/" + deliveryUUID(ident.ID(77<<13)) + "/redeliver"} {
		if rec := w.call("owner", "POST", path, ""); rec.Code != http.StatusNotFound || !strings.Contains(rec.Body.String(), "Not Found: WebhookEvent '") {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if list(); rows[1].Payload != "" || rows[1].RequestURL != "redacted" || rows[1].Kind != "ping" {
		t.Errorf("what is not kept is shown as %+v", rows[1])
	}
	// Every attempt is a row, what was never tried is none, and the newest hundred are listed.
	s := w.hooks.items[0].ID
	d := delivery.Delivery{ID: w.id(), Subscription: s}
	for range 3 {
		d = w.send(d, nil).Delivery
	}
	w.attempts = append(w.attempts, delivery.Attempt{Delivery: delivery.Delivery{ID: w.id(), Subscription: s}})
	if list(); len(rows) != 5 || rows[0].ID != rows[2].ID || rows[0].Timestamp <= rows[1].Timestamp {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
	for range 120 {
		w.send(delivery.Delivery{ID: w.id(), Subscription: s}, nil)
	}
	if list(); len(rows) != recordLimit || !slices.IsSortedFunc(rows, func(a, b record) int { return int(b.Timestamp - a.Timestamp) }) {
		t.Errorf("%d rows", len(rows))
	}
}

func TestStacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(token, body string, want int) {
		t.Helper()
		if rec := w.call(token, "POST", "/api/stacks/acme/website", body); rec.Code != want {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	create("reader", `{"stackName":"prod"}`, 403)
	create("owner", `{"stackName":"pr?od"}`, 400)
	create("owner", `{"stackName":""}`, 400)
	create("owner", `x`, 400)
	create("owner", `{"stackName":"prod","tags":{"a":"b"}}`, 200)
	create("owner", `{"stackName":"prod"}`, 409)
	if len(w.told) != 1 || w.told[0].Action != "created" || w.told[0].Workspace.Name != "prod" || w.told[0].Actor.Name != "owner" {
		t.Errorf("told %+v", w.told)
	}
	rec := w.call("reader", "GET", "/api/stacks/acme/website/prod", "")
	want := fmt.Sprintf(`{"id":"%s","orgName":"acme","projectName":"website","stackName":"prod","activeUpdate":"","tags":{"a":"b"},"version":0}`, w.stacks.items[0].ID)
	if rec.Code != http.StatusOK || rec.Body.String() != want {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for query, n := range map[string]int{"": 1, "?organization=acme&project=website": 1, "?organization=other": 0, "?project=x": 0} {
		var listed struct{ Stacks []any }
		if err := json.Unmarshal(w.call("reader", "GET", "/api/user/stacks"+query, "").Body.Bytes(), &listed); err != nil || len(listed.Stacks) != n || listed.Stacks == nil {
			t.Errorf("%s: %v, %v", query, listed, err)
		}
	}
	if rec := w.call("reader", "HEAD", "/api/stacks/acme/website", ""); rec.Code != http.StatusOK {
		t.Errorf("the project is not there: %d", rec.Code)
	}
	if rec := w.call("reader", "DELETE", "/api/stacks/acme/website/prod", ""); rec.Code != http.StatusForbidden {
		t.Errorf("a reader deletes: %d", rec.Code)
	}
	if rec := w.call("owner", "DELETE", "/api/stacks/acme/website/prod?force=false", ""); rec.Code != http.StatusNoContent || rec.Body.Len() != 0 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	// A webhook makes a stack known, and tells nobody; one that is refused does not.
	const body = `{"organizationName":"acme","projectName":"new","stackName":"dev","displayName":"x","payloadUrl":"https://x"`
	w.call("owner", "POST", "/api/stacks/acme/new/dev/hooks", body+`,"filters":["x"]}`)
	if len(w.stacks.items) != 0 {
		t.Error("a refused webhook makes a stack known")
	}
	if rec := w.call("owner", "POST", "/api/stacks/acme/new/dev/hooks", body+`}`); rec.Code != http.StatusCreated || len(w.stacks.items) != 1 || len(w.told) != 1 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestWhoAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for header, want := range map[string]int{
		"": 401, "owner": 401, "Basic owner": 401, "update-token owner": 401, "token nobody": 401,
		"token owner": 200, "TOKEN owner": 200, "Bearer owner": 200, "bearer  owner ": 200,
	} {
		r := httptest.NewRequest("GET", "/api/user", nil)
		r.Header.Set("Authorization", header)
		rec := httptest.NewRecorder()
		if w.mux.ServeHTTP(rec, r); rec.Code != want {
			t.Errorf("%q: %d", header, rec.Code)
		}
	}
	rec := w.call("owner", "GET", "/api/user", "")
	for _, part := range []string{`"githubLogin":"owner"`, `"organizations":[{"githubLogin":"acme","name":"acme","avatarUrl":""}]`, `"identities":[]`, `"siteAdmin":false`} {
		if !strings.Contains(rec.Body.String(), part) {
			t.Errorf("%s is not in %s", part, rec.Body)
		}
	}
	if rec := w.call("owner", "GET", "/api/user/organizations/default", ""); rec.Body.String() != `{"gitHubLogin":"acme","messages":[]}` {
		t.Errorf("%s", rec.Body)
	}
	if rec := w.call("stranger", "GET", "/api/user/organizations/default", ""); rec.Code != http.StatusNotFound {
		t.Errorf("%d", rec.Code)
	}
}
