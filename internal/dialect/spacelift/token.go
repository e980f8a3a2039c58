package spacelift

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"carillon/internal/ident"
)

// tokenLife is how long a token is good for (§7): the platform's clients never renew one during an apply.
const tokenLife = 10 * time.Hour

// What a token of an API key says (§7).
const (
	issuerAPIKey  = "api-key"
	subjectPrefix = "api::"
)

// claims are what a token holds. Account is ours: which of the installation's organizations it is for.
type claims struct {
	Audience string   `json:"aud"`
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Expires  int64    `json:"exp"`
	Issued   int64    `json:"iat"`
	Account  ident.ID `json:"account"`
}

// tokenHeader is the only header that is issued and accepted.
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// issue signs a token.
func (a *api) issue(c claims) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(a.tokenSignature(text)), nil
}

// tokenSignature signs with a key of the installation that is used for nothing else.
func (a *api) tokenSignature(text string) []byte {
	mac := hmac.New(sha256.New, []byte(a.Sessions.Fingerprint(Name+"/token", "")))
	_, _ = mac.Write([]byte(text))
	return mac.Sum(nil)
}

// proven returns a token's claims; ok is false for one that is not ours, not for here, or over.
func (a *api) proven(token string) (c claims, ok bool) {
	text, signature, found := cutLast(token, ".")
	given, err := base64.RawURLEncoding.DecodeString(signature)
	if !found || err != nil || !hmac.Equal(given, a.tokenSignature(text)) {
		return claims{}, false
	}
	header, body, found := strings.Cut(text, ".")
	if !found || header != tokenHeader {
		return claims{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}, false
	}
	fine := c.Audience == a.Site.BaseURL && c.Issuer == issuerAPIKey && a.Now().Unix() < c.Expires
	return c, fine
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
