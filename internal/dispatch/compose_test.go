package dispatch_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dispatch"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/subscription"
)

// secured gives a subscription secrets and headers.
func (w *world) secured(secret, prior string) func(*subscription.Subscription) {
	return func(s *subscription.Subscription) {
		s.Secret = w.keyring.Seal(secret, subscription.Place(s.ID, "secret"))
		s.PriorSecret = w.keyring.Seal(prior, subscription.Place(s.ID, "prior_secret"))
		s.PriorUntil = time.Now().Add(time.Hour)
		for _, h := range [][2]string{{"X-Kind", "own"}, {"X-Token", "a"}, {"x-token", "b"}, {"X-Signed", "forged"}} {
			s.Headers = append(s.Headers, subscription.Header{
				Name: h[0], Value: w.keyring.Seal(h[1], subscription.Place(s.ID, "header/"+strings.ToLower(h[0]))), Sensitive: h[0] == "X-Token",
			})
		}
	}
}

func header(msg *delivery.Message, name string) (values []string) {
	for _, h := range msg.Header {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

func TestWhatARequestCarries(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/hook", nil, w.secured("new", "old"))
		n := w.start()
		d := n.accept(5, s)[0]
		got := w.settled("https://a.test/hook", 1)[0]
		for name, want := range map[string][]string{
			"Content-Type": {"text/plain"}, "X-Kind": {"own"}, "X-Token": {"a", "b"}, "User-Agent": {"Carillon/1 (+https://carillon.test)"},
			"X-Signed":   {"new+old@2026-11-22T12:00:00Z"},
			"webhook-id": {d.ID.String()}, "webhook-timestamp": {"1795348800"},
		} {
			if values := header(got.msg, name); !slices.Equal(values, want) {
				t.Errorf("%s: %q, want %q", name, values, want)
			}
		}
		if signature := header(got.msg, "webhook-signature"); len(signature) != 1 || len(signature[0]) != 2*len("v1,")+2*44+1 {
			t.Errorf("signatures %q", signature)
		}
		if !slices.Equal(got.msg.Masked, []string{"X-Token"}) || got.msg.Timeout != 10*time.Second || got.msg.ConnectTimeout != 3*time.Second {
			t.Errorf("masked %q, timeouts %v and %v", got.msg.Masked, got.msg.Timeout, got.msg.ConnectTimeout)
		}
		if got.lane.Key != s.Destination.String() || got.lane.Concurrency != 4 || got.msg.Channel != subscription.ChannelWebhook {
			t.Errorf("lane %+v, channel %q", got.lane, got.msg.Channel)
		}
	})
}

func TestStandardHeadersAreAChoice(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	cases := map[string]struct {
		plain  bool
		choice *bool
		secret string
		want   bool
	}{
		"the dialect's default":        {false, nil, "s", true},
		"the dialect does not":         {true, nil, "s", false},
		"the subscription wants it":    {true, &yes, "s", true},
		"the subscription does not":    {false, &no, "s", false},
		"without a secret there is no": {false, &yes, "", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				w.dialect.plain = c.plain
				s := w.subscribe("https://a.test/", nil, w.secured(c.secret, ""), func(s *subscription.Subscription) { s.Delivery.Standard = c.choice })
				n := w.start()
				n.accept(5, s)
				got := w.settled("", 1)[0]
				if has := len(header(got.msg, "webhook-signature")) == 1; has != c.want {
					t.Errorf("headers %v", got.msg.Header)
				}
			})
		})
	}
}

