// Package guard keeps requests out of the operator's own network.
//
// Users type in the addresses that Carillon sends to. Without a guard the server would be a proxy into every network that
// it can reach. The guard judges twice: CheckURL when an address is saved, for an early and clear answer, and DialContext
// when a connection is made, on the very socket address, which nothing can go around: no DNS answer, no rebinding, no
// odd spelling of an IPv6 address. Whatever can not be understood is refused.
//
// Three kinds of address are told apart:
//
//   - public ones, which anybody may name;
//   - special ones (private, loopback, documentation, multicast …), which the operator may allow by CIDR, by address, or by
//     the exact name of a host;
//   - guarded ones (link-local and the metadata services of clouds), which stay refused unless the operator names that
//     very address, even inside an allowed range.
//
// Carillon's own listen addresses are refused unless they are named with their port. The package never sends anything;
// it opens sockets, or refuses to.
package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
)

// ErrForbidden is in the chain of every refusal by the guard.
var ErrForbidden = errors.New("forbidden address")

// Refusal says which address was refused and why. Its text is for the operator's log: it may name internal addresses.
type Refusal struct {
	Host string         // as asked for; "" when a bare address was judged
	Addr netip.AddrPort // the address that was refused; not valid when a name or a port alone was reason enough
	Why  string
}

// Error returns the text for the log.
func (r *Refusal) Error() string {
	text := ErrForbidden.Error()
	if r.Addr.IsValid() {
		text += " " + r.Addr.String()
	}
	if r.Host != "" {
		text += fmt.Sprintf(" of host %q", r.Host)
	}
	return text + ": " + r.Why
}

// Is makes errors.Is(err, ErrForbidden) true.
func (r *Refusal) Is(target error) bool { return target == ErrForbidden }

// Resolver turns a host name into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DeniedPorts returns the ports that are refused by default: services of an internal network that do something when they
// receive an HTTP request.
func DeniedPorts() []int { return []int{22, 25, 110, 143, 3306, 5432, 6379, 9200, 11211} }

// Options sets up a Guard. The zero value allows public addresses only.
type Options struct {
	// Allow lists what the operator allows beside public addresses: "10.0.0.0/8", "192.168.1.5", "hooks.internal"; with a
	// port ("hooks.internal:25", "127.0.0.1:8080") exactly that port, be it a denied one.
	Allow []string

	// DeniedPorts replaces DeniedPorts(); an empty list that is not nil denies none.
	DeniedPorts []int

	// Resolver is net.DefaultResolver when nil.
	Resolver Resolver

	// Dialer opens the sockets, the zero net.Dialer when nil. Its ControlContext is called after the guard's judgement.
	Dialer *net.Dialer
}

// Guard judges addresses. It is safe for concurrent use and does not change, but for what Own adds.
type Guard struct {
	allow    allowance
	ports    map[uint16]bool
	own      *atomic.Pointer[[]netip.AddrPort]
	resolver Resolver
	dialer   net.Dialer
}

// New returns a guard, or an error that names the entry of the options that can not be understood.
func New(o Options) (*Guard, error) {
	g := &Guard{own: new(atomic.Pointer[[]netip.AddrPort]), resolver: o.Resolver, ports: map[uint16]bool{}}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	if o.Dialer != nil {
		g.dialer = *o.Dialer
	}
	ports := o.DeniedPorts
	if ports == nil {
		ports = DeniedPorts()
	}
	for _, port := range ports {
		if port < 1 || port > 65535 {
			return nil, fmt.Errorf("denied port %d: a port is a number from 1 to 65535", port)
		}
		g.ports[uint16(port)] = true
	}
	if err := g.allow.add(o.Allow); err != nil {
		return nil, err
	}
	return g, nil
}

// With returns a guard that also allows the given entries, which are written as in Options.Allow. It is meant for
// addresses from the operator's own settings, such as a mail server.
func (g *Guard) With(allow ...string) (*Guard, error) {
	wider := *g
	wider.allow = g.allow.clone()
	if err := wider.allow.add(allow); err != nil {
		return nil, err
	}
	return &wider, nil
}

// Own tells the guard, and those made from it, where this program listens. An unspecified address stands for every
// address of this machine.
func (g *Guard) Own(listen ...netip.AddrPort) {
	for {
		before := g.own.Load()
		var all []netip.AddrPort
		if before != nil {
			all = append(all, *before...)
		}
		for _, addr := range listen {
			all = append(all, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
		}
		if g.own.CompareAndSwap(before, &all) {
			return
		}
	}
}
