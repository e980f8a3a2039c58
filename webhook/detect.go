package webhook

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Detect tells which dialect a request speaks, by its headers, else by the shape of its body. It proves nothing: verify
// afterwards.
func Detect(h http.Header, body []byte) (d Dialect, ok bool) {
	if d := detectHeader(h); d != "" {
		return d, true
	}
	if d := detectBody(body); d != "" {
		return d, true
	}
	if _, ok := value(h, HeaderStandardSignature); ok {
		return Standard, true
	}
	return "", false
}

func detectHeader(h http.Header) Dialect {
	has := func(name string) bool {
		_, ok := value(h, name)
		return ok
	}
	signature, _ := value(h, HeaderScalrSignature) // Scalr's and Spacelift's alike
	switch {
	case has(HeaderTFESignature):
		return TFE
	case has(HeaderPulumiKind), has(HeaderPulumiID), has(HeaderPulumiSignature):
		return Pulumi
	case has(HeaderSpaceliftSignature), strings.HasPrefix(signature, "sha1="):
		return Spacelift
	case has(HeaderScalrDelivery), len(signature) == 64:
		return Scalr
	}
	return ""
}

// detectBody looks for members that no other dialect has.
func detectBody(body []byte) Dialect {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	has := func(names ...string) bool { return hasAll(members, names...) }
	switch {
	case has("notification_configuration_id"):
		return TFE
	case has("event_name", "run"), has("event-name", "run"):
		return Scalr
	case has("account") && spaceliftKind(members) != SpaceliftCustom:
		return Spacelift
	case has("organization", "projectName"), has("organization", "user"):
		return Pulumi
	}
	return ""
}
