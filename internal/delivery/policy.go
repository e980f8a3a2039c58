package delivery

import (
	"math"
	"slices"
	"time"

	"carillon/internal/subscription"
)

// Policy is how often and when a delivery is tried, as values. The zero Policy is Default.
type Policy struct {
	// Waits are the waits before the second attempt, the third, and so on. When they are used up Tail repeats; a zero Tail
	// ends the delivery.
	Waits []time.Duration
	Tail  time.Duration

	// MaxAttempts ends the delivery after that many tries in all; 0 leaves the end to Waits and GiveUpAfter.
	MaxAttempts int

	// GiveUpAfter ends the delivery when the next attempt would start later than this after the delivery was made; 0 is no
	// limit.
	GiveUpAfter time.Duration

	// Jitter spreads each wait by up to this share to both sides, 0.2 for ±20 %.
	Jitter float64

	// RetryAfterCap bounds the receiver's Retry-After; the wait is the longer of the two. 0 ignores it.
	RetryAfterCap time.Duration

	// RetryAfterOn lists the statuses on which Retry-After counts; none means every failure.
	RetryAfterOn []int

	// FinalStatuses end the delivery at once; FinalBelow500 makes every answer below 500 but those of RetryStatuses final.
	FinalStatuses []int
	FinalBelow500 bool
	RetryStatuses []int

	// NoRetry ends the delivery after its first attempt.
	NoRetry bool

	// GoneDisables ends the delivery on 410 and switches the subscription off.
	GoneDisables bool

	// DisableAfter switches the subscription off after that many deliveries in a row that ended badly; 0 never.
	DisableAfter int

	// DisableAfterFailing switches the subscription off when its destination has failed without a success for this long.
	DisableAfterFailing time.Duration

	// Unordered does not hold a run's later events behind an earlier one.
	Unordered bool

	Timeout        time.Duration // of one attempt in all
	TimeoutCap     time.Duration // the longest that a subscription's own limit may make Timeout; 0 is no bound
	ConnectTimeout time.Duration
}

// Default is Carillon's own policy: about three days.
func Default() Policy {
	return Policy{
		Waits: []time.Duration{
			5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
			time.Hour, 2 * time.Hour, 4 * time.Hour,
		},
		Tail:                8 * time.Hour,
		GiveUpAfter:         72 * time.Hour,
		Jitter:              0.2,
		RetryAfterCap:       10 * time.Hour,
		FinalStatuses:       []int{410},
		GoneDisables:        true,
		DisableAfterFailing: 5 * 24 * time.Hour,
		Timeout:             10 * time.Second,
		ConnectTimeout:      3 * time.Second,
	}
}

// With lays a subscription's own limits over the policy; zero limits leave the policy's. A policy without any wait that is
// given several attempts waits as Default does between them. The zero Policy becomes Default.
func (p Policy) With(limits subscription.Delivery) Policy {
	p = p.orDefault()
	if limits.MaxAttempts > 0 {
		p.MaxAttempts = limits.MaxAttempts
		if len(p.Waits) == 0 && p.Tail == 0 {
			p.Waits, p.Tail = Default().Waits, Default().Tail
		}
	}
	if limits.Timeout > 0 {
		p.Timeout = limits.Timeout
	}
	if p.TimeoutCap > 0 {
		p.Timeout = min(p.Timeout, p.TimeoutCap)
	}
	p.Unordered = p.Unordered || limits.Unordered
	return p
}

// Span is how long a delivery takes from its making to its last attempt when every attempt fails at once and none is
// delayed: the time within which the policy means a delivery to end. A policy without an end has the longest Duration.
func (p Policy) Span() time.Duration {
	p = p.orDefault()
	if p.NoRetry {
		return 0
	}
	longest := time.Duration(math.MaxInt64)
	if p.GiveUpAfter > 0 {
		longest = p.GiveUpAfter
	}
	planned, sum := p.Waits, time.Duration(0)
	if p.MaxAttempts > 0 {
		planned = planned[:min(len(planned), p.MaxAttempts-1)]
	}
	for _, wait := range planned {
		if sum += wait; sum >= longest {
			return longest
		}
	}
	repeated, ok := p.wait(len(p.Waits) + 1)
	switch further := p.MaxAttempts - 1 - len(p.Waits); {
	case !ok || (p.MaxAttempts > 0 && further <= 0):
		return sum
	case p.MaxAttempts == 0 || time.Duration(further) > (longest-sum)/max(repeated, 1):
		return longest
	default:
		return sum + time.Duration(further)*repeated
	}
}

