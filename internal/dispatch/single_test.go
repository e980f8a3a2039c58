package dispatch_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// single is a verification of a subscription.
func (w *world) single(s *subscription.Subscription) dialect.Single {
	msg, _ := w.dialect.Verification(s, dialect.Site{}, time.Now())
	return dialect.Single{
		Subscription: s, Secrets: subscription.Secrets{URL: s.Name, Secret: "plain", Headers: map[string]string{"X-Own": "1", "x-own 2": "2"}}, Message: msg,
		Delivery: delivery.Delivery{
			ID: w.ids.New(), Organization: 1, Subscription: s.ID, Version: s.Version, Destination: s.Destination, Due: time.Now(),
			Cause: delivery.CauseVerification,
		},
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil, func(s *subscription.Subscription) {
			s.Headers = []subscription.Header{{Name: "X-Own"}, {Name: "x-own"}}
		})
		n := w.start()
		a, err := n.Send(context.Background(), w.single(s))
		if err != nil {
			t.Fatal(err)
		}
		got := w.settled("https://a.test/", 1)[0]
		if !slices.Equal(header(got.msg, "X-Own"), []string{"1", "2"}) || header(got.msg, "X-Signed")[0] != "plain@2026-11-22T12:00:00Z" || len(header(got.msg, "webhook-id")) != 1 {
			t.Errorf("headers %v", got.msg.Header)
		}
		if a.State != delivery.Delivered || a.Number != 1 || a.Trigger != "verification" || a.Address != s.Address {
			t.Errorf("attempt %+v", a)
		}
		if history := w.store.history(a.Delivery.ID); len(history) != 1 || history[0].BodyHash != a.BodyHash {
			t.Errorf("recorded %+v", history)
		}
		books, _ := w.store.Books(context.Background())
		if books != (store.Books{}) {
			t.Errorf("a single attempt is in the accounts: %+v", books)
		}
	})
}

func TestSendThatFails(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(404)))
		mute := w.subscribe("https://b.test/", nil, func(s *subscription.Subscription) { s.Channel = subscription.ChannelSlack })
		lost := w.subscribe("https://c.test/", nil, func(s *subscription.Subscription) { s.Dialect = "lost" })
		n := w.prepare()
		if _, err := n.Send(context.Background(), w.single(s)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("before Start: %v", err)
		}
		if err := n.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		a, err := n.Send(context.Background(), w.single(s))
		if err != nil || a.State != delivery.Exhausted || a.Result.Status != 404 {
			t.Errorf("attempt %+v, %v", a, err)
		}
		w.pass(time.Minute)
		w.settled("https://a.test/", 1)
		if a, err = n.Send(context.Background(), w.single(mute)); err != nil || a.Result.Class != delivery.ClassConfig {
			t.Errorf("without a carrier: %+v, %v", a, err)
		}
		if _, err = n.Send(context.Background(), w.single(lost)); !fault.Is(err, fault.Unsupported) {
			t.Errorf("without a dialect: %v", err)
		}
		w.receive("https://a.test/", hang(time.Hour))
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err = n.Send(ctx, w.single(s)); err == nil {
			t.Error("a caller who went away got an attempt")
		}
	})
}

// TestSendIsRecordedWhoeverOwnsTheShard sends through a node that owns nothing of it.
func TestSendIsRecordedWhoeverOwnsTheShard(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		subs := w.many(20, nil)
		a := w.start()
		w.start()
		w.pass(5 * time.Second)
		for _, s := range subs {
			sent, err := a.Send(context.Background(), w.single(s))
			if err != nil || len(w.store.history(sent.Delivery.ID)) != 1 {
				t.Errorf("%v, history %+v", err, w.store.history(sent.Delivery.ID))
			}
		}
	})
}

func TestASuccessfulSendWakesAFailingDestination(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)))
		n := w.start()
		for range 50 {
			n.accept(0, s)
		}
		w.pass(3 * time.Minute)
		w.receive("https://a.test/", nil)
		before := len(w.wire.to(""))
		if _, err := n.Send(context.Background(), w.single(s)); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if got := len(w.wire.to("")) - before; got < 40 || condition(n, s).Condition != dispatch.Healthy {
			t.Errorf("%d messages after the destination answered, state %+v", got, condition(n, s))
		}
		if told := w.told(); !slices.Equal(told, []string{"failing", "recovered"}) {
			t.Errorf("told %q", told)
		}
	})
}

