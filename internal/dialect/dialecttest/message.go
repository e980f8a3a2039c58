package dialecttest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// messages renders every sample for every channel and level that its notices are open to, some of them with hostile texts.
func (s Suite) messages(t *testing.T) {
	t.Parallel()
	for name, e := range Events() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.renderAll(t, e)
			hostile := Events()[name]
			poison(hostile)
			s.renderAll(t, hostile)
		})
	}
}

func (s Suite) renderAll(t *testing.T, e *event.Event) {
	t.Helper()
	before, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range s.Dialect.Notices(e) {
		for _, level := range levels {
			if !n.OpenTo(level) {
				continue
			}
			for _, channel := range s.Dialect.Channels() {
				if !slices.Contains(s.Unrendered, channel) {
					sub := s.subscriptionAt(level, channel, n.Triggers)
					s.renderOne(t, dialect.Input{Event: e, Notice: n, Subscription: sub, Delivery: deliveryOf(sub, e, i), Recipients: []string{"a@example.com"}, Site: Site})
				}
			}
		}
	}
	if after, err := event.Encode(e); err != nil || !bytes.Equal(before, after) {
		t.Errorf("rendering changes the event")
	}
}

// renderOne renders twice at the same time: equal input gives equal bytes, and rendering shares no state.
func (s Suite) renderOne(t *testing.T, in dialect.Input) {
	t.Helper()
	var messages [2]*delivery.Message
	var errs [2]error
	var wg sync.WaitGroup
	for i := range messages {
		wg.Go(func() { messages[i], errs[i] = s.Dialect.Render(in) })
	}
	wg.Wait()
	where := in.Notice.Name + " on " + string(in.Subscription.Channel)
	if errs[0] != nil || errs[1] != nil || messages[0] == nil || messages[1] == nil {
		t.Fatalf("%s: %v, %v", where, errs[0], errs[1])
	}
	if !sameJSON(messages[0], messages[1]) {
		t.Errorf("%s: equal input gives different messages", where)
	}
	checkMessage(t, where, in.Subscription.Channel, messages[0])
}

// checkMessage checks what holds for every message that has not been signed.
func checkMessage(t *testing.T, where string, channel subscription.Channel, msg *delivery.Message) {
	t.Helper()
	if msg.URL != "" {
		t.Errorf("%s: the address is set; the engine does that", where)
	}
	if msg.Channel != channel {
		t.Errorf("%s: the message is for %q", where, msg.Channel)
	}
	checkHeaders(t, where, msg.Header)
	if channel == subscription.ChannelEmail {
		checkMail(t, where, msg)
		return
	}
	if msg.Mail != nil || len(msg.Body) == 0 {
		t.Errorf("%s: a request needs a body and no mail", where)
	}
	if strings.Contains(msg.Get("Content-Type"), "json") && !json.Valid(msg.Body) {
		t.Errorf("%s: the body is not JSON: %s", where, msg.Body)
	}
	if msg.Get("Content-Type") == "" {
		t.Errorf("%s: there is no Content-Type", where)
	}
}

func checkMail(t *testing.T, where string, msg *delivery.Message) {
	t.Helper()
	if msg.Mail == nil || len(msg.Body) > 0 {
		t.Fatalf("%s: a mail message needs Mail and no body", where)
	}
	if msg.Mail.Subject == "" || strings.ContainsAny(msg.Mail.Subject, "\r\n") {
		t.Errorf("%s: the subject is %q", where, msg.Mail.Subject)
	}
	if msg.Mail.Text == "" {
		t.Errorf("%s: there is no plain text", where)
	}
	if strings.Contains(msg.Mail.HTML, "<script") {
		t.Errorf("%s: a text became markup: %s", where, msg.Mail.HTML)
	}
	checkHeaders(t, where, msg.Mail.Headers)
}

// checkHeaders refuses what could end a header line early.
func checkHeaders(t *testing.T, where string, fields []delivery.HeaderField) {
	t.Helper()
	for _, f := range fields {
		if f.Name == "" || strings.ContainsAny(f.Name, " :\r\n\x00") || strings.ContainsAny(f.Value, "\r\n\x00") {
			t.Errorf("%s: the header %q: %q can not be sent", where, f.Name, f.Value)
		}
		if strings.Contains(f.Value, Secret) || strings.Contains(f.Name, Secret) {
			t.Errorf("%s: the header %q shows the secret", where, f.Name)
		}
	}
}

