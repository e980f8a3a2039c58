package tfe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

const configurationsPath = "/workspaces/" + fileWorkspace + "/notification-configurations"

// shown is the part of an answer that the tests of this file look at.
type shown struct {
	Data struct {
		ID            string                  `json:"id"`
		Attributes    configurationAttributes `json:"attributes"`
		Relationships struct {
			Users struct {
				Data []identifier `json:"data"`
			} `json:"users"`
			Subscribable struct {
				Data identifier `json:"data"`
			} `json:"subscribable"`
		} `json:"relationships"`
	} `json:"data"`
}

func read(t *testing.T, body []byte) shown {
	t.Helper()
	var got shown
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// TestReplayOfClientRequests sends every captured body to the route it was captured on.
func TestReplayOfClientRequests(t *testing.T) {
	t.Parallel()
	const project, team = "/projects/" + fileProject, "/teams/" + fileTeam
	generic := func(s *service) { s.have(theID, nil) }
	email := func(s *service) {
		s.have(theID, func(sub *subscription.Subscription) { sub.Channel, sub.Triggers = subscription.ChannelEmail, nil })
	}
	ofTeam := func(s *service) {
		s.have(theID, func(sub *subscription.Subscription) {
			sub.Scopes, sub.Triggers = []subscription.Scope{{Level: subscription.LevelTeam, ID: s.team}}, nil
		})
	}
	for _, tc := range []struct {
		file, token, method, path string
		status                    int
		prepare                   func(*service)
		holds                     string
	}{
		{"seen/create_generic_gotfe_v1", "admin", "POST", configurationsPath, 201, nil, `"triggers":["run:created"]`},
		{"seen/create_generic_provider_079", "admin", "POST", configurationsPath, 201, nil, `"triggers":[]`},
		{"seen/create_generic_provider_080", "admin", "POST", project + "/notification-configurations", 201, nil, `"users":{"data":[]}`},
		{"seen/create_email_gotfe_v1", "admin", "POST", project + "/notification-configurations", 201, nil, `"users":{"data":[{"id":"` + fileUser},
		{"seen/create_email_provider_080", "admin", "POST", configurationsPath, 201, nil, `"enabled":true`},
		{"doc/create_singular_type", "admin", "POST", configurationsPath, 201, nil, `"type":"notification-configurations"`},
		{"seen/patch_gotfe_v1", "admin", "PATCH", thePath, 200, generic, `"name":"newName"`},
		{"seen/patch_nothing_gotfe_v1", "admin", "PATCH", thePath, 200, generic, `"name":"Webhook server test"`},
		{"seen/patch_generic_provider_080", "admin", "PATCH", thePath, 200, generic, `hook?v2=true`},
		{"seen/patch_email_provider_079", "admin", "PATCH", thePath, 200, email, `"users":{"data":[{"id":"` + fileUser},
		{"seen/patch_users_gotfe_v1", "admin", "PATCH", thePath, 200, email, fileSecondUser},
		{"seen/patch_team_provider_080", "admin", "PATCH", thePath, 200, ofTeam, `"triggers":["change_request:created"]`},
		{"seen/organization_create_gotfe_v1", "site", "POST", "/organizations", 201, func(s *service) { s.organizations.items = nil }, `"stacks-enabled":true`},
		{"seen/organization_patch_provider", "admin", "PATCH", "/organizations/acme-org", 200, nil, `"enforce-hyok":false`},
		{"seen/workspace_create_provider", "admin", "POST", "/organizations/acme-org/workspaces", 201, func(s *service) { s.workspaces.items = nil }, `"setting-overwrites":{"execution-mode":false,"agent-pool":false}`},
		{"seen/project_create_provider", "admin", "POST", "/organizations/acme-org/projects", 201, nil, `"name":"my-project"`},
		{"seen/team_create_provider", "admin", "POST", "/organizations/acme-org/teams", 201, func(s *service) { s.teams.items = nil }, `"allow-member-token-management":true`},
		{"seen/membership_create", "admin", "POST", "/organizations/acme-org/organization-memberships", 201, func(s *service) { s.memberships.items = nil }, `"status":"invited"`},
		{"seen/team_members_add", "admin", "POST", team + "/relationships/organization-memberships", 204, nil, ""},
		{"seen/team_members_add", "admin", "DELETE", team + "/relationships/organization-memberships", 204, nil, ""},
		{"seen/subscription_create", "site", "POST", "/admin/organizations/acme-org/subscription", 200, nil, `"type":"subscriptions"`},
	} {
		t.Run(tc.file+" "+tc.method, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			if tc.prepare != nil {
				tc.prepare(s)
			}
			w := s.as(tc.token, tc.method, "/api/v2"+tc.path, string(file(t, "requests/"+tc.file+".json")))
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.holds) {
				t.Fatalf("%d, want %d with %s: %s", w.Code, tc.status, tc.holds, w.Body)
			}
			if h := w.Header(); h.Get("TFP-API-Version") != "2.6" || h.Get("TFP-AppName") != "HCP Terraform" || h.Get("X-RateLimit-Limit") != "" {
				t.Errorf("headers %v", h)
			}
			if got := w.Header().Get("Content-Type"); (got == mediaType) == (tc.status == 204) {
				t.Errorf("Content-Type %q", got)
			}
		})
	}
}

