package webhook_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carillon/webhook"
)

// addSamples seeds a fuzz target with every body there is.
func addSamples(f *testing.F, add func(body []byte)) {
	f.Helper()
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Base(filepath.Dir(path)) == "fuzz" {
			return err
		}
		body, err := os.ReadFile(path)
		add(body)
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// FuzzParse feeds arbitrary bodies to every parser: a payload or ErrPayload, nothing else.
func FuzzParse(f *testing.F) {
	addSamples(f, func(body []byte) { f.Add(body) })
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, d := range webhook.Dialects() {
			m, err := webhook.Parse(d, http.Header{}, body)
			if err != nil && !errors.Is(err, webhook.ErrPayload) {
				t.Errorf("%s: %v", d, err)
			}
			if err == nil && (m.Payload == nil) != (d == webhook.Standard) {
				t.Errorf("%s: payload %v", d, m.Payload)
			}
		}
		_, _ = webhook.Detect(nil, body)
	})
}

// FuzzVerify feeds arbitrary signatures: none is accepted, and what Sign makes always is.
func FuzzVerify(f *testing.F) {
	f.Add("sha256=00", "1614265330", "Wed, 04 Mar 2026 05:06:07 GMT", []byte("{}"), "k")
	f.Add("v1,AAAA v1a,BBBB", "x", "2026-03-04T05:06:07+0000", []byte(""), "whsec_AAAA")
	f.Fuzz(func(t *testing.T, signature, stamp, date string, body []byte, secret string) {
		if secret == "" {
			return
		}
		for _, d := range webhook.Dialects() {
			h := http.Header{}
			for _, name := range []string{"X-TFE-Notification-Signature", "X-Signature", "X-Signature-256", "Pulumi-Webhook-Signature", "webhook-signature"} {
				h.Set(name, signature)
			}
			h.Set("webhook-id", "1")
			h.Set("webhook-timestamp", stamp)
			h.Set("Date", date)
			o := webhook.Options{Dialect: d, Secrets: []string{secret}, Tolerance: -1}
			if o.Verify(h, body) == nil {
				t.Errorf("%s: %q is accepted", d, signature)
			}
			made := http.Header{"Webhook-Id": {"1"}}
			if err := webhook.Sign(d, made, body, secret, time.Unix(1e9, 0)); err != nil {
				t.Fatal(err)
			}
			if err := o.Verify(made, body); err != nil {
				t.Errorf("%s: what was signed is refused: %v", d, err)
			}
		}
	})
}
