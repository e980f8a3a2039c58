package manage

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"carillon/internal/fault"
	"carillon/internal/seal"
	"carillon/internal/subscription"
)

// The fields of a subscription that are sealed; see subscription.Place.
const (
	fieldURL    = "url"
	fieldSecret = "secret"
	fieldPrior  = "prior_secret"
	fieldHeader = "header/"
)

// Alphabets of generated secrets.
const (
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	secretLength = 40
)

// Open returns the plain secrets of a subscription. It is a function of values, so that whoever delivers can use it too.
func Open(keyring *seal.Keyring, s *subscription.Subscription, now time.Time) (subscription.Secrets, error) {
	var plain subscription.Secrets
	open := func(to *string, sealed seal.Sealed, field string) error {
		text, err := keyring.Open(sealed, subscription.Place(s.ID, field))
		*to = text
		return err
	}
	if err := open(&plain.URL, s.URL, fieldURL); err != nil {
		return subscription.Secrets{}, err
	}
	if err := open(&plain.Secret, s.Secret, fieldSecret); err != nil {
		return subscription.Secrets{}, err
	}
	if now.Before(s.PriorUntil) {
		if err := open(&plain.Prior, s.PriorSecret, fieldPrior); err != nil {
			return subscription.Secrets{}, err
		}
	}
	plain.Headers = make(map[string]string, len(s.Headers))
	for i, key := range subscription.HeaderKeys(s.Headers) {
		var value string
		if err := open(&value, s.Headers[i].Value, headerField(s.Headers[i].Name)); err != nil {
			return subscription.Secrets{}, err
		}
		plain.Headers[key] = value
	}
	return plain, nil
}

func headerField(name string) string { return fieldHeader + strings.ToLower(name) }

// open is Open with this installation's keys.
func (m *Manage) open(s *subscription.Subscription) (subscription.Secrets, error) {
	return Open(m.keyring, s, m.utcNow())
}

// sealInto seals the plain secrets into a subscription. What did not change keeps its old text. old is nil for a new
// subscription.
func (m *Manage) sealInto(s *subscription.Subscription, plain subscription.Secrets, old *subscription.Subscription, was subscription.Secrets) {
	if old == nil {
		old = &subscription.Subscription{}
	}
	once := func(now, before string, sealed seal.Sealed, field string) seal.Sealed {
		if now == before && now != "" && sealed != "" {
			return sealed
		}
		return m.keyring.Seal(now, subscription.Place(s.ID, field))
	}
	s.URL = once(plain.URL, was.URL, old.URL, fieldURL)
	s.Secret = once(plain.Secret, was.Secret, old.Secret, fieldSecret)
	s.PriorSecret = once(plain.Prior, was.Prior, old.PriorSecret, fieldPrior)
	if s.PriorSecret == "" {
		s.PriorUntil = time.Time{}
	}
	kept := make(map[string]seal.Sealed, len(old.Headers))
	for i, key := range subscription.HeaderKeys(old.Headers) {
		kept[key] = old.Headers[i].Value
	}
	for i, key := range subscription.HeaderKeys(s.Headers) {
		s.Headers[i].Value = once(plain.Headers[key], was.Headers[key], kept[key], headerField(s.Headers[i].Name))
	}
}

// rotate keeps the secret before a change for the overlap, or drops what was kept when the secret did not change and the
// caller took it away.
func rotate(s *subscription.Subscription, plain *subscription.Secrets, was subscription.Secrets, overlap time.Duration, now time.Time) {
	if plain.Secret == was.Secret {
		if plain.Prior == "" {
			s.PriorUntil = time.Time{}
		}
		return
	}
	plain.Prior, s.PriorUntil = "", time.Time{}
	if overlap > 0 && was.Secret != "" && plain.Secret != "" {
		plain.Prior, s.PriorUntil = was.Secret, now.Add(overlap)
	}
}

// arrangeHeaders makes the list of headers follow the plain values: these decide which headers there are, the list gives
// their order and which are sensitive. A value that the list does not know is taken as sensitive.
func arrangeHeaders(s *subscription.Subscription, plain subscription.Secrets) {
	var arranged []subscription.Header
	placed := make(map[string]bool, len(plain.Headers))
	for i, key := range subscription.HeaderKeys(s.Headers) {
		if _, has := plain.Headers[key]; has {
			arranged = append(arranged, s.Headers[i])
			placed[key] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plain.Headers)) {
		if !placed[name] {
			arranged = append(arranged, subscription.Header{Name: name, Sensitive: true})
		}
	}
	s.Headers = arranged
}

// cloneSecrets returns a copy that shares nothing.
func cloneSecrets(plain subscription.Secrets) subscription.Secrets {
	plain.Headers = maps.Clone(plain.Headers)
	if plain.Headers == nil {
		plain.Headers = make(map[string]string)
	}
	return plain
}

// Shape is how the text of a secret or token is spelled. The zero Shape is a token of Carillon's own.
type Shape struct {
	Prefix   string
	Alphabet string // letters and digits when empty
	Length   int    // random characters after the prefix, 40 when 0
}

// minBits is the least randomness of a token: its hash is a fast one.
const minBits = 128

// text draws a new random text.
func (s Shape) text() (string, error) {
	if s == (Shape{}) {
		s.Prefix = "carillon_"
	}
	alphabet, length := cmp.Or(s.Alphabet, alphanumeric), cmp.Or(s.Length, secretLength)
	bits := 0
	for n := len(alphabet); n > 1; n /= 2 {
		bits++ // rounded down
	}
	if bits*length < minBits || len(alphabet) > 256 {
		return "", fault.New(fault.Invalid, "A token of this shape could be guessed; it needs at least %d random bits.", minBits)
	}
	return s.Prefix + randomText(alphabet, length), nil
}

// randomText draws characters of an alphabet of at most 256, each equally likely.
func randomText(alphabet string, length int) string {
	limit := 256 - 256%len(alphabet)
	out := make([]byte, 0, length)
	var raw [64]byte
	for len(out) < length {
		_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
		for _, b := range raw {
			if int(b) < limit && len(out) < length {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
