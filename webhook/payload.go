package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is a time in a payload. The platforms write it in many ways; absent, null and empty ones are the zero time.
type Time struct{ time.Time }

// layouts are the ways, with and without fractions of a second; one without a zone is UTC.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04:05-0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05",
}

// UnmarshalJSON reads any of them.
func (t *Time) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("%s is not a time", text)
	}
	if t.Time = (time.Time{}); s == nil || strings.TrimSpace(*s) == "" {
		return nil
	}
	for _, layout := range layouts {
		if at, err := time.Parse(layout, strings.TrimSpace(*s)); err == nil {
			t.Time = at.UTC()
			return nil
		}
	}
	return fmt.Errorf("%q is not a time", *s)
}

// MarshalJSON writes RFC 3339, and null for the zero time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.Time.MarshalJSON()
}

// Number is a whole number that some payloads write as a string.
type Number int64

// UnmarshalJSON reads 2 and "2".
func (n *Number) UnmarshalJSON(text []byte) error {
	plain := strings.Trim(string(text), `"`)
	if plain == "" || plain == "null" {
		*n = 0
		return nil
	}
	v, err := strconv.ParseInt(plain, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a whole number", text)
	}
	*n = Number(v)
	return nil
}

// object reads a body that must be one JSON object and nothing else. Members that are not known are ignored: platforms add
// some.
func object(body []byte, into any) error {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	if len(trimmed) == 0 || trimmed[0] != '{' {
		return fmt.Errorf("%w: it is not a JSON object", ErrPayload)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: %w", ErrPayload, err)
	}
	return nil
}

func hasAll(members map[string]json.RawMessage, names ...string) bool {
	for _, name := range names {
		if _, ok := members[name]; !ok {
			return false
		}
	}
	return true
}

func missing(member string) error {
	return fmt.Errorf("%w: the member %q is missing", ErrPayload, member)
}
