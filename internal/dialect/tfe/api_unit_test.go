package tfe

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

func TestPages(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name                string
		number, size, total int
		from, to            int
		want                pagination
	}{
		{"the first of three", 1, 2, 5, 0, 2, pagination{Current: 1, Size: 2, Next: ref(2), TotalPages: 3, TotalCount: 5}},
		{"the last", 3, 2, 5, 4, 5, pagination{Current: 3, Size: 2, Prev: ref(2), TotalPages: 3, TotalCount: 5}},
		{"beyond the end", 9, 2, 5, 5, 5, pagination{Current: 9, Size: 2, Prev: ref(3), TotalPages: 3, TotalCount: 5}},
		{"far beyond the end", 1 << 62, 100, 5, 5, 5, pagination{Current: 1 << 62, Size: 100, Prev: ref(1), TotalPages: 1, TotalCount: 5}},
		{"exactly full", 1, 5, 5, 0, 5, pagination{Current: 1, Size: 5, TotalPages: 1, TotalCount: 5}},
		{"empty", 1, 20, 0, 0, 0, pagination{Current: 1, Size: 20, TotalPages: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := paging{number: tc.number, size: tc.size}
			if from, to := p.bounds(tc.total); from != tc.from || to != tc.to {
				t.Errorf("items %d to %d", from, to)
			}
			if got := p.meta(tc.total); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := at("2026-01-01T00:00:00Z")
	l := newRateLimit(0)
	for i := range defaultVerifications {
		if err := l.take(1, now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	err := l.take(1, now.Add(30*time.Second))
	limited, ok := errors.AsType[*limitError](err)
	if !ok || limited.reset() != "30.000" || !strings.Contains(err.Error(), "30s") {
		t.Errorf("got %v", err)
	}
	if err := l.take(1, now.Add(time.Minute)); err != nil {
		t.Errorf("a slot that is free again: %v", err)
	}
	for token := range ident.ID(rateTokens + 1) {
		if err := l.take(token+2, now.Add(time.Duration(token)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if len(l.used) > rateTokens {
		t.Errorf("%d tokens are remembered", len(l.used))
	}
	unlimited := newRateLimit(-1)
	for range 100 {
		if err := unlimited.take(1, now); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProblemsOfFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want problem
	}{
		{fault.New(fault.Forbidden, "no"), notFound[0]},
		{fault.New(fault.Unsupported, "no"), notFound[0]},
		{fault.New(fault.Malformed, "no"), malformed[0]},
		{fault.New(fault.RateLimited, "no"), problem{Status: "429", Title: "Too many requests", Detail: "You have exceeded the API's rate limit."}},
		{fault.New(fault.Unavailable, "no"), problem{Status: "503", Title: "service unavailable"}},
		{fault.New(fault.Unverified, "no"), problem{Status: "400", Title: "bad request", Detail: "Verification failed: connection closed"}},
		{fault.New(fault.Conflict, "In use."), problem{Status: "422", Title: "invalid attribute", Detail: "In use.", Source: &problemSource{"/data"}}},
		{fault.At("/project_id", "There is none."), problem{Status: "422", Title: "invalid attribute", Detail: "Project id is invalid: There is none.", Source: &problemSource{"/data/attributes/project-id"}}},
		{fault.At("", "Wrong."), problem{Status: "422", Title: "invalid attribute", Detail: "Wrong.", Source: &problemSource{"/data"}}},
		{errors.New("the disk is full"), problem{Status: "500", Title: "internal server error"}},
	} {
		if got := problemsOf(tc.err); len(got) != 1 || !reflect.DeepEqual(got[0], tc.want) {
			t.Errorf("%v: got %+v, want %+v", tc.err, got, tc.want)
		}
	}
}

// schema is a schema of the platform's subset in testdata/openapi.json.
func schema(t *testing.T, name string) *openapi3.Schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas[name].Value
}

func valid(t *testing.T, s *openapi3.Schema, body []byte) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	if err := s.VisitJSON(v); err != nil {
		t.Errorf("%v\n%s", err, body)
	}
}

func TestAnswersFollowTheSchema(t *testing.T) {
	t.Parallel()
	s := newService(t)
	slackAndGeneric(s)
	valid(t, schema(t, "NotificationConfigurationList"), s.want(t, 200, "GET", configurationsPath, ""))
	valid(t, schema(t, "NotificationConfigurationList"), s.want(t, 200, "GET", configurationsPath+"?page[number]=7", ""))
	valid(t, schema(t, "NotificationConfigurationDocument"), s.want(t, 200, "GET", thePath, ""))
	valid(t, schema(t, "NotificationConfigurationDocument"), s.want(t, 201, "POST", configurationsPath, string(file(t, "requests/seen/create_email_provider_080.json"))))
	valid(t, schema(t, "Errors"), s.want(t, 404, "GET", "/nowhere", ""))
	valid(t, schema(t, "Errors"), s.want(t, 422, "POST", configurationsPath, "{}"))
}

func TestPayloadsFollowTheSchema(t *testing.T) {
	t.Parallel()
	for pattern, name := range map[string]string{
		"*/run_*.json": "RunPayload", "*/verification.json": "RunPayload", "*/assessment_*.json": "AssessmentPayload",
		"*/auto_destroy_*.json": "AutoDestroyPayload", "*/workspace_deleted.json": "WorkspaceDeletedPayload", "*/change_request_*.json": "ChangeRequestPayload",
	} {
		files, err := filepath.Glob("testdata/payloads/generic/" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, schema(t, name), body)
		}
	}
}

// FuzzDocument looks for documents that panic or that are read half.
func FuzzDocument(f *testing.F) {
	for _, pattern := range []string{"testdata/requests/*/*.json", "testdata/responses/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range files {
			body, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(body)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parseDocument(body, configurationType)
		if err != nil {
			if _, ok := errors.AsType[problems](err); !ok {
				t.Fatalf("got %v", err)
			}
			return
		}
		s := configuration(theID, "workspace")
		d := draft{in: in, s: s, plain: &subscription.Secrets{}, fresh: true}
		d.apply()
		for _, p := range d.list {
			if p.Status != "422" || p.Detail == "" || p.Source == nil {
				t.Errorf("got %+v", p)
			}
		}
		if len(d.list) == 0 && (s.Name == "" || s.Channel == "") {
			t.Errorf("accepted %s", body)
		}
		_, _, _ = in.many("users")
		_, _ = in.one("project")
	})
}
