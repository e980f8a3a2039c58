package delivery_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/subscription"
)

var made = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func answered(status int) delivery.Result {
	return delivery.Result{Class: delivery.ClassAnswered, Status: status}
}

// attemptsLimit tries a number of times in all, whatever the answer, with waits that triple up to an hour.
func attemptsLimit(most int) delivery.Policy {
	return delivery.Policy{
		Waits: []time.Duration{
			10 * time.Second, 30 * time.Second, 90 * time.Second, 270 * time.Second, 810 * time.Second, 2430 * time.Second,
		},
		Tail: time.Hour, MaxAttempts: most, Jitter: 0.1, RetryAfterCap: time.Hour, RetryAfterOn: []int{429, 503},
	}
}

// threeOn5xx tries three times more, and only when the answer is 5xx or does not come.
func threeOn5xx() delivery.Policy {
	return delivery.Policy{
		Waits: []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute}, Jitter: 0.2, FinalBelow500: true,
		RetryAfterCap: 15 * time.Minute, RetryAfterOn: []int{503}, DisableAfter: 10, Unordered: true,
	}
}

// fiveOnTrouble tries five times more on 408, 425, 429, 5xx and no answer.
func fiveOnTrouble() delivery.Policy {
	return delivery.Policy{
		Waits:  []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour},
		Jitter: 0.2, FinalBelow500: true, RetryStatuses: []int{408, 425, 429}, RetryAfterCap: time.Hour,
	}
}

// TestEveryStatus lists what follows from the first attempt for every HTTP status, for policies of every shape.
func TestEveryStatus(t *testing.T) {
	t.Parallel()
	success := func(status int) bool { return status >= 200 && status <= 299 }
	cases := map[string]struct {
		policy  delivery.Policy
		retried func(status int) bool
		off     func(status int) bool
	}{
		"default": {
			policy: delivery.Default(), retried: func(s int) bool { return s != 410 }, off: func(s int) bool { return s == 410 },
		},
		"the zero policy": {
			retried: func(s int) bool { return s != 410 }, off: func(s int) bool { return s == 410 },
		},
		"attempts limit": {policy: attemptsLimit(3), retried: func(int) bool { return true }},
		"one attempt":    {policy: attemptsLimit(1), retried: func(int) bool { return false }},
		"5xx only three times": {
			policy: threeOn5xx(), retried: func(s int) bool { return s >= 500 },
		},
		"five retries on 408/425/429/5xx": {
			policy: fiveOnTrouble(), retried: func(s int) bool { return s == 408 || s == 425 || s == 429 || s >= 500 },
		},
		"no retry": {policy: delivery.Policy{NoRetry: true}, retried: func(int) bool { return false }},
		"gone is not final by itself": {
			policy: delivery.Policy{Tail: time.Minute}, retried: func(int) bool { return true },
		},
		"gone switches off": {
			policy: delivery.Policy{NoRetry: true, GoneDisables: true}, retried: func(int) bool { return false },
			off: func(s int) bool { return s == 410 },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for status := 100; status <= 599; status++ {
				d := c.policy.Decide(1, answered(status), made, made.Add(time.Second), 0.5)
				want := delivery.Exhausted
				switch {
				case success(status):
					want = delivery.Delivered
				case c.retried(status):
					want = delivery.Pending
				}
				if d.State != want {
					t.Errorf("%d: %v, want %v", status, d.State, want)
				}
				if off := c.off != nil && c.off(status); d.Disable != off {
					t.Errorf("%d switches off: %v", status, d.Disable)
				}
				if (d.Reason != "") != (want == delivery.Exhausted) || d.Due.IsZero() != (want != delivery.Pending) {
					t.Errorf("%d: %+v", status, d)
				}
			}
		})
	}
}

func TestEveryClass(t *testing.T) {
	t.Parallel()
	final := map[delivery.Class]bool{delivery.ClassRender: true, delivery.ClassConfig: true, delivery.ClassCancelled: true}
	for _, class := range delivery.Classes() {
		result := delivery.Result{Class: class}
		if class == delivery.ClassAnswered {
			result.Status = 500
		}
		for name, policy := range map[string]delivery.Policy{
			"default": delivery.Default(), "attempts limit": attemptsLimit(3), "5xx only": threeOn5xx(), "five retries": fiveOnTrouble(),
		} {
			want := delivery.Pending
			if final[class] {
				want = delivery.Exhausted
			}
			if d := policy.Decide(1, result, made, made, 0.5); d.State != want || d.Disable {
				t.Errorf("%s, %s: %+v", name, class, d)
			}
		}
	}
}

