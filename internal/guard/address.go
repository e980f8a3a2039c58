package guard

import (
	"encoding/binary"
	"net/netip"
)

// special is a range that does not belong to the public Internet.
type special struct {
	prefix  netip.Prefix
	what    string
	guarded bool // link-local or a metadata service
}

// specials4 are the special ranges of IPv4 after the IANA registry, and the addresses at which clouds keep services of
// their own platform.
var specials4 = []special{
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local", true}, // holds 169.254.169.254 and 169.254.170.2
	{netip.MustParsePrefix("168.63.129.16/32"), "platform service", true},
	{netip.MustParsePrefix("100.100.100.200/32"), "metadata service", true},
	{netip.MustParsePrefix("192.0.0.192/32"), "metadata service", true},
	{netip.MustParsePrefix("0.0.0.0/8"), "this network", false},
	{netip.MustParsePrefix("10.0.0.0/8"), "private network", false},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier network", false},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback", false},
	{netip.MustParsePrefix("172.16.0.0/12"), "private network", false},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments", false},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation", false},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay", false},
	{netip.MustParsePrefix("192.168.0.0/16"), "private network", false},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarks", false},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation", false},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation", false},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast", false},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved", false}, // holds the broadcast address
}

// specials6 are those of IPv6. Everything outside global is special whether it is listed or not; the list gives it a name.
var specials6 = []special{
	{netip.MustParsePrefix("fe80::/10"), "link-local", true},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "metadata service", true},
	{netip.MustParsePrefix("fd20:ce::254/128"), "metadata service", true},
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "metadata service", true},
	{netip.MustParsePrefix("::/128"), "unspecified", false},
	{netip.MustParsePrefix("::1/128"), "loopback", false},
	{netip.MustParsePrefix("fc00::/7"), "private network", false},
	{netip.MustParsePrefix("fec0::/10"), "site-local", false},
	{netip.MustParsePrefix("ff00::/8"), "multicast", false},
	{netip.MustParsePrefix("100::/64"), "discard", false},
	{netip.MustParsePrefix("5f00::/16"), "segment routing", false},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local translation", false},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments", false},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation", false},
	{netip.MustParsePrefix("3fff::/20"), "documentation", false},
}

// global is the only part of IPv6 from which public addresses are given out.
var global = netip.MustParsePrefix("2000::/3")

// classify names what an address is; "" is a public one.
func classify(addr netip.Addr) (what string, guarded bool) {
	list := specials6
	if addr.Is4() {
		list = specials4
	}
	for _, s := range list {
		if s.prefix.Contains(addr) {
			return s.what, s.guarded
		}
	}
	if addr.Is6() && !global.Contains(addr) {
		return "not a public address", false
	}
	return "", false
}

// guardedWhole reports whether a range holds nothing but guarded addresses.
func guardedWhole(prefix netip.Prefix) bool {
	for _, list := range [][]special{specials4, specials6} {
		for _, s := range list {
			if s.guarded && s.prefix.Bits() <= prefix.Bits() && s.prefix.Contains(prefix.Addr()) {
				return true
			}
		}
	}
	return false
}

// The ways to write an IPv4 address inside an IPv6 one.
var (
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // SIIT
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// plain removes the zone and the mapped spelling, under which the same address would compare as different.
func plain(addr netip.Addr) netip.Addr { return addr.WithZone("").Unmap() }

// reached returns the addresses that a packet to addr ends up at: addr itself, or the IPv4 addresses written inside it.
func reached(addr netip.Addr) []netip.Addr {
	addr = plain(addr)
	if addr.Is4() {
		return []netip.Addr{addr}
	}
	b := addr.As16()
	switch {
	case compatible.Contains(addr) && binary.BigEndian.Uint32(b[12:]) > 1: // :: and ::1 are no spellings
		return []netip.Addr{inner(b[12:16])}
	case translated.Contains(addr), nat64.Contains(addr):
		return []netip.Addr{inner(b[12:16])}
	case sixToFour.Contains(addr):
		return []netip.Addr{inner(b[2:6])}
	case teredo.Contains(addr):
		// The server's address is written plainly, the client's with every bit turned over.
		client := []byte{^b[12], ^b[13], ^b[14], ^b[15]}
		return []netip.Addr{inner(b[4:8]), inner(client)}
	}
	return []netip.Addr{addr}
}

func inner(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b)) }