func TestRetriesSendTheSameBodyToTheCurrentAddress(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", always(status(500)), w.secured("one", ""))
		n := w.start()
		d := n.accept(5, s)[0]
		w.settle()
		w.change(s, func(s *subscription.Subscription) {
			s.URL, s.Name = w.keyring.Seal("https://b.test/", subscription.Place(s.ID, "url")), "renamed"
			s.Secret = w.keyring.Seal("two", subscription.Place(s.ID, "secret"))
			s.PriorSecret = ""
		})
		n.Changed(s.ID)
		w.pass(6 * time.Second)
		first, second := w.wire.to("https://a.test/")[0], w.settled("https://b.test/", 1)[0]
		if first.body != second.body || second.body != saidBy(d, 1) {
			t.Errorf("bodies %q and %q", first.body, second.body)
		}
		if !slices.Equal(header(first.msg, "webhook-id"), header(second.msg, "webhook-id")) {
			t.Error("the identifier changed")
		}
		if slices.Equal(header(first.msg, "webhook-timestamp"), header(second.msg, "webhook-timestamp")) {
			t.Error("the timestamp did not change")
		}
		if got := header(second.msg, "X-Signed")[0]; got != "two@2026-11-22T12:00:05Z" {
			t.Errorf("signed %q", got)
		}
		history := w.store.history(d.ID)
		if len(history) != 2 || history[0].BodyHash != history[1].BodyHash || history[1].Number != 2 {
			t.Errorf("history %+v", history)
		}
	})
}

func TestAVersionThatIsGoneIsSaidInNewWords(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/", nil)
		n := w.start()
		e := w.event(5)
		owed := w.owe(e, s)
		w.change(s, func(*subscription.Subscription) {})
		w.versions[s.ID] = w.versions[s.ID][1:]
		w.put(e, owed, 0)
		n.Offer(e, owed)
		if got := w.settled("", 1)[0].body; got != saidBy(owed[0], 2) {
			t.Errorf("sent %q", got)
		}
	})
}

func TestWhatCanNotBeSentEndsAndSaysWhy(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		prepare func(w *world, s *subscription.Subscription)
		owe     func(d *delivery.Delivery)
		class   delivery.Class
		detail  string
	}{
		"no dialect": {
			prepare: func(w *world, s *subscription.Subscription) { s.Dialect = "lost" },
			class:   delivery.ClassConfig, detail: `there is no dialect named "lost"`,
		},
		"no carrier": {
			prepare: func(w *world, s *subscription.Subscription) { s.Channel = subscription.ChannelSlack },
			class:   delivery.ClassConfig, detail: "nothing is set up here that carries slack",
		},
		"no recipient": {
			prepare: func(w *world, s *subscription.Subscription) { s.Channel = subscription.ChannelEmail },
			class:   delivery.ClassConfig, detail: "the subscription has no recipient",
		},
		"no words": {
			prepare: func(w *world, _ *subscription.Subscription) { w.dialect.fails = true },
			class:   delivery.ClassRender, detail: "the message could not be made",
		},
		"a bug in the dialect": {
			prepare: func(w *world, _ *subscription.Subscription) { w.dialect.panics = true },
			class:   delivery.ClassRender, detail: "the message could not be made",
		},
		"no such notice": {
			owe: func(d *delivery.Delivery) { d.Notice = 2 }, class: delivery.ClassRender,
			detail: "the dialect has nothing to say of the event any more",
		},
		"no event": {
			owe: func(d *delivery.Delivery) { d.Event = 99 }, class: delivery.ClassRender, detail: "the event is not stored any more",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				s := w.subscribe("https://a.test/", nil, func(s *subscription.Subscription) {
					if c.prepare != nil {
						c.prepare(w, s)
					}
				})
				n := w.start()
				e := w.event(5)
				owed := w.owe(e, s)
				if c.owe != nil {
					c.owe(&owed[0])
				}
				w.put(e, owed, 0)
				n.Offer(e, owed)
				w.settled("", 0)
				a := w.ended(owed[0])
				if a.State != delivery.Exhausted || a.Result.Class != c.class || a.Result.Detail != c.detail || a.Number != 1 {
					t.Errorf("recorded %+v", a)
				}
				if state := condition(n, s); state.Condition != dispatch.Healthy {
					t.Errorf("it is charged to the destination: %+v", state)
				}
			})
		})
	}
}

