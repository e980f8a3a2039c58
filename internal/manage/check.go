package manage

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/fault"
	"carillon/internal/subscription"
)

// Bounds of a subscription.
const (
	maxURL      = 2048
	maxSecret   = 4096
	maxHeaders  = 50
	maxTriggers = 500
	maxScopes   = 1000
	maxMails    = 200
	maxSettings = 256 << 10
)

// check checks a draft against the rules that hold for every dialect, then asks its own.
func (m *Manage) check(ctx context.Context, d *draft) error {
	s := d.next
	spoken, known := m.dialects[s.Dialect]
	if !known {
		return fault.At("/dialect", "There is no dialect %q.", clip(s.Dialect))
	}
	var faults fault.Collector
	checkName(&faults, "/name", s.Name)
	for name, identifier := range s.ExternalIDs {
		checkExternalID(&faults, name, identifier)
	}
	checkTriggers(&faults, spoken, s, d.options.Strict)
	checkHeaders(&faults, spoken, s, d.plain)
	checkSizes(&faults, s, d.plain)
	checkDestination(&faults, spoken, s, d.plain)
	m.checkRecipients(&faults, d)
	if err := m.checkScopes(ctx, &faults, d); err != nil {
		return err
	}
	m.checkFallback(&faults, d)
	if err := faults.Err(); err != nil {
		return err
	}
	if err := m.checkAllowed(spoken, s, d.plain); err != nil {
		return err
	}
	if validator, ok := spoken.(dialect.Validator); ok {
		return validator.Validate(s, d.plain)
	}
	return nil
}

func checkTriggers(faults *fault.Collector, spoken dialect.Dialect, s *subscription.Subscription, strict bool) {
	if len(s.Triggers) > maxTriggers {
		faults.Add("/triggers", "There are too many triggers (maximum is %d).", maxTriggers)
		return
	}
	for i, trigger := range s.Triggers {
		pointer := "/triggers/" + strconv.Itoa(i)
		switch {
		case trigger == "" || !printable(trigger) || len(trigger) > maxName:
			faults.Add(pointer, "A trigger must be 1 to %d printable characters.", maxName)
		case strict && !slices.ContainsFunc(spoken.Triggers(s.Scope().Level), func(t dialect.Trigger) bool { return t.Value == trigger }):
			faults.Add(pointer, "The dialect %s has no trigger %q for subscriptions of level %q.", s.Dialect, clip(trigger), s.Scope().Level)
		}
	}
}

func checkHeaders(faults *fault.Collector, spoken dialect.Dialect, s *subscription.Subscription, plain subscription.Secrets) {
	repeats, ok := spoken.(dialect.RepeatedHeaders)
	once := !ok || !repeats.RepeatsHeaders()
	keys := subscription.HeaderKeys(s.Headers)
	if len(s.Headers) > maxHeaders {
		faults.Add("/headers", "There are too many headers (maximum is %d).", maxHeaders)
		return
	}
	for i, h := range s.Headers {
		pointer := "/headers/" + strconv.Itoa(i)
		same := func(o subscription.Header) bool { return strings.EqualFold(o.Name, h.Name) }
		switch {
		case !isToken(h.Name):
			faults.Add(pointer+"/name", "%q can not be the name of a header.", clip(h.Name))
		case once && slices.ContainsFunc(s.Headers[:i], same):
			faults.Add(pointer+"/name", "The header %q is listed twice.", clip(h.Name))
		case strings.ContainsFunc(plain.Headers[keys[i]], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			faults.Add(pointer+"/value", "The value of header %q must not have control characters.", clip(h.Name))
		case len(plain.Headers[keys[i]]) > maxSecret:
			faults.Add(pointer+"/value", "The value of header %q is too long (maximum is %d bytes).", clip(h.Name), maxSecret)
		}
	}
}

// isToken reports whether a name is a token of RFC 9110.
func isToken(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return r > 0x7f || !isAlnum(byte(r)) && !strings.ContainsRune(others, r)
	})
}

