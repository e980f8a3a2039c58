package spacelift

import (
	"strings"

	"carillon/internal/subscription"
)

// keyValue is the schema's KeyValuePair.
type keyValue struct{ Key, Value string }

// headersInput is any of the schema's inputs with entries.
type headersInput struct{ Entries []keyValue }

// check checks headers that are to be set (§5.5).
func (in headersInput) check() error {
	for _, e := range in.Entries {
		switch {
		case headerForbidden(e.Key) || !isToken(e.Key):
			return problem(`header "` + e.Key + `" is not allowed`)
		case strings.ContainsFunc(e.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return problem(`invalid value for header "` + e.Key + `"`)
		}
	}
	return nil
}

// isToken reports whether a name is a token of HTTP.
func isToken(name string) bool {
	return name != "" && len(name) <= nameLimit && !strings.ContainsFunc(name, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

// set puts headers into a webhook's secrets. The same name in other letters is the same header; the newer spelling
// stays (§6).
func (in headersInput) set(plain *subscription.Secrets) {
	if plain.Headers == nil {
		plain.Headers = map[string]string{}
	}
	for _, e := range in.Entries {
		removeHeader(plain, e.Key)
		plain.Headers[e.Key] = e.Value
	}
}

// removeHeader drops a header; one that is not there is ignored.
func removeHeader(plain *subscription.Secrets, name string) {
	for known := range plain.Headers {
		if strings.EqualFold(known, name) {
			delete(plain.Headers, known)
		}
	}
}
