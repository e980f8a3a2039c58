package pulumi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/subscription"
)

// Sign adds the delivery's ID and, where there is a secret, the signature of the body (§2.1, §2.3). Both go with every
// format. The scheme has room for one signature, so a prior secret does not sign.
func (d *Dialect) Sign(msg *delivery.Message, s dialect.Signing) {
	if msg.Channel == subscription.ChannelTrigger {
		d.Upstream.direct(msg, settingsOf(s.Subscription).Organization)
	}
	if s.Delivery != nil {
		msg.Set(headerID, deliveryUUID(s.Delivery.Stable()))
	}
	if len(s.Secrets) > 0 && s.Secrets[0] != "" {
		msg.Set(headerSignature, hex.EncodeToString(signature(s.Secrets[0], msg.Body)))
	}
}

// signature is HMAC-SHA256 of the exact bytes, keyed by the secret's UTF-8 bytes as they are.
func signature(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body) // a hash never fails to write
	return mac.Sum(nil)
}