// TestTroubleOfOurOwnIsNoAttempt keeps a delivery whose secrets can not be opened, whose recipients or version can not be
// read.
func TestTroubleOfOurOwnIsNoAttempt(t *testing.T) {
	t.Parallel()
	down := errors.New("the database is away")
	cases := map[string]struct {
		subscription func(w *world, s *subscription.Subscription)
		deps         func(w *world, d *dispatch.Deps, broken *bool)
	}{
		"a key is missing": {
			subscription: func(w *world, s *subscription.Subscription) { s.URL = "s1.00000000.AAAA" },
			deps: func(w *world, _ *dispatch.Deps, broken *bool) {
				*broken = false // mended by a new version below
			},
		},
		"the version can not be read": {
			deps: func(w *world, d *dispatch.Deps, broken *bool) {
				read := d.Version
				d.Version = func(ctx context.Context, id ident.ID, n int64) (*subscription.Subscription, error) {
					if *broken {
						return nil, down
					}
					return read(ctx, id, n)
				}
			},
		},
		"the recipients can not be found": {
			subscription: func(w *world, s *subscription.Subscription) { s.Channel = subscription.ChannelEmail },
			deps: func(w *world, d *dispatch.Deps, broken *bool) {
				d.Recipients = func(context.Context, *subscription.Subscription, *event.Event) ([]string, error) {
					if *broken {
						return nil, down
					}
					return []string{"a@a.test"}, nil
				}
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in(t, func(w *world) {
				broken := true
				s := w.subscribe("https://a.test/", nil, func(s *subscription.Subscription) {
					if c.subscription != nil {
						c.subscription(w, s)
					}
				})
				n := w.start(func(d *dispatch.Deps) { c.deps(w, d, &broken) })
				e := w.event(5)
				owed := w.owe(e, s)
				w.change(s, func(s *subscription.Subscription) {})
				w.put(e, owed, 0)
				n.Offer(e, owed)
				w.pass(30 * time.Second)
				if got := w.store.all(); len(got) != 0 {
					t.Fatalf("recorded %+v", got)
				}
				broken = false
				w.change(s, func(s *subscription.Subscription) {
					s.URL = w.keyring.Seal("https://a.test/", subscription.Place(s.ID, "url"))
				})
				w.pass(2 * time.Minute)
				if a := w.ended(owed[0]); a.State != delivery.Delivered || a.Number != 1 || a.Repeat {
					t.Errorf("recorded %+v", a)
				}
			})
		})
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("", nil, func(s *subscription.Subscription) { s.Channel = subscription.ChannelEmail })
		w.recipients = []string{"a@a.test", "b@a.test"}
		n := w.start()
		d := n.accept(5, s)[0]
		w.settle()
		got := w.mail.to("")
		if len(got) != 1 || !slices.Equal(got[0].msg.Mail.Recipients, w.recipients) || got[0].msg.URL != "" {
			t.Fatalf("sent %+v", got)
		}
		if a := w.ended(d); a.State != delivery.Delivered || a.BodySize == 0 || a.BodyHash == 0 {
			t.Errorf("recorded %+v", a)
		}
	})
}

func TestRecipientsThatAreWrongEndTheDelivery(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("", nil, func(s *subscription.Subscription) { s.Channel = subscription.ChannelEmail })
		n := w.start(func(d *dispatch.Deps) {
			d.Recipients = func(context.Context, *subscription.Subscription, *event.Event) ([]string, error) {
				return nil, fault.New(fault.NotFound, "There is no such team.")
			}
		})
		d := n.accept(5, s)[0]
		w.settle()
		if a := w.ended(d); a.Result.Class != delivery.ClassConfig {
			t.Errorf("recorded %+v", a)
		}
	})
}

func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	in(t, func(w *world) {
		s := w.subscribe("https://a.test/very-secret-path", always(status(500)), w.secured("very-secret-key", "very-secret-prior"))
		n := w.start()
		n.accept(5, s)
		w.pass(time.Hour)
		other, _ := seal.NewKeyring(seal.NewKey())
		w.change(s, func(s *subscription.Subscription) { s.Secret = other.Seal("very-secret-new", "elsewhere") })
		w.pass(time.Hour)
		w.mu.Lock()
		defer w.mu.Unlock()
		if text := w.logged.String(); strings.Contains(text, "very-secret") {
			t.Errorf("the log says %s", text)
		}
		if text := w.logged.String(); !strings.Contains(text, "open the secret") {
			t.Errorf("the log does not say what is wrong: %s", text)
		}
	})
}
