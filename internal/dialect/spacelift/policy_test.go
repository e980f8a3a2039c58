package spacelift

import (
	"encoding/json"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// waits lists the waits after failures of a class and status, until the policy ends.
func waits(p delivery.Policy, r delivery.Result) []time.Duration {
	var list []time.Duration
	made := atSecond(1)
	for number := 1; number < 20; number++ {
		d := p.Decide(number, r, made, made, 0.5)
		if d.State != delivery.Pending {
			return list
		}
		list = append(list, d.Due.Sub(made))
	}
	return list
}

func answered(status int) delivery.Result {
	return delivery.Result{Class: delivery.ClassAnswered, Status: status}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	retried := hookAt(subscription.LevelWorkspace)
	retried.Settings = json.RawMessage(`{"retry_on_failure":true}`)
	declined := hookAt(subscription.LevelWorkspace)
	declined.Settings = json.RawMessage(`{"retry_on_failure":false}`)
	audit := hookAt(subscription.LevelOrganization, triggerAudit)
	cases := map[string]struct {
		s       *subscription.Subscription
		result  delivery.Result
		retries int
	}{
		"the default":        {hookAt(subscription.LevelWorkspace), answered(500), 0},
		"declined":           {declined, answered(500), 0},
		"500":                {retried, answered(500), 3},
		"503":                {retried, answered(503), 3},
		"404":                {retried, answered(404), 0},
		"408":                {retried, answered(408), 0},
		"429":                {retried, answered(429), 0},
		"410":                {retried, answered(410), 0},
		"a redirect":         {retried, answered(302), 0},
		"no answer":          {retried, delivery.Result{Class: delivery.ClassTimeout}, 3},
		"no name":            {retried, delivery.Result{Class: delivery.ClassDNS}, 3},
		"the audit trail":    {audit, answered(500), 3},
		"a success is final": {retried, answered(204), 0},
	}
	want := []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}
	for name, c := range cases {
		p := New().Policy(c.s)
		got := waits(p, c.result)
		if len(got) != c.retries {
			t.Errorf("%s: %v, want %d retries", name, got, c.retries)
			continue
		}
		for i, wait := range got {
			if wait != want[i] {
				t.Errorf("%s: wait %d is %v, want %v", name, i, wait, want[i])
			}
		}
		if p.DisableAfter != 10 || !p.Unordered || p.Timeout != 10*time.Second || p.ConnectTimeout != 5*time.Second {
			t.Errorf("%s: got %+v", name, p)
		}
	}
}

// TestRetryAfter: a 503 may lengthen a wait, to 15 minutes at most (section 2.3).
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	s := hookAt(subscription.LevelWorkspace)
	s.Settings = json.RawMessage(`{"retry_on_failure":true}`)
	for _, c := range []struct {
		status int
		after  time.Duration
		want   time.Duration
	}{{503, 2 * time.Minute, 2 * time.Minute}, {503, time.Second, 10 * time.Second}, {503, time.Hour, 15 * time.Minute}, {500, 2 * time.Minute, 10 * time.Second}} {
		r := answered(c.status)
		r.RetryAfter = c.after
		if got := waits(New().Policy(s), r)[0]; got != c.want {
			t.Errorf("%d with %v: got %v, want %v", c.status, c.after, got, c.want)
		}
	}
}

func TestWaitsAreSpread(t *testing.T) {
	t.Parallel()
	s := hookAt(subscription.LevelOrganization, triggerAudit)
	low := New().Policy(s).Decide(1, answered(500), atSecond(1), atSecond(1), 0).Due.Sub(atSecond(1))
	if low != 8*time.Second {
		t.Errorf("got %v", low)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{
		``: true, `{}`: true, `{"body":"2021","retry_on_failure":null,"labels":["a"]}`: true, `{"body":"2020"}`: false,
		`{"retries":1}`: false, `[]`: false,
	}
	for text, fine := range cases {
		s := hookAt(subscription.LevelWorkspace)
		s.Settings = json.RawMessage(text)
		if err := New().Validate(s, subscription.Secrets{}); (err == nil) != fine {
			t.Errorf("%s: %v", text, err)
		}
	}
	s := hookAt(subscription.LevelWorkspace)
	for name, fine := range map[string]bool{"X-Signature": false, "x-signature-256": false, "HOST": false, "User-Agent": true, "Content-Type": true} {
		s.Headers = []subscription.Header{{Name: name}}
		if err := New().Validate(s, subscription.Secrets{}); (err == nil) != fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	d := New()
	err := d.Configure(map[string]string{"no_sha1": "true", "show_secrets": "1", "no_audit_test": "true", "failed_sign_ins_per_minute": "3"})
	if want := (Dialect{NoSHA1: true, ShowSecrets: true, NoAuditTest: true, FailedSignInsPerMinute: 3, engine: d.engine}); err != nil || *d != want {
		t.Errorf("got %+v, %v", d, err)
	}
	for _, wrong := range []map[string]string{{"no_sha1": "perhaps"}, {"sha1": "no"}, {"failed_sign_ins_per_minute": "x"}} {
		if New().Configure(wrong) == nil {
			t.Errorf("%v is taken", wrong)
		}
	}
}
