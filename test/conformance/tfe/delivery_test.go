package tfe_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"

	tfe "github.com/hashicorp/go-tfe"

	"carillon/test/conformance"
)

const token = "correct-horse-battery-staple"

// signed is a webhook with a token, enabled on a sink.
func signed(name, url string, triggers ...tfe.NotificationTriggerType) tfe.NotificationConfigurationCreateOptions {
	options := generic(name, url, triggers...)
	options.Token, options.Enabled = tfe.String(token), tfe.Bool(true)
	return options
}

func hmacOf(key string, body []byte) string {
	mac := hmac.New(sha512.New, []byte(key))
	_, _ = mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func runEvent(status string, more object) object {
	run := object{
		"source_id": "17", "external_ids": object{"tfe": "run-FwnENkvDnrpyFC7M"}, "status": status, "operation": "apply",
		"message": "Add five new queue workers", "created_at": "2019-01-25T18:34:00Z", "created_by": object{"name": "sample-user"},
	}
	for key, value := range more {
		run[key] = value
	}
	return object{
		"kind": "run", "occurred_at": "2019-01-25T18:37:04Z", "actor": object{"name": "sample-user"},
		"organization": object{"name": "acme-org"}, "workspace": object{"name": "my-workspace"}, "run": run,
	}
}

// TestDeliveredBytes compares a delivery with the platform's documented one: the identifiers are ours, every other byte,
// the headers and the signature are the platform's.
func TestDeliveredBytes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	nc := p.configuration(t, w.ID, signed("hook", sink.URL, tfe.NotificationTriggerErrored))
	project := generic("project", sink.URL, tfe.NotificationTriggerErrored)
	project.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Project: p.organization.DefaultProject}
	project.Enabled = tfe.Bool(true)
	ofProject := p.configuration(t, p.organization.DefaultProject.ID, project)
	p.Want(t, 202, "POST", "/v1/events", runEvent("canceled", nil), nil)

	want := map[string]string{
		nc.ID:        string(file(t, "payloads/generic/doc/run_canceled_workspace_scope.json")),
		ofProject.ID: string(file(t, "payloads/generic/doc/run_canceled_project_scope.json")),
	}
	for _, r := range sink.Wait(t, 4)[2:] {
		id := decode(t, r.Body)["notification_configuration_id"].(string)
		expected := strings.NewReplacer("nc-AeUQ2zfKZzW9TiGZ", id, "ws-XdeUVMWShTesDMME", w.ID, "https://app.terraform.io", p.URL).Replace(want[id])
		if string(r.Body) != expected {
			t.Errorf("got\n%s\nwant\n%s", r.Body, expected)
		}
		signature, there := r.Value("X-TFE-Notification-Signature")
		switch {
		case !there:
			t.Errorf("there is no signature header: %v", r.Header)
		case id == nc.ID && signature != hmacOf(token, r.Body):
			t.Errorf("the signature is %s", signature)
		case id == ofProject.ID && signature != "":
			t.Errorf("there is a signature without a token: %s", signature)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/json", "Accept": "application/json", "Content-Length": fmt.Sprint(len(r.Body)),
		} {
			if got, _ := r.Value(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if agent, _ := r.Value("User-Agent"); !strings.HasSuffix(agent, " (+"+p.URL+")") || !strings.HasPrefix(agent, "Carillon/") {
			t.Errorf("User-Agent: %q", agent)
		}
		if r.Line != "POST /hook HTTP/1.1" {
			t.Errorf("got %s", r.Line)
		}
	}
}

// TestDeliveryResponses reads what the client can not decode (section 1.3): the newest answer, on the raw document.
func TestDeliveryResponses(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	nc := p.configuration(t, w.ID, signed("hook", sink.URL, tfe.NotificationTriggerCompleted))
	check := func(code, body, successful string) error {
		a := attributes(t, p.Do(t, "GET", path(nc), nil).Body)
		list, _ := a["delivery-responses"].([]any)
		if len(list) != 1 {
			return fmt.Errorf("got %v", a["delivery-responses"])
		}
		got := list[0].(map[string]any)
		if got["code"] != code || got["body"] != body || got["successful"] != successful || got["url"] != sink.URL {
			return fmt.Errorf("got %v", got)
		}
		if h := fmt.Sprint(got["headers"].(map[string]any)["x-sink"]); h != "[a b]" {
			return fmt.Errorf("headers %v", got["headers"])
		}
		if at, _ := got["sent-at"].(string); !strings.HasSuffix(at, "+00:00") || strings.Contains(at, ".") {
			return fmt.Errorf("sent at %v", at)
		}
		return nil
	}
	if err := check("200", "ok", "true"); err != nil {
		t.Errorf("after the verification: %v", err)
	}
	sink.Answer(410, "gone\xff")
	p.Want(t, 202, "POST", "/v1/events", runEvent("applied", nil), nil)
	sink.Wait(t, 2)
	conformance.Eventually(t, func() error { return check("410", "gone\uFFFD", "false") })

	dead := p.configuration(t, w.ID, generic("dead", "http://127.0.0.1:1/hook"))
	got := p.Do(t, "POST", path(dead)+"/actions/enable", nil)
	if got.Status != 400 || !strings.Contains(string(got.Body), `"Verification failed: connection refused"`) {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
	if a := attributes(t, p.Do(t, "GET", path(dead), nil).Body); a["enabled"] != false || len(a["delivery-responses"].([]any)) != 0 {
		t.Errorf("got %v", a)
	}
	sink.Answer(503, "later")
	disabled := p.configuration(t, w.ID, generic("disabled", sink.URL))
	if got := p.Do(t, "PATCH", path(disabled), `{"data":{"attributes":{"enabled":true,"name":"changed"}}}`); got.Status != 400 || !strings.Contains(string(got.Body), "Verification failed with a code of 503") {
		t.Errorf("got %d, %s", got.Status, got.Body)
	}
	a := attributes(t, p.Do(t, "GET", path(disabled), nil).Body)
	if list := a["delivery-responses"].([]any); a["enabled"] != false || a["name"] != "disabled" || len(list) != 1 || list[0].(map[string]any)["code"] != "503" {
		t.Errorf("got %v", a)
	}
}

// TestForbiddenAddresses checks the guard through this API: at save for what is written, at connect for the rest.
func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "w")
	_, err := p.client.NotificationConfigurations.Create(t.Context(), w.ID, generic("a", "http://169.254.169.254/latest"))
	if err == nil || !strings.Contains(err.Error(), "Url is not allowed") {
		t.Errorf("got %v", err)
	}
}

