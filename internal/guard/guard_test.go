package guard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"carillon/internal/guard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAllow(t *testing.T) {
	t.Parallel()
	resolver := &answers{names: map[string][]string{
		"hooks.internal": {"10.1.2.3"}, "meta.internal": {"169.254.169.254"}, "bücher.example": {"10.0.0.9"},
		"xn--bcher-kva.example": {"10.0.0.9"}, "two.internal": {"10.1.2.3", "192.168.0.1"}, "public.example": {"8.8.8.8"},
	}}
	cases := map[string]struct {
		allow  []string
		target string
		denied bool
	}{
		"private network denied":                       {nil, "10.1.2.3:443", true},
		"inside an allowed range":                      {[]string{"10.0.0.0/8"}, "10.1.2.3:443", false},
		"outside the allowed range":                    {[]string{"10.0.0.0/8"}, "192.168.0.1:443", true},
		"an IPv6 range":                                {[]string{"fd00::/8"}, "[fd12::1]:443", false},
		"an address":                                   {[]string{"10.1.2.3"}, "10.1.2.3:443", false},
		"the address next to it":                       {[]string{"10.1.2.3"}, "10.1.2.4:443", true},
		"an address as a range of one":                 {[]string{"169.254.169.254/32"}, "169.254.169.254:80", false},
		"an address with its port":                     {[]string{"10.1.2.3:8080"}, "10.1.2.3:8080", false},
		"an address with another port":                 {[]string{"10.1.2.3:8080"}, "10.1.2.3:8081", true},
		"a host name":                                  {[]string{"hooks.internal"}, "hooks.internal:443", false},
		"a host name, other spelling":                  {[]string{"Hooks.Internal."}, "HOOKS.internal.:443", false},
		"a host name does not allow its address":       {[]string{"hooks.internal"}, "10.1.2.3:443", true},
		"a host name with its port":                    {[]string{"hooks.internal:8443"}, "hooks.internal:8443", false},
		"a host name with another port":                {[]string{"hooks.internal:8443"}, "hooks.internal:443", true},
		"a host name never opens metadata":             {[]string{"meta.internal"}, "meta.internal:80", true},
		"an international name":                        {[]string{"bücher.example"}, "xn--bcher-kva.example:443", false},
		"one answer of two allowed":                    {[]string{"10.0.0.0/8"}, "two.internal:443", true},
		"both answers allowed":                         {[]string{"10.0.0.0/8", "192.168.0.1"}, "two.internal:443", false},
		"a denied port":                                {[]string{"10.0.0.0/8"}, "10.1.2.3:6379", true},
		"a denied port of a public host":               {nil, "public.example:22", true},
		"a denied port of a public address":            {nil, "8.8.8.8:25", true},
		"a denied port named with its address":         {[]string{"10.1.2.3:25"}, "10.1.2.3:25", false},
		"a denied port named with its host":            {[]string{"hooks.internal:25"}, "hooks.internal:25", false},
		"an inner address in an allowed range":         {[]string{"10.0.0.0/8"}, "[64:ff9b::a01:203]:443", false},
		"port zero":                                    {nil, "8.8.8.8:0", true},
		"no port":                                      {nil, "8.8.8.8", true},
		"not a name":                                   {nil, "exa mple.com:443", true},
		"an underscore is a name of internal networks": {[]string{"10.0.0.0/8"}, "my_service:443", false},
	}
	resolver.names["my_service"] = []string{"10.1.1.1"}
	for name, c := range cases {
		g := newGuard(t, guard.Options{Allow: c.allow, Resolver: resolver, Dialer: &net.Dialer{ControlContext: stopped}})
		_, err := g.DialContext(t.Context(), "tcp", c.target)
		if denied := errors.Is(err, guard.ErrForbidden); denied != c.denied || (!denied && !errors.Is(err, errStopped)) {
			t.Errorf("%s: %v, want denied %v", name, err, c.denied)
		}
	}
}

func TestNewNamesWhatItCanNotRead(t *testing.T) {
	t.Parallel()
	for entry, want := range map[string]string{
		"10.0.0.0/33":         "write a CIDR",
		"::ffff:10.0.0.0/104": "write a CIDR",
		"169.254.0.0/16":      "one by one",
		"fe80::/64":           "one by one",
		"a b":                 "not a valid one",
		"":                    "not a valid one",
		"host:port:80":        "write an address",
		"host:99999":          "a port is a number",
	} {
		_, err := guard.New(guard.Options{Allow: []string{entry}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), strconv.Quote(entry)) {
			t.Errorf("%q: %v, want %q", entry, err, want)
		}
	}
	if _, err := guard.New(guard.Options{DeniedPorts: []int{70000}}); err == nil {
		t.Error("a denied port of 70000 is accepted")
	}
}

func TestDeniedPortsCanBeReplaced(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ports  []int
		denied map[string]bool
	}{
		"default": {nil, map[string]bool{"22": true, "443": false, "11211": true}},
		"others":  {[]int{443}, map[string]bool{"22": false, "443": true}},
		"none":    {[]int{}, map[string]bool{"22": false, "6379": false}},
	} {
		g := newGuard(t, guard.Options{DeniedPorts: c.ports})
		for port, denied := range c.denied {
			err := g.CheckURL("https://hooks.example.com:" + port + "/")
			if (err != nil) != denied {
				t.Errorf("%s: port %s: %v", name, port, err)
			}
		}
	}
}

