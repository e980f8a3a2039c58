package pulumi

import (
	"strings"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

func TestDeployments(t *testing.T) {
	t.Parallel()
	d := New()
	s := hook(subscription.ChannelTrigger)
	e := given{Event: "run completed", Word: "apply"}.neutral(t)
	sent := func() (url, authorization, body string, masked []string) {
		msg := renderKind(t, e, kindUpdate, s)
		msg.URL = "website/dev"
		d.Sign(msg, dialect.Signing{Subscription: s})
		return msg.URL, msg.Get("Authorization"), string(msg.Body), msg.Masked
	}
	if url, authorization, _, _ := sent(); url != "website/dev" || authorization != "" {
		t.Errorf("without an upstream it goes to %s", url)
	}
	if err := d.Configure(map[string]string{"upstream-url": "https://api.example.com/", "upstream-token": "pul-1"}); err != nil {
		t.Fatal(err)
	}
	url, authorization, body, masked := sent()
	if url != "https://api.example.com/api/stacks/crazy-adventures/website/dev/deployments" || authorization != "token pul-1" ||
		body != `{"operation":"update","inheritSettings":true}` || strings.Join(masked, "") != "Authorization" {
		t.Errorf("%s %q %s %v", url, authorization, body, masked)
	}
	ping, err := d.Verification(s, sampleSite, sampleMoment)
	if err != nil {
		t.Fatal(err)
	}
	ping.URL = "website/dev"
	d.Sign(ping, dialect.Signing{Subscription: s})
	if ping.URL != "website/dev" || ping.Get("Authorization") != "" {
		t.Errorf("a ping starts a deployment: %s", ping.URL)
	}
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]map[string]string{
		"unknown": {"upstream": "x"}, "no address": {"upstream-url": "x", "upstream-token": "t"}, "no token": {"upstream-url": "https://x"},
		"no host": {"upstream-url": "https://", "upstream-token": "t"},
	} {
		if err := New().Configure(options); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := New().Configure(nil); err != nil {
		t.Error(err)
	}
}

// TestComplete checks when the keyed hash of a secret is made: with a new secret, and never else.
func TestComplete(t *testing.T) {
	t.Parallel()
	made := 0
	complete := func(s *subscription.Subscription, plain, was string) settings {
		err := New().Complete(dialect.Completion{
			Subscription: s, Plain: subscription.Secrets{Secret: plain}, Was: subscription.Secrets{Secret: was}, Organization: "acme",
			Fingerprint: func(purpose, text string) string { made++; return purpose + ":" + text },
		})
		if err != nil {
			t.Fatal(err)
		}
		return settingsOf(s)
	}
	s := &subscription.Subscription{}
	if got := complete(s, "", ""); got.Ciphertext != "" || got.Organization != "acme" || made != 0 {
		t.Errorf("without a secret: %+v", got)
	}
	if got := complete(s, "a", ""); got.Ciphertext != "webhook-secret:a" || made != 1 {
		t.Errorf("first secret: %+v", got)
	}
	if got := complete(s, "a", "a"); got.Ciphertext != "webhook-secret:a" || made != 1 {
		t.Errorf("same secret: %+v, made %d times", got, made)
	}
	if got := complete(s, "b", "a"); got.Ciphertext != "webhook-secret:b" || made != 2 {
		t.Errorf("new secret: %+v", got)
	}
	if got := complete(s, "", "b"); got.Ciphertext != "" {
		t.Errorf("removed: %+v", got)
	}
	if got := New().Policy(s).Span(); got.String() != "2h36m10s" {
		t.Errorf("the retries take %s", got)
	}
}
