package smtp_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/transport/smtp"
)

func TestEncryptionAndSignIn(t *testing.T) {
	t.Parallel()
	config, roots := certificates(t)
	starttls := func(s *mailServer) { s.server.TLSConfig = config }
	signIn := func(mechanisms ...string) func(*mailServer) {
		return func(s *mailServer) { s.mechanisms = mechanisms; s.server.AllowInsecureAuth = true }
	}
	both := func(s *mailServer) { starttls(s); s.mechanisms = []string{sasl.Plain} }
	for name, c := range map[string]struct {
		change    func(*mailServer)
		url       string // HOST stands for the server's address
		distrust  bool
		detail    string // "" when the mail arrives
		encrypted bool
		user      string
	}{
		"plain":                     {nil, "smtp://HOST", false, "", false, ""},
		"offered":                   {starttls, "smtp://HOST", false, "", true, ""},
		"offered, not wanted":       {starttls, "smtp://HOST?tls=none", false, "", false, ""},
		"required":                  {starttls, "smtp://HOST?tls=required", false, "", true, ""},
		"required, not offered":     {nil, "smtp://HOST?tls=required", false, "the mail server offers no encryption", false, ""},
		"offered, not trusted":      {starttls, "smtp://HOST", true, "the TLS handshake with the mail server failed", false, ""},
		"sign in, encrypted":        {both, "smtp://carillon:pass%20word@HOST", false, "", true, "carillon by PLAIN"},
		"sign in by login":          {signIn(sasl.Login), "smtp://carillon:pass%20word@HOST", false, "", false, "carillon by LOGIN"},
		"sign in on this machine":   {signIn(sasl.Plain), "smtp://carillon:pass%20word@HOST", false, "", false, "carillon by PLAIN"},
		"a wrong password":          {both, "smtp://carillon:s3cret@HOST", false, "the mail server did not accept our user and password", false, ""},
		"no way to sign in":         {nil, "smtp://carillon:s3cret@HOST", false, "the mail server offers no way to sign in that is known here", false, ""},
		"nobody signs in, but must": {both, "smtp://HOST", false, "the mail server refused every recipient", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, c.change)
			sender, log := newTransport(t, strings.Replace(c.url, "HOST", server.addr, 1), func(o *smtp.Options) {
				if !c.distrust {
					o.RootCAs = roots
				}
			})
			got := sender.Send(t.Context(), lane, mailTo("a@x.example"))
			letters := server.took()
			if c.detail != "" {
				if got.OK() || got.Detail != c.detail || len(letters) != 0 || strings.Contains(log.String()+got.Detail, "s3cret") {
					t.Errorf("%+v, %s", got, log)
				}
				return
			}
			if !got.OK() || len(letters) != 1 || letters[0].encrypted != c.encrypted || letters[0].user != c.user {
				t.Errorf("%+v, %+v", got, letters)
			}
		})
	}
}

// TestPasswordNeedsEncryption names the server, so that it does not count as this machine.
func TestPasswordNeedsEncryption(t *testing.T) {
	t.Parallel()
	g, err := guard.New(guard.Options{Resolver: loopback{}})
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]string{
		"": "the mail server offers no encryption, and the password is not sent without it", "?tls=none": "",
	} {
		server := newServer(t, func(s *mailServer) { s.mechanisms = []string{sasl.Plain}; s.server.AllowInsecureAuth = true })
		_, port, _ := net.SplitHostPort(server.addr)
		sender, _ := newTransport(t, "smtp://carillon:pass%20word@mail.example:"+port+option, func(o *smtp.Options) { o.Guard = g })
		got := sender.Send(t.Context(), lane, mailTo("a@x.example"))
		if got.Detail != want || got.OK() != (want == "") {
			t.Errorf("%q: %+v", option, got)
		}
		if want != "" && got.Class != delivery.ClassProxy {
			t.Errorf("%q: %+v", option, got)
		}
	}
}

