package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
	"carillon/internal/transport"
)

// speaker is a dialect whose body names what it was made from, and whose policy a test chooses.
type speaker struct {
	name     string
	policies map[ident.ID]delivery.Policy
	policy   delivery.Policy
	plain    bool // no Standard Webhooks headers by default
	renders  counts
	noticed  counts
	panics   bool
	fails    bool
	mute     bool // it has nothing to say of anything
}

func (s *speaker) Name() string  { return s.name }
func (s *speaker) Title() string { return strings.ToUpper(s.name) }

func (s *speaker) Notices(e *event.Event) []subscription.Notice {
	s.noticed.add(e.ID)
	if s.mute {
		return nil
	}
	return []subscription.Notice{{Name: "first"}, {Name: "second"}}
}

func (s *speaker) Render(in dialect.Input) (*delivery.Message, error) {
	s.renders.add(in.Delivery.ID)
	switch {
	case s.panics:
		panic("a bug")
	case s.fails:
		return nil, errors.New("no words")
	}
	body := fmt.Sprintf("%s/%s of %s by version %d", in.Event.Kind, in.Notice.Name, in.Event.ID, in.Subscription.Version)
	if in.Subscription.Channel == subscription.ChannelEmail {
		return &delivery.Message{Mail: &delivery.Mail{Subject: body, Text: body, Recipients: in.Recipients}}, nil
	}
	msg := &delivery.Message{Body: []byte(body)}
	msg.Set("Content-Type", "text/plain")
	msg.Set("X-Kind", "default")
	msg.Set("X-Run", fmt.Sprint(int64(in.Delivery.Run)))
	msg.Set("X-Sequence", fmt.Sprint(in.Delivery.Sequence))
	return msg, nil
}

func (s *speaker) Sign(msg *delivery.Message, with dialect.Signing) {
	msg.Set("X-Signed", strings.Join(with.Secrets, "+")+"@"+with.At.UTC().Format(time.RFC3339))
}

func (s *speaker) Policy(sub *subscription.Subscription) delivery.Policy {
	if p, ok := s.policies[sub.ID]; ok {
		return p
	}
	return s.policy
}

func (s *speaker) Triggers(subscription.Level) []dialect.Trigger { return nil }
func (s *speaker) Channels() []subscription.Channel {
	return []subscription.Channel{subscription.ChannelWebhook}
}
func (s *speaker) StandardByDefault() bool { return !s.plain }

func (s *speaker) Verification(sub *subscription.Subscription, _ dialect.Site, at time.Time) (*delivery.Message, error) {
	return &delivery.Message{Body: []byte("verify " + sub.Name + " " + at.UTC().Format(time.RFC3339)), Trigger: "verification"}, nil
}

// counts counts by identifier.
type counts struct {
	mu sync.Mutex
	of map[ident.ID]int
}

func (c *counts) add(id ident.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[ident.ID]int{}
	}
	c.of[id]++
}

func (c *counts) get(id ident.ID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[id]
}

// sent is one message that a receiver got.
type sent struct {
	url  string
	body string
	msg  *delivery.Message
	lane transport.Lane
	from time.Time
	to   time.Time
}

// wire is a transport to receivers that a test writes: a function per URL, one for all others.
type wire struct {
	mu       sync.Mutex
	answer   func(ctx context.Context, msg *delivery.Message) delivery.Result
	got      []sent
	inFlight map[string]int
	most     map[string]int // in flight at a time, by URL
	all      int
	allMost  int
}

func (w *wire) Send(ctx context.Context, lane transport.Lane, msg *delivery.Message) delivery.Result {
	from := time.Now()
	w.mu.Lock()
	if w.inFlight == nil {
		w.inFlight, w.most = map[string]int{}, map[string]int{}
	}
	w.inFlight[msg.URL]++
	w.all++
	w.most[msg.URL], w.allMost = max(w.most[msg.URL], w.inFlight[msg.URL]), max(w.allMost, w.all)
	w.mu.Unlock()
	r := ok()
	if w.answer != nil {
		r = w.answer(ctx, msg)
	}
	r.StartedAt, r.Duration = from.UTC(), time.Since(from)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inFlight[msg.URL]--
	w.all--
	w.got = append(w.got, sent{url: msg.URL, body: string(msg.Body), msg: msg, lane: lane, from: from, to: time.Now()})
	return r
}

func (*wire) Close() error { return nil }

// to returns what the receiver of a URL got, in the order of the ends of the attempts; "" means every receiver.
func (w *wire) to(url string) (list []sent) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.got {
		if url == "" || s.url == url {
			list = append(list, s)
		}
	}
	return list
}

// peak returns how many requests a receiver had at a time, at most.
func (w *wire) peak(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most[url]
}

func ok() delivery.Result { return status(200) }
func status(code int) delivery.Result {
	return delivery.Result{Class: delivery.ClassAnswered, Status: code}
}
func refused() delivery.Result         { return delivery.Result{Class: delivery.ClassRefused} }
func always(r delivery.Result) answers { return func(context.Context) delivery.Result { return r } }

// answers is how one receiver answers.
type answers func(ctx context.Context) delivery.Result

// hang answers with a timeout after a while, or when the attempt is given up.
func hang(d time.Duration) answers {
	return func(ctx context.Context) delivery.Result {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return delivery.Result{Class: delivery.ClassTimeout}
		case <-ctx.Done():
			return delivery.Result{Class: delivery.ClassClosed}
		}
	}
}

// slow answers with success after a while.
func slow(d time.Duration) answers {
	return func(context.Context) delivery.Result {
		time.Sleep(d)
		return ok()
	}
}

// answerByRun lets a receiver answer by the run that a message is about.
func answerByRun(answer func(run string) delivery.Result) func(context.Context, *delivery.Message) delivery.Result {
	return func(_ context.Context, msg *delivery.Message) delivery.Result {
		return answer(msg.Get("X-Run"))
	}
}
