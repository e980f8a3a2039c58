package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	HeaderStandardID        = "webhook-id"
	HeaderStandardTimestamp = "webhook-timestamp"
	HeaderStandardSignature = "webhook-signature"
)

// verifyStandard checks the headers of Standard Webhooks (https://www.standardwebhooks.com). The header may hold several
// signatures, of several versions and by several secrets; one that matches suffices.
func (o Options) verifyStandard(h http.Header, body []byte) error {
	id, _ := value(h, HeaderStandardID)
	stamp, _ := value(h, HeaderStandardTimestamp)
	signatures, _ := value(h, HeaderStandardSignature)
	for name, text := range map[string]string{
		HeaderStandardID: id, HeaderStandardTimestamp: stamp, HeaderStandardSignature: signatures,
	} {
		if text == "" {
			return fmt.Errorf("%w: there is no header %s", ErrMissing, name)
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: header %s must be the seconds since 1970", ErrMalformed, HeaderStandardTimestamp)
	}
	found, known := false, false
	for _, signature := range strings.Fields(signatures) {
		text, ok := strings.CutPrefix(signature, "v1,")
		claimed, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			continue
		}
		known = true
		for _, secret := range o.Secrets {
			if hmac.Equal(claimed, standardSum(secret, id, stamp, body)) {
				found = true
			}
		}
	}
	switch {
	case !known:
		return fmt.Errorf("%w: header %s holds no signature of version v1", ErrMalformed, HeaderStandardSignature)
	case !found:
		return fmt.Errorf("%w: header %s was made with another secret, or over another id, time or body", ErrMismatch, HeaderStandardSignature)
	}
	return o.checkTime("header "+HeaderStandardTimestamp, time.Unix(seconds, 0))
}

func standardSum(secret, id, stamp string, body []byte) []byte {
	return sum(sha256.New, standardKey(secret), []byte(id+"."+stamp+"."), body)
}

// standardKey returns the key that a secret stands for: the bytes behind "whsec_", which are in base64, or its own bytes.
func standardKey(secret string) []byte {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding} {
			if key, err := encoding.DecodeString(encoded); err == nil {
				return key
			}
		}
	}
	return []byte(secret)
}
