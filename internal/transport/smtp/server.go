package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"carillon/internal/guard"
)

// encryption is how much of it the operator wants.
type encryption string

const (
	encryptOffered  encryption = ""         // STARTTLS when the server offers it
	encryptRequired encryption = "required" // STARTTLS, or no mail
	encryptNone     encryption = "none"
	encryptAlways   encryption = "always" // TLS from the start: smtps
)

// server is the operator's mail server and the way to it.
type server struct {
	guard      *guard.Guard
	host       string
	addr       string
	encryption encryption
	user       string
	password   string
	hello      string
	tls        *tls.Config
}

// parseServer reads the operator's setting. Its errors do not quote it, for it holds a password.
func parseServer(o Options) (server, error) {
	u, err := url.Parse(o.Server)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") || strings.Trim(u.Path, "/") != "" {
		return server{}, errors.New("the mail server must be written as smtp://user:password@host:port or smtps://host")
	}
	s := server{host: u.Hostname(), hello: o.Hello, user: u.User.Username()}
	s.password, _ = u.User.Password()
	port := u.Port()
	switch s.encryption = encryption(u.Query().Get("tls")); {
	case u.Scheme == "smtps" && s.encryption == encryptOffered:
		s.encryption = encryptAlways
		port = orElse(port, "465")
	case u.Scheme == "smtp" && slices.Contains([]encryption{encryptOffered, encryptRequired, encryptNone}, s.encryption):
		port = orElse(port, "587")
	default:
		return server{}, errors.New(`the mail server's option tls must be "required" or "none", and only with smtp://`)
	}
	s.addr = net.JoinHostPort(s.host, port)
	if s.hello == "" {
		s.hello = localName()
	}
	// The server is the operator's choice and mostly stands in a private network, at a port that users may not name.
	if s.guard, err = o.Guard.With(s.addr); err != nil {
		return server{}, fmt.Errorf("the mail server's address can not be used: %w", err)
	}
	s.tls = &tls.Config{ServerName: s.host, RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	return s, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// localName is the name for the greeting; servers refuse one that is not a name.
func localName() string {
	name, err := os.Hostname()
	if err != nil || strings.ContainsAny(name, " \t\r\n_") || name == "" {
		return "localhost"
	}
	return name
}

// sessionError is a failure to get a session. Its text may be shown.
type sessionError struct {
	text string
	err  error
}

func (e *sessionError) Error() string { return e.text + ": " + e.err.Error() }
func (e *sessionError) Unwrap() error { return e.err }

// connect makes a session that is ready for its first message.
func (s *server) connect(ctx context.Context, connectWithin time.Duration, end time.Time) (*session, error) {
	dialCtx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	raw, err := s.guard.DialContext(dialCtx, "tcp", s.addr)
	if err != nil {
		return nil, &sessionError{connectText(err), err}
	}
	if err := raw.SetDeadline(end); err != nil {
		_ = raw.Close() // never used
		return nil, &sessionError{"the connection to the mail server broke", err}
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	client, err := s.introduce(raw)
	if !stop() && err == nil {
		err = &sessionError{"the connection to the mail server was given up", context.Cause(ctx)}
	}
	if err != nil {
		_ = raw.Close() // the error says more
		return nil, err
	}
	return &session{client: client, raw: raw}, nil
}

func connectText(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "the mail server's name could not be looked up"
	}
	return "the mail server can not be reached"
}

// introduce exchanges greetings, turns encryption on and signs in.
func (s *server) introduce(raw net.Conn) (*smtp.Client, error) {
	conn := raw
	if s.encryption == encryptAlways {
		secured := tls.Client(raw, s.tls)
		if err := secured.Handshake(); err != nil {
			return nil, &sessionError{"the TLS handshake with the mail server failed", err}
		}
		conn = secured
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, &sessionError{"the mail server did not greet", err}
	}
	if err := client.Hello(s.hello); err != nil {
		return nil, &sessionError{"the mail server did not accept our greeting", err}
	}
	if err := s.encrypt(client); err != nil {
		return nil, err
	}
	return client, s.signIn(client)
}

func (s *server) encrypt(client *smtp.Client) error {
	if s.encryption == encryptAlways || s.encryption == encryptNone {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); !offered {
		if s.encryption == encryptRequired {
			return &sessionError{"the mail server offers no encryption", errors.New("no STARTTLS")}
		}
		return nil
	}
	if err := client.StartTLS(s.tls); err != nil {
		return &sessionError{"the TLS handshake with the mail server failed", err}
	}
	return nil
}

// signIn authenticates by the best mechanism that both sides have. Mechanisms that show the password need encryption.
func (s *server) signIn(client *smtp.Client) error {
	if s.user == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	_, encrypted := client.TLSConnectionState()
	shows := encrypted || s.encryption == encryptNone || isLoopback(s.host)
	var auth smtp.Auth
	switch {
	case slices.Contains(mechanisms, "SCRAM-SHA-256"):
		auth = smtp.ScramSHA256Auth(s.user, s.password)
	case slices.Contains(mechanisms, "PLAIN") && shows:
		auth = smtp.PlainAuth("", s.user, s.password, s.host, true)
	case slices.Contains(mechanisms, "LOGIN") && shows:
		auth = smtp.LoginAuth(s.user, s.password, s.host, true)
	case slices.Contains(mechanisms, "CRAM-MD5"):
		auth = smtp.CRAMMD5Auth(s.user, s.password)
	case !shows:
		return &sessionError{"the mail server offers no encryption, and the password is not sent without it", fmt.Errorf("mechanisms %q", offered)}
	default:
		return &sessionError{"the mail server offers no way to sign in that is known here", fmt.Errorf("mechanisms %q", offered)}
	}
	if err := client.Auth(auth); err != nil {
		return &sessionError{"the mail server did not accept our user and password", err}
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.Unmap().IsLoopback())
}
