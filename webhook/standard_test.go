package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"testing"
	"time"

	"carillon/webhook"
)

func hmacHex(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// published is the example that libraries of Standard Webhooks are tested with.
func published() (http.Header, []byte, webhook.Options) {
	h := http.Header{}
	h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	return h, []byte(`{"test": 2432232314}`), webhook.Options{
		Dialect: webhook.Standard, Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, Now: at(time.Unix(1614265330, 0)),
	}
}

func TestStandard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(http.Header, *webhook.Options)
		want   error
	}{
		"as published": {func(http.Header, *webhook.Options) {}, nil},
		"among others": {func(h http.Header, _ *webhook.Options) {
			h.Set("webhook-signature", "v1a,xxx v1,bm90IHRoaXM= "+h.Get("webhook-signature")+" v2,x")
		}, nil},
		"several secrets": {func(_ http.Header, o *webhook.Options) { o.Secrets = append([]string{"old"}, o.Secrets...) }, nil},
		"a secret that is no base64": {func(h http.Header, o *webhook.Options) {
			o.Secrets = []string{"plain"}
			if err := webhook.Sign(webhook.Standard, h, []byte(`{"test": 2432232314}`), "plain", time.Unix(1614265330, 0)); err != nil {
				t.Error(err)
			}
		}, nil},
		"another secret":   {func(_ http.Header, o *webhook.Options) { o.Secrets = []string{"whsec_AAAA"} }, webhook.ErrMismatch},
		"another id":       {func(h http.Header, _ *webhook.Options) { h.Set("webhook-id", "msg_2") }, webhook.ErrMismatch},
		"another time":     {func(h http.Header, _ *webhook.Options) { h.Set("webhook-timestamp", "1614265331") }, webhook.ErrMismatch},
		"no time":          {func(h http.Header, _ *webhook.Options) { h.Set("webhook-timestamp", "now") }, webhook.ErrMalformed},
		"no id":            {func(h http.Header, _ *webhook.Options) { h.Del("webhook-id") }, webhook.ErrMissing},
		"no signature":     {func(h http.Header, _ *webhook.Options) { h.Del("webhook-signature") }, webhook.ErrMissing},
		"another version":  {func(h http.Header, _ *webhook.Options) { h.Set("webhook-signature", "v9,AAAA") }, webhook.ErrMalformed},
		"too old":          {func(_ http.Header, o *webhook.Options) { o.Now = at(time.Unix(1614265330+301, 0)) }, webhook.ErrStale},
		"from the future":  {func(_ http.Header, o *webhook.Options) { o.Now = at(time.Unix(1614265330-301, 0)) }, webhook.ErrStale},
		"old, not checked": {func(_ http.Header, o *webhook.Options) { o.Now, o.Tolerance = nil, -1 }, nil},
	} {
		h, body, o := published()
		c.change(h, &o)
		if err := o.Verify(h, body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	h, body, o := published()
	if d, ok := webhook.Detect(h, body); !ok || d != webhook.Standard {
		t.Errorf("detected %q", d)
	}
	if err := webhook.Sign(webhook.Standard, h, body, "whsec_a2V5eQ==", now); err != nil {
		t.Fatal(err)
	}
	o.Secrets, o.Now = []string{"whsec_a2V5eQ"}, at(now)
	if err := o.Verify(h, body); err != nil {
		t.Errorf("a secret without padding: %v", err)
	}
	if err := webhook.Sign(webhook.Standard, http.Header{}, nil, "", now); !errors.Is(err, webhook.ErrMissing) {
		t.Error(err)
	}
}

// TestStandardBesideThePlatforms: the added headers are verified whenever they are there, and can be insisted on.
func TestStandardBesideThePlatforms(t *testing.T) {
	t.Parallel()
	body := []byte(`{"a":1}`)
	for _, d := range []webhook.Dialect{webhook.TFE, webhook.Scalr, webhook.Spacelift, webhook.Pulumi} {
		h := signed(t, d, body, "k")
		h.Set("webhook-id", "dlv_1")
		if err := webhook.Sign(webhook.Standard, h, body, "k", now); err != nil {
			t.Fatal(err)
		}
		o := webhook.Options{Dialect: d, Secrets: []string{"k"}, RequireStandard: true, Now: at(now)}
		if err := o.Verify(h, body); err != nil {
			t.Errorf("%s: %v", d, err)
		}
		o.RequireStandard = false
		h.Set("webhook-id", "dlv_2")
		if err := o.Verify(h, body); !errors.Is(err, webhook.ErrMismatch) {
			t.Errorf("%s, another id: %v", d, err)
		}
		h.Set("webhook-id", "dlv_1")
		o.Now = at(now.Add(time.Hour))
		if err := o.Verify(h, body); !errors.Is(err, webhook.ErrStale) {
			t.Errorf("%s, sent again later: %v", d, err)
		}
	}
}
