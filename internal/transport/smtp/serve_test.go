package smtp_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/subscription"
	"carillon/internal/transport"
	"carillon/internal/transport/smtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var lane = transport.Lane{Key: "dst-1", Concurrency: 4}

// letter is what a server took.
type letter struct {
	from      string
	to        []string
	data      string
	encrypted bool
	user      string
}

// mailServer is a real mail server that keeps what it takes and refuses what it is told to.
type mailServer struct {
	addr   string
	server *gosmtp.Server

	mechanisms []string
	onRcpt     func(to string) error
	onData     func() error

	mu       sync.Mutex
	letters  []letter
	sessions int
	conns    []*gosmtp.Conn
}

// newServer starts one; change sets it up before that.
func newServer(t *testing.T, change func(*mailServer)) *mailServer {
	t.Helper()
	s := &mailServer{}
	s.server = gosmtp.NewServer(gosmtp.BackendFunc(s.session))
	s.server.Domain = "mail.example"
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if change != nil {
		change(s)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	served := make(chan struct{})
	go func() { defer close(served); _ = s.server.Serve(listener) }()
	t.Cleanup(func() { _ = listener.Close(); _ = s.server.Close(); <-served })
	return s
}

func (s *mailServer) session(c *gosmtp.Conn) (gosmtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	s.conns = append(s.conns, c)
	return &session{server: s, conn: c}, nil
}

func (s *mailServer) took() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.letters
}

func (s *mailServer) sessionCount() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// hangUp closes every connection that was made.
func (s *mailServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

type session struct {
	server *mailServer
	conn   *gosmtp.Conn
	user   string
	letter letter
}

func (s *session) Reset()        { s.letter = letter{} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	if len(s.server.mechanisms) > 0 && s.user == "" {
		return gosmtp.ErrAuthRequired
	}
	s.letter.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if s.server.onRcpt != nil {
		if err := s.server.onRcpt(to); err != nil {
			return err
		}
	}
	s.letter.to = append(s.letter.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.onData != nil {
		if err := s.server.onData(); err != nil {
			return err
		}
	}
	s.letter.data, s.letter.user = string(data), s.user
	_, s.letter.encrypted = s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.letters = append(s.server.letters, s.letter)
	return nil
}

func (s *session) AuthMechanisms() []string { return s.server.mechanisms }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != "carillon" || password != "pass word" {
			return gosmtp.ErrAuthFailed
		}
		s.user = user + " by " + mechanism
		return nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// loginServer is the server's side of LOGIN: it asks for the user, then for the password.
type loginServer struct {
	check func(user, password string) error
	said  []string
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response != nil {
		l.said = append(l.said, string(response))
	}
	switch len(l.said) {
	case 0:
		return []byte("Username:"), false, nil
	case 1:
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(l.said[0], l.said[1])
}

// certificates returns what a server of 127.0.0.1 and example.com uses and what a client has to trust.
func certificates(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	return &tls.Config{Certificates: server.TLS.Certificates}, server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
}

// newTransport returns a transport for a server's URL, and what it logs. Its guard allows nothing by itself.
func newTransport(t *testing.T, url string, change func(*smtp.Options)) (*smtp.Transport, *logged) {
	t.Helper()
	g, err := guard.New(guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	o := smtp.Options{Guard: g, Server: url, From: "Carillon <carillon@example.com>", Hello: "client.example", Log: slog.New(slog.NewTextHandler(log, nil))}
	if change != nil {
		change(&o)
	}
	sender, err := smtp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	return sender, log
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// mailTo is a plain message.
func mailTo(recipients ...string) *delivery.Message {
	return &delivery.Message{
		Channel: subscription.ChannelEmail, Timeout: 10 * time.Second,
		Mail: &delivery.Mail{
			Recipients: recipients, Subject: "[acme/network] Run applied", Text: "Hello\n\nThe run was applied.\n",
			MessageID: "dlv-" + strings.Join(recipients, "-") + "@carillon.example",
		},
	}
}