func TestOwnAddressesAreDeniedUnlessNamedWithTheirPort(t *testing.T) {
	t.Parallel()
	own := netip.MustParseAddrPort("127.0.0.1:8080")
	for name, c := range map[string]struct {
		allow  []string
		listen netip.AddrPort
		target string
		denied bool
	}{
		"range":                   {[]string{"127.0.0.0/8"}, own, "127.0.0.1:8080", true},
		"another port":            {[]string{"127.0.0.0/8"}, own, "127.0.0.1:8081", false},
		"address without port":    {[]string{"127.0.0.1"}, own, "127.0.0.1:8080", true},
		"address with port":       {[]string{"127.0.0.1:8080"}, own, "127.0.0.1:8080", false},
		"by a name":               {[]string{"self.internal"}, own, "self.internal:8080", true},
		"mapped":                  {[]string{"127.0.0.0/8"}, own, "[::ffff:127.0.0.1]:8080", true},
		"translated":              {[]string{"127.0.0.0/8"}, own, "[64:ff9b::7f00:1]:8080", true},
		"unspecified destination": {[]string{"0.0.0.0/0"}, own, "0.0.0.0:8080", true},
		"listens everywhere":      {[]string{"127.0.0.0/8"}, netip.MustParseAddrPort("[::]:8080"), "127.0.0.1:8080", true},
		"everywhere, other host":  {[]string{"10.0.0.0/8"}, netip.MustParseAddrPort("0.0.0.0:8080"), "10.255.255.254:8080", false},
		"a public listen address": {nil, netip.MustParseAddrPort("8.8.8.8:443"), "8.8.8.8:443", true},
		"that host, another port": {nil, netip.MustParseAddrPort("8.8.8.8:443"), "8.8.8.8:8443", false},
	} {
		g := newGuard(t, guard.Options{
			Allow: c.allow, Resolver: &answers{names: map[string][]string{"self.internal": {"127.0.0.1"}}},
			Dialer: &net.Dialer{ControlContext: stopped},
		})
		derived, err := g.With()
		if err != nil {
			t.Fatal(err)
		}
		g.Own(c.listen)
		for _, g := range []*guard.Guard{g, derived} {
			_, err := g.DialContext(t.Context(), "tcp", c.target)
			if denied := errors.Is(err, guard.ErrForbidden); denied != c.denied {
				t.Errorf("%s: %v, want denied %v", name, err, c.denied)
			}
		}
	}
}

func TestWithWidensACopyOnly(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{Allow: []string{"10.0.0.1"}})
	wider, err := g.With("10.0.0.2:25")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.ControlContext(t.Context(), "tcp", "10.0.0.2:25", nil); err == nil {
		t.Error("the original was widened")
	}
	for _, target := range []string{"10.0.0.1:80", "10.0.0.2:25"} {
		if err := wider.ControlContext(t.Context(), "tcp", target, nil); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	if _, err := g.With("10.0.0.0/99"); err == nil {
		t.Error("an unreadable entry is accepted")
	}
}

// TestNamesAreResolvedOnce is the defence against rebinding: no second question, no second answer.
func TestNamesAreResolvedOnce(t *testing.T) {
	t.Parallel()
	resolver := &answers{names: map[string][]string{"two.example": {"127.0.0.1", "127.0.0.2"}}}
	listener := listen(t)
	g := newGuard(t, guard.Options{Allow: []string{"127.0.0.0/8"}, Resolver: resolver})
	conn, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort("two.example", port(listener)))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if resolver.asked != 1 {
		t.Errorf("asked %d times", resolver.asked)
	}
}

// TestTheNextAddressIsTried has nobody listening at the first two.
func TestTheNextAddressIsTried(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	resolver := &answers{names: map[string][]string{
		"some.example": {"127.0.0.3", "127.0.0.2", "127.0.0.1"}, "none.example": {"127.0.0.3", "127.0.0.2"},
	}}
	g := newGuard(t, guard.Options{Allow: []string{"127.0.0.0/8"}, Resolver: resolver})
	conn, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort("some.example", port(listener)))
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.RemoteAddr().String(); got != listener.Addr().String() {
		t.Errorf("connected to %s", got)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err = g.DialContext(t.Context(), "tcp", net.JoinHostPort("none.example", port(listener))); err == nil {
		t.Error("connected to nobody")
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{Resolver: &answers{names: map[string][]string{"empty.example": {}}}})
	for _, host := range []string{"unknown.example", "empty.example"} {
		_, err := g.DialContext(t.Context(), "tcp", host+":443")
		if dns, ok := errors.AsType[*net.DNSError](err); !ok || !dns.IsNotFound {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestDialEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := newGuard(t, guard.Options{
		Allow: []string{"127.0.0.0/8"}, Resolver: &answers{names: map[string][]string{"x.example": {"127.0.0.1", "127.0.0.2"}}},
	})
	if _, err := g.DialContext(ctx, "tcp", "x.example:9"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRefusalText(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{Resolver: &answers{names: map[string][]string{"inside.example": {"10.0.0.1"}}}})
	_, err := g.DialContext(t.Context(), "tcp", "inside.example:443")
	want := `forbidden address 10.0.0.1:443 of host "inside.example": private network`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func port(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }
