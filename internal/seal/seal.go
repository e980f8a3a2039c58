// Package seal keeps secrets unreadable at rest.
//
// A secret is sealed with AES-256-GCM under one key of a Keyring; the text says which key. The place where it is stored
// (row and field) goes in as associated data, so that a sealed text that was copied to another row does not open there.
// The package never logs and never returns a secret in an error.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Sealed is a sealed secret: "s1.<key id>.<base64url of nonce and ciphertext>". It is safe to store and to log. Empty
// means that there is no secret.
type Sealed string

// KeySize is the length of a master key in bytes.
const KeySize = 32

const scheme = "s1"

// Errors of Open.
var (
	ErrMalformed  = errors.New("sealed secret is malformed")
	ErrUnknownKey = errors.New("sealed secret needs a key that is not in the keyring")
	ErrWrongPlace = errors.New("sealed secret does not open: wrong key or moved from another place")
)

// Keyring holds the master keys. The first seals; all open. It is safe for concurrent use.
type Keyring struct {
	keys []key
}

type key struct {
	id   string
	aead cipher.AEAD
	raw  []byte
}

// NewKeyring takes one or more keys of KeySize bytes; the first is the one that seals.
func NewKeyring(raw ...[]byte) (*Keyring, error) {
	if len(raw) == 0 {
		return nil, errors.New("a keyring needs at least one key")
	}
	ring := &Keyring{}
	for i, r := range raw {
		if len(r) != KeySize {
			return nil, fmt.Errorf("master key %d has %d bytes, want %d", i+1, len(r), KeySize)
		}
		block, err := aes.NewCipher(r)
		if err != nil {
			return nil, fmt.Errorf("master key %d: %w", i+1, err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("master key %d: %w", i+1, err)
		}
		ring.keys = append(ring.keys, key{id: keyID(r), aead: aead, raw: append([]byte(nil), r...)})
	}
	return ring, nil
}

// NewKey returns a fresh random master key.
func NewKey() []byte {
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return raw
}

// ParseKeys reads a key file or variable: one key a line, each 64 hex digits or 44 characters of base64. Blank lines and
// lines that start with # are skipped. The first key seals.
func ParseKeys(text string) ([][]byte, error) {
	var keys [][]byte
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := hex.DecodeString(line)
		if err != nil {
			raw, err = base64.StdEncoding.DecodeString(line)
		}
		if err != nil || len(raw) != KeySize {
			return nil, fmt.Errorf("line %d is not a master key: want %d bytes as 64 hex digits or base64", i+1, KeySize)
		}
		keys = append(keys, raw)
	}
	if len(keys) == 0 {
		return nil, errors.New("no master key found")
	}
	return keys, nil
}

// Seal seals a secret for a place, such as "subscription/0d5vk…/url". The empty secret stays empty.
func (r *Keyring) Seal(secret, place string) Sealed {
	if secret == "" {
		return ""
	}
	k := r.keys[0]
	box := k.aead.Seal(nil, nil, []byte(secret), []byte(place))
	return Sealed(scheme + "." + k.id + "." + base64.RawURLEncoding.EncodeToString(box))
}

// Open returns the secret that was sealed for the place.
func (r *Keyring) Open(s Sealed, place string) (string, error) {
	if s == "" {
		return "", nil
	}
	parts := strings.Split(string(s), ".")
	if len(parts) != 3 || parts[0] != scheme {
		return "", ErrMalformed
	}
	box, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return "", ErrMalformed
	}
	for _, k := range r.keys {
		if k.id != parts[1] {
			continue
		}
		plain, err := k.aead.Open(nil, nil, box, []byte(place))
		if err != nil {
			return "", ErrWrongPlace
		}
		return string(plain), nil
	}
	return "", ErrUnknownKey
}

// Current reports whether s is sealed with the key that seals now; rotation re-seals what is not.
func (r *Keyring) Current(s Sealed) bool {
	return s == "" || strings.HasPrefix(string(s), scheme+"."+r.keys[0].id+".")
}

// Fingerprint returns a keyed hash of a secret, stable as long as the oldest key stays in the ring: it tells whether two
// secrets are alike without revealing either. It is 64 hex digits.
func (r *Keyring) Fingerprint(secret string) string {
	oldest := r.keys[len(r.keys)-1]
	mac := hmac.New(sha256.New, oldest.raw)
	_, _ = mac.Write([]byte("fingerprint\x00" + secret))
	return hex.EncodeToString(mac.Sum(nil))
}

func keyID(raw []byte) string {
	sum := sha256.Sum256(append([]byte("carillon master key\x00"), raw...))
	return hex.EncodeToString(sum[:4])
}