func checkSizes(faults *fault.Collector, s *subscription.Subscription, plain subscription.Secrets) {
	if len(plain.Secret) > maxSecret {
		faults.Add("/secret", "The secret is too long (maximum is %d bytes).", maxSecret)
	}
	if len(s.Settings) > maxSettings || (len(s.Settings) > 0 && !json.Valid(s.Settings)) {
		faults.Add("/settings", "The settings must be JSON of at most %d bytes.", maxSettings)
	}
	v := s.Delivery
	if v.MaxAttempts < 0 || v.MaxAttempts > 1000 {
		faults.Add("/delivery/max_attempts", "This must be between 0 and 1000.")
	}
	if v.Timeout < 0 {
		faults.Add("/delivery/timeout", "This can not be negative.")
	}
	if v.Concurrency < 0 || v.Concurrency > 100 {
		faults.Add("/delivery/concurrency", "This must be between 0 and 100.")
	}
	if v.PerSecond < 0 || math.IsNaN(v.PerSecond) || math.IsInf(v.PerSecond, 0) {
		faults.Add("/delivery/per_second", "This must be a positive number, or 0 for no limit.")
	}
}

// checkDestination checks channel and address, the latter as far as its shape goes.
func checkDestination(faults *fault.Collector, spoken dialect.Dialect, s *subscription.Subscription, plain subscription.Secrets) {
	switch {
	case !offers(spoken, s.Channel):
		faults.Add("/channel", "The dialect %s has no channel %q.", s.Dialect, clip(string(s.Channel)))
	case s.Channel == subscription.ChannelEmail:
		if plain.URL != "" {
			faults.Add("/url", "A mail subscription has no URL.")
		}
	case plain.URL == "":
		faults.Add("/url", "The URL can't be blank.")
	case s.Channel == subscription.ChannelTrigger || s.Channel == subscription.ChannelWork:
		if len(plain.URL) > maxURL || !printable(plain.URL) {
			faults.Add("/url", "This must be at most %d printable characters.", maxURL)
		}
	case !isHTTPURL(plain.URL):
		faults.Add("/url", "The URL must be absolute, begin with http:// or https://, name a host, and have at most %d characters.", maxURL)
	}
}

// checkAllowed asks the guard about the address, unless the dialect's platform judges addresses only when it sends.
func (m *Manage) checkAllowed(spoken dialect.Dialect, s *subscription.Subscription, plain subscription.Secrets) error {
	late, ok := spoken.(dialect.LateAddressCheck)
	if m.checkURL == nil || !hasURL(s.Channel) || (ok && late.ChecksAddressLate()) {
		return nil
	}
	err := m.checkURL(plain.URL)
	if err == nil {
		return nil
	}
	return &fault.Error{Code: fault.Invalid, Field: "/url", Message: publicText(err, "The URL is not allowed as a destination."), Cause: err}
}

// hasURL reports whether a channel sends to an address that a subscription names.
func hasURL(channel subscription.Channel) bool {
	return channel != subscription.ChannelEmail && channel != subscription.ChannelTrigger && channel != subscription.ChannelWork
}

// offers reports whether a dialect's subscriptions may take the channel. Work is what a dialect asks for itself.
func offers(spoken dialect.Dialect, channel subscription.Channel) bool {
	if channel == subscription.ChannelWork {
		_, ok := spoken.(dialect.Worker)
		return ok
	}
	return slices.Contains(spoken.Channels(), channel)
}

func isHTTPURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Opaque == "" && u.Hostname() != "" &&
		len(text) <= maxURL && printable(text)
}

// publicText is a fault's message, or a general one for other errors: those are not meant for the caller.
func publicText(err error, otherwise string) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Message
	}
	return otherwise
}

func (m *Manage) checkRecipients(faults *fault.Collector, d *draft) {
	s := d.next
	if len(s.Emails)+len(s.UserIDs) > maxMails {
		faults.Add("/emails", "There are too many recipients (maximum is %d).", maxMails)
		return
	}
	for i, address := range s.Emails {
		checkAddress(faults, "/emails/"+strconv.Itoa(i), address)
	}
	for i, user := range s.UserIDs {
		had := d.old != nil && slices.Contains(d.old.UserIDs, user)
		if !had && !m.directory.belongs(user, s.OrganizationID) {
			faults.Add("/user_ids/"+strconv.Itoa(i), "The user %q is not a member of the organization.", user)
		}
	}
}
