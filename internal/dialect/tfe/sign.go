package tfe

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// SignatureHeader is spelled as the platform documents it, not as Go canonicalizes it (§2).
const SignatureHeader = "X-TFE-Notification-Signature"

// Sign adds the signature of the body under the current token. Without a token the header is there and empty. The scheme
// has room for one signature, so a prior token does not sign. Slack and Teams know no signature (§2).
func (*Dialect) Sign(msg *delivery.Message, s dialect.Signing) {
	if msg.Channel != subscription.ChannelWebhook {
		return
	}
	value := ""
	if len(s.Secrets) > 0 && s.Secrets[0] != "" {
		value = hex.EncodeToString(signature(s.Secrets[0], msg.Body))
	}
	msg.Set(SignatureHeader, value)
}

// signature is HMAC-SHA512 of the exact bytes, keyed by the token's UTF-8 bytes.
func signature(token string, body []byte) []byte {
	mac := hmac.New(sha512.New, []byte(token))
	_, _ = mac.Write(body) // a hash never fails to write
	return mac.Sum(nil)
}
