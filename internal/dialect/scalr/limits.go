package scalr

import (
	"encoding/json"
	"time"

	"carillon/internal/subscription"
)

// Bounds of the numbers that clients check too (§5.3, §5.4).
const (
	longestTimeout = 31536000
	mostAttempts   = 1000
)

// limits are how a webhook wants to be served, in the platform's numbers: seconds, and tries in all.
type limits struct {
	Timeout     int64 `json:"timeout"`
	MaxAttempts int64 `json:"max_attempts"`
}

func defaultLimits() limits {
	return limits{Timeout: int64(defaultTimeout / time.Second), MaxAttempts: defaultAttempts}
}

// limitsOf reads a webhook's limits as they were given.
func limitsOf(s *subscription.Subscription) limits {
	l := defaultLimits()
	switch {
	case s.Delivery.Timeout > 0:
		l.Timeout = int64(s.Delivery.Timeout / time.Second)
	case settingsOf(s).ZeroTimeout:
		l.Timeout = 0
	}
	if s.Delivery.MaxAttempts > 0 {
		l.MaxAttempts = int64(s.Delivery.MaxAttempts)
	}
	return l
}

// apply gives a webhook the limits. What a timeout of 0 means is the policy's to say; it is shown as it was given (§2.2).
func (l limits) apply(s *subscription.Subscription) {
	s.Delivery.Timeout, s.Delivery.MaxAttempts = time.Duration(l.Timeout)*time.Second, int(l.MaxAttempts)
	set := settingsOf(s)
	set.ZeroTimeout = l.Timeout == 0
	s.Settings = set.encoded()
}

// read lays what a client sent over the limits; null means the default (§5.1).
func (l *limits) read(in *input, list *problems) {
	defaults := defaultLimits()
	number(in, "timeout", "Timeout", 0, longestTimeout, defaults.Timeout, &l.Timeout, list)
	number(in, "max-attempts", "Max attempts", 1, mostAttempts, defaults.MaxAttempts, &l.MaxAttempts, list)
}

func number(in *input, attribute, title string, least, most, otherwise int64, into *int64, list *problems) {
	var n int64
	switch {
	case !in.has(attribute):
	case in.isNull(attribute):
		*into = otherwise
	case json.Unmarshal(in.Attributes[attribute], &n) != nil || n < least || n > most:
		list.invalid(attribute, title+" is not a whole number in the range that is allowed.")
	default:
		*into = n
	}
}