func TestCreateKeepsWhatItShould(t *testing.T) {
	t.Parallel()
	s := newService(t)
	got := read(t, s.want(t, 201, "POST", configurationsPath, `{"data":{"id":"nc-x","attributes":{"name":"n","destination-type":"generic","url":"https://example.com/hook?a=b",
		"token":"t0ken","triggers":["run:errored","run:created","run:errored"],"unknown":1},"relationships":{"subscribable":{"data":{"type":"teams","id":"team-x"}}}}}`))
	a := got.Data.Attributes
	if !configurationIDs.Matches(got.Data.ID) || a.Enabled || a.Token != nil || *a.URL != "https://example.com/hook?a=b" || a.CreatedAt != "2026-11-22T01:51:44.249Z" ||
		!slices.Equal(a.Triggers, []string{"run:errored", "run:created"}) || got.Data.Relationships.Subscribable.Data != (identifier{fileWorkspace, "workspaces"}) {
		t.Errorf("got %+v", got)
	}
	if plain := s.subscriptions.secrets[s.subscriptions.items[0].ID]; plain.Secret != "t0ken" {
		t.Errorf("the token is %q", plain.Secret)
	}
	if len(s.subscriptions.sent) != 0 {
		t.Error("a destination was contacted for a configuration that is not enabled")
	}
	again := s.want(t, 200, "GET", "/notification-configurations/"+got.Data.ID, "")
	if b := read(t, again); fmt.Sprint(b.Data.Attributes.Triggers) != fmt.Sprint(a.Triggers) || b.Data.Attributes.UpdatedAt != a.UpdatedAt {
		t.Errorf("got %s", again)
	}
}

func TestTeamAliasIsStoredAsTheCurrentTrigger(t *testing.T) {
	t.Parallel()
	s := newService(t)
	got := read(t, s.want(t, 201, "POST", "/teams/"+fileTeam+"/notification-configurations",
		`{"data":{"type":"notification-configuration","attributes":{"name":"n","destination-type":"email","triggers":["team:change_request"]}}}`))
	if a := got.Data.Attributes; !slices.Equal(a.Triggers, []string{changeRequestCreated}) || a.URL != nil || a.AllMembers != nil {
		t.Errorf("got %+v", a)
	}
}

