package guard_test

import (
	"strings"
	"testing"

	"carillon/internal/fault"
	"carillon/internal/guard"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{})
	for name, c := range map[string]struct {
		url  string
		want string // part of the sentence; "" when the address is fine
	}{
		"https":                   {"https://hooks.example.com/services/T0/B0?sig=x", ""},
		"http":                    {"http://hooks.example.com", ""},
		"a port":                  {"https://hooks.example.com:8443/", ""},
		"an international name":   {"https://bücher.example/", ""},
		"a single label":          {"http://receiver/", ""},
		"a public address":        {"http://8.8.8.8/", ""},
		"a public IPv6 address":   {"http://[2001:4860:4860::8888]:8080/", ""},
		"empty":                   {"", "missing"},
		"blank":                   {" ", "https:// or http://"},
		"no scheme":               {"hooks.example.com/x", "https:// or http://"},
		"another scheme":          {"ftp://hooks.example.com/", "https:// or http://"},
		"gopher":                  {"gopher://127.0.0.1:6379/_x", "https:// or http://"},
		"a file":                  {"file:///etc/passwd", "https:// or http://"},
		"no host":                 {"https:///path", "no host"},
		"opaque":                  {"https:hooks.example.com", "no host"},
		"only a port":             {"http://:8080/", "no host"},
		"a user":                  {"https://me:secret@hooks.example.com/", "user name"},
		"an empty user":           {"https://@hooks.example.com/", "user name"},
		"a fragment":              {"https://hooks.example.com/#x", "fragment"},
		"an empty fragment":       {"https://hooks.example.com/#", "fragment"},
		"port zero":               {"https://hooks.example.com:0/", "from 1 to 65535"},
		"a port too high":         {"https://hooks.example.com:65536/", "from 1 to 65535"},
		"a port without digits":   {"https://hooks.example.com:/", "from 1 to 65535"},
		"a port that is a word":   {"https://hooks.example.com:https/", "can not be read"},
		"a denied port":           {"https://hooks.example.com:6379/", "port 6379"},
		"a denied port, address":  {"https://8.8.8.8:22/", "port 22"},
		"a space in the host":     {"https://hooks example.com/", "can not be read"},
		"a line break":            {"https://hooks.example.com/\r\nX: y", "can not be read"},
		"a backslash":             {`https://hooks.example.com\@127.0.0.1/`, "can not be read"},
		"an escaped host":         {"http://127%2e0.0.1/", "can not be read"},
		"localhost":               {"http://localhost:8080/", "this server itself"},
		"localhost in capitals":   {"http://LOCALHOST./", "this server itself"},
		"below localhost":         {"http://app.localhost/", "this server itself"},
		"loopback":                {"http://127.0.0.1/", "127.0.0.1 is not allowed"},
		"shortened loopback":      {"http://127.1/", "four decimal numbers"},
		"loopback as one number":  {"http://2130706433/", "four decimal numbers"},
		"loopback in hexadecimal": {"http://0x7f000001/", "four decimal numbers"},
		"loopback in octal":       {"http://0177.0.0.1/", "four decimal numbers"},
		"mixed hexadecimal":       {"http://0x7f.0.0.0x1/", "four decimal numbers"},
		"full-width digits":       {"http://１２７.０.０.１/", "127.0.0.1 is not allowed"},
		"ideographic full stops":  {"http://127。0。0。1/", "127.0.0.1 is not allowed"},
		"circled digits":          {"http://①②⑦.⓪.⓪.①/", "127.0.0.1 is not allowed"},
		"IPv6 loopback":           {"http://[::1]/", "::1 is not allowed"},
		"IPv6 with a zone":        {"http://[fe80::1%25eth0]/", "fe80::1 is not allowed"},
		"IPv6 unreadable":         {"http://[fe80::1::2]/", "can not be read"},
		"a label too long":        {"https://" + strings.Repeat("a", 64) + ".example/", "valid name"},
		"a hyphen at the start":   {"https://-a.example/", "valid name"},
		"an empty label":          {"https://a..example/", "valid name"},
		"a name that is too long": {"https://" + strings.Repeat("a.", 127) + "example/", "valid name"},
		"too long":                {"https://a.example/" + strings.Repeat("x", 4096), "longer than"},
	} {
		err := g.CheckURL(c.url)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want an invalid fault with %q", name, err, c.want)
		}
	}
}

func TestCheckURLFollowsTheAllowList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allow []string
		url   string
	}{
		"localhost by name":          {[]string{"localhost"}, "http://localhost:9000/"},
		"localhost by name and port": {[]string{"localhost:9000"}, "http://localhost:9000/"},
		"localhost by range":         {[]string{"127.0.0.0/8"}, "http://localhost:9000/"},
		"loopback by range":          {[]string{"127.0.0.0/8"}, "http://127.0.0.1:9000/"},
		"a denied port":              {[]string{"127.0.0.1:6379"}, "http://127.0.0.1:6379/"},
		"a denied port of a host":    {[]string{"redis.example:6379"}, "http://redis.example:6379/"},
	} {
		if err := newGuard(t, guard.Options{Allow: c.allow}).CheckURL(c.url); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckURLNeverQuotesTheSecret(t *testing.T) {
	t.Parallel()
	g := newGuard(t, guard.Options{})
	for _, url := range []string{
		"https://127.0.0.1/s3cret", "ftp://a/s3cret", "https://user:s3cret@a.example/", "https://a.example/%zz?s3cret",
		"https://a.example:22/s3cret", "http://localhost/s3cret", "https://a b/s3cret",
	} {
		if err := g.CheckURL(url); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://hooks.example.com/services/T0/B0/key": "https://hooks.example.com/…4a3977a9",
		"http://127.0.0.1:8080/?sig=abc":               "http://127.0.0.1:8080/…",
		"https://user:secret@hooks.example.com/x":      "https://hooks.example.com/…",
		"%zz": "…",
		"":    "…e3b0c442",
	} {
		got := guard.Redact(url)
		if !strings.HasPrefix(got, want) || strings.Contains(got, "secret") {
			t.Errorf("Redact(%q) = %q, want %q", url, got, want)
		}
	}
	if guard.Redact("https://a.example/1") == guard.Redact("https://a.example/2") {
		t.Error("two addresses of one host look the same")
	}
}

func FuzzCheckURL(f *testing.F) {
	f.Add("https://hooks.example.com/x")
	f.Add("http://[::ffff:127.0.0.1]:80/")
	f.Add("http://0x7f.1/")
	f.Add("http://１２７.1/")
	g, err := guard.New(guard.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if err := g.CheckURL(raw); err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", raw, err)
		}
		if strings.Contains(raw, "127.0.0.1") && g.CheckURL("http://"+raw) == nil && strings.HasPrefix(raw, "127.0.0.1/") {
			t.Errorf("%q passes", raw)
		}
		_ = guard.Redact(raw)
	})
}
