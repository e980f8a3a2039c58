package conformance

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Mail is one message that a mail server received.
type Mail struct {
	From string
	To   []string
	Data []byte
}

// MailServer is a mail server on this machine.
type MailServer struct {
	URL string // "smtp://127.0.0.1:port"

	mu   sync.Mutex
	mail []Mail
	held chan struct{} // closed when messages may be taken
}

// Hold makes the server take no message until release is called.
func (m *MailServer) Hold() (release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := make(chan struct{})
	m.held = held
	return sync.OnceFunc(func() { close(held) })
}

// NewMailServer starts a mail server that takes everything.
func NewMailServer(t testing.TB) *MailServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &MailServer{URL: "smtp://" + listener.Addr().String()}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: m}, nil }))
	server.Domain = "localhost"
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return m
}

// Mail returns what was received so far.
func (m *MailServer) Mail() []Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Mail(nil), m.mail...)
}

// session takes one client's messages.
type session struct {
	server *MailServer
	now    Mail
}

// Mail begins a message.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.now = Mail{From: from}
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.now.To = append(s.now.To, to)
	return nil
}

// Data takes the message.
func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.now.Data = data
	s.server.mu.Lock()
	held := s.server.held
	s.server.mu.Unlock()
	if held != nil {
		<-held
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.mail = append(s.server.mail, s.now)
	return nil
}

// Reset drops the message.
func (s *session) Reset() { s.now = Mail{} }

// Logout ends the session.
func (s *session) Logout() error { return nil }
