package spacelift

import (
	"crypto/hmac"
	"crypto/sha1" // one of the platform's two signatures (§2.2)
	"crypto/sha256"
	"encoding/hex"
	"hash"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// The signatures' headers and prefixes (§2.2).
const (
	headerSHA1   = "X-Signature"
	headerSHA256 = "X-Signature-256"
	prefixSHA1   = "sha1="
	prefixSHA256 = "sha256="
)

// Sign adds both signatures of the body under the current secret. Without a secret the key is empty; the headers are
// there all the same (§2.2). The scheme has room for one signature, so a prior secret does not sign.
func (d *Dialect) Sign(msg *delivery.Message, s dialect.Signing) {
	if msg.Channel == subscription.ChannelWork {
		return
	}
	secret := ""
	if len(s.Secrets) > 0 {
		secret = s.Secrets[0]
	}
	if !d.NoSHA1 {
		msg.Set(headerSHA1, signatureSHA1(secret, msg.Body))
	}
	msg.Set(headerSHA256, signatureSHA256(secret, msg.Body))
}

func signatureSHA1(secret string, body []byte) string {
	return prefixSHA1 + signature(sha1.New, secret, body)
}

func signatureSHA256(secret string, body []byte) string {
	return prefixSHA256 + signature(sha256.New, secret, body)
}

func signature(function func() hash.Hash, secret string, body []byte) string {
	mac := hmac.New(function, []byte(secret))
	_, _ = mac.Write(body) // a hash never fails to write
	return hex.EncodeToString(mac.Sum(nil))
}