// orDefault replaces the zero policy by Default, and the zero time limits of any other by Default's.
func (p Policy) orDefault() Policy {
	if p.blank() {
		return Default()
	}
	if p.Timeout == 0 {
		p.Timeout = Default().Timeout
	}
	if p.ConnectTimeout == 0 {
		p.ConnectTimeout = Default().ConnectTimeout
	}
	return p
}

// blank reports whether the policy says nothing at all about when a delivery is tried and ends.
func (p Policy) blank() bool {
	return len(p.Waits) == 0 && p.Tail == 0 && p.MaxAttempts == 0 && p.GiveUpAfter == 0 && p.Jitter == 0 &&
		p.RetryAfterCap == 0 && len(p.RetryAfterOn) == 0 && len(p.FinalStatuses) == 0 && !p.FinalBelow500 &&
		len(p.RetryStatuses) == 0 && !p.NoRetry && !p.GoneDisables && p.DisableAfter == 0 &&
		p.DisableAfterFailing == 0 && !p.Unordered && p.Timeout == 0 && p.TimeoutCap == 0 && p.ConnectTimeout == 0
}

// last reports whether no attempt may follow the one of this number, whatever the waits say.
func (p Policy) last(number int) bool {
	return p.NoRetry || (p.MaxAttempts > 0 && number >= p.MaxAttempts)
}

// Decision is what follows from an attempt.
type Decision struct {
	State   State
	Due     time.Time // set when State is Pending
	Disable bool      // switch the subscription off
	Reason  string    // why the delivery ended badly, for people; "" otherwise
}

// Decide says what follows from an attempt. made is when the delivery was made, number counts this attempt from 1, ended
// is when it ended, and spread is a random number in [0,1) that the caller draws.
func (p Policy) Decide(number int, result Result, made, ended time.Time, spread float64) Decision {
	if result.OK() {
		return Decision{State: Delivered}
	}
	p = p.orDefault()
	if p.GoneDisables && result.Class == ClassAnswered && result.Status == 410 {
		return Decision{State: Exhausted, Disable: true, Reason: "the receiver is gone"}
	}
	if !p.retryable(result) {
		return Decision{State: Exhausted, Reason: result.final()}
	}
	if p.last(number) {
		return Decision{State: Exhausted, Reason: "all attempts are used up"}
	}
	wait, ok := p.wait(number)
	if !ok {
		return Decision{State: Exhausted, Reason: "all attempts are used up"}
	}
	wait = max(p.spread(wait, spread), p.hint(result))
	due := ended.Add(wait)
	if p.GiveUpAfter > 0 && due.Sub(made) > p.GiveUpAfter {
		return Decision{State: Exhausted, Reason: "the time to deliver is over"}
	}
	return Decision{State: Pending, Due: due}
}

// retryable reports whether a failure may be tried again at all.
func (p Policy) retryable(r Result) bool {
	switch r.Class {
	case ClassAnswered:
		if r.Advice != AdviceNone {
			return r.Advice == AdviceRetry
		}
		if slices.Contains(p.RetryStatuses, r.Status) {
			return true
		}
		if slices.Contains(p.FinalStatuses, r.Status) {
			return false
		}
		return !p.FinalBelow500 || r.Status >= 500
	case ClassRender, ClassConfig, ClassCancelled:
		return false
	}
	return true
}

// final says why a result that may not be retried ended the delivery.
func (r Result) final() string {
	if r.Class == ClassAnswered {
		return "the answer is final"
	}
	return "the delivery can not be sent"
}

// wait returns the plain wait after attempt number; ok is false when no further attempt is planned.
func (p Policy) wait(number int) (wait time.Duration, ok bool) {
	if number >= 1 && number <= len(p.Waits) {
		return p.Waits[number-1], true
	}
	if p.Tail > 0 {
		return p.Tail, true
	}
	// A policy that names a number of attempts but no further waits repeats its last one.
	if p.MaxAttempts > 0 && len(p.Waits) > 0 {
		return p.Waits[len(p.Waits)-1], true
	}
	return 0, false
}

// spread moves a wait by up to ±Jitter of itself.
func (p Policy) spread(wait time.Duration, at float64) time.Duration {
	return wait + time.Duration(float64(wait)*p.Jitter*(2*at-1))
}

// hint is the receiver's Retry-After as far as it counts.
func (p Policy) hint(r Result) time.Duration {
	if r.RetryAfter <= 0 || p.RetryAfterCap <= 0 {
		return 0
	}
	if len(p.RetryAfterOn) > 0 && !slices.Contains(p.RetryAfterOn, r.Status) {
		return 0
	}
	return min(r.RetryAfter, p.RetryAfterCap)
}
