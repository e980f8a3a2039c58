package scalr

import (
	"crypto/rand"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	urlLimit    = 2048
	secretLimit = 512
)

// address reads a URL, which is kept byte for byte: a changed spelling is a permanent difference to the provider (§8). Where
// it leads is judged when it is sent to.
func (in *input) address(into *string, fresh bool, list *problems) {
	if !fresh && !in.has("url") {
		return
	}
	var text string
	switch {
	case !in.take("url", &text):
		list.invalid("url", "Url must be a string.")
	case text == "":
		list.invalid("url", "Url cannot be empty.")
	case len(text) > urlLimit || !isAbsolute(text):
		list.invalid("url", "Url must be an absolute http or https address with a host, of at most 2048 characters.")
	default:
		*into = text
	}
}

func isAbsolute(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Opaque == "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// secret reads a secret key. None, an empty one or null keeps what is there, and makes one up where there is none (§5.3).
func (in *input) secret(into *string, list *problems) {
	var text string
	switch {
	case !in.take("secret-key", &text):
		list.invalid("secret-key", "Secret key must be a string.")
	case utf8.RuneCountInString(text) > secretLimit:
		list.invalid("secret-key", "Secret key is too long (maximum is 512 characters).")
	case text != "":
		*into = text
	case *into == "":
		*into = newSecret()
	}
}

const (
	secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	secretLength   = 32
)

// newSecret draws a secret with letters of both cases and digits.
func newSecret() string {
	for {
		if text := randomText(); strings.ContainsAny(text, "0123456789") && strings.ToLower(text) != text && strings.ToUpper(text) != text {
			return text
		}
	}
}

// randomText draws characters of the alphabet, each equally likely.
func randomText() string {
	const most = 256 - 256%len(secretAlphabet)
	text := make([]byte, 0, secretLength)
	var raw [2 * secretLength]byte
	for len(text) < secretLength {
		_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
		for _, b := range raw {
			if int(b) < most && len(text) < secretLength {
				text = append(text, secretAlphabet[int(b)%len(secretAlphabet)])
			}
		}
	}
	return string(text)
}
