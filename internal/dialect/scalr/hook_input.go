package scalr

import (
	"slices"
	"strconv"
	"strings"

	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// switches reads what both generations have: name, enabled, events. What is not sent stays.
func (in *input) switches(s *subscription.Subscription, fresh bool, list *problems) error {
	in.name(&s.Name, list)
	in.flag("enabled", "Enabled", fresh, &s.Enabled, list)
	if !in.related("events") {
		return nil
	}
	names, err := in.many("events")
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isEvent(name) {
			return missingMember("events", name)
		}
	}
	s.Triggers, s.All = names, false
	return nil
}

// flag reads a boolean, whose null is refused once there is a value (§5.1).
func (in *input) flag(attribute, title string, fresh bool, into *bool, list *problems) {
	if !in.take(attribute, into) || (!fresh && in.isNull(attribute)) {
		list.invalid(attribute, title+" must be true or false.")
	}
}

// headerInput is a header as a client sends it.
type headerInput struct {
	Name      string  `json:"name"`
	Value     *string `json:"value"`
	Sensitive *bool   `json:"sensitive"`
}

const headersLimit = 50

// headers reads the whole list of headers; none were sent when changed is false, null means none. The value of a sensitive
// header that is sent as it was shown, empty, stays (§5.4).
func (in *input) headers(s *subscription.Subscription, plain subscription.Secrets, list *problems) (headers []subscription.Header, values map[string]string, changed bool) {
	if !in.has("headers") {
		return nil, nil, false
	}
	var sent []headerInput
	if !in.take("headers", &sent) {
		list.invalid("headers", "Headers must be a list of name, value and sensitive.")
		return nil, nil, false
	}
	if len(sent) > headersLimit {
		list.invalid("headers", "There are too many headers (maximum is 50).")
		return nil, nil, false
	}
	for _, h := range sent {
		headers = append(headers, subscription.Header{Name: h.Name, Sensitive: h.Sensitive != nil && *h.Sensitive})
	}
	values = make(map[string]string, len(sent))
	for i, key := range subscription.HeaderKeys(headers) {
		if wrong := wrongHeader(sent[i]); wrong != "" {
			list.invalid("headers/"+strconv.Itoa(i), wrong)
			continue
		}
		if sent[i].Value != nil {
			values[key] = *sent[i].Value
		}
		if headers[i].Sensitive && values[key] == "" {
			values[key] = sensitiveValue(s, plain, headers[i].Name)
		}
	}
	return headers, values, true
}

// wrongHeader says what is wrong with a header, "" for nothing.
func wrongHeader(h headerInput) string {
	switch {
	case !isToken(h.Name):
		return "The name of a header must be a token."
	case isReserved(h.Name):
		return "The header " + h.Name + " is reserved."
	case h.Value != nil && strings.ContainsFunc(*h.Value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return "The value of a header must not hold control characters."
	}
	return ""
}

// isToken reports whether a name is a token of RFC 9110.
func isToken(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && len(name) <= nameLimit && !strings.ContainsFunc(name, func(r rune) bool {
		alnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !alnum && !strings.ContainsRune(others, r)
	})
}

// sensitiveValue is the stored value of the sensitive header of a name.
func sensitiveValue(s *subscription.Subscription, plain subscription.Secrets, name string) string {
	for i, key := range subscription.HeaderKeys(s.Headers) {
		if s.Headers[i].Sensitive && s.Headers[i].Name == name {
			return plain.Headers[key]
		}
	}
	return ""
}

// sameHeaders reports whether a list of headers is the one that the webhook has.
func sameHeaders(s *subscription.Subscription, plain subscription.Secrets, headers []subscription.Header, values map[string]string) bool {
	if len(headers) != len(s.Headers) {
		return false
	}
	was := subscription.HeaderKeys(s.Headers)
	for i, key := range subscription.HeaderKeys(headers) {
		if headers[i].Name != s.Headers[i].Name || headers[i].Sensitive != s.Headers[i].Sensitive || values[key] != plain.Headers[was[i]] {
			return false
		}
	}
	return true
}

// sharing is where a webhook integration is to listen.
type sharing struct {
	shared       *bool // nil where it was not sent
	environments []ident.ID
	listed       bool // environments were sent
}

// sharing reads is-shared and the environments, which must be of the account.
func (c *call) sharing(in *input, account ident.ID, fresh bool, list *problems) (sharing, error) {
	var w sharing
	if in.has("is-shared") {
		w.shared = new(bool)
		in.flag("is-shared", "Is shared", fresh, w.shared, list)
	}
	ids, err := in.many("environments")
	if err != nil {
		return w, err
	}
	w.listed = in.related("environments")
	for _, id := range ids {
		p, err := find(c, c.Projects, environmentIDs, id)
		if unseen(err) || (err == nil && p.OrganizationID != account) {
			return w, missingMember("environments", id)
		}
		if err != nil {
			return w, err
		}
		w.environments = append(w.environments, p.ID)
	}
	return w, nil
}

// apply gives a webhook its places where they differ from what it shows; it reports whether they did. A shared webhook
// lists nothing (§5.4).
func (w sharing) apply(h *hook) (changed bool) {
	shared, environments := h.shared, h.environments
	if w.shared != nil {
		shared = *w.shared
	}
	if w.listed {
		environments = w.environments
	}
	if shared {
		environments = nil
	}
	if shared == h.shared && slices.Equal(environments, h.environments) {
		return false
	}
	h.s.Scopes = nil
	if shared {
		h.s.Scopes = []subscription.Scope{{Level: subscription.LevelOrganization, ID: h.s.OrganizationID}}
	}
	for _, id := range environments {
		h.s.Scopes = append(h.s.Scopes, subscription.Scope{Level: subscription.LevelProject, ID: id})
	}
	if h.s.EndpointID != 0 {
		set := settingsOf(h.s)
		set.Linked = true
		h.s.Settings = set.encoded()
	}
	return true
}