func TestAdviceOfTheAnswerCountsMoreThanItsStatus(t *testing.T) {
	t.Parallel()
	for advice, want := range map[delivery.Advice]delivery.State{
		delivery.AdviceNone: delivery.Exhausted, delivery.AdviceRetry: delivery.Pending, delivery.AdviceFinal: delivery.Exhausted,
	} {
		r := answered(421)
		r.Advice = advice
		if d := fiveOnTrouble().Decide(1, r, made, made, 0.5); d.State != want {
			t.Errorf("advice %d: %v", advice, d.State)
		}
	}
	r := answered(550)
	r.Advice = delivery.AdviceFinal
	if d := fiveOnTrouble().Decide(1, r, made, made, 0.5); d.State != delivery.Exhausted {
		t.Errorf("550 for good: %v", d.State)
	}
}

// life plays a delivery that always fails in the same way and returns when its attempts ended.
func life(p delivery.Policy, r delivery.Result, took time.Duration, spread func() float64) (attempts []time.Time, last delivery.Decision) {
	at := made
	for number := 1; number <= 5000; number++ {
		ended := at.Add(took)
		attempts = append(attempts, ended)
		last = p.Decide(number, r, made, ended, spread())
		if last.State != delivery.Pending {
			break
		}
		at = last.Due
	}
	return attempts, last
}

func middle() float64 { return 0.5 }

func TestHowOftenAndHowLong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		policy   delivery.Policy
		result   delivery.Result
		attempts int
		span     time.Duration
	}{
		"default":                       {delivery.Default(), answered(500), 17, 71*time.Hour + 42*time.Minute + 35*time.Second},
		"attempts limit of three":       {attemptsLimit(3), answered(404), 3, 40 * time.Second},
		"attempts limit of one":         {attemptsLimit(1), answered(404), 1, 0},
		"attempts limit of ten":         {attemptsLimit(10), answered(404), 10, 3640*time.Second + 3*time.Hour},
		"attempts limit of a thousand":  {attemptsLimit(1000), answered(404), 1000, 3640*time.Second + 993*time.Hour},
		"5xx only three times":          {threeOn5xx(), answered(500), 4, 370 * time.Second},
		"5xx only, 404":                 {threeOn5xx(), answered(404), 1, 370 * time.Second},
		"five retries":                  {fiveOnTrouble(), answered(429), 6, 2*time.Hour + 36*time.Minute + 10*time.Second},
		"no retry":                      {delivery.Policy{NoRetry: true}, answered(500), 1, 0},
		"a number and one wait":         {delivery.Policy{MaxAttempts: 4, Waits: []time.Duration{time.Second}}, answered(500), 4, 3 * time.Second},
		"a number and no wait":          {delivery.Policy{MaxAttempts: 4}, answered(500), 1, 0},
		"waits of nothing":              {delivery.Policy{MaxAttempts: 3, Waits: []time.Duration{0}}, answered(500), 3, 0},
		"fewer than the waits":          {delivery.Policy{MaxAttempts: 2, Waits: []time.Duration{time.Second, time.Hour}}, answered(500), 2, time.Second},
		"time before the number":        {delivery.Policy{MaxAttempts: 99, Tail: time.Hour, GiveUpAfter: 150 * time.Minute}, answered(500), 3, 150 * time.Minute},
		"time shorter than the 1st one": {delivery.Policy{Waits: []time.Duration{time.Hour}, GiveUpAfter: time.Minute}, answered(500), 1, time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			attempts, last := life(c.policy, c.result, 0, middle)
			if len(attempts) != c.attempts || last.State != delivery.Exhausted {
				t.Errorf("%d attempts, want %d; ended %v after %v", len(attempts), c.attempts, last.State, attempts[len(attempts)-1].Sub(made))
			}
			if name == "default" {
				if over := attempts[len(attempts)-1].Sub(made); over != c.span {
					t.Errorf("the last attempt came after %v, want %v", over, c.span)
				}
				return
			}
			if got := c.policy.Span(); got != c.span {
				t.Errorf("Span = %v, want %v", got, c.span)
			}
		})
	}
	if got := (delivery.Policy{Tail: time.Hour}).Span(); got != math.MaxInt64 {
		t.Errorf("the span of a policy without an end is %v", got)
	}
	if got := (delivery.Policy{Tail: time.Hour, MaxAttempts: math.MaxInt}).Span(); got != math.MaxInt64 {
		t.Errorf("the span of very many attempts is %v", got)
	}
	if got := (delivery.Policy{}).Span(); got != 72*time.Hour {
		t.Errorf("the span of the zero policy is %v", got)
	}
}

