package tfe

import (
	"net/http"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// answerOf is an attempt whose answer the files show.
func answerOf(status int, header map[string][]string, body string) *delivery.Attempt {
	result := answered(status, body)
	result.Response.Header = header
	return &delivery.Attempt{Result: result}
}

func TestConfigurationDocuments(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file, id string
		prepare  func(*service) *subscription.Subscription
	}{
		{"notification_configuration", theID, func(s *service) *subscription.Subscription {
			sub := s.have(theID, func(sub *subscription.Subscription) { sub.Enabled = true })
			s.subscriptions.last[sub.ID] = answerOf(200, map[string][]string{
				"Content-Type": {"application/json; charset=utf-8"}, "Set-Cookie": {"a=1", "b=2"}, "Date": {"Tue, 08 Jan 2019 21:34:37 GMT"},
			}, `"200 OK"`)
			return sub
		}},
		{"notification_configuration_failed_verification", theID, func(s *service) *subscription.Subscription {
			sub := s.have(theID, nil)
			s.subscriptions.last[sub.ID] = answerOf(404, map[string][]string{"Content-Type": {"text/plain"}}, "not found")
			return sub
		}},
		{"notification_configuration_email_team", "nc-oB8TaGqTpsA434Yb", func(s *service) *subscription.Subscription {
			sub := s.have("nc-oB8TaGqTpsA434Yb", func(sub *subscription.Subscription) {
				sub.Channel, sub.Enabled, sub.Name = subscription.ChannelEmail, true, "Notify members"
				sub.Scopes = []subscription.Scope{{Level: subscription.LevelTeam, ID: s.team}}
				sub.Triggers, sub.UserIDs = []string{changeRequestCreated}, []ident.ID{s.users.items[0].ID}
			})
			s.subscriptions.last[sub.ID] = answerOf(250, nil, "queued") // mail shows no answers
			return sub
		}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			tc.prepare(s)
			sameJSON(t, s.want(t, http.StatusOK, "GET", "/notification-configurations/"+tc.id, ""), file(t, "responses/"+tc.file+".json"))
		})
	}
}

// slackAndGeneric are the two configurations of the list files.
func slackAndGeneric(s *service) {
	slack := s.have("nc-W6VGEi8A7Cfoaf4K", func(sub *subscription.Subscription) {
		sub.Channel, sub.Name, sub.Triggers = subscription.ChannelSlack, "Slack: #devops", []string{runErrored, runNeedsAttention}
		sub.CreatedAt, sub.UpdatedAt = at("2019-01-08T21:30:28.367Z"), at("2019-01-08T21:30:28.367Z")
	})
	s.subscriptions.secrets[slack.ID] = subscription.Secrets{URL: "https://hooks.slack.com/services/T00000000/BC012345/0PWCpQmYyD4bTTRYZ53q4w"}
	generic := s.have(theID, func(sub *subscription.Subscription) { sub.Enabled = true })
	s.subscriptions.last[generic.ID] = answerOf(200, map[string][]string{
		"Content-Type": {"application/json; charset=utf-8"}, "Set-Cookie": {"a=1", "b=2"}, "Date": {"Tue, 08 Jan 2019 21:34:37 GMT"},
	}, `"200 OK"`)
}

func TestConfigurationLists(t *testing.T) {
	t.Parallel()
	const path = "/workspaces/" + fileWorkspace + "/notification-configurations"
	for file_, query := range map[string]string{
		"notification_configurations_list":         "?SubscribableChoice[Workspace][ID]=" + strings.Repeat("x", 4000),
		"notification_configurations_list_page1":   "?page[size]=1",
		"notification_configurations_list_page999": "?page%5Bnumber%5D=999&page%5Bsize%5D=100",
	} {
		t.Run(file_, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			slackAndGeneric(s)
			sameJSON(t, s.want(t, http.StatusOK, "GET", path+query, ""), file(t, "responses/"+file_+".json"))
		})
	}
}

func TestSupportingDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, tc := range []struct{ file, path string }{
		{"account_details", "/account/details"},
		{"organization", "/organizations/acme-org"},
		{"entitlement_set", "/organizations/acme-org/entitlement-set"},
		{"project", "/projects/" + fileDefault},
		{"team", "/teams/" + fileTeam},
		{"empty_list", "/organizations/acme-org/stacks?page[size]=20"},
		{"empty_list", "/workspaces/" + fileWorkspace + "/relationships/remote-state-consumers"},
		{"workspace", "/workspaces/" + fileWorkspace + "?include=effective_tag_bindings"},
		{"workspace", "/organizations/acme-org/workspaces/my-workspace"},
		{"workspaces_list", "/organizations/acme-org/workspaces"},
	} {
		want := file(t, "responses/"+tc.file+".json")
		sameJSON(t, withTimes(s.want(t, http.StatusOK, "GET", tc.path, "")), withTimes(want))
	}
	sameJSON(t, s.want(t, http.StatusOK, "GET", "/projects/"+fileProject+"/effective-tag-bindings", ""), []byte(`{"data":[]}`))
	sameJSON(t, s.want(t, http.StatusOK, "GET", "/workspaces/"+fileWorkspace+"/effective-tag-bindings", ""), []byte(`{"data":[]}`))
}

