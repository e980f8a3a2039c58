package smtp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/textproto"
	"syscall"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// maxMessages ends a session after that many messages; servers have limits of their own and say so impolitely.
const maxMessages = 100

// session is one connection to the mail server, past greeting and sign-in. It belongs to one Send at a time.
type session struct {
	client *smtp.Client
	raw    net.Conn
	sent   int         // messages so far
	timer  *time.Timer // ends it while it waits
	unbind func() bool // from the context of the Send that uses it
}

// bind makes the session end with the attempt: in time, and when the context does.
func (s *session) bind(ctx context.Context, end time.Time) error {
	if err := s.raw.SetDeadline(end); err != nil {
		return err
	}
	s.unbind = context.AfterFunc(ctx, func() { _ = s.raw.SetDeadline(time.Unix(1, 0)) })
	return nil
}

// outcome is what became of one recipient.
type outcome struct {
	code    int    // the server's reply
	text    string // the reply, or why nothing was sent
	refused bool   // for good
	putOff  bool   // for now
	ended   bool   // the session is over
	stale   bool   // and was so before anything was said
	err     error  // why there is no reply
}

// deliver sends one message to one recipient. Unless the session ended it is ready for the next.
func (s *session) deliver(l *letter) outcome {
	if err := s.client.Mail("<" + l.from + ">"); err != nil {
		got := s.reply(err)
		got.stale = s.sent > 0 && got.ended && (got.err == nil || isClosed(got.err))
		return got
	}
	if err := s.client.Rcpt("<" + l.to + ">"); err != nil {
		return s.reply(err)
	}
	body, err := s.client.Data()
	if err != nil {
		return s.reply(err)
	}
	if _, err := l.message.WriteTo(body); err != nil {
		return outcome{ended: true, err: err}
	}
	s.sent++
	if err := body.Close(); err != nil {
		return s.reply(err)
	}
	got := outcome{code: 250}
	if closer, ok := body.(*smtp.DataCloser); ok {
		got.text = closer.ServerResponse()
	}
	return got
}

// reply reads what the server said instead of yes, and brings the session back to its start.
func (s *session) reply(err error) outcome {
	said, ok := errors.AsType[*textproto.Error](err)
	if !ok {
		return outcome{ended: true, err: err}
	}
	got := outcome{code: said.Code, text: said.Msg, putOff: said.Code/100 == 4, refused: said.Code/100 == 5}
	switch {
	case !got.putOff && !got.refused: // neither yes nor no
		got.ended, got.err = true, err
	case said.Code == 421: // the server closes
		got.ended = true
	default:
		got.ended = s.client.Reset() != nil
	}
	return got
}

// isClosed reports whether the server ended the connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE)
}

// quit says good-bye, briefly, and closes.
func (s *session) quit() {
	if s.raw.SetDeadline(time.Now().Add(time.Second)) == nil {
		_ = s.client.Quit() // whether it hears it or not
	}
	s.drop()
}

// drop closes without a word.
func (s *session) drop() {
	if s.unbind != nil {
		s.unbind()
	}
	_ = s.raw.Close() // whatever it says, the session is over
}
