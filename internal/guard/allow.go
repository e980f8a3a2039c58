package guard

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// allowance is what the operator allows beside public addresses.
type allowance struct {
	prefixes  []netip.Prefix
	addrs     map[netip.Addr]bool
	addrPorts map[netip.AddrPort]bool
	hosts     map[string]bool
	hostPorts map[string]bool // "host:port"
}

func (a *allowance) clone() allowance {
	return allowance{
		prefixes: slices.Clone(a.prefixes), addrs: maps.Clone(a.addrs), addrPorts: maps.Clone(a.addrPorts),
		hosts: maps.Clone(a.hosts), hostPorts: maps.Clone(a.hostPorts),
	}
}

// add reads entries as the operator writes them.
func (a *allowance) add(entries []string) error {
	for _, entry := range entries {
		if err := a.addOne(strings.TrimSpace(entry)); err != nil {
			return fmt.Errorf("allow %q: %w", entry, err)
		}
	}
	return nil
}

func (a *allowance) addOne(entry string) error {
	if strings.Contains(entry, "/") {
		return a.addPrefix(entry)
	}
	if addr, err := netip.ParseAddr(strings.Trim(entry, "[]")); err == nil {
		set(&a.addrs, plain(addr))
		return nil
	}
	if addrPort, err := netip.ParseAddrPort(entry); err == nil {
		set(&a.addrPorts, netip.AddrPortFrom(plain(addrPort.Addr()), addrPort.Port()))
		return nil
	}
	host, port := entry, ""
	if strings.Contains(entry, ":") {
		var err error
		if host, port, err = net.SplitHostPort(entry); err != nil {
			return fmt.Errorf("write an address, a CIDR, or a host name, with or without a port")
		}
	}
	name, err := normalize(host)
	if err != nil {
		return err
	}
	if port == "" {
		set(&a.hosts, name)
		return nil
	}
	number, ok := parsePort(port)
	if !ok {
		return fmt.Errorf("a port is a number from 1 to 65535")
	}
	set(&a.hostPorts, hostPort(name, number))
	return nil
}

func (a *allowance) addPrefix(entry string) error {
	prefix, err := netip.ParsePrefix(entry)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return fmt.Errorf("write a CIDR such as 10.0.0.0/8 or fd00::/8")
	case prefix.IsSingleIP():
		set(&a.addrs, prefix.Addr())
		return nil
	}
	// An entry that can have no effect is a misunderstanding, and it is better to say so than to start.
	if guardedWhole(prefix) {
		return fmt.Errorf("link-local and metadata addresses are allowed one by one only, never as a range")
	}
	a.prefixes = append(a.prefixes, prefix.Masked())
	return nil
}

// names reports whether the operator named the address itself, with this port or with none.
func (a *allowance) names(addr netip.Addr, port uint16) bool {
	return a.addrs[addr] || a.addrPorts[netip.AddrPortFrom(addr, port)]
}

// covers reports whether a special address is allowed by its range or by the name it was reached by.
func (a *allowance) covers(host string, addr netip.Addr, port uint16) bool {
	return a.namesHost(host, port) ||
		slices.ContainsFunc(a.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (a *allowance) namesHost(host string, port uint16) bool {
	return host != "" && (a.hosts[host] || a.hostPorts[hostPort(host, port)])
}

// namesPort reports whether the operator named host or address together with this port.
func (a *allowance) namesPort(host string, addr netip.Addr, port uint16) bool {
	return a.addrPorts[netip.AddrPortFrom(addr, port)] || (host != "" && a.hostPorts[hostPort(host, port)])
}

func set[K comparable](m *map[K]bool, key K) {
	if *m == nil {
		*m = map[K]bool{}
	}
	(*m)[key] = true
}

func hostPort(host string, port uint16) string { return host + ":" + strconv.Itoa(int(port)) }

// parsePort reads a port as it stands in an address: digits only.
func parsePort(text string) (uint16, bool) {
	port, err := strconv.ParseUint(text, 10, 16)
	return uint16(port), err == nil && port != 0
}
