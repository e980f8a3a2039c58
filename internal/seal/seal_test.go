package seal_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"carillon/internal/seal"
)

const place = "subscription/1/secret"

func ring(t *testing.T, keys ...[]byte) *seal.Keyring {
	t.Helper()
	r, err := seal.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealOpens(t *testing.T) {
	t.Parallel()
	r := ring(t, seal.NewKey())
	for _, secret := range []string{"", "x", "schlüssel 🔑", strings.Repeat("a", 10_000)} {
		sealed := r.Seal(secret, place)
		if secret != "" && strings.Contains(string(sealed), secret) && len(secret) > 1 {
			t.Errorf("sealed text shows the secret: %q", sealed)
		}
		if got, err := r.Open(sealed, place); err != nil || got != secret {
			t.Errorf("Open = %q, %v; want %q", got, err, secret)
		}
	}
	first := r.Seal("x", place)
	if second := r.Seal("x", place); first == second {
		t.Error("sealing twice gives the same text")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	r := ring(t, seal.NewKey())
	sealed := r.Seal("secret", place)
	flipped := []byte(sealed)
	flipped[len(flipped)-2] ^= 1
	cases := map[string]struct {
		text seal.Sealed
		at   string
		ring *seal.Keyring
		want error
	}{
		"another row":   {sealed, "subscription/2/secret", r, seal.ErrWrongPlace},
		"another field": {sealed, "subscription/1/url", r, seal.ErrWrongPlace},
		"unknown key":   {sealed, place, ring(t, seal.NewKey()), seal.ErrUnknownKey},
		"tampered":      {seal.Sealed(flipped), place, r, seal.ErrWrongPlace},
		"not sealed":    {"plain", place, r, seal.ErrMalformed},
		"bad base64":    {"s1.00000000.***", place, r, seal.ErrMalformed},
	}
	for name, c := range cases {
		if _, err := c.ring.Open(c.text, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: err = %v, want %v", name, err, c.want)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	oldKey, newKey := seal.NewKey(), seal.NewKey()
	before := ring(t, oldKey)
	sealed := before.Seal("secret", place)
	after := ring(t, newKey, oldKey)
	if got, err := after.Open(sealed, place); err != nil || got != "secret" {
		t.Fatalf("old text does not open after rotation: %q, %v", got, err)
	}
	if after.Current(sealed) || !after.Current(after.Seal("x", place)) || !after.Current("") {
		t.Error("Current does not tell old from new")
	}
	if before.Fingerprint("s") != after.Fingerprint("s") || before.Fingerprint("s") == before.Fingerprint("t") {
		t.Error("fingerprints are not stable, or not distinct")
	}
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	a, b := seal.NewKey(), seal.NewKey()
	text := "# newest first\n" + hex.EncodeToString(a) + "\n\n" + base64.StdEncoding.EncodeToString(b) + "\n"
	keys, err := seal.ParseKeys(text)
	if err != nil || len(keys) != 2 || string(keys[0]) != string(a) || string(keys[1]) != string(b) {
		t.Fatalf("ParseKeys = %v, %v", keys, err)
	}
	for _, bad := range []string{"", "# only a comment", "short", hex.EncodeToString(a[:31])} {
		if _, err := seal.ParseKeys(bad); err == nil || strings.Contains(err.Error(), "short") {
			t.Errorf("ParseKeys(%q): err = %v", bad, err)
		}
	}
	if _, err := seal.NewKeyring(); err == nil {
		t.Error("an empty keyring was accepted")
	}
	if _, err := seal.NewKeyring([]byte("short")); err == nil {
		t.Error("a short key was accepted")
	}
}
