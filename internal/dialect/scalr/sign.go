package scalr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
)

// Headers of a delivery beside Content-Type (§2).
const (
	headerDate      = "Date"
	headerDelivery  = "X-Scalr-Delivery-Id"
	headerSignature = "X-Signature"
)

// headerDateLayout is the form of the Date header, which is not that of HTTP; the time is UTC (§2).
const headerDateLayout = "2006-01-02T15:04:05-0700"

// Sign adds the moment of the attempt, the delivery's identifier, and the signature of the body and that moment: each
// attempt is signed anew (§2.1). The scheme has room for one signature, so a prior secret does not sign. Without a secret,
// which only our own API allows, there is no signature.
func (*Dialect) Sign(msg *delivery.Message, s dialect.Signing) {
	date := s.At.UTC().Format(headerDateLayout)
	msg.Set(headerDate, date)
	msg.Set(headerDelivery, deliveryIDs.Encode(s.Delivery.ID))
	if len(s.Secrets) > 0 && s.Secrets[0] != "" {
		msg.Set(headerSignature, hex.EncodeToString(signature(s.Secrets[0], msg.Body, []byte(date))))
	}
}

// signature is HMAC-SHA256 of the parts one after the other, keyed by the secret's UTF-8 bytes.
func signature(secret string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, part := range parts {
		_, _ = mac.Write(part) // a hash never fails to write
	}
	return mac.Sum(nil)
}
