// Package smtp sends messages as mail, through the operator's mail server.
//
// Each recipient gets a message of its own, so that recipients do not see each other. Sessions with the server are kept
// for a while and used again. A Send is one attempt at the recipients that have not accepted the message yet: when one of
// several is put off, the later attempt does not mail the others again (progress).
//
// How a Result is to be read:
//
//   - Status is the server's reply code, 250 for success. Response.Body holds the replies, one line a recipient.
//   - The server put a recipient off (4yz): ClassAnswered with AdviceRetry.
//   - The server refused every recipient for good (5yz): ClassAnswered with AdviceFinal. When it refused some and took the
//     others the mail counts as delivered, and Detail says how many were refused: a retry would change nothing.
//   - No session could be had with the mail server (it is down, its certificate or our password is wrong): ClassProxy. It
//     is the operator's server, so that is not the destination's fault.
//   - The session broke: ClassTimeout or ClassClosed.
//
// The package decides nothing and renders nothing but MIME.
package smtp

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/guard"
	"carillon/internal/transport"
)

// What holds when a message or the options say nothing.
const (
	defaultTimeout  = 30 * time.Second
	defaultConnect  = 3 * time.Second
	defaultSessions = 4
	defaultIdle     = 30 * time.Second
)

// Options sets up a Transport.
type Options struct {
	Guard *guard.Guard // required; the mail server counts as named exactly

	// Server is the operator's mail server: smtp://user:password@host:port or smtps://… (TLS from the start). The port is
	// 587 or 465 when left out. With smtp, STARTTLS is used when the server offers it; "?tls=required" insists on it,
	// "?tls=none" does without. A password is never sent unencrypted, but to this machine or with "?tls=none".
	Server string

	From        string         // "carillon@example.com" or "Carillon <carillon@example.com>"
	RootCAs     *x509.CertPool // nil: those of the system
	Hello       string         // the name given to the server; that of this machine when empty
	MaxSessions int            // at once; 4 when 0
	IdleTimeout time.Duration  // how long a session is kept unused; 30 s when 0
	Log         *slog.Logger   // nil: none
}

// Transport sends mail. It is safe for concurrent use.
type Transport struct {
	server   server
	from     *mail.Address
	sessions *sessions
	progress progress
	log      *slog.Logger
}

var _ transport.Transport = (*Transport)(nil)

// New returns a transport. It connects to nothing before a message is sent.
func New(o Options) (*Transport, error) {
	to, err := parseServer(o)
	if err != nil {
		return nil, err
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("the sender %q is not a mail address: write carillon@example.com or Carillon <carillon@example.com>", o.From)
	}
	if o.MaxSessions == 0 {
		o.MaxSessions = defaultSessions
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = defaultIdle
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Transport{
		server: to, from: from, log: o.Log,
		sessions: &sessions{timeout: o.IdleTimeout, slots: make(chan struct{}, o.MaxSessions)},
	}, nil
}

// Send makes one attempt to mail every recipient that has not accepted the message yet.
func (t *Transport) Send(ctx context.Context, _ transport.Lane, msg *delivery.Message) delivery.Result {
	start := time.Now()
	result := t.send(ctx, msg, start)
	result.StartedAt, result.Duration = start.UTC(), time.Since(start)
	return result
}

// Close ends the sessions that wait for their next message.
func (t *Transport) Close() error {
	t.sessions.close()
	return nil
}

func (t *Transport) send(ctx context.Context, msg *delivery.Message, start time.Time) delivery.Result {
	if msg.Mail == nil || len(msg.Mail.Recipients) == 0 {
		return delivery.Result{Class: delivery.ClassConfig, Detail: "the mail has no recipients"}
	}
	limits := newLimits(msg, start)
	ctx, cancel := context.WithDeadline(ctx, limits.end)
	defer cancel()
	if err := t.sessions.acquire(ctx); err != nil {
		return t.failed(ctx, err)
	}
	defer t.sessions.release()
	use, err := t.open(ctx, limits)
	if err != nil {
		return t.failed(ctx, err)
	}
	done := t.mailAll(ctx, use, msg.Mail, limits)
	t.progress.record(msg.Mail.MessageID, done)
	if done.broken != nil {
		return t.failed(ctx, done.broken)
	}
	return done.result()
}

// open returns a kept session or a new one.
func (t *Transport) open(ctx context.Context, limits limits) (*session, error) {
	if kept := t.sessions.take(); kept != nil {
		if kept.bind(ctx, limits.end) == nil {
			return kept, nil
		}
		kept.drop()
	}
	return t.fresh(ctx, limits)
}

func (t *Transport) fresh(ctx context.Context, limits limits) (*session, error) {
	made, err := t.server.connect(ctx, limits.connect, limits.end)
	if err != nil {
		return nil, err
	}
	if err := made.bind(ctx, limits.end); err != nil {
		made.drop()
		return nil, &sessionError{"the connection to the mail server broke", err}
	}
	return made, nil
}

// mailAll goes through the recipients. It ends early with the session: the others would only wait for the same.
func (t *Transport) mailAll(ctx context.Context, use *session, m *delivery.Mail, limits limits) *report {
	done := &report{total: len(m.Recipients)}
	for _, recipient := range m.Recipients {
		if t.progress.has(m.MessageID, recipient) {
			done.accepted = append(done.accepted, recipient)
			continue
		}
		letter, err := compose(t.from, m, recipient, time.Now())
		if err != nil {
			done.add(recipient, outcome{refused: true, text: err.Error()})
			continue
		}
		got := use.deliver(letter)
		if got.stale && ctx.Err() == nil { // a kept session that was over before anything was said
			use.drop()
			if use, err = t.fresh(ctx, limits); err != nil {
				done.broken = err
				return done
			}
			got = use.deliver(letter)
		}
		done.add(recipient, got)
		if got.ended {
			use.drop()
			return done
		}
	}
	t.sessions.put(use)
	return done
}

// failed turns an error that ended the attempt into a result, and logs what the result does not show.
func (t *Transport) failed(ctx context.Context, err error) delivery.Result {
	var result delivery.Result
	result.Class, result.Detail = classify(ctx, err)
	t.log.LogAttrs(ctx, slog.LevelInfo, "mail was not sent", slog.String("class", string(result.Class)), slog.Any("err", err))
	return result
}

// limits bound one attempt.
type limits struct {
	end     time.Time
	connect time.Duration
}

func newLimits(msg *delivery.Message, start time.Time) limits {
	l := limits{end: start.Add(defaultTimeout), connect: defaultConnect}
	if msg.Timeout > 0 {
		l.end = start.Add(msg.Timeout)
	}
	if msg.ConnectTimeout > 0 {
		l.connect = msg.ConnectTimeout
	}
	return l
}
