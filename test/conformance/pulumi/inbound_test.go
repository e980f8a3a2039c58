package pulumi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"carillon/test/conformance"
	"carillon/webhook"
)

// source makes a door for the platform's webhooks and returns its address.
func (p *platform) source(t *testing.T, secret string) string {
	t.Helper()
	body := map[string]any{"dialect": "pulumi", "name": "cloud", "organization": "acme", "unsigned": secret == ""}
	if secret != "" {
		body["secret"] = secret
	}
	var made struct{ ID string }
	p.Want(t, http.StatusCreated, "POST", "/v1/sources", body, &made)
	return "/in/" + made.ID
}

// knock sends a webhook to a door.
func (p *platform) knock(t *testing.T, door string, headers map[string]string, body []byte) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.URL+door, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// TestInbound sends every inbound vector to a server of its own and counts the events.
func TestInbound(t *testing.T) {
	t.Parallel()
	type vector struct {
		Name     string
		Secret   string
		Headers  map[string]string
		BodyFile string `json:"body_file"`
		Expect   struct {
			Status  int
			Neutral json.RawMessage
		}
	}
	for _, v := range fileAs[[]vector](t, "inbound-vectors.json") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			p, body := newPlatform(t), file(t, v.BodyFile)
			door := p.source(t, v.Secret)
			for range 2 { // the second is a redelivery
				if got := p.knock(t, door, v.Headers, body); got != v.Expect.Status {
					t.Fatalf("answered %d, want %d", got, v.Expect.Status)
				}
			}
			want := 1
			if string(v.Expect.Neutral) == "null" {
				want = 0
			}
			var events struct{ Items []json.RawMessage }
			p.Want(t, http.StatusOK, "GET", "/v1/events", nil, &events)
			if len(events.Items) != want {
				t.Errorf("there are %d events, want %d: %s", len(events.Items), want, events.Items)
			}
		})
	}
}

// TestThrough sends the platform's webhooks in and out again: the bytes and the kind stay, identifier and signature are
// ours.
func TestThrough(t *testing.T) {
	t.Parallel()
	p, sink := newPlatform(t), conformance.NewSink(t)
	p.hook(t, organizationHooks, map[string]any{"payloadUrl": sink.URL, "secret": "ours"})
	door := p.source(t, "")
	for i, tc := range []struct{ kind, file string }{
		{"stack_update", "stack_update"}, {"stack_preview", "stack_preview"}, {"deployment", "deployment"}, {"drift_detection", "drift_detection"},
		{"environment_revision", "environment_revision"}, {"change_request", "change_request.ours"}, {"something_new", "stack"},
	} {
		body := file(t, "payloads/"+tc.file+".json")
		if got := p.knock(t, door, map[string]string{"Content-Type": "application/json", "Pulumi-Webhook-Kind": tc.kind}, body); got != http.StatusOK {
			t.Fatalf("answered %d", got)
		}
		r := sink.Wait(t, i+1)[i]
		if !bytes.Equal(r.Body, body) || value(t, r, "Pulumi-Webhook-Kind") != tc.kind {
			t.Errorf("%s leaves as %s: %s", tc.file, value(t, r, "Pulumi-Webhook-Kind"), r.Body)
		}
		header := http.Header{"Pulumi-Webhook-Signature": {value(t, r, "Pulumi-Webhook-Signature")}}
		if err := webhook.Verify(webhook.Pulumi, header, r.Body, "ours"); err != nil {
			t.Error(err)
		}
	}
}
