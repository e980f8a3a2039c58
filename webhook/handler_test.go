package webhook_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"carillon/webhook"
)

// deliver sends a request to a handler and returns the answer and what the handler passed on.
func deliver(o webhook.Options, r *http.Request, result error) (*httptest.ResponseRecorder, []webhook.Message) {
	var got []webhook.Message
	w := httptest.NewRecorder()
	webhook.Handler(o, func(_ *http.Request, m webhook.Message) error {
		got = append(got, m)
		return result
	}).ServeHTTP(w, r)
	return w, got
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect webhook.Dialect
		body    string
		header  map[string]string
		kind    string
		id      string // "" for a hash
		test    bool
	}{
		"tfe":              {webhook.TFE, "tfe/payloads/generic/seen/run_completed.json", nil, "run:completed", "", false},
		"tfe verification": {webhook.TFE, "tfe/payloads/generic/seen/verification.json", nil, "verification", "", true},
		"tfe, standard id": {webhook.TFE, "tfe/payloads/generic/seen/run_completed.json", map[string]string{"webhook-id": "dlv_1"}, "run:completed", "dlv_1", false},
		"scalr":            {webhook.Scalr, "scalr/gen2-errored.json", map[string]string{"X-Scalr-Delivery-Id": "wd-1"}, "run:errored", "wd-1", false},
		"spacelift":        {webhook.Spacelift, "spacelift/payloads/run-queued-minimal.json", nil, "run", "", false},
		"pulumi":           {webhook.Pulumi, "pulumi/payloads/deployment.json", map[string]string{"Pulumi-Webhook-ID": "u-1", "Pulumi-Webhook-Kind": "deployment"}, "deployment", "u-1", false},
		"pulumi ping":      {webhook.Pulumi, "pulumi/payloads/ping.json", map[string]string{"Pulumi-Webhook-ID": "u-2", "Pulumi-Webhook-Kind": "ping"}, "ping", "u-2", true},
		"standard":         {webhook.Standard, "spacelift/payloads/github-hello.txt", map[string]string{"webhook-id": "msg_1"}, "", "msg_1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := read(t, c.body)
			for _, dialect := range []webhook.Dialect{c.dialect, ""} { // named, and detected
				r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
				for name, value := range c.header {
					r.Header.Set(name, value)
				}
				if err := webhook.Sign(c.dialect, r.Header, body, "k", now); err != nil {
					t.Fatal(err)
				}
				w, got := deliver(webhook.Options{Dialect: dialect, Secrets: []string{"k"}, Now: at(now)}, r, nil)
				if w.Code != 200 || w.Body.Len() != 0 || len(got) != 1 {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
				m := got[0]
				if m.Dialect != c.dialect || m.Kind != c.kind || m.Test != c.test || !bytes.Equal(m.Body, body) || (m.Payload == nil) != (c.dialect == webhook.Standard) {
					t.Errorf("%+v", m)
				}
				if m.ID != c.id && (c.id != "" || !strings.HasPrefix(m.ID, "sha256:")) {
					t.Errorf("ID %q", m.ID)
				}
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	signedRequest := func(body string) *http.Request {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header = signed(t, webhook.TFE, []byte(body), "k")
		return r
	}
	o := webhook.Options{Dialect: webhook.TFE, Secrets: []string{"k"}, MaxBody: 100}
	for name, c := range map[string]struct {
		options webhook.Options
		request *http.Request
		status  int
		text    string
	}{
		"a GET":             {o, httptest.NewRequest("GET", "/", nil), 405, "with POST, not with GET"},
		"too large":         {o, signedRequest(strings.Repeat("x", 101)), 413, "larger than 100 bytes"},
		"a broken body":     {o, httptest.NewRequest("POST", "/", iotest.ErrReader(io.ErrUnexpectedEOF)), 400, "could not be read"},
		"no signature":      {o, httptest.NewRequest("POST", "/", strings.NewReader("{}")), 401, "missing"},
		"a wrong signature": {webhook.Options{Dialect: webhook.TFE, Secrets: []string{"x"}}, signedRequest("{}"), 401, "does not match"},
		"not JSON":          {o, signedRequest("hello"), 400, "not a JSON object"},
		"nothing known":     {webhook.Options{Secrets: []string{"k"}}, httptest.NewRequest("POST", "/", strings.NewReader("{}")), 400, "neither headers nor body"},
		"no secret":         {webhook.Options{Dialect: webhook.TFE}, signedRequest("{}"), 500, "no secret"},
		"unsigned, unknown": {webhook.Options{Unsigned: true}, httptest.NewRequest("POST", "/", strings.NewReader("{}")), 400, "not known"},
	} {
		w, got := deliver(c.options, c.request, nil)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) || len(got) != 0 {
			t.Errorf("%s: %d %s, %d messages", name, w.Code, w.Body, len(got))
		}
	}
	if w, _ := deliver(o, httptest.NewRequest("GET", "/", nil), nil); w.Header().Get("Allow") != "POST, PUT" {
		t.Errorf("Allow %q", w.Header().Get("Allow"))
	}
}

func TestHandlerAnswersErrors(t *testing.T) {
	t.Parallel()
	body := string(read(t, "tfe/payloads/generic/seen/run_completed.json"))
	for status, result := range map[int]error{200: nil, 410: webhook.ErrGone, 500: errors.New("database password is s3cret")} {
		r := httptest.NewRequest("PUT", "/", strings.NewReader(body))
		w, _ := deliver(webhook.Options{Dialect: webhook.TFE, Unsigned: true}, r, result)
		if w.Code != status || strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("%v: %d %s", result, w.Code, w.Body)
		}
	}
}

// TestCapturedRequest replays a whole request as it was on the wire.
func TestCapturedRequest(t *testing.T) {
	t.Parallel()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(read(t, "scalr/request-gen1.http"))))
	if err != nil {
		t.Fatal(err)
	}
	o := webhook.Options{Secrets: []string{"auphee1ieshaeQu8"}, Now: at(time.Date(2020, 11, 25, 0, 44, 0, 0, time.UTC))}
	w, got := deliver(o, r, nil)
	if w.Code != 200 || len(got) != 1 || got[0].ID != "wd-t6v0hrnn58vu4m0" || got[0].Payload.(*webhook.ScalrPayload).Event != "run:needs_attention" {
		t.Errorf("%d %s %+v", w.Code, w.Body, got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	if _, err := webhook.Parse("nobody", nil, nil); !errors.Is(err, webhook.ErrUnknown) {
		t.Error(err)
	}
	m, err := webhook.Parse(webhook.Spacelift, nil, []byte("hello"))
	if err != nil || m.Kind != "custom" {
		t.Errorf("%+v, %v", m, err)
	}
	if len(webhook.Dialects()) != 5 {
		t.Errorf("%v", webhook.Dialects())
	}
}
