package tfe

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// TestValidation is the table of §5.5.
func TestValidation(t *testing.T) {
	t.Parallel()
	const good = `"name":"n","destination-type":"generic","url":"https://example.com/hook"`
	const mail = `"name":"n","destination-type":"email"`
	long := strings.Repeat("é", 256)
	for _, tc := range []struct{ name, attributes, detail, pointer string }{
		{"no name", `"destination-type":"generic","url":"https://example.com"`, "Name can't be blank", "name"},
		{"a null name", `"name":null,"destination-type":"generic","url":"https://example.com"`, "Name can't be blank", "name"},
		{"a blank name", `"name":" \t","destination-type":"generic","url":"https://example.com"`, "Name can't be blank", "name"},
		{"a number as name", `"name":7,"destination-type":"generic","url":"https://example.com"`, "Name is invalid", "name"},
		{"a long name", `"name":"` + long + `","destination-type":"generic","url":"https://example.com"`, "Name is too long (maximum is 255 characters)", "name"},
		{"no destination type", `"name":"n"`, "Destination type can't be blank", "destination-type"},
		{"another destination type", `"name":"n","destination-type":"pager"`, "Destination type is not included in the list", "destination-type"},
		{"a number as destination type", `"name":"n","destination-type":7`, "Destination type is not included in the list", "destination-type"},
		{"no url", `"name":"n","destination-type":"slack"`, "Url can't be blank", "url"},
		{"a null url", `"name":"n","destination-type":"slack","url":null`, "Url can't be blank", "url"},
		{"a relative url", `"name":"n","destination-type":"slack","url":"/hook"`, "Url is invalid", "url"},
		{"another scheme", `"name":"n","destination-type":"slack","url":"ftp://example.com"`, "Url is invalid", "url"},
		{"no host", `"name":"n","destination-type":"slack","url":"https:///hook"`, "Url is invalid", "url"},
		{"a long url", `"name":"n","destination-type":"slack","url":"https://example.com/` + strings.Repeat("x", 2048) + `"`, "Url is invalid", "url"},
		{"a number as url", `"name":"n","destination-type":"slack","url":7`, "Url is invalid", "url"},
		{"a forbidden url", `"name":"n","destination-type":"slack","url":"http://127.0.0.1/hook"`, "Url is not allowed", "url"},
		{"a url for mail", mail + `,"url":"https://example.com"`, "Url must be blank", "url"},
		{"a word as enabled", good + `,"enabled":"true"`, "Enabled is invalid", "enabled"},
		{"null as enabled", good + `,"enabled":null`, "Enabled is invalid", "enabled"},
		{"a number as token", good + `,"token":7`, "Token is invalid", "token"},
		{"triggers of a string", good + `,"triggers":"run:created"`, "Triggers is invalid", "triggers"},
		{"triggers of numbers", good + `,"triggers":[7]`, "Triggers is invalid", "triggers"},
		{"an unknown trigger", good + `,"triggers":["run:created","run:paused"]`, `Triggers is invalid: "run:paused" is not available for workspaces`, "triggers"},
		{"a team's trigger", good + `,"triggers":["change_request:created"]`, `Triggers is invalid: "change_request:created" is not available for workspaces`, "triggers"},
		{"the verification", good + `,"triggers":["verification"]`, `Triggers is invalid: "verification" is not available for workspaces`, "triggers"},
		{"a malformed address", mail + `,"email-addresses":["a@example.com","nobody"]`, "Email addresses is invalid", "email-addresses"},
		{"addresses of a string", mail + `,"email-addresses":"a@example.com"`, "Email addresses is invalid", "email-addresses"},
		{"addresses on a webhook", good + `,"email-addresses":["a@example.com"]`, "Email addresses must be blank", "email-addresses"},
		{"a word as all members", mail + `,"email_all_members":"yes"`, "Email all members is invalid", "email_all_members"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.subscriptions.forbids = func(url string) bool { return strings.Contains(url, "127.0.0.1") }
			body := s.want(t, 422, "POST", configurationsPath, `{"data":{"type":"notification-configurations","attributes":{`+tc.attributes+`}}}`)
			wantProblem(t, body, tc.detail, "/data/attributes/"+tc.pointer)
		})
	}
}

func wantProblem(t *testing.T, body []byte, detail, pointer string) {
	t.Helper()
	var got struct{ Errors problems }
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Errors) != 1 || got.Errors[0].Detail != detail || got.Errors[0].Source.Pointer != pointer || got.Errors[0].Title != "invalid attribute" {
		t.Errorf("got %s, want %q at %s", body, detail, pointer)
	}
}

