package guard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"carillon/internal/fault"
	"carillon/internal/guard"
)

// errStopped ends a dial after the guard let it pass, before a packet leaves.
var errStopped = errors.New("stopped before connecting")

func stopped(context.Context, string, string, syscall.RawConn) error { return errStopped }

type row struct {
	addr, what string
	deny       bool
}

func rows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("testdata/addresses.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		cells := strings.Split(line, "\t")
		all = append(all, row{cells[0], cells[1], cells[2] == "deny"})
	}
	if len(all) != 45 {
		t.Fatalf("%d rows, want 45", len(all))
	}
	return all
}

// answers is a resolver that knows its answers and counts the questions.
type answers struct {
	names map[string][]string
	asked int
}

func (a *answers) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	a.asked++
	found, ok := a.names[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, text := range found {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

func newGuard(t *testing.T, o guard.Options) *guard.Guard {
	t.Helper()
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestEveryAddressWhenSaved(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{})
	for _, r := range rows(t) {
		err := g.CheckURL("https://" + net.JoinHostPort(r.addr, "8443") + "/hook")
		if denied := err != nil; denied != r.deny {
			t.Errorf("%s (%s): CheckURL = %v, want denied %v", r.addr, r.what, err, r.deny)
		}
		if r.deny && (!errors.Is(err, guard.ErrForbidden) || !fault.Is(err, fault.Invalid)) {
			t.Errorf("%s (%s): %v is not an invalid fault caused by ErrForbidden", r.addr, r.what, err)
		}
	}
}

func TestEveryAddressWhenDialled(t *testing.T) {
	t.Parallel()
	for _, r := range rows(t) {
		t.Run(r.addr, func(t *testing.T) {
			t.Parallel()
			resolver := &answers{names: map[string][]string{
				"named.example.com": {r.addr}, "mixed.example.com": {"8.8.8.8", r.addr},
			}}
			g := newGuard(t, guard.Options{Resolver: resolver, Dialer: &net.Dialer{ControlContext: stopped}})
			for _, host := range []string{r.addr, "named.example.com", "mixed.example.com"} {
				_, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort(host, "443"))
				if denied := errors.Is(err, guard.ErrForbidden); denied != r.deny || err == nil {
					t.Errorf("%s (%s) by %s: %v, want denied %v", r.addr, r.what, host, err, r.deny)
				}
			}
			// The judgement on the socket stands by itself, whatever dialled it.
			err := g.ControlContext(t.Context(), "tcp", net.JoinHostPort(r.addr, "443"), nil)
			if denied := errors.Is(err, guard.ErrForbidden); denied != r.deny {
				t.Errorf("%s (%s): ControlContext = %v, want denied %v", r.addr, r.what, err, r.deny)
			}
		})
	}
}

// TestGuardedAddressesStayDenied allows all there is; only what is named exactly opens the rest.
func TestGuardedAddressesStayDenied(t *testing.T) {
	t.Parallel()
	wide := newGuard(t, guard.Options{Allow: []string{"0.0.0.0/0", "::/0", "fd00::/8"}})
	guarded := map[string]bool{
		"169.254.169.254": true, "169.254.170.2": true, "100.100.100.200": true, "192.0.0.192": true,
		"168.63.129.16": true, "fe80::1": true, "fd00:ec2::254": true, "::ffff:169.254.169.254": true,
		"64:ff9b::a9fe:a9fe": true, "2002:a9fe:a9fe::1": true, "fd20:ce::254": true,
	}
	for _, r := range rows(t) {
		guarded[r.addr] = guarded[r.addr] || false
	}
	for addr, want := range guarded {
		target := net.JoinHostPort(addr, "80")
		if err := wide.ControlContext(t.Context(), "tcp", target, nil); (err != nil) != want {
			t.Errorf("%s in an allowed range: %v, want denied %v", addr, err, want)
		}
		exact := newGuard(t, guard.Options{Allow: []string{addr}})
		if reachedAddr, ok := map[string]string{
			"64:ff9b::a9fe:a9fe": "169.254.169.254", "2002:a9fe:a9fe::1": "169.254.169.254",
		}[addr]; ok { // the inner address is what has to be named
			exact = newGuard(t, guard.Options{Allow: []string{reachedAddr}})
		}
		if want {
			if err := exact.ControlContext(t.Context(), "tcp", target, nil); err != nil {
				t.Errorf("%s named exactly: %v", addr, err)
			}
		}
	}
}
