package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"carillon/webhook"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func at(moment time.Time) func() time.Time { return func() time.Time { return moment } }

func TestErrorsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":1}`)
	for name, c := range map[string]struct {
		options webhook.Options
		header  http.Header
		want    error
		text    string
	}{
		"no secret":            {webhook.Options{Dialect: webhook.TFE}, nil, webhook.ErrNoSecret, ""},
		"an empty secret":      {webhook.Options{Dialect: webhook.TFE, Secrets: []string{"a", ""}}, nil, webhook.ErrNoSecret, "one of the secrets is empty"},
		"no header":            {webhook.Options{Dialect: webhook.TFE, Secrets: []string{"a"}}, nil, webhook.ErrMissing, "no header X-TFE-Notification-Signature"},
		"an empty header":      {webhook.Options{Dialect: webhook.TFE, Secrets: []string{"a"}}, http.Header{"X-Tfe-Notification-Signature": {""}}, webhook.ErrMissing, "the sender has no secret"},
		"no digits":            {webhook.Options{Dialect: webhook.Pulumi, Secrets: []string{"a"}}, http.Header{"Pulumi-Webhook-Signature": {strings.Repeat("z", 64)}}, webhook.ErrMalformed, "64 hexadecimal digits"},
		"too few digits":       {webhook.Options{Dialect: webhook.Pulumi, Secrets: []string{"a"}}, http.Header{"Pulumi-Webhook-Signature": {"abcd"}}, webhook.ErrMalformed, ""},
		"base64":               {webhook.Options{Dialect: webhook.Pulumi, Secrets: []string{"a"}}, http.Header{"Pulumi-Webhook-Signature": {"3VWv/li8SzWX3KIv0EMp9b/7lq6o+5DO4AeVfZQ+L7k="}}, webhook.ErrMalformed, ""},
		"no prefix":            {webhook.Options{Dialect: webhook.Spacelift, Secrets: []string{"a"}}, http.Header{"X-Signature-256": {strings.Repeat("0", 64)}}, webhook.ErrMalformed, `must be "sha256="`},
		"SHA-1 refused":        {webhook.Options{Dialect: webhook.Spacelift, Secrets: []string{"a"}, RefuseSHA1: true}, http.Header{"X-Signature": {"sha1=" + strings.Repeat("0", 40)}}, webhook.ErrMissing, "X-Signature-256"},
		"another dialect":      {webhook.Options{Dialect: "nobody", Secrets: []string{"a"}}, nil, webhook.ErrUnknown, `"nobody"`},
		"nothing to detect":    {webhook.Options{Secrets: []string{"a"}}, nil, webhook.ErrUnknown, "neither headers nor body"},
		"standard is required": {webhook.Options{Dialect: webhook.Spacelift, Secrets: []string{"a"}, RequireStandard: true}, signed(t, webhook.Spacelift, body, "a"), webhook.ErrMissing, "webhook-"},
	} {
		err := c.options.Verify(c.header, body)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func signed(t *testing.T, d webhook.Dialect, body []byte, secret string) http.Header {
	t.Helper()
	h := http.Header{}
	if d == webhook.Standard {
		h.Set("webhook-id", "msg_1")
	}
	if err := webhook.Sign(d, h, body, secret, now); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	if err := (webhook.Options{Dialect: webhook.TFE, Unsigned: true}).Verify(nil, nil); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":1}`)
	if err := webhook.Verify(webhook.Pulumi, signed(t, webhook.Pulumi, body, "new"), body, "old", "new"); err != nil {
		t.Error(err)
	}
	if err := webhook.Verify(webhook.Pulumi, signed(t, webhook.Pulumi, body, "new"), body, "old"); !errors.Is(err, webhook.ErrMismatch) {
		t.Error(err)
	}
}

func TestScalrDate(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":1}`)
	h := signed(t, webhook.Scalr, body, "k")
	if got, want := h.Get("Date"), "2026-03-04T05:06:07+0000"; got != want {
		t.Errorf("Date %q, want %q", got, want)
	}
	for name, c := range map[string]struct {
		now       time.Time
		tolerance time.Duration
		want      error
	}{
		"now":                   {now, 0, nil},
		"five minutes later":    {now.Add(5 * time.Minute), 0, nil},
		"later still":           {now.Add(5*time.Minute + time.Second), 0, webhook.ErrStale},
		"long before":           {now.Add(-time.Hour), 0, webhook.ErrStale},
		"a day later, accepted": {now.Add(24 * time.Hour), 25 * time.Hour, nil},
		"a year later, all are": {now.AddDate(1, 0, 0), -1, nil},
	} {
		o := webhook.Options{Dialect: webhook.Scalr, Secrets: []string{"k"}, Now: at(c.now), Tolerance: c.tolerance}
		if err := o.Verify(h, body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, other := range []string{"2026-03-04T05:06:08+0000", "", "yesterday"} {
		changed := h.Clone()
		changed.Set("Date", other)
		o := webhook.Options{Dialect: webhook.Scalr, Secrets: []string{"k"}, Now: at(now)}
		if err := o.Verify(changed, body); !errors.Is(err, webhook.ErrMismatch) {
			t.Errorf("Date %q: %v", other, err)
		}
	}
}

func TestScalrDateForms(t *testing.T) {
	t.Parallel()
	for date, want := range map[string]error{
		"2026-03-04T05:06:07Z": nil, "2026-03-04T07:06:07+0200": nil, "Wed, 04 Mar 2026 05:06:07 GMT": nil,
		"whenever": webhook.ErrStale,
	} {
		h := http.Header{"Date": {date}, "X-Signature": {hmacHex("k", "{}"+date)}}
		err := webhook.Options{Dialect: webhook.Scalr, Secrets: []string{"k"}, Now: at(now)}.Verify(h, []byte("{}"))
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", date, err)
		}
	}
}
