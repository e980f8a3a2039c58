package scalr_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/test/conformance"
)

// TestReceived lets the platform's webhooks in, once each, and passes them on in both shapes (§9).
func TestReceived(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	sink := conformance.NewSink(t)
	p.integration(t, sink.URL, object{"is-shared": true})
	var source struct {
		URL string `json:"url"`
	}
	p.Want(t, 201, "POST", "/v1/sources", object{"organization": "mainiacp", "name": "upstream", "dialect": "scalr", "secret": secret}, &source)
	post := func(body []byte, id, date string, change func(http.Header)) (int, string) {
		mac := hmac.New(sha256.New, []byte(secret))
		_, _ = mac.Write(body)
		_, _ = mac.Write([]byte(date))
		r, err := http.NewRequestWithContext(t.Context(), "POST", source.URL, strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Date", date)
		r.Header.Set("X-Scalr-Delivery-Id", id)
		r.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
		if change != nil {
			change(r.Header)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text := new(strings.Builder)
		if err := response.Write(text); err != nil {
			t.Fatal(err)
		}
		_, answer, _ := strings.Cut(text.String(), "\r\n\r\n")
		return response.StatusCode, answer
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05-0700")
	attention, errored := file(t, "delivery/gen1-needs_attention.json"), file(t, "delivery/gen2-errored.json")
	for _, tc := range []struct {
		what   string
		body   []byte
		id     string
		date   string
		change func(http.Header)
		status int
	}{
		{"the first generation", attention, "wd-1", now, nil, 200},
		{"the same delivery", attention, "wd-1", now, nil, 200},
		{"the same step, told by another webhook", []byte(strings.Replace(string(attention), "wh-t6v0g1l0dlqhh58", "wh-other", 1)), "wd-2", now, nil, 200},
		{"the second generation", errored, "wd-3", now, nil, 200},
		{"minimal", file(t, "delivery/gen1-minimal.json"), "wd-4", now, nil, 200},
		{"another signature", attention, "wd-5", now, func(h http.Header) { h.Set("X-Signature", strings.Repeat("0", 64)) }, 401},
		{"none", attention, "wd-5", now, func(h http.Header) { h.Del("X-Signature") }, 401},
		{"recorded long ago", attention, "wd-5", "2020-11-25T00:43:38+0000", nil, 401},
		{"not one object", append([]byte("[]"), attention...), "wd-5", now, nil, 400},
		{"nothing required", []byte(`{"run":{}}`), "wd-5", now, nil, 422},
		{"too large", append(attention, make([]byte, 1<<20)...), "wd-5", now, nil, 413},
	} {
		status, answer := post(tc.body, tc.id, tc.date, tc.change)
		if status != tc.status || (status == 200 && answer != "{}") {
			t.Errorf("%s: %d, %s", tc.what, status, answer)
		}
	}
	requests := sink.Wait(t, 2)
	want := map[string]string{"run-t6v0g8prd9qi2h0": "policy_checked my-development", "run-v0ofgk1l7m2ck3p": "canceled Research-Development"}
	for _, r := range requests {
		got := verified(t, r)
		if want[got.Run.ID] != got.Run.Status+" "+got.Environment.Name {
			t.Errorf("got %+v", got)
		}
		if got.Run.ID == "run-t6v0g8prd9qi2h0" && (got.Run.URL != "https://my.scalr.io/#/workspaces/runs/dashboard?runId=run-t6v0g8prd9qi2h0" || got.Workspace.ID != fileWorkspace || got.Variables["foo"] != "bar") {
			t.Errorf("got %+v", got)
		}
	}
	var events struct {
		Items []struct {
			Kind string `json:"kind"`
		} `json:"items"`
	}
	if p.Want(t, 200, "GET", "/v1/events?organization=mainiacp", nil, &events); len(events.Items) != 3 {
		t.Errorf("got %+v", events.Items)
	}
	// The environment that came with the webhook keeps its identifier.
	if got := p.list(t, "/environments", "filter[environment]", fileEnvironment); got.names() != "my-development" {
		t.Errorf("got %s", got.names())
	}
	if len(sink.Requests()) != 2 {
		t.Errorf("%d requests", len(sink.Requests()))
	}
}
