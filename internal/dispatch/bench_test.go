package dispatch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/subscription"
	"carillon/internal/transport"
)

// void is a transport that delivers everything at once, and tells heard what.
type void struct {
	sent  atomic.Int64
	heard func(*delivery.Message)
}

func (v *void) Send(_ context.Context, _ transport.Lane, msg *delivery.Message) delivery.Result {
	v.sent.Add(1)
	if v.heard != nil {
		v.heard(msg)
	}
	return delivery.Result{Class: delivery.ClassAnswered, Status: 200, StartedAt: time.Now().UTC()}
}

func (*void) Close() error { return nil }

// engine is a dispatcher over a real database, with a transport that costs nothing.
type engine struct {
	store      store.Store
	committer  *committer.Committer
	dispatcher *dispatch.Dispatcher
	index      *subscription.Index
	ids        *ident.Generator
	void       void
	subs       []*subscription.Subscription
}

// newEngine makes an engine over an embedded database.
func newEngine(tb testing.TB, path string, destinations int) *engine {
	tb.Helper()
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return newEngineOn(tb, s, destinations)
}

// newEngineOn makes an engine over an open store. Two of them have the same subscriptions.
func newEngineOn(tb testing.TB, s store.Store, destinations int) *engine {
	tb.Helper()
	e := &engine{store: s, index: &subscription.Index{}}
	keyring, err := seal.NewKeyring(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		tb.Fatal(err)
	}
	if e.ids, err = ident.NewGenerator(0, time.Now); err != nil {
		tb.Fatal(err)
	}
	for i := range destinations {
		id, url := ident.Derive("subscription", fmt.Sprint(i)), fmt.Sprintf("https://%d.test/", i)
		s := &subscription.Subscription{
			ID: id, Version: 1, OrganizationID: 1, Dialect: "plain", Channel: subscription.ChannelWebhook, Enabled: true,
			Destination: ident.Derive(url), URL: keyring.Seal(url, subscription.Place(id, "url")),
			Secret: keyring.Seal("a secret of some length", subscription.Place(id, "secret")),
		}
		e.subs = append(e.subs, s)
		e.index.Put(s)
	}
	e.committer = committer.New(e.store, committer.Options{Owner: func() (int, map[int]int64) { return e.dispatcher.Owner() }})
	e.dispatcher, err = dispatch.New(dispatch.Deps{
		Store: e.store, Committer: e.committer, Index: e.index, Keyring: keyring, IDs: e.ids,
		Version: func(context.Context, ident.ID, int64) (*subscription.Subscription, error) {
			return nil, store.ErrNotFound
		},
		Dialects:   []dialect.Dialect{&speaker{name: "plain", policy: steady()}},
		Transports: map[subscription.Channel]transport.Transport{subscription.ChannelWebhook: &e.void},
		Site:       dialect.Site{BaseURL: "https://carillon.test", Product: "Carillon", Version: "1"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func (e *engine) start(tb testing.TB) {
	tb.Helper()
	if err := e.dispatcher.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
}

func (e *engine) stop(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := e.dispatcher.Stop(ctx); err != nil {
		tb.Error(err)
	}
	if err := e.committer.Stop(ctx); err != nil {
		tb.Error(err)
	}
	if err := e.store.Close(); err != nil {
		tb.Error(err)
	}
}

// accept commits an event to so many subscriptions and offers it.
func (e *engine) accept(tb testing.TB, run ident.ID, sequence int64, to []*subscription.Subscription) {
	id := e.ids.Block(len(to) + 1)
	ev := &event.Event{
		ID: id, Kind: event.KindRun, Organization: event.Organization{ID: 1, Name: "acme"},
		Workspace: &event.Workspace{ID: 77, Name: "network"}, Run: &event.Run{ID: run, SourceID: "r", Sequence: sequence},
		AcceptedAt: time.Now().UTC(),
	}
	body, err := event.Encode(ev)
	if err != nil {
		tb.Error(err)
	}
	a := store.Accept{Event: store.Event{
		ID: id, Organization: 1, Workspace: 77, Kind: "run", Run: run, Sequence: sequence, Deliveries: len(to), Body: body,
	}}
	for i, s := range to {
		a.Deliveries = append(a.Deliveries, delivery.Delivery{
			ID: id + ident.ID(i+1)*ident.Step, Event: id, Organization: 1, Subscription: s.ID, Version: 1, Destination: s.Destination,
			Run: run, Sequence: sequence, Due: ev.AcceptedAt,
		})
	}
	if _, err := e.committer.Accept(context.Background(), []store.Accept{a}); err != nil {
		tb.Error(err)
	}
	e.dispatcher.Offer(ev, a.Deliveries)
}

// BenchmarkDeliver measures a delivery from accept to record, without HTTP: durable on a real database.
func BenchmarkDeliver(b *testing.B) {
	for _, fan := range []int{1, 10} {
		b.Run(fmt.Sprintf("fan-out %d", fan), func(b *testing.B) {
			e := newEngine(b, filepath.Join(b.TempDir(), "carillon.db"), 2000)
			e.start(b)
			defer e.stop(b)
			const producers = 64
			gate := make(chan int, producers)
			done := make(chan struct{})
			for range producers {
				go func() {
					for i := range gate {
						at := i * fan % (len(e.subs) - fan)
						e.accept(b, ident.ID(1+i/6), int64(i%6), e.subs[at:at+fan])
					}
					done <- struct{}{}
				}()
			}
			b.ResetTimer()
			for i := 0; i*fan < b.N; i++ {
				gate <- i
			}
			close(gate)
			for range producers {
				<-done
			}
			for {
				if books, err := e.store.Books(context.Background()); err != nil || books.Counted == 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			b.ReportMetric(float64(e.void.sent.Load())/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}
