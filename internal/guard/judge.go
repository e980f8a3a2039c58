package guard

import (
	"net"
	"net/netip"
)

// judge refuses an address that may not be reached. host is the normalized name that led to it, "" without one.
func (g *Guard) judge(host string, to netip.AddrPort) error {
	refuse := func(why string) error { return &Refusal{Host: host, Addr: to, Why: why} }
	if !to.IsValid() || to.Port() == 0 {
		return refuse("not an address")
	}
	if g.ports[to.Port()] && !g.allow.namesPort(host, plain(to.Addr()), to.Port()) {
		return refuse("denied port")
	}
	for _, addr := range reached(to.Addr()) {
		if why := g.objection(host, addr, to.Port()); why != "" {
			return refuse(why)
		}
	}
	return nil
}

// objection says why one plain address may not be reached; "" when it may.
func (g *Guard) objection(host string, addr netip.Addr, port uint16) string {
	if g.isOwn(addr, port) && !g.allow.addrPorts[netip.AddrPortFrom(addr, port)] {
		return "an address that this program listens at"
	}
	what, guarded := classify(addr)
	switch {
	case what == "", g.allow.names(addr, port):
		return ""
	case !guarded && g.allow.covers(host, addr, port):
		return ""
	}
	return what
}

// judgePort judges a port before any address is known.
func (g *Guard) judgePort(host string, port uint16) error {
	if g.ports[port] && !g.allow.hostPorts[hostPort(host, port)] {
		return &Refusal{Host: host, Why: "denied port"}
	}
	return nil
}

// isOwn reports whether this program listens at the address.
func (g *Guard) isOwn(addr netip.Addr, port uint16) bool {
	own := g.own.Load()
	if own == nil {
		return false
	}
	for _, listen := range *own {
		if listen.Port() != port {
			continue
		}
		if listen.Addr() == addr || addr.IsUnspecified() {
			return true
		}
		if listen.Addr().IsUnspecified() && (addr.IsLoopback() || isLocal(addr)) {
			return true
		}
	}
	return false
}

// isLocal reports whether an interface of this machine has the address. It is asked for Carillon's own port only, so its
// price does not matter; when the interfaces can not be read, every address counts as local.
func isLocal(addr netip.Addr) bool {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, i := range interfaces {
		if prefix, err := netip.ParsePrefix(i.String()); err == nil && plain(prefix.Addr()) == addr {
			return true
		}
	}
	return false
}