func TestSlackAndTeams(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "my-workspace")
	for destination, prefix := range map[tfe.NotificationDestinationType]string{
		tfe.NotificationDestinationTypeSlack:          `{"text":"Run notification for <` + p.URL + `/app/acme-org/my-workspace|acme-org/my-workspace>","attachments":[`,
		tfe.NotificationDestinationTypeMicrosoftTeams: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive"`,
	} {
		sink := conformance.NewSink(t)
		options := signed("chat", sink.URL, tfe.NotificationTriggerCompleted)
		options.DestinationType = tfe.NotificationDestination(destination)
		p.configuration(t, w.ID, options)
		run := runEvent("applied", object{"source_id": string(destination), "external_ids": object{}})
		p.Want(t, 202, "POST", "/v1/events", run, nil)
		r := sink.Wait(t, 2)[1]
		if !strings.HasPrefix(string(r.Body), prefix) || !strings.Contains(string(r.Body), "Run Applied") {
			t.Errorf("%s: got %s", destination, r.Body)
		}
		if _, there := r.Value("X-TFE-Notification-Signature"); there {
			t.Errorf("%s: there is a signature", destination)
		}
	}
}

// TestMail follows mails to a real mail server: the test mail of verify, and the one of a change request to a team.
func TestMail(t *testing.T) {
	t.Parallel()
	server := conformance.NewMailServer(t)
	p := newPlatform(t, "--mail-server", server.URL, "--mail-from", "carillon@example.com")
	p.workspace(t, "my-workspace")
	team, member := p.team(t, "platform"), p.member(t, "member@example.com")
	if err := p.client.TeamMembers.Add(t.Context(), team.ID, tfe.TeamMemberAddOptions{OrganizationMembershipIDs: []string{member.ID}}); err != nil {
		t.Fatal(err)
	}
	options := email("Notify members")
	options.Enabled, options.Triggers = tfe.Bool(true), []tfe.NotificationTriggerType{tfe.NotificationTriggerChangeRequestCreated}
	options.SubscribableChoice = &tfe.NotificationConfigurationSubscribableChoice{Team: team}
	nc := p.configuration(t, team.ID, options)
	if len(server.Mail()) != 0 {
		t.Error("a mail was sent for saving")
	}
	release := server.Hold()
	defer release()
	p.Want(t, 200, "POST", path(nc)+"/actions/verify", nil, nil) // complete before the mail is taken
	var deliveries struct {
		Items []object `json:"items"`
	}
	if p.Want(t, 200, "GET", "/v1/deliveries?organization=acme-org", nil, &deliveries); len(deliveries.Items) != 0 {
		t.Errorf("the answer waited for the mail: %v", deliveries.Items)
	}
	release()
	mails := waitMail(t, server, 1)
	conformance.Eventually(t, func() error {
		if p.Want(t, 200, "GET", "/v1/deliveries?organization=acme-org", nil, &deliveries); len(deliveries.Items) != 1 {
			return fmt.Errorf("the test mail is not in the history: %v", deliveries.Items)
		}
		return nil
	})
	if subject := "Subject: Verification of Notify members"; mails[0].To[0] != "member@example.com" || !strings.Contains(string(mails[0].Data), subject) {
		t.Errorf("got %v, %s", mails[0].To, mails[0].Data)
	}
	p.Want(t, 202, "POST", "/v1/events", object{
		"kind": "change_request", "action": "created", "organization": object{"name": "acme-org"}, "workspace": object{"name": "my-workspace"},
		"change_request": object{"source_id": "c-1", "subject": "Pin the actions", "message": "please", "created_by": object{"name": "jane"}},
	}, nil)
	mails = waitMail(t, server, 2)
	text := plain(t, mails[1].Data)
	if !strings.Contains(text, "[acme-org/my-workspace] Change Request Created: Pin the actions") || !strings.Contains(text, "/change-requests/wscr-") {
		t.Errorf("got %s", text)
	}
}

