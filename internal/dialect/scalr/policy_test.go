package scalr

import (
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

// TestTries is the table of §2.2.
func TestTries(t *testing.T) {
	t.Parallel()
	made := at("2026-01-01T00:00:00Z")
	for name, tc := range map[string]struct {
		limits subscription.Delivery
		result delivery.Result
		waits  []time.Duration // after each attempt but the last
	}{
		"three by default":       {subscription.Delivery{}, status(503, 0), []time.Duration{10 * time.Second, 30 * time.Second}},
		"one":                    {subscription.Delivery{MaxAttempts: 1}, status(500, 0), nil},
		"a timeout":              {subscription.Delivery{MaxAttempts: 2}, delivery.Result{Class: delivery.ClassTimeout}, []time.Duration{10 * time.Second}},
		"a redirect":             {subscription.Delivery{MaxAttempts: 2}, status(302, 0), []time.Duration{10 * time.Second}},
		"gone is tried again":    {subscription.Delivery{MaxAttempts: 2}, status(410, 0), []time.Duration{10 * time.Second}},
		"the hint on 503":        {subscription.Delivery{MaxAttempts: 2}, status(503, time.Minute), []time.Duration{time.Minute}},
		"the hint is bounded":    {subscription.Delivery{MaxAttempts: 2}, status(429, 5*time.Hour), []time.Duration{time.Hour}},
		"a short hint":           {subscription.Delivery{MaxAttempts: 2}, status(429, time.Second), []time.Duration{10 * time.Second}},
		"no hint on other codes": {subscription.Delivery{MaxAttempts: 2}, status(500, time.Minute), []time.Duration{10 * time.Second}},
		"up to an hour": {subscription.Delivery{MaxAttempts: 9}, status(500, 0), []time.Duration{
			10 * time.Second, 30 * time.Second, 90 * time.Second, 270 * time.Second, 810 * time.Second, 2430 * time.Second, time.Hour, time.Hour,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := New().Policy(nil).With(tc.limits)
			now := made
			for number, wait := range tc.waits {
				d := policy.Decide(number+1, tc.result, made, now, 0.5)
				if d.State != delivery.Pending || d.Due.Sub(now) != wait {
					t.Fatalf("after attempt %d: %v in %v, want %v", number+1, d.State, d.Due.Sub(now), wait)
				}
				now = d.Due
			}
			if d := policy.Decide(len(tc.waits)+1, tc.result, made, now, 0.5); d.State != delivery.Exhausted || d.Disable {
				t.Errorf("at the end: %+v", d)
			}
		})
	}
	for spread, want := range map[float64]time.Duration{0: 9 * time.Second, 1: 11 * time.Second} {
		if d := New().Policy(nil).Decide(1, status(500, 0), made, made, spread); d.Due.Sub(made) != want {
			t.Errorf("spread %v: %v", spread, d.Due.Sub(made))
		}
	}
}

func status(code int, hint time.Duration) delivery.Result {
	return delivery.Result{Class: delivery.ClassAnswered, Status: code, RetryAfter: hint}
}

func TestTimeLimits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		d     *Dialect
		asked time.Duration
		want  time.Duration
	}{
		"default":  {New(), 0, 15 * time.Second},
		"asked":    {New(), 20 * time.Second, 20 * time.Second},
		"too long": {New(), 31536000 * time.Second, time.Minute},
		"bounded":  {&Dialect{MaxTimeout: 5 * time.Second}, 0, 5 * time.Second},
		"let go":   {&Dialect{MaxTimeout: 2 * time.Minute}, 100 * time.Second, 100 * time.Second},
	} {
		if got := tc.d.Policy(nil).With(subscription.Delivery{Timeout: tc.asked}).Timeout; got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
