package smtp_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"carillon/internal/delivery"
	"carillon/internal/transport/smtp"
)

func refusal(code int, text string) error {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// replying refuses recipients by name: "4xx" and "5xx" name a code.
func replying(to string) error {
	switch {
	case strings.HasPrefix(to, "450"):
		return refusal(450, "Greylisted")
	case strings.HasPrefix(to, "451"):
		return refusal(451, "Try later")
	case strings.HasPrefix(to, "550"):
		return refusal(550, "No such user")
	}
	return nil
}

func TestReplies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recipients []string
		class      delivery.Class
		status     int
		advice     delivery.Advice
		detail     string
		body       string
		letters    int
	}{
		"taken":          {[]string{"a@x.example"}, delivery.ClassAnswered, 250, delivery.AdviceNone, "", "a@x.example: 250 2.0.0 OK: queued", 1},
		"refused":        {[]string{"550@x.example"}, delivery.ClassAnswered, 550, delivery.AdviceFinal, "the mail server refused every recipient", "550@x.example: 550 5.1.1 No such user", 0},
		"put off":        {[]string{"450@x.example"}, delivery.ClassAnswered, 450, delivery.AdviceRetry, "the mail server put off 1 of 1 recipients", "450@x.example: 450 4.1.1 Greylisted", 0},
		"some refused":   {[]string{"550@x.example", "a@x.example", "b@x.example"}, delivery.ClassAnswered, 250, delivery.AdviceNone, "1 of 3 recipients were refused for good", "550@x.example: 550 5.1.1 No such user\na@x.example: 250 2.0.0 OK: queued\nb@x.example: 250 2.0.0 OK: queued", 2},
		"some put off":   {[]string{"a@x.example", "550@x.example", "451@x.example", "450@x.example"}, delivery.ClassAnswered, 451, delivery.AdviceRetry, "the mail server put off 2 of 4 recipients", "", 1},
		"not an address": {[]string{"nobody"}, delivery.ClassConfig, 0, delivery.AdviceNone, "no recipient can be mailed: not a mail address", "", 0},
		"one is none":    {[]string{"nobody", "a@x.example"}, delivery.ClassAnswered, 250, delivery.AdviceNone, "1 of 2 recipients were refused for good", "nobody: not a mail address\na@x.example: 250 2.0.0 OK: queued", 1},
		"a line break":   {[]string{"a@x.example>\r\nDATA"}, delivery.ClassConfig, 0, delivery.AdviceNone, "no recipient can be mailed: not a mail address", "", 0},
		"no recipients":  {nil, delivery.ClassConfig, 0, delivery.AdviceNone, "the mail has no recipients", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newServer(t, func(s *mailServer) { s.onRcpt = replying })
			sender, _ := newTransport(t, "smtp://"+server.addr, nil)
			got := sender.Send(t.Context(), lane, mailTo(c.recipients...))
			if got.Class != c.class || got.Status != c.status || got.Advice != c.advice || got.Detail != c.detail {
				t.Errorf("%+v", got)
			}
			if c.body != "" && (got.Response == nil || string(got.Response.Body) != c.body || got.Response.Status != c.status) {
				t.Errorf("%+v", got.Response)
			}
			if letters := server.took(); len(letters) != c.letters {
				t.Errorf("%d letters", len(letters))
			}
			if got.StartedAt.Location() != time.UTC || got.Duration <= 0 {
				t.Errorf("started %s, took %s", got.StartedAt, got.Duration)
			}
		})
	}
}

// TestPolicyDecidesRight: a reply of 4yz is tried again and one of 5yz is not, whatever the policy says of HTTP statuses.
func TestPolicyDecidesRight(t *testing.T) {
	t.Parallel()
	server := newServer(t, func(s *mailServer) { s.onRcpt = replying })
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	for recipient, want := range map[string]delivery.State{
		"a@x.example": delivery.Delivered, "450@x.example": delivery.Pending, "550@x.example": delivery.Exhausted,
	} {
		result := sender.Send(t.Context(), lane, mailTo(recipient))
		strict := delivery.Default()
		strict.FinalBelow500 = true
		for _, policy := range []delivery.Policy{delivery.Default(), strict} {
			now := time.Now()
			if got := policy.Decide(1, result, now, now, 0.5); got.State != want {
				t.Errorf("%s: %s, want %s", recipient, got.State, want)
			}
		}
	}
}