func waitMail(t *testing.T, server *conformance.MailServer, n int) []conformance.Mail {
	t.Helper()
	conformance.Eventually(t, func() error {
		if got := len(server.Mail()); got < n {
			return fmt.Errorf("%d of %d mails arrived", got, n)
		}
		return nil
	})
	return server.Mail()
}

// plain undoes quoted-printable, which is enough to find a text in a message.
func plain(t *testing.T, data []byte) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(data)))
	if err != nil {
		return string(data)
	}
	return string(text)
}

// TestWorkspaceDeletedSurvivesItsWorkspace: the delivery keeps its own copy of the destination (section 4.4).
func TestWorkspaceDeletedSurvivesItsWorkspace(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := p.workspace(t, "my-workspace")
	sink := conformance.NewSink(t)
	made := p.Do(t, "POST", "/api/v2/workspaces/"+w.ID+"/notification-configurations",
		`{"data":{"type":"notification-configurations","attributes":{"name":"n","destination-type":"generic","enabled":true,"token":"`+token+`","url":"`+sink.URL+`","triggers":["workspace:deleted"]}}}`)
	if made.Status != 201 {
		t.Fatalf("got %d, %s", made.Status, made.Body)
	}
	if err := p.client.Workspaces.DeleteByID(t.Context(), w.ID); err != nil {
		t.Fatal(err)
	}
	r := sink.Wait(t, 2)[1]
	if signature, _ := r.Value("X-TFE-Notification-Signature"); signature != hmacOf(token, r.Body) || decode(t, r.Body)["trigger"] != "workspace:deleted" {
		t.Errorf("got %s, %v", r.Body, r.Header)
	}
	if id := decode(t, r.Body)["details"].(map[string]any)["workspace_id"]; id != w.ID {
		t.Errorf("the workspace is %v, want %s", id, w.ID)
	}
}