func TestEmailAllMembers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, path, key, want string }{
		{"documented", "/teams/" + fileTeam, "email_all_members", "true"},
		{"dashed", "/projects/" + fileProject, "email-all-members", "true"},
		{"not for workspaces", "/workspaces/" + fileWorkspace, "email_all_members", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			got := string(s.want(t, 201, "POST", tc.path+"/notification-configurations",
				`{"data":{"attributes":{"name":"n","destination-type":"email","`+tc.key+`":true,"email-addresses":["a@example.com"]}}}`))
			if strings.Contains(got, `"email_all_members":true`) != (tc.want != "") || strings.Contains(got, "email-all-members") {
				t.Errorf("got %s", got)
			}
			if all := New().AllMembers(&s.subscriptions.items[0]); all != (tc.want != "") {
				t.Errorf("everybody gets it: %v", all)
			}
		})
	}
}

func TestAllMembersWhereNobodyIsNamed(t *testing.T) {
	t.Parallel()
	for level, want := range map[subscription.Level]bool{
		subscription.LevelWorkspace: false, subscription.LevelProject: true, subscription.LevelTeam: true,
	} {
		s := configuration(theID, level)
		if got := New().AllMembers(s); got != want {
			t.Errorf("%s: got %v", level, got)
		}
		s.Emails = []string{"a@example.com"}
		if New().AllMembers(s) {
			t.Errorf("%s: everybody gets what one is named for", level)
		}
	}
	s := configuration(theID, subscription.LevelTeam)
	s.Emails, s.Settings = []string{"a@example.com"}, json.RawMessage(`[]`)
	if New().AllMembers(s) {
		t.Error("settings of another shape count")
	}
	if got := (settings{AllMembers: ref(false)}).encoded(); string(got) != `{"email_all_members":false}` {
		t.Errorf("got %s", got)
	}
}

// TestUpdateChangesOnlyWhatWasSent is §5.4.
func TestUpdateChangesOnlyWhatWasSent(t *testing.T) {
	t.Parallel()
	s := newService(t)
	sub := s.have(theID, nil)
	s.now = s.now.Add(1)
	for _, tc := range []struct{ body, secret, url, triggers string }{
		{`{}`, "t0ken", "https://example.com/hook", "6"},
		{`{"triggers":[]}`, "t0ken", "https://example.com/hook", "0"},
		{`{"triggers":null,"email-addresses":null}`, "t0ken", "https://example.com/hook", "0"},
		{`{"url":"http://example.org","token":"n3w","destination-type":"generic"}`, "n3w", "http://example.org", "0"},
		{`{"token":""}`, "", "http://example.org", "0"},
		{`{"token":"x","triggers":["run:created"]}`, "x", "http://example.org", "1"},
		{`{"token":null}`, "", "http://example.org", "1"},
	} {
		got := read(t, s.want(t, 200, "PATCH", thePath, `{"data":{"type":"notification-configurations","attributes":`+tc.body+`}}`))
		a, plain := got.Data.Attributes, s.subscriptions.secrets[sub.ID]
		if plain.Secret != tc.secret || *a.URL != tc.url || fmt.Sprint(len(a.Triggers)) != tc.triggers {
			t.Errorf("%s: %q, %s, %v", tc.body, plain.Secret, *a.URL, a.Triggers)
		}
	}
	if len(s.subscriptions.sent) != 0 {
		t.Error("a destination was contacted for a configuration that is not enabled")
	}
}

func TestUpdateWithoutUsersClearsThem(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, func(sub *subscription.Subscription) { sub.Channel, sub.Triggers = subscription.ChannelEmail, nil })
	got := read(t, s.want(t, 200, "PATCH", thePath, string(file(t, "requests/seen/patch_users_gotfe_v1.json"))))
	if users := got.Data.Relationships.Users.Data; len(users) != 2 || users[0].ID != fileUser || users[1].ID != fileSecondUser {
		t.Errorf("got %v", users)
	}
	got = read(t, s.want(t, 200, "PATCH", thePath, string(file(t, "requests/seen/patch_gotfe_v1.json"))))
	if users := got.Data.Relationships.Users.Data; len(users) != 0 {
		t.Errorf("got %v", users)
	}
	if len(s.subscriptions.sent) != 0 {
		t.Error("mail was verified")
	}
}

