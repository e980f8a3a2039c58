package dispatch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// whsec marks a secret that is the base64 of the key, as Standard Webhooks has it.
const whsec = "whsec_"

// seal completes a message for one attempt: address and headers of the subscription, the Standard Webhooks headers, the
// dialect's signature. The dialect signs last: a header of the subscription never replaces a signature.
func (d *Dispatcher) seal(msg *delivery.Message, speaker dialect.Dialect, s *subscription.Subscription, o *opened, row *delivery.Delivery, at time.Time) error {
	if msg.Channel == "" {
		msg.Channel = s.Channel
	}
	if msg.Mail == nil {
		d.address(msg, o)
		if secrets := o.signing(s, at); len(secrets) > 0 && standard(speaker, s) {
			standardHeaders(msg, row.ID.String(), at, secrets)
		}
	}
	return guarded(func() {
		speaker.Sign(msg, dialect.Signing{
			Secrets: o.signing(s, at), At: at, Delivery: row, Subscription: s, Site: d.deps.Site,
		})
	})
}

// address gives a request its URL and the subscription's own headers. The first of a name replaces what the dialect set,
// further ones are further lines.
func (d *Dispatcher) address(msg *delivery.Message, o *opened) {
	if msg.URL == "" {
		msg.URL = o.url
	}
	if msg.Get("User-Agent") == "" && !msg.PlainClient {
		msg.Set("User-Agent", d.deps.Site.UserAgent())
	}
	for i, h := range o.headers {
		if slices.ContainsFunc(msg.Held, func(held string) bool { return strings.EqualFold(held, h.Name) }) {
			continue
		}
		again := false
		for _, earlier := range o.headers[:i] {
			again = again || strings.EqualFold(earlier.Name, h.Name)
		}
		if again {
			msg.Add(h.Name, h.Value)
		} else {
			msg.Set(h.Name, h.Value)
		}
	}
	msg.Masked = append(msg.Masked, o.masked...)
}

// standard reports whether deliveries to the subscription carry the Standard Webhooks headers.
func standard(speaker dialect.Dialect, s *subscription.Subscription) bool {
	if choice := s.Delivery.Standard; choice != nil {
		return *choice
	}
	if says, ok := speaker.(dialect.StandardHeaders); ok {
		return says.StandardByDefault()
	}
	return true
}

// standardHeaders adds the Standard Webhooks headers: an identifier that is the same on every attempt, the time of this
// one, and a signature by each secret that counts.
func standardHeaders(msg *delivery.Message, id string, at time.Time, secrets []string) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		mac := hmac.New(sha256.New, standardKey(secret))
		_, _ = mac.Write([]byte(id + "." + stamp + "."))
		_, _ = mac.Write(msg.Body)
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	msg.Set(dialect.HeaderStandardID, id)
	msg.Set(dialect.HeaderStandardTimestamp, stamp)
	msg.Set(dialect.HeaderStandardSignature, strings.Join(signatures, " "))
}

// standardKey returns the key that a secret stands for: the bytes behind "whsec_" when it has that form, its own bytes
// otherwise.
func standardKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, whsec); ok {
		if key, err := base64.StdEncoding.DecodeString(encoded); err == nil {
			return key
		}
		if key, err := base64.RawStdEncoding.DecodeString(encoded); err == nil {
			return key
		}
	}
	return []byte(secret)
}

// fingerprint returns the first 8 bytes of the SHA-256 of what a message says, and its length.
func fingerprint(msg *delivery.Message) (hash uint64, size int) {
	body := msg.Body
	if m := msg.Mail; m != nil {
		body = []byte(m.Subject + "\n" + m.Text + "\n" + m.HTML)
	}
	sum := sha256.Sum256(body)
	return binary.BigEndian.Uint64(sum[:8]), len(body)
}
