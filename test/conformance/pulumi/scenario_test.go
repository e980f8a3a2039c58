package pulumi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// step is one request of api-scenario.json and what its answer must be.
type step struct {
	Name      string
	Method    string
	Path      string
	Auth      string
	Body      json.RawMessage
	Status    int
	Expect    any
	Absent    []string
	Save      map[string]string
	EmptyBody bool `json:"empty_body"`
	Received  string
}

// scenario runs steps one after the other; each may use what earlier ones saved.
type scenario struct {
	*platform
	known map[string]string
	sink  *conformance.Sink
}

func TestScenario(t *testing.T) {
	t.Parallel()
	steps := fileAs[struct{ Steps []step }](t, "api-scenario.json").Steps
	if len(steps) != 90 {
		t.Fatalf("there are %d steps", len(steps))
	}
	sink := conformance.NewSink(t)
	sink.Answer(http.StatusOK, "OK")
	s := &scenario{platform: newPlatform(t), sink: sink, known: map[string]string{
		"sink": strings.TrimSuffix(sink.URL, "/hook"), "dead": "http://" + closedPort(t),
	}}
	for _, each := range steps {
		if !t.Run(each.Name, func(t *testing.T) { s.run(t, each) }) {
			t.FailNow() // the later steps build on this one
		}
	}
}

// closedPort is an address that refuses connections.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func (s *scenario) run(t *testing.T, each step) {
	before := len(s.sink.Requests())
	status, header, body := s.send(t, each)
	if status != each.Status {
		t.Fatalf("%s %s: %d, want %d: %s", each.Method, each.Path, status, each.Status, body)
	}
	if each.EmptyBody {
		if len(body) != 0 {
			t.Errorf("the body is %s", body)
		}
		return
	}
	if kind := header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("Content-Type is %q", kind)
	}
	var got any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if each.Expect != nil {
		s.compare(t, "", got, each.Expect)
	}
	members, _ := got.(map[string]any)
	for _, name := range each.Absent {
		if _, there := members[name]; there {
			t.Errorf("%s is there: %s", name, body)
		}
	}
	for name, from := range each.Save {
		s.known[name] = fmt.Sprint(members[from])
	}
	if each.Received != "" {
		s.received(t, before, each.Name)
	}
}

func (s *scenario) send(t *testing.T, each step) (status int, header http.Header, body []byte) {
	t.Helper()
	content := s.fill(string(each.Body))
	var text string
	if json.Unmarshal(each.Body, &text) == nil {
		content = strings.TrimPrefix(text, "{raw}")
	}
	r, err := http.NewRequestWithContext(t.Context(), each.Method, s.URL+s.fill(each.Path), strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json") // on requests without a body too, as the clients do
	r.Header["Accept"] = []string{"application/vnd.pulumi+9", "application/json"}
	switch each.Auth {
	case "admin":
		r.Header.Set("Authorization", "token "+s.admin)
	case "reader":
		r.Header.Set("Authorization", "token "+s.reader)
	case "bad":
		r.Header.Set("Authorization", "token pul-0000000000000000000000000000000000000000")
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, buf.Bytes()
}

// fill puts what is known in the place of {names}.
func (s *scenario) fill(text string) string {
	for name, value := range s.known {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// compare checks that every member that is wanted is equal: objects in depth, arrays in full length, ~ before a regular
// expression.
func (s *scenario) compare(t *testing.T, at string, got, want any) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok {
			t.Fatalf("%s is %v, want an object", at, got)
		}
		for name, value := range w {
			s.compare(t, at+"/"+name, members[name], value)
		}
	case []any:
		items, ok := got.([]any)
		if !ok || len(items) != len(w) {
			t.Fatalf("%s is %v, want %d items", at, got, len(w))
		}
		for i := range w {
			s.compare(t, fmt.Sprintf("%s/%d", at, i), items[i], w[i])
		}
	case string:
		text, ok := got.(string)
		if shape, is := strings.CutPrefix(w, "~"); is {
			shape = s.fill(strings.ReplaceAll(shape, `\\`, `\`))
			if !ok || !regexp.MustCompile(shape).MatchString(text) {
				t.Errorf("%s is %q, want %s", at, got, shape)
			}
		} else if !ok || text != s.fill(w) {
			t.Errorf("%s is %q, want %q", at, got, s.fill(w))
		}
	default:
		if got != want {
			t.Errorf("%s is %v, want %v", at, got, want)
		}
	}
}

// received checks the one request that a step made the server send.
func (s *scenario) received(t *testing.T, before int, name string) {
	t.Helper()
	requests := s.sink.Requests()
	if len(requests) != before+1 {
		t.Fatalf("%d requests arrived", len(requests)-before)
	}
	r := requests[before]
	if !strings.HasPrefix(r.Line, "POST /org ") {
		t.Errorf("the request is %s", r.Line)
	}
	signature := value(t, r, "Pulumi-Webhook-Signature")
	header := http.Header{"Pulumi-Webhook-Signature": {signature}}
	if err := webhook.Verify(webhook.Pulumi, header, r.Body, "s3cret"); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if strings.HasPrefix(name, "redeliver") {
		first := requests[before-1]
		if !bytes.Equal(first.Body, r.Body) || value(t, first, "Pulumi-Webhook-Id") != value(t, r, "Pulumi-Webhook-Id") {
			t.Errorf("what is sent again differs: %s, %s", first.Body, r.Body)
		}
	}
}