// TestDefaultLastsAboutThreeDays plays many deliveries with every kind of chance and of slowness.
func TestDefaultLastsAboutThreeDays(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		took := time.Duration(random.Int64N(int64(10 * time.Second)))
		attempts, last := life(delivery.Default(), answered(500), took, random.Float64)
		over := attempts[len(attempts)-1].Sub(made)
		if last.State != delivery.Exhausted || over < 61*time.Hour || over > 72*time.Hour+10*time.Second || len(attempts) < 15 || len(attempts) > 20 {
			t.Errorf("%d attempts in %v, then %v", len(attempts), over, last.State)
		}
	}
}

// policies returns random policies, and those of the tables above.
func policies(random *rand.Rand) []delivery.Policy {
	all := []delivery.Policy{delivery.Default(), attemptsLimit(3), attemptsLimit(40), threeOn5xx(), fiveOnTrouble(), {NoRetry: true}}
	span := func(most time.Duration) time.Duration { return time.Duration(random.Int64N(int64(most))) }
	for range 200 {
		p := delivery.Policy{Jitter: random.Float64() / 2, RetryAfterCap: span(10 * time.Hour)}
		for range random.IntN(8) {
			p.Waits = append(p.Waits, span(time.Hour))
		}
		if random.IntN(2) == 0 {
			p.Tail = time.Second + span(8*time.Hour)
		}
		if random.IntN(2) == 0 {
			p.MaxAttempts = 1 + random.IntN(30)
		}
		if random.IntN(2) == 0 || (p.Tail > 0 && p.MaxAttempts == 0) {
			p.GiveUpAfter = span(72 * time.Hour)
		}
		all = append(all, p)
	}
	return all
}

