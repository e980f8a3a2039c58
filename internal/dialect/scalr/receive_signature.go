package scalr

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"carillon/internal/dialect"
	"carillon/internal/fault"
)

// Options of an inbound source (§9).
const (
	optionSignature = "signature" // "auto", or "body+date" for the documented order alone
	optionTolerance = "tolerance" // seconds that the request's date may differ from now; 0 does not look
)

// The ways in which a signature may cover a request. Only the first is what we send; the others are accepted because the
// platform's text leaves open what it signs beside the body (§2.1).
const (
	schemeBodyDate = "body+date"
	schemeBody     = "body"
	schemeDateBody = "date+body"
	schemeUnsigned = "unsigned"
)

const defaultTolerance = 300 * time.Second

// checkSignature says which way of signing matched. A source without a secret accepts only when it was made to.
func checkSignature(in dialect.Inbound) (scheme string, err error) {
	if len(in.Secrets) == 0 {
		if in.Unsigned {
			return schemeUnsigned, nil
		}
		return "", fault.New(fault.Unauthorized, "The source has no secret and was not made to accept unsigned requests.")
	}
	given, err := hex.DecodeString(header(in.Header, headerSignature)) // takes upper case too
	if err != nil || len(given) != sha256.Size {
		return "", fault.New(fault.Unauthorized, "The header %s must hold 64 hexadecimal digits.", headerSignature)
	}
	if scheme = matching(in, given); scheme == "" {
		return "", fault.New(fault.Unauthorized, "The header %s does not hold the signature under the source's secret.", headerSignature)
	}
	if scheme == schemeBody {
		return scheme, nil // the date is not signed, so it proves nothing
	}
	return scheme, checkDate(in)
}

// matching compares in constant time, in the order of §9; "" when nothing matches.
func matching(in dialect.Inbound, given []byte) string {
	date := []byte(header(in.Header, headerDate))
	ways := []struct {
		scheme string
		parts  [][]byte
	}{
		{schemeBodyDate, [][]byte{in.Body, date}},
		{schemeBody, [][]byte{in.Body}},
		{schemeDateBody, [][]byte{date, in.Body}},
	}
	if in.Options[optionSignature] == schemeBodyDate {
		ways = ways[:1]
	}
	for _, way := range ways {
		if way.scheme != schemeBody && len(date) == 0 {
			continue // it would be the body alone
		}
		for _, secret := range in.Secrets {
			if secret != "" && hmac.Equal(given, signature(secret, way.parts...)) {
				return way.scheme
			}
		}
	}
	return ""
}

// checkDate refuses requests that were recorded and sent again later.
func checkDate(in dialect.Inbound) error {
	tolerance := defaultTolerance
	if n, err := strconv.Atoi(in.Options[optionTolerance]); err == nil && n >= 0 {
		tolerance = time.Duration(n) * time.Second
	}
	if tolerance == 0 {
		return nil
	}
	date, ok := requestDate(header(in.Header, headerDate))
	if !ok {
		return fault.New(fault.Unauthorized, "The header %s is not a time.", headerDate)
	}
	if age := in.At.Sub(date); age.Abs() > tolerance {
		return fault.New(fault.Unauthorized, "The header %s is %s away from now; at most %s are accepted.", headerDate, age.Abs().Round(time.Second), tolerance)
	}
	return nil
}

// requestDate reads the Date header: the platform's form, or one of the usual ones.
func requestDate(text string) (time.Time, bool) {
	for _, layout := range []string{headerDateLayout, time.RFC3339Nano} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	t, err := http.ParseTime(text)
	return t, err == nil
}
