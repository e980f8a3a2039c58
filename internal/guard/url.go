package guard

import (
	"net/netip"
	"net/url"
	"strings"

	"carillon/internal/fault"
)

// maxURL bounds the length of an address; the longest that chat services hand out have a few hundred bytes.
const maxURL = 4096

// CheckURL judges an address when it is saved, without looking anything up. What it accepts can still be refused when a
// connection is made; what it refuses would be. The error is a *fault.Error without a field, which does not quote the
// address beyond its host: the rest is a secret.
func (g *Guard) CheckURL(raw string) error {
	if raw == "" {
		return invalid("The URL is missing: write it as https://host/path.")
	}
	if len(raw) > maxURL {
		return invalid("The URL is longer than %d characters.", maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return invalid("The URL can not be read: write it as https://host/path.")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return invalid("The URL must begin with https:// or http://.")
	case u.Opaque != "" || u.Host == "" || u.Hostname() == "":
		return invalid("The URL has no host: write it as %s://host/path.", u.Scheme)
	case u.User != nil:
		return invalid("The URL must not hold a user name or password; use a header, or a secret in the path.")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return invalid("The URL must not have a fragment (#…); it would never be sent.")
	}
	port, ok := portOf(u)
	if !ok {
		return invalid("The port of the URL must be a number from 1 to 65535.")
	}
	return g.checkHost(u.Hostname(), port)
}

// checkHost judges the host of an address as far as that is possible without looking it up.
func (g *Guard) checkHost(host string, port uint16) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.checkAddr(addr, port)
	}
	name, err := normalize(host)
	if err != nil {
		return invalid("The host of the URL is not a valid name.")
	}
	// The normalized form can turn out to be an address: look-alike digits are mapped to plain ones.
	if addr, err := netip.ParseAddr(name); err == nil {
		return g.checkAddr(addr, port)
	}
	if isNumeric(name) {
		return invalid("The host of the URL is not a valid name: %v.", errHostNumeric)
	}
	if err := g.judgePort(name, port); err != nil {
		return refusedPort(port, err)
	}
	if isLocalhost(name) && !g.allow.namesHost(name, port) {
		if err := g.judge("", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)); err != nil {
			return refused("The host %q stands for this server itself and is not allowed as a destination.", name, err)
		}
	}
	return nil
}

func (g *Guard) checkAddr(addr netip.Addr, port uint16) error {
	if g.ports[port] && !g.allow.namesPort("", plain(addr), port) {
		return refusedPort(port, &Refusal{Addr: netip.AddrPortFrom(addr, port), Why: "denied port"})
	}
	if err := g.judge("", netip.AddrPortFrom(addr, port)); err != nil {
		return refused("The address %s is not allowed as a destination: it does not belong to the public Internet, or is this server itself.",
			addr.WithZone("").String(), err)
	}
	return nil
}

// portOf returns the port that a URL leads to; ok is false when it names one that does not exist.
func portOf(u *url.URL) (port uint16, ok bool) {
	if text := u.Port(); text != "" {
		return parsePort(text)
	}
	if strings.HasSuffix(u.Host, ":") {
		return 0, false
	}
	if u.Scheme == "https" {
		return 443, true
	}
	return 80, true
}

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

func refused(format, host string, cause error) error {
	f := fault.New(fault.Invalid, format+" The operator can allow it (egress-allow).", host)
	f.Cause = cause
	return f
}

func refusedPort(port uint16, cause error) error {
	f := fault.New(fault.Invalid, "The port %d is not allowed for destinations. The operator can allow it.", port)
	f.Cause = cause
	return f
}