// withTimes levels the two creation times of the files, which the world has as one.
func withTimes(body []byte) []byte {
	return replaced(body, "2026-11-22T01:51:44.258Z", "2026-11-22T01:51:44.249Z")
}

// TestMembershipDocuments differ from the files in the teams: the files leave the member's team out.
func TestMembershipDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	in := `"teams":{"data":[{"id":"` + fileTeam + `","type":"teams"}]}`
	got := s.want(t, http.StatusOK, "GET", "/organization-memberships/"+fileMembership+"?include=user", "")
	sameJSON(t, replaced(got, in, `"teams":{"data":[]}`), file(t, "responses/organization_membership.json"))
	got = s.want(t, http.StatusOK, "GET", "/teams/"+fileTeam+"/relationships/organization-memberships?page[size]=100", "")
	sameJSON(t, replaced(got, in, `"teams":{"data":[]}`), file(t, "responses/team_organization_memberships_list.json"))
}

func TestAdminDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	w := s.as("site", "GET", "/api/v2/admin/feature-sets?q=Standard+(entitlement)", "")
	sameJSON(t, w.Body.Bytes(), file(t, "responses/feature_sets.json"))
	w = s.as("site", "POST", "/api/v2/admin/organizations/acme-org/subscription", string(file(t, "requests/seen/subscription_create.json")))
	sameJSON(t, w.Body.Bytes(), file(t, "responses/subscription.json"))
	s.want(t, http.StatusNotFound, "GET", "/admin/feature-sets?q=x", "")
	s.want(t, http.StatusNotFound, "POST", "/admin/organizations/acme-org/subscription", "{}")
}

func TestRunAndAssessmentDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	run := *sampleRun("pending", false)
	run.Workspace.ID, run.OccurredAt = s.workspace, at("2019-01-25T18:34:00Z")
	run.Run.ExternalIDs, run.Run.HasChanges = map[string]string{Name: "run-FwnENkvDnrpyFC7M"}, ref(true)
	planned := *sampleRun("planned", true)
	planned.OccurredAt, planned.Run.ExternalIDs, planned.Run.HasChanges = at("2019-01-25T18:36:00Z"), run.Run.ExternalIDs, ref(true)
	failure := *sample(event.KindAssessment, "acme-org", "my-workspace", fileWorkspace)
	failure.ID = s.id()
	failure.Assessment = &event.Assessment{New: event.AssessmentResult{
		SourceID: "asmtres-8F5JFydVYAmtTjET", Succeeded: true, ResourcesUndrifted: 59, ChecksPassed: 31, ChecksFailed: 2, CreatedAt: at("2025-03-04T05:06:07Z"),
	}, Prior: &event.AssessmentResult{SourceID: "asmtres-UG5rE9L1373hMYMA"}}
	s.events = []event.Event{planned, failure}
	sameJSON(t, s.want(t, http.StatusOK, "GET", "/runs/run-FwnENkvDnrpyFC7M", ""), file(t, "responses/run.json"))
	sameJSON(t, s.want(t, http.StatusOK, "GET", "/assessment-results/asmtres-8F5JFydVYAmtTjET", ""), file(t, "responses/assessment_result.json"))
	s.want(t, http.StatusOK, "GET", "/assessment-results/asmtres-UG5rE9L1373hMYMA", "")
	s.want(t, http.StatusNotFound, "GET", "/assessment-results/nonexisting", "")
	s.want(t, http.StatusNotFound, "GET", "/runs/nonexisting", "")
	s.want(t, http.StatusOK, "GET", "/runs/"+runIDs.Encode(planned.Run.ID), "")

	s.events = []event.Event{run, planned, *sampleRun("canceled", false)}
	for i := range s.events {
		s.events[i].Run.ExternalIDs = run.Run.ExternalIDs
	}
	got := string(s.want(t, http.StatusOK, "GET", "/runs/run-FwnENkvDnrpyFC7M", ""))
	for _, want := range []string{
		`"pending-at":"2019-01-25T18:34:00+00:00"`, `"planned-at":"2019-01-25T18:36:00+00:00"`, `"canceled-at":"2019-01-25T18:37:04.000Z"`, `"status":"canceled"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
}

// TestResultsOfOtherSourcesKeepTheirIdentifier follows one result from being new to being the prior one.
func TestResultsOfOtherSourcesKeepTheirIdentifier(t *testing.T) {
	t.Parallel()
	first, second := driftedEvent(), driftedEvent()
	first.Assessment = &event.Assessment{New: event.AssessmentResult{SourceID: "a-1", CreatedAt: at("2026-01-01T00:00:00Z")}}
	second.ID = 78 << 13
	second.Assessment = &event.Assessment{New: event.AssessmentResult{SourceID: "a-2"}, Prior: &event.AssessmentResult{SourceID: "a-1", CreatedAt: at("2026-01-01T00:00:00Z")}}
	if a, b := resultID(first, &first.Assessment.New), resultID(second, second.Assessment.Prior); a != b || !assessmentIDs.Matches(a) {
		t.Errorf("got %s and %s", a, b)
	}
	if a, b := resultID(second, &second.Assessment.New), resultID(second, second.Assessment.Prior); a == b {
		t.Errorf("both are %s", a)
	}
}

func TestErrorDocuments(t *testing.T) {
	t.Parallel()
	configurations := "/workspaces/" + fileWorkspace + "/notification-configurations"
	body := func(attributes string) string {
		return `{"data":{"type":"notification-configurations","attributes":{` + attributes + `}}}`
	}
	const generic = `"destination-type":"generic","url":"https://example.com/hook"`
	for _, tc := range []struct {
		file, token, method, path, body string
		prepare                         func(*service)
	}{
		{"401", "", "GET", "/account/details", "", nil},
		{"401", "wrong", "GET", "/nowhere", "", nil},
		{"404", "admin", "GET", "/notification-configurations/nonexisting", "", nil},
		{"404", "admin", "PUT", configurations, "", nil},
		{"404", "reader", "GET", configurations, "", nil},
		{"404", "nobody", "GET", "/workspaces/" + fileWorkspace, "", nil},
		{"404", "admin", "POST", "/stacks/st-1/notification-configurations", "{}", nil},
		{"422_body", "admin", "POST", configurations, `{"data":[]}`, nil},
		{"422_name_blank", "admin", "POST", configurations, body(generic), nil},
		{"422_trigger", "admin", "POST", "/teams/" + fileTeam + "/notification-configurations", body(generic + `,"name":"x","triggers":["run:created"]`), nil},
		{"422_limit", "admin", "POST", configurations, body(generic + `,"name":"x"`), func(s *service) {
			for range limit {
				s.have("", nil)
			}
		}},
		{"400_verification_code", "admin", "POST", configurations, body(generic + `,"name":"x","enabled":true`), func(s *service) {
			s.subscriptions.answer = func(string) delivery.Result { return answered(404, "") }
		}},
		{"400_verification_no_response", "admin", "POST", configurations, body(generic + `,"name":"x","enabled":true`), func(s *service) {
			s.subscriptions.answer = func(string) delivery.Result { return delivery.Result{Class: delivery.ClassTimeout} }
		}},
		{"429", "admin", "POST", thePath + "/actions/verify", "", func(s *service) {
			s.have(theID, nil)
			for range 10 {
				s.want(t, http.StatusOK, "POST", thePath+"/actions/verify", "")
			}
		}},
	} {
		t.Run(tc.file+" "+tc.method+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			if tc.prepare != nil {
				tc.prepare(s)
			}
			before := len(s.subscriptions.items)
			w := s.as(tc.token, tc.method, "/api/v2"+tc.path, tc.body)
			sameJSON(t, w.Body.Bytes(), file(t, "responses/errors/"+tc.file+".json"))
			if status := tc.file[:3]; w.Code != map[string]int{"400": 400, "401": 401, "404": 404, "422": 422, "429": 429}[status] {
				t.Errorf("the status is %d", w.Code)
			}
			if len(s.subscriptions.items) != before {
				t.Error("something was saved")
			}
		})
	}
}

// TestPermissionsFollowTheRole covers what clients read before they destroy.
func TestPermissionsFollowTheRole(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for token, want := range map[string]string{"admin": `"can-force-delete":true`, "reader": `"can-force-delete":false`} {
		w := s.as(token, "GET", "/api/v2/workspaces/"+fileWorkspace, "")
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %s lacks %s", token, w.Body, want)
		}
	}
	if p := s.tokens["reader"]; p.May(estate.RoleAdmin, estate.Place{OrganizationID: s.organization}) {
		t.Error("a reader is an admin")
	}
}