// poison puts into an event what people may write anywhere.
func poison(e *event.Event) {
	const nasty = "a\r\nX-Injected: 1\r\n\r\n<script>alert(1)</script> & \"q\" \\ 'é世🍹' \u2028 \x00\x7f *b* _i_ [l](https://x) |"
	e.Organization.DisplayName = nasty
	if e.Actor != nil {
		e.Actor.Name, e.Actor.FullName = nasty, nasty
	}
	if e.Workspace != nil {
		e.Workspace.Name, e.Workspace.Description, e.Workspace.Tags = "sp ace/"+nasty, nasty, []string{nasty}
	}
	if r := e.Run; r != nil {
		r.Message, r.Branch, r.Error = nasty+"\xff\xfe", nasty, nasty
		if r.Status == event.StatusApplied { // long enough for every service's limit, once
			r.Message += strings.Repeat("世", 12_000)
		}
		r.CreatedBy = &event.Actor{Name: nasty}
	}
	if c := e.ChangeRequest; c != nil {
		c.Subject, c.Message = nasty, strings.Repeat("_x_\n", 9_000)
	}
	if n := e.Notifier; n != nil {
		n.Reason, n.SubscriptionName = nasty, nasty
	}
}

// signatures checks that signing touches no byte of the body and depends on the secret alone.
func (s Suite) signatures(t *testing.T) {
	t.Parallel()
	for _, channel := range s.Dialect.Channels() {
		if channel == subscription.ChannelEmail {
			continue
		}
		sub := s.subscriptionAt(subscription.LevelWorkspace, channel, nil)
		sign := func(body string, secrets ...string) *delivery.Message {
			msg := &delivery.Message{Channel: channel, Method: "POST", Body: []byte(body)}
			msg.Set("Content-Type", "application/json")
			s.Dialect.Sign(msg, dialect.Signing{
				Secrets: secrets, At: moment, Subscription: sub, Delivery: &delivery.Delivery{ID: 9002 << 13, Subscription: sub.ID}, Site: Site,
			})
			if string(msg.Body) != body {
				t.Errorf("%s: signing changes the body", channel)
			}
			return msg
		}
		sign(`{"a":1}`)
		first := sign(`{"a":1}`, Secret)
		checkHeaders(t, string(channel), first.Header)
		if !sameJSON(first, sign(`{"a":1}`, Secret)) {
			t.Errorf("%s: equal input gives different signatures", channel)
		}
		if channel == subscription.ChannelWebhook && sameJSON(first.Header, sign(`{"a":2}`, Secret).Header) {
			t.Errorf("%s: another body gets the same signature", channel)
		}
		if channel == subscription.ChannelWebhook && sameJSON(first.Header, sign(`{"a":1}`, Secret+"2").Header) {
			t.Errorf("%s: another secret gives the same signature", channel)
		}
	}
}

func (s Suite) verification(t *testing.T) {
	t.Parallel()
	v, ok := s.Dialect.(dialect.Verifier)
	if !ok {
		return
	}
	for _, channel := range s.Dialect.Channels() {
		sub := s.subscriptionAt(subscription.LevelWorkspace, channel, nil)
		msg, err := v.Verification(sub, Site, moment)
		if err != nil {
			t.Errorf("%s: %v", channel, err)
		}
		if msg != nil {
			checkMessage(t, "verification on "+string(channel), channel, msg)
		}
	}
}

// receiving checks what holds for every inbound webhook: nothing without its signature, and no panic.
func (s Suite) receiving(t *testing.T) {
	t.Parallel()
	r, ok := s.Dialect.(dialect.Receiver)
	if !ok {
		return
	}
	for _, body := range []string{"", "{}", "[]", "null", "7", `"x"`, "{", "\xff", strings.Repeat("[", 20_000), `{"payload":{}}`} {
		in := dialect.Inbound{Body: []byte(body), Secrets: []string{Secret}, At: moment, Organization: event.Organization{ID: organizationID, Name: "acme"}}
		if got, err := r.Receive(in); err == nil {
			t.Errorf("%.20q is taken without a signature: %+v", body, got)
		}
		in.Secrets = nil
		if got, err := r.Receive(in); err == nil {
			t.Errorf("%.20q is taken by a source that has no secret: %+v", body, got)
		}
		in.Unsigned = true
		got, _ := r.Receive(in)
		for i := range got.Events {
			if err := got.Events[i].Validate(); err != nil {
				t.Errorf("%.20q makes an event that the engine refuses: %v", body, err)
			}
		}
	}
}

// retriesEnd follows a receiver that never answers well until the policy gives up.
func (s Suite) retriesEnd(t *testing.T) {
	t.Parallel()
	policy := s.Dialect.Policy(s.subscriptionAt(subscription.LevelWorkspace, subscription.ChannelWebhook, nil))
	now := moment
	for number := 1; number <= 1000; number++ {
		d := policy.Decide(number, delivery.Result{Class: delivery.ClassAnswered, Status: 503, StartedAt: now}, moment, now, 0.5)
		if d.State != delivery.Pending {
			return
		}
		if !d.Due.After(now) || d.Due.Sub(now) > 7*24*time.Hour {
			t.Fatalf("after attempt %d the next is due at %v, now is %v", number, d.Due, now)
		}
		now = d.Due
	}
	t.Error("the retries do not end")
}
