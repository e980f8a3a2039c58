package webhook

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign sets the headers by which a request of the dialect is verified: for tests of your receiver. Scalr's Date and the
// time of Standard Webhooks are at; the latter also needs its header webhook-id to be set before.
func Sign(d Dialect, h http.Header, body []byte, secret string, at time.Time) error {
	key := []byte(secret)
	switch d {
	case TFE:
		h.Set(HeaderTFESignature, hex.EncodeToString(sum(sha512.New, key, body)))
	case Scalr:
		date := at.UTC().Format(scalrDate)
		h.Set("Date", date)
		h.Set(HeaderScalrSignature, hex.EncodeToString(sum(sha256.New, key, body, []byte(date))))
	case Spacelift:
		h.Set(HeaderSpaceliftSHA1, "sha1="+hex.EncodeToString(sum(sha1.New, key, body)))
		h.Set(HeaderSpaceliftSignature, "sha256="+hex.EncodeToString(sum(sha256.New, key, body)))
	case Pulumi:
		h.Set(HeaderPulumiSignature, hex.EncodeToString(sum(sha256.New, key, body)))
	case Standard:
		id, stamp := h.Get(HeaderStandardID), strconv.FormatInt(at.Unix(), 10)
		if id == "" {
			return fmt.Errorf("%w: set the header %s first", ErrMissing, HeaderStandardID)
		}
		h.Set(HeaderStandardTimestamp, stamp)
		h.Set(HeaderStandardSignature, "v1,"+base64.StdEncoding.EncodeToString(standardSum(secret, id, stamp, body)))
	default:
		return fmt.Errorf("%w: %q", ErrUnknown, d)
	}
	return nil
}
