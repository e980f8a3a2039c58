package tfe

import (
	"encoding/json"
	"fmt"
	"time"

	"carillon/internal/event"
)

// Forms of time in payloads: runs and change requests have three decimals (§3.1), workspace events none (§3.3).
const (
	millisUTC  = "2006-01-02T15:04:05.000Z"
	secondsUTC = "2006-01-02T15:04:05Z"
)

// encode writes a payload: compact, keys in the order of the fields, with the encoder's default escapes of <, > and & (§3).
func encode(payload any) ([]byte, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encode payload: %w", err)
	}
	return body, nil
}

// millis spells a moment for version 1, nil for none.
func millis(t time.Time) *string { return stamp(t, millisUTC) }

// seconds spells a moment for version 2, nil for none.
func seconds(t time.Time) *string { return stamp(t, secondsUTC) }

func stamp(t time.Time, layout string) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(layout)
	return &text
}

// text is a string that is null where nothing is known.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// actorName is how the platform shows a person: by user name, else by whatever is known.
func actorName(a *event.Actor) string {
	if a == nil {
		return ""
	}
	for _, name := range []string{a.Name, a.FullName, a.Email} {
		if name != "" {
			return name
		}
	}
	return ""
}

// runCreator is who made a run: a user, or the author of the commit that a repository reported (§3.1).
func runCreator(r *event.Run) string {
	if name := actorName(r.CreatedBy); name != "" {
		return name
	}
	if r.Commit == nil {
		return ""
	}
	if r.Commit.AuthorLogin != "" {
		return r.Commit.AuthorLogin
	}
	return r.Commit.AuthorName
}

// happened is when an event happened, as far as that is known.
func happened(e *event.Event) time.Time {
	if e.OccurredAt.IsZero() {
		return e.AcceptedAt
	}
	return e.OccurredAt
}