// TestAcceptedRecipientsAreNotMailedAgain has one of three put off at first.
func TestAcceptedRecipientsAreNotMailedAgain(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	putOff := 2
	server := newServer(t, func(s *mailServer) {
		s.onRcpt = func(to string) error {
			mu.Lock()
			defer mu.Unlock()
			if to == "b@x.example" && putOff > 0 {
				putOff--
				return refusal(450, "Later")
			}
			return nil
		}
	})
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	msg := mailTo("a@x.example", "b@x.example", "c@x.example")
	for i, want := range []int{450, 450, 250, 250} { // the last is a redelivery: everybody gets it
		if result := sender.Send(t.Context(), lane, msg); result.Status != want {
			t.Errorf("attempt %d: %+v", i, result)
		}
	}
	count := map[string]int{}
	for _, l := range server.took() {
		count[l.to[0]]++
	}
	if count["a@x.example"] != 2 || count["b@x.example"] != 2 || count["c@x.example"] != 2 {
		t.Errorf("letters: %v", count)
	}
}

func TestRefusedAfterTheText(t *testing.T) {
	t.Parallel()
	for code, advice := range map[int]delivery.Advice{554: delivery.AdviceFinal, 452: delivery.AdviceRetry} {
		server := newServer(t, func(s *mailServer) { s.onData = func() error { return refusal(code, "Hm") } })
		sender, _ := newTransport(t, "smtp://"+server.addr, nil)
		for range 2 {
			if got := sender.Send(t.Context(), lane, mailTo("a@x.example")); got.Status != code || got.Advice != advice {
				t.Errorf("%+v", got)
			}
		}
		if n := server.sessionCount(); n != 1 {
			t.Errorf("%d sessions", n)
		}
	}
}

func TestSessionsAreKeptAndReplaced(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	send := func(wantSessions int) {
		t.Helper()
		if result := sender.Send(t.Context(), lane, mailTo("a@x.example")); !result.OK() {
			t.Errorf("%+v", result)
		}
		if n := server.sessionCount(); n != wantSessions {
			t.Errorf("%d sessions, want %d", n, wantSessions)
		}
	}
	send(1)
	send(1)
	server.hangUp()
	send(2)
	if err := sender.Close(); err != nil {
		t.Error(err)
	}
	send(3)
	send(4) // nothing is kept after Close
}

func TestSessionsEndAfterManyMessages(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	for range 101 {
		if result := sender.Send(t.Context(), lane, mailTo("a@x.example")); !result.OK() {
			t.Fatalf("%+v", result)
		}
	}
	if n := server.sessionCount(); n != 2 {
		t.Errorf("%d sessions", n)
	}
}

func TestNoMoreSessionsThanAllowed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	under, most := 0, 0
	server := newServer(t, func(s *mailServer) {
		s.onRcpt = func(string) error {
			mu.Lock()
			under++
			most = max(most, under)
			mu.Unlock()
			return nil
		}
		s.onData = func() error {
			mu.Lock()
			under--
			mu.Unlock()
			return nil
		}
	})
	sender, _ := newTransport(t, "smtp://"+server.addr, func(o *smtp.Options) { o.MaxSessions = 2 })
	var senders sync.WaitGroup
	for range 12 {
		senders.Go(func() {
			if result := sender.Send(t.Context(), lane, mailTo("a@x.example")); !result.OK() {
				t.Errorf("%+v", result)
			}
		})
	}
	senders.Wait()
	if most > 2 || server.sessionCount() > 2 || len(server.took()) != 12 {
		t.Errorf("%d at once over %d sessions, %d letters", most, server.sessionCount(), len(server.took()))
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	t.Parallel()
	server := newServer(t, nil)
	sender, _ := newTransport(t, "smtp://"+server.addr, func(o *smtp.Options) { o.IdleTimeout = time.Millisecond })
	if result := sender.Send(t.Context(), lane, mailTo("a@x.example")); !result.OK() {
		t.Errorf("%+v", result)
	}
	for server.sessionsOpen() > 0 { // ends when the client said good-bye
		select {
		case <-t.Context().Done():
			t.Fatal("the session was kept")
		default:
		}
	}
}

// sessionsOpen counts the connections that the server still has.
func (s *mailServer) sessionsOpen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := 0
	for _, c := range s.conns {
		if err := c.Conn().SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			open++
		}
	}
	return open
}

func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	server := newServer(t, func(s *mailServer) { s.onData = func() error { cancel(); <-release; return nil } })
	sender, _ := newTransport(t, "smtp://"+server.addr, nil)
	if got := sender.Send(ctx, lane, mailTo("a@x.example")); got.Class != delivery.ClassStopped {
		t.Errorf("%+v", got)
	}
	close(release)
	if got := sender.Send(ctx, lane, mailTo("a@x.example")); got.Class != delivery.ClassStopped {
		t.Errorf("before the session: %+v", got)
	}
}