func TestTLSFromTheStart(t *testing.T) {
	t.Parallel()
	config, roots := certificates(t)
	server := newServer(t, func(s *mailServer) { s.mechanisms = []string{sasl.Plain} })
	addr := tlsFront(t, config, server.addr)
	sender, _ := newTransport(t, "smtps://carillon:pass%20word@"+addr, func(o *smtp.Options) { o.RootCAs = roots })
	server.server.AllowInsecureAuth = true // the front has taken the TLS off
	for range 2 {
		if got := sender.Send(t.Context(), lane, mailTo("a@x.example")); !got.OK() {
			t.Errorf("%+v", got)
		}
	}
	if n := server.sessionCount(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	sender, _ = newTransport(t, "smtps://"+server.addr, func(o *smtp.Options) { o.RootCAs = roots })
	if got := sender.Send(t.Context(), lane, mailTo("a@x.example")); got.Class != delivery.ClassProxy || got.Detail != "the TLS handshake with the mail server failed" {
		t.Errorf("without TLS: %+v", got)
	}
}

// script is a server that says its lines, one for each line it hears, and then hangs or ends.
func script(t *testing.T, hang bool, lines ...string) string {
	t.Helper()
	return listen(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for i, line := range lines {
			if i > 0 {
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			_, _ = io.WriteString(c, line+"\r\n")
		}
		if hang {
			_, _ = io.Copy(io.Discard, r)
		} else {
			_, _ = r.ReadString('\n')
		}
	})
}

func TestServerInTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		addr   string
		class  delivery.Class
		status int
		detail string
	}{
		"nobody there":       {freePort(t), delivery.ClassProxy, 0, "the mail server can not be reached"},
		"no greeting":        {script(t, true), delivery.ClassProxy, 0, "the mail server did not greet"},
		"greeting is a no":   {script(t, false, "554 Go away"), delivery.ClassProxy, 0, "the mail server did not greet"},
		"not a mail server":  {script(t, false, "HTTP/1.1 400 Bad Request"), delivery.ClassProxy, 0, "the mail server did not greet"},
		"hello refused":      {script(t, false, "220 hi", "550 no", "550 no"), delivery.ClassProxy, 0, "the mail server did not accept our greeting"},
		"hangs at mail":      {script(t, true, "220 hi", "250 hello"), delivery.ClassTimeout, 0, "the mail server did not answer in time"},
		"ends at mail":       {script(t, false, "220 hi", "250 hello"), delivery.ClassClosed, 0, "the mail server ended the session"},
		"nonsense at mail":   {script(t, false, "220 hi", "250 hello", "what?"), delivery.ClassClosed, 0, "the mail server's answer can not be understood"},
		"neither yes nor no": {script(t, false, "220 hi", "250 hello", "354 go on"), delivery.ClassClosed, 0, "the mail server's answer can not be understood"},
		"closes for service": {script(t, false, "220 hi", "250 hello", "421 bye"), delivery.ClassAnswered, 421, "the mail server put off 1 of 1 recipients"},
		"hangs at data":      {script(t, true, "220 hi", "250 hello", "250 ok", "250 ok"), delivery.ClassTimeout, 0, "the mail server did not answer in time"},
		"data refused":       {script(t, false, "220 hi", "250 hello", "250 ok", "250 ok", "451 later"), delivery.ClassAnswered, 451, "the mail server put off 1 of 1 recipients"},
		"hangs after data":   {script(t, true, "220 hi", "250 hello", "250 ok", "250 ok", "354 go"), delivery.ClassTimeout, 0, "the mail server did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sender, log := newTransport(t, "smtp://"+c.addr, nil)
			msg := mailTo("a@x.example")
			if c.class == delivery.ClassTimeout || name == "no greeting" {
				msg.Timeout = 50 * time.Millisecond
			}
			got := sender.Send(t.Context(), lane, msg)
			if got.Class != c.class || got.Status != c.status || got.Detail != c.detail {
				t.Errorf("%+v", got)
			}
			if c.status == 0 && !strings.Contains(log.String(), "class="+string(c.class)) {
				t.Errorf("log: %s", log)
			}
		})
	}
}

func TestNameThatLeadsToMetadata(t *testing.T) {
	t.Parallel()
	g, err := guard.New(guard.Options{Resolver: metadata{}})
	if err != nil {
		t.Fatal(err)
	}
	sender, _ := newTransport(t, "smtp://mail.example:25", func(o *smtp.Options) { o.Guard = g })
	if got := sender.Send(t.Context(), lane, mailTo("a@x.example")); got.Class != delivery.ClassForbidden {
		t.Errorf("%+v", got)
	}
}

func TestUnknownServer(t *testing.T) {
	t.Parallel()
	g, err := guard.New(guard.Options{Resolver: nowhere{}})
	if err != nil {
		t.Fatal(err)
	}
	sender, _ := newTransport(t, "smtp://mail.example:25", func(o *smtp.Options) { o.Guard = g })
	got := sender.Send(t.Context(), lane, mailTo("a@x.example"))
	if got.Class != delivery.ClassProxy || got.Detail != "the mail server's name could not be looked up" {
		t.Errorf("%+v", got)
	}
}

// TestBusy has one slot, which is taken.
func TestBusy(t *testing.T) {
	t.Parallel()
	taken, release := make(chan struct{}), make(chan struct{})
	server := newServer(t, func(s *mailServer) { s.onData = func() error { close(taken); <-release; return nil } })
	sender, _ := newTransport(t, "smtp://"+server.addr, func(o *smtp.Options) { o.MaxSessions = 1 })
	first := make(chan delivery.Result)
	go func() { first <- sender.Send(t.Context(), lane, mailTo("a@x.example")) }()
	<-taken
	msg := mailTo("b@x.example")
	msg.Timeout = 10 * time.Millisecond
	if got := sender.Send(t.Context(), lane, msg); got.Class != delivery.ClassProxy || got.Detail != "the mail server is too slow" {
		t.Errorf("%+v", got)
	}
	close(release)
	if got := <-first; !got.OK() {
		t.Errorf("%+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	g, err := guard.New(guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                           "must be written as",
		"mail.example":               "must be written as",
		"http://mail.example":        "must be written as",
		"smtp://mail.example/s3cret": "must be written as",
		"smtp://u:s3cret@":           "must be written as",
		"smtp://%zz:s3cret@h":        "must be written as",
		"smtp://h?tls=maybe":         "option tls",
		"smtps://h?tls=none":         "option tls",
		"smtp://a..b:25":             "can not be used",
	} {
		_, err := smtp.New(smtp.Options{Guard: g, Server: url, From: "a@example.com"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := smtp.New(smtp.Options{Guard: g, Server: "smtp://h", From: "nobody"}); err == nil {
		t.Error("a sender that is no address is accepted")
	}
	if _, err := smtp.New(smtp.Options{Guard: g, Server: "smtps://mail.example", From: "a@example.com"}); err != nil {
		t.Error(err)
	}
}