func TestUpdateVerifiesWhateverChanged(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, func(sub *subscription.Subscription) { sub.Enabled = true })
	s.want(t, 200, "PATCH", thePath, `{"data":{"attributes":{"name":"other"}}}`)
	if len(s.subscriptions.sent) != 1 || !strings.Contains(string(s.subscriptions.sent[0].Body), "Verification of other") {
		t.Fatalf("sent %v", s.subscriptions.sent)
	}
	s.subscriptions.answer = func(string) delivery.Result { return answered(404, "not found") }
	s.want(t, 400, "PATCH", thePath, `{"data":{"attributes":{"name":"third"}}}`)
	got := read(t, s.want(t, 200, "GET", thePath, ""))
	if a := got.Data.Attributes; a.Name != "other" || len(a.Responses) != 1 || a.Responses[0].Code != "404" || a.Responses[0].Successful != "false" {
		t.Errorf("got %+v", a)
	}
	s.want(t, 200, "PATCH", thePath, `{"data":{"attributes":{"enabled":false}}}`)
	if len(s.subscriptions.sent) != 2 {
		t.Errorf("%d requests were sent", len(s.subscriptions.sent))
	}
}

func TestVerifyAndEnable(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, nil)
	s.subscriptions.answer = func(string) delivery.Result { return answered(503, "later") }
	for _, action := range []string{"verify", "enable"} {
		if body := string(s.want(t, 400, "POST", thePath+"/actions/"+action, "")); !strings.Contains(body, "Verification failed with a code of 503") {
			t.Errorf("%s: %s", action, body)
		}
	}
	if got := read(t, s.want(t, 200, "GET", thePath, "")); got.Data.Attributes.Enabled || got.Data.Attributes.Responses[0].Body != "later" {
		t.Errorf("got %+v", got)
	}
	s.subscriptions.answer = func(string) delivery.Result { return answered(202, "") }
	if got := read(t, s.want(t, 200, "POST", thePath+"/actions/verify", "")); got.Data.Attributes.Enabled || got.Data.Attributes.Responses[0].Code != "202" {
		t.Errorf("got %+v", got)
	}
	if got := read(t, s.want(t, 200, "POST", thePath+"/actions/enable", "")); !got.Data.Attributes.Enabled {
		t.Errorf("got %+v", got)
	}
	s.want(t, 404, "POST", "/notification-configurations/nonexisting/actions/verify", "")
	s.want(t, 404, "POST", "/notification-configurations/nonexisting/actions/enable", "")
}

func TestMailIsTestedAfterTheAnswer(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, func(sub *subscription.Subscription) {
		sub.Channel, sub.Triggers, sub.Emails = subscription.ChannelEmail, nil, []string{"Member@example.com"}
		sub.Scopes = []subscription.Scope{{Level: subscription.LevelProject, ID: s.project}}
		sub.Settings = settings{AllMembers: ref(true)}.encoded()
	})
	if got := read(t, s.want(t, 200, "POST", thePath+"/actions/verify", "")); got.Data.Attributes.Enabled || len(got.Data.Attributes.Responses) != 0 {
		t.Errorf("got %+v", got)
	}
	if len(s.subscriptions.sent) != 1 || !slices.Equal(s.subscriptions.sent[0].Mail.Recipients, []string{"Member@example.com", "other@example.com"}) {
		t.Fatalf("sent %v", s.subscriptions.sent)
	}
	if got := read(t, s.want(t, 200, "POST", thePath+"/actions/enable", "")); !got.Data.Attributes.Enabled || len(s.subscriptions.sent) != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestReasonsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	for class, want := range map[delivery.Class]string{
		delivery.ClassDNS: "host not found", delivery.ClassRefused: "connection refused", delivery.ClassTimeout: "connection timed out",
		delivery.ClassClosed: "connection closed", delivery.ClassTLS: "TLS handshake failed", delivery.ClassForbidden: "address not allowed",
		delivery.ClassStopped: "connection closed",
	} {
		s := newService(t)
		s.have(theID, nil)
		s.subscriptions.answer = func(string) delivery.Result { return delivery.Result{Class: class} }
		body := s.want(t, 400, "POST", thePath+"/actions/verify", "")
		if !strings.Contains(string(body), `"Verification failed: `+want+`"`) {
			t.Errorf("%s: %s", class, body)
		}
		if got := read(t, s.want(t, 200, "GET", thePath, "")); len(got.Data.Attributes.Responses) != 0 {
			t.Errorf("%s: an answer was made up: %+v", class, got)
		}
	}
}