func TestJitterStaysWithinItsShare(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for _, p := range policies(random) {
		p.GiveUpAfter, p.MaxAttempts = 0, 0
		for number := 1; number <= 12; number++ {
			plain := p
			plain.Jitter = 0
			base := plain.Decide(number, answered(503), made, made, 0.5)
			if base.State != delivery.Pending {
				continue
			}
			wait := base.Due.Sub(made)
			for _, spread := range []float64{0, random.Float64(), random.Float64(), math.Nextafter(1, 0)} {
				got := p.Decide(number, answered(503), made, made, spread).Due.Sub(made)
				if off := math.Abs(float64(got - wait)); off > float64(wait)*p.Jitter+1 {
					t.Fatalf("a wait of %v became %v with a jitter of %v", wait, got, p.Jitter)
				}
			}
			if got := p.Decide(number, answered(503), made, made, 0.5).Due.Sub(made); got != wait {
				t.Fatalf("the middle of a wait of %v is %v", wait, got)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		policy delivery.Policy
		status int
		wish   time.Duration
		want   time.Duration
	}{
		"longer than the wait":     {delivery.Default(), 429, time.Minute, time.Minute},
		"shorter than the wait":    {delivery.Default(), 429, time.Second, 5 * time.Second},
		"capped":                   {delivery.Default(), 503, 100 * time.Hour, 10 * time.Hour},
		"on any failure":           {delivery.Default(), 404, time.Minute, time.Minute},
		"on a status that counts":  {attemptsLimit(3), 503, time.Minute, time.Minute},
		"on one that does not":     {attemptsLimit(3), 500, time.Minute, 10 * time.Second},
		"capped at an hour":        {attemptsLimit(3), 429, 9 * time.Hour, time.Hour},
		"not honoured at all":      {delivery.Policy{Tail: time.Second}, 503, time.Hour, time.Second},
		"negative":                 {delivery.Default(), 503, -time.Hour, 5 * time.Second},
		"not a number of any kind": {delivery.Default(), 503, 0, 5 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := answered(c.status)
			r.RetryAfter = c.wish
			if got := c.policy.Decide(1, r, made, made, 0.5).Due.Sub(made); got != c.want {
				t.Errorf("due after %v, want %v", got, c.want)
			}
		})
	}
}

// TestRetryAfterOnlyLengthens checks for random policies that a hint never shortens a wait, never exceeds the cap, and can
// end a delivery only by the time to deliver.
func TestRetryAfterOnlyLengthens(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for _, p := range policies(random) {
		for range 20 {
			number, spread := 1+random.IntN(20), random.Float64()
			ended := made.Add(time.Duration(random.Int64N(int64(80 * time.Hour))))
			plain := p.Decide(number, answered(503), made, ended, spread)
			r := answered(503)
			r.RetryAfter = time.Duration(random.Int64N(int64(48 * time.Hour)))
			hinted := p.Decide(number, r, made, ended, spread)
			switch {
			case plain.State != delivery.Pending && hinted.State == delivery.Pending:
				t.Fatalf("a hint kept a delivery alive: %+v", p)
			case hinted.State != delivery.Pending:
			case hinted.Due.Before(plain.Due):
				t.Fatalf("a hint shortened a wait: %v to %v", plain.Due.Sub(ended), hinted.Due.Sub(ended))
			case hinted.Due.After(plain.Due) && hinted.Due.Sub(ended) > p.RetryAfterCap:
				t.Fatalf("a hint of %v led to %v, the cap is %v", r.RetryAfter, hinted.Due.Sub(ended), p.RetryAfterCap)
			}
		}
	}
}

// TestEndsStayEnds checks for random policies that a delivery that is over is over for every later attempt too, that what
// is due is due in the future, and that every delivery ends.
func TestEndsStayEnds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	for _, p := range policies(random) {
		spread := random.Float64()
		over := false
		ended := made
		for number := 1; number <= 3000; number++ {
			d := p.Decide(number, answered(500), made, ended, spread)
			if over && d.State == delivery.Pending {
				t.Fatalf("attempt %d revives a delivery that was over: %+v", number, p)
			}
			over = over || d.State != delivery.Pending
			if d.State == delivery.Pending {
				if d.Due.Before(ended) {
					t.Fatalf("due %v before the attempt ended", ended.Sub(d.Due))
				}
				ended = d.Due
			}
		}
		if !over {
			t.Fatalf("a delivery never ends: %+v", p)
		}
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	p := threeOn5xx().With(subscription.Delivery{MaxAttempts: 2, Timeout: 7 * time.Second, Unordered: true})
	if p.MaxAttempts != 2 || p.Timeout != 7*time.Second || !p.Unordered || p.ConnectTimeout != 3*time.Second || len(p.Waits) != 3 {
		t.Errorf("limits over a policy: %+v", p)
	}
	if p = attemptsLimit(3).With(subscription.Delivery{}); p.MaxAttempts != 3 || p.Timeout != 10*time.Second || p.Unordered {
		t.Errorf("no limits: %+v", p)
	}
	if p = (delivery.Policy{}).With(subscription.Delivery{}); p.GiveUpAfter != 72*time.Hour || !p.GoneDisables {
		t.Errorf("the zero policy: %+v", p)
	}
	p = delivery.Policy{Timeout: time.Second}.With(subscription.Delivery{MaxAttempts: 3})
	if attempts, _ := life(p, answered(500), 0, middle); len(attempts) != 3 {
		t.Errorf("%d attempts of a policy that had no waits", len(attempts))
	}
	p = delivery.Policy{NoRetry: true}.With(subscription.Delivery{MaxAttempts: 3})
	if attempts, _ := life(p, answered(500), 0, middle); len(attempts) != 1 {
		t.Errorf("%d attempts of a policy that does not retry", len(attempts))
	}
	p = delivery.Policy{Tail: time.Minute, Timeout: 15 * time.Second, TimeoutCap: time.Minute}.With(subscription.Delivery{Timeout: time.Hour})
	if p.Timeout != time.Minute {
		t.Errorf("a time limit of %v above the cap", p.Timeout)
	}
}