func TestEnqueue(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		first := n.accept(5, s)[0]
		w.settle()
		var again []delivery.Delivery
		for range 1200 {
			d := first
			d.ID, d.Cause, d.Origin, d.Due = w.ids.New(), delivery.CauseReplay, first.ID, time.Now()
			again = append(again, d)
		}
		if err := n.Enqueue(context.Background(), again); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		w.settled("", 1201)
		if a := w.ended(again[700]); a.State != delivery.Delivered || a.Delivery.Origin != first.ID || a.Repeat {
			t.Errorf("recorded %+v", a)
		}
		w.balanced()
	})
}

func TestEnqueueThatCanNotBeStored(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.prepare()
		row := w.owe(w.event(5), s)
		if err := n.Enqueue(context.Background(), row); !fault.Is(err, fault.Unavailable) {
			t.Errorf("before Start: %v", err)
		}
		if err := n.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.store.mu.Lock()
		w.store.trouble = func(operation string, _ int) error {
			if operation == "Commit" {
				return store.ErrRevision
			}
			return nil
		}
		w.store.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := n.Enqueue(ctx, row); err == nil {
			t.Error("no error")
		}
		w.store.mu.Lock()
		w.store.trouble = nil
		w.store.mu.Unlock()
		w.pass(time.Minute)
	})
}

func TestRenderShowsWhatWasSent(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/secret", always(status(500)), w.secured("one", ""))
		n := w.start()
		d := n.accept(5, s)[0]
		w.settle()
		original := w.wire.to("")[0].msg
		w.pass(time.Second)
		w.change(s, func(s *subscription.Subscription) {
			s.Secret, s.Name = w.keyring.Seal("two", subscription.Place(s.ID, "secret")), "renamed"
		})
		w.pass(time.Hour)
		w.index.Delete(s.ID)
		a := w.store.history(d.ID)[0]
		msg, exact, err := n.Render(context.Background(), a)
		if err != nil || !exact {
			t.Fatalf("exact %v, %v", exact, err)
		}
		if string(msg.Body) != string(original.Body) || msg.URL != s.Address {
			t.Errorf("body %q, URL %q", msg.Body, msg.URL)
		}
		for _, name := range []string{"Content-Type", "X-Kind", "X-Signed", "webhook-id", "webhook-timestamp", "webhook-signature", "User-Agent"} {
			if !slices.Equal(header(msg, name), header(original, name)) {
				t.Errorf("%s: %q was sent, %q is shown", name, header(original, name), header(msg, name))
			}
		}
		if got := header(msg, "X-Token"); !slices.Equal(got, []string{"***", "***"}) {
			t.Errorf("a sensitive header is shown: %q", got)
		}
		a.BodyHash++
		if _, exact, err = n.Render(context.Background(), a); err != nil || exact {
			t.Errorf("other bytes: exact %v, %v", exact, err)
		}
		later := w.store.history(d.ID)[1]
		if msg, _, _ = n.Render(context.Background(), later); !strings.HasPrefix(header(msg, "X-Signed")[0], "two@") {
			t.Errorf("the later attempt is shown signed %q", header(msg, "X-Signed"))
		}
	})
}

func TestRenderOfWhatIsNotKept(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		verified, err := n.Send(context.Background(), w.single(s))
		if err != nil {
			t.Fatal(err)
		}
		if msg, exact, err := n.Render(context.Background(), verified); err != nil || !exact || !strings.HasPrefix(string(msg.Body), "verify") {
			t.Errorf("a verification: %v, %v", exact, err)
		}
		ping := verified
		ping.BodyHash++
		d := n.accept(5, s)[0]
		w.settle()
		gone, cancelled, lost := w.ended(d), w.ended(d), w.ended(d)
		gone.Delivery.Version = 9
		cancelled.Number = 0
		lost.Delivery.Event = ident.ID(9)
		for name, a := range map[string]delivery.Attempt{"a ping": ping, "a version that is gone": gone, "a cancelled one": cancelled, "an event that is gone": lost} {
			if _, _, err := n.Render(context.Background(), a); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