func TestVerificationsAreLimited(t *testing.T) {
	t.Parallel()
	s := newService(t, func(d *Dialect) { d.VerificationsPerMinute = 2 })
	s.have(theID, nil)
	s.want(t, 200, "POST", thePath+"/actions/verify", "")
	s.want(t, 404, "POST", "/notification-configurations/nonexisting/actions/verify", "") // nothing was sent
	s.now = s.now.Add(rateWindow / 4)
	s.want(t, 200, "POST", thePath+"/actions/enable", "")
	w := s.do("POST", thePath+"/actions/verify", "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("X-RateLimit-Reset") != "45.000" {
		t.Errorf("%d, %v", w.Code, w.Header())
	}
	if w := s.as("site", "POST", "/api/v2"+thePath+"/actions/verify", ""); w.Code != 200 {
		t.Errorf("another token is limited too: %d", w.Code)
	}
	s.now = s.now.Add(rateWindow)
	s.want(t, 200, "POST", thePath+"/actions/verify", "")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, nil)
	if body := s.want(t, 204, "DELETE", thePath, ""); len(body) != 0 {
		t.Errorf("got %s", body)
	}
	s.want(t, 404, "DELETE", thePath, "")
	s.want(t, 404, "GET", thePath, "")
}

func TestOtherDialectsAreNotShown(t *testing.T) {
	t.Parallel()
	s := newService(t)
	sub := s.have(theID, func(sub *subscription.Subscription) { sub.Dialect = "other" })
	s.want(t, 404, "GET", thePath, "")
	s.want(t, 404, "GET", "/notification-configurations/"+configurationIDs.Encode(sub.ID), "")
}

func TestAnswersAreShownSafely(t *testing.T) {
	t.Parallel()
	s := newService(t)
	sub := s.have(theID, nil)
	s.subscriptions.last[sub.ID] = answerOf(200, map[string][]string{"X-A": {"1"}, "x-a": {"2"}}, "\xff"+strings.Repeat("x", responseLimit))
	got := read(t, s.want(t, 200, "GET", thePath, "")).Data.Attributes.Responses[0]
	if len(got.Headers["x-a"]) != 2 || !strings.HasPrefix(got.Body, "\uFFFDx") || len(got.Body) != responseLimit+2 {
		t.Errorf("got %d bytes, %v", len(got.Body), got.Headers)
	}
}

func TestSubscriptionsOfOurOwnApiAreShown(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, func(sub *subscription.Subscription) {
		sub.All, sub.Triggers = true, nil
		sub.Scopes = []subscription.Scope{{Level: subscription.LevelOrganization, ID: s.organization}}
	})
	got := read(t, s.want(t, 200, "GET", thePath, ""))
	if got.Data.Relationships.Subscribable.Data.Type != "organizations" {
		t.Errorf("got %+v", got)
	}
	everything := configuration(theID, subscription.LevelWorkspace)
	everything.All = true
	if list := shownTriggers(everything); len(list) != 17 || slices.Contains(list, runErrored) {
		t.Errorf("got %v", list)
	}
}
