package tfe

import (
	"math"
	"time"
)

// layouts are the forms of time that the platform's payloads have had.
var layouts = []string{time.RFC3339Nano, "2006-01-02 15:04:05 UTC"}

// moment reads a time, zero for what is not one.
func moment(text string) time.Time {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func momentOr(text string, otherwise time.Time) time.Time {
	if t := moment(text); !t.IsZero() {
		return t
	}
	return otherwise
}

// remindStep counts the half-days left: they tell the two reminders apart, whose bodies are the same (§9).
func remindStep(at, now time.Time) int {
	if at.IsZero() {
		return 0
	}
	return int(math.Round(at.Sub(now).Hours() / 12))
}
