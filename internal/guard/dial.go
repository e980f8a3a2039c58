package guard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// stagger is how long one address of a host may take to connect before the next is tried beside it (RFC 8305).
const stagger = 250 * time.Millisecond

// DialContext connects to an address of the form "host:port" if it is allowed. A name is looked up once, and is refused
// when any of its answers is forbidden: an honest name has no such answers, and a dishonest one would be asked again
// until it gives the other. What was judged is what is dialled.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, targets, err := g.targets(ctx, network, address)
	if err != nil {
		return nil, err
	}
	for _, to := range targets {
		if err := g.judge(host, to); err != nil {
			return nil, err
		}
	}
	dialer := g.dialer
	dialer.Control = nil
	dialer.ControlContext = func(ctx context.Context, network, address string, conn syscall.RawConn) error {
		if err := g.judgeSocket(host, address); err != nil {
			return err
		}
		if g.dialer.ControlContext != nil {
			return g.dialer.ControlContext(ctx, network, address, conn)
		}
		return nil
	}
	return dialAny(ctx, &dialer, network, targets)
}

// ControlContext judges a socket address before it is connected. It fits net.Dialer.ControlContext, for dialers other
// than DialContext; names that are allowed as such are not known to it.
func (g *Guard) ControlContext(_ context.Context, _, address string, _ syscall.RawConn) error {
	return g.judgeSocket("", address)
}

func (g *Guard) judgeSocket(host, address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return &Refusal{Host: host, Why: "not a socket address"}
	}
	return g.judge(host, to)
}

// targets returns the socket addresses of "host:port" and the normalized name, "" for a literal address.
func (g *Guard) targets(ctx context.Context, network, address string) (string, []netip.AddrPort, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, &Refusal{Host: address, Why: "not of the form host:port"}
	}
	port, ok := parsePort(text)
	if !ok {
		return "", nil, &Refusal{Host: host, Why: "not a port"}
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return "", []netip.AddrPort{netip.AddrPortFrom(addr.Unmap(), port)}, nil
	}
	name, err := normalize(host)
	if err != nil {
		return "", nil, &Refusal{Host: host, Why: err.Error()}
	}
	if err := g.judgePort(name, port); err != nil {
		return "", nil, err
	}
	found, err := g.resolver.LookupNetIP(ctx, "ip"+strings.TrimPrefix(network, "tcp"), name)
	if err != nil {
		return "", nil, fmt.Errorf("look up host: %w", err)
	}
	targets := make([]netip.AddrPort, 0, len(found))
	for _, addr := range found {
		targets = append(targets, netip.AddrPortFrom(addr.Unmap(), port))
	}
	if len(targets) == 0 {
		return "", nil, fmt.Errorf("look up host: %w", &net.DNSError{Err: "no addresses", Name: name, IsNotFound: true})
	}
	return name, targets, nil
}

// dialed is the outcome of one address.
type dialed struct {
	conn net.Conn
	err  error
}

// dialAny connects to the first address that answers. They are tried in the resolver's order, each beside the earlier
// ones when those take long.
func dialAny(ctx context.Context, dialer *net.Dialer, network string, targets []netip.AddrPort) (net.Conn, error) {
	if len(targets) == 1 {
		return dialer.DialContext(ctx, network, targets[0].String())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialed, len(targets)) // room for all, so that nobody waits for a reader that is gone
	start := func(to netip.AddrPort) {
		conn, err := dialer.DialContext(ctx, network, to.String())
		results <- dialed{conn, err}
	}
	timer := time.NewTimer(stagger)
	defer timer.Stop()
	started := 0
	next := func() {
		if started < len(targets) {
			go start(targets[started])
			started++
			timer.Reset(stagger)
		}
	}
	next()
	var errs []error
	for len(errs) < len(targets) {
		select {
		case <-timer.C:
			next()
		case result := <-results:
			if result.err == nil {
				go closeLate(results, started-len(errs)-1)
				return result.conn, nil
			}
			errs = append(errs, result.err)
			next()
		}
	}
	return nil, errors.Join(errs...)
}

// closeLate closes the connections that came too late.
func closeLate(results <-chan dialed, n int) {
	for range n {
		if late := <-results; late.conn != nil {
			_ = late.conn.Close() // nobody ever used it
		}
	}
}