func TestValidationNamesEveryFault(t *testing.T) {
	t.Parallel()
	s := newService(t)
	body := string(s.want(t, 422, "POST", configurationsPath, `{"data":{"attributes":{"destination-type":"generic","triggers":[1]},"relationships":{"users":{"data":[{"type":"users","id":"x"}]}}}}`))
	for _, want := range []string{"Name can't be blank", "Url can't be blank", "Triggers is invalid", "Users must be blank"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}

func TestValidationOfUsers(t *testing.T) {
	t.Parallel()
	body := func(user string) string {
		return `{"data":{"attributes":{"name":"n","destination-type":"email"},"relationships":{"users":{"data":[{"type":"users","id":"` + user + `"}]}}}}`
	}
	s := newService(t)
	for _, user := range []string{"nonexisting", "user-strangerstranger1"} {
		wantProblem(t, s.want(t, 422, "POST", configurationsPath, body(user)), `Users is invalid: "`+user+`" is not a member`, "/data/relationships/users")
	}
	s.want(t, 201, "POST", configurationsPath, body(fileSecondUser))
	wantProblem(t, s.want(t, 422, "POST", "/teams/"+fileTeam+"/notification-configurations", body(fileSecondUser)),
		`Users is invalid: "`+fileSecondUser+`" is not a member`, "/data/relationships/users")
	s.want(t, 201, "POST", "/teams/"+fileTeam+"/notification-configurations", body(fileUser))
	s.want(t, 201, "POST", configurationsPath, `{"data":{"attributes":{"name":"n","destination-type":"email"},"relationships":{"users":{"data":null}}}}`)
}

func TestValidationOfChanges(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.have(theID, nil)
	for _, tc := range []struct{ attributes, detail, pointer string }{
		{`"destination-type":"slack"`, "Destination type can't be changed", "destination-type"},
		{`"destination-type":null`, "Destination type can't be changed", "destination-type"},
		{`"name":""`, "Name can't be blank", "name"},
		{`"url":null`, "Url can't be blank", "url"},
		{`"enabled":null`, "Enabled is invalid", "enabled"},
	} {
		wantProblem(t, s.want(t, 422, "PATCH", thePath, `{"data":{"attributes":{`+tc.attributes+`}}}`), tc.detail, "/data/attributes/"+tc.pointer)
	}
	if got := read(t, s.want(t, 200, "GET", thePath, "")); got.Data.Attributes.Name != "Webhook server test" {
		t.Errorf("something changed: %+v", got)
	}
}

func TestMalformedDocuments(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for _, body := range []string{
		"", "{", "null", "[]", "{}", `{"data":null}`, `{"data":[]}`, `{"data":{"attributes":[]}}`, `{"data":{"type":7}}`, `{"data":{"relationships":[]}}`,
		`{"data":{"attributes":{"name":"n","destination-type":"email"},"relationships":{"users":{"data":{}}}}}`, `{"data":{}} x`,
	} {
		sameJSON(t, s.want(t, 422, "POST", configurationsPath, body), file(t, "responses/errors/422_body.json"))
	}
	wantProblem(t, s.want(t, 422, "POST", configurationsPath, `{"data":{"type":"workspaces"}}`), "Type is invalid", "/data/type")
	if w := s.do("POST", configurationsPath, strings.Repeat(" ", requestLimit+1)); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large document: %d", w.Code)
	}
	sameJSON(t, s.want(t, 422, "POST", "/teams/"+fileTeam+"/relationships/organization-memberships", `{"data":{}}`), file(t, "responses/errors/422_body.json"))
}

// TestDestinationsNeverCauseServerErrors is a trap of §8: clients repeat a creation that failed with 5xx.
func TestDestinationsNeverCauseServerErrors(t *testing.T) {
	t.Parallel()
	for _, class := range delivery.Classes() {
		s := newService(t)
		s.have(theID, func(sub *subscription.Subscription) { sub.Enabled = true })
		s.subscriptions.answer = func(string) delivery.Result { return delivery.Result{Class: class, Status: 500} }
		if w := s.do("PATCH", thePath, `{"data":{"attributes":{"name":"x"}}}`); w.Code != 400 {
			t.Errorf("%s: %d", class, w.Code)
		}
	}
}
