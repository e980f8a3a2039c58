package guard

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

var (
	errHost        = errors.New("the host name is not a valid one")
	errHostNumeric = errors.New("an IPv4 address is written as four decimal numbers, such as 192.0.2.7")
)

// normalize returns the one spelling of a host name that is looked up and compared: lower-case ASCII (international names
// in their xn-- form), without the dot at the end.
func normalize(host string) (string, error) {
	name := host
	if !isASCII(name) {
		// Lookup also maps look-alikes: full-width digits and dots become the plain ones, which are judged afterwards.
		var err error
		if name, err = idna.Lookup.ToASCII(name); err != nil {
			return "", errHost
		}
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" || len(name) > 253 {
		return "", errHost
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", errHost
		}
	}
	return name, nil
}

// isLabel accepts letters, digits and hyphens, and the underscore, which internal host names do contain.
func isLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// isNumeric reports whether a name ends in a number, as no name of the DNS does. C libraries take 127.1, 0x7f000001 and
// 2130706433 for loopback.
func isNumeric(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

// isLocalhost reports whether a name stands for this machine by definition (RFC 6761).
func isLocalhost(name string) bool {
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || name == "localhost.localdomain" ||
		name == "ip6-localhost" || name == "ip6-loopback"
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
