package dispatch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/store/postgres/pgtest"
	"carillon/internal/subscription"
	"carillon/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Main{M: m}) }

// began is when every test's clock starts.
var began = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is an installation with a clock of its own: a store, receivers, and nodes.
type world struct {
	*testing.T
	store    *memory
	index    *subscription.Index
	keyring  *seal.Keyring
	dialect  *speaker
	other    *speaker
	wire     *wire
	mail     *wire
	ids      *ident.Generator
	versions map[ident.ID][]*subscription.Subscription
	plain    map[ident.ID]subscription.Secrets
	sequence map[ident.ID]int64
	nodes    []*node

	mu         sync.Mutex
	receivers  map[string]answers
	notified   []event.Event
	switched   []ident.ID
	remembered map[ident.ID][]byte
	refreshes  int
	onRefresh  func()
	recipients []string
	logged     bytes.Buffer
}

// node is one process of the installation.
type node struct {
	*dispatch.Dispatcher
	w         *world
	committer *committer.Committer
	dead      bool
}

// in runs a test in a world.
func in(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began))
		ids, err := ident.NewGenerator(40, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		keyring, err := seal.NewKeyring(bytes.Repeat([]byte{7}, seal.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{
			T: t, store: newMemory(), index: &subscription.Index{}, keyring: keyring, ids: ids,
			dialect: &speaker{name: "plain", policies: map[ident.ID]delivery.Policy{}, policy: steady()},
			other:   &speaker{name: "other", policy: steady()}, mail: &wire{},
			versions: map[ident.ID][]*subscription.Subscription{}, plain: map[ident.ID]subscription.Secrets{},
			sequence: map[ident.ID]int64{}, receivers: map[string]answers{}, remembered: map[ident.ID][]byte{},
		}
		w.wire = &wire{answer: func(ctx context.Context, msg *delivery.Message) delivery.Result {
			w.mu.Lock()
			receive := w.receivers[msg.URL]
			w.mu.Unlock()
			if receive == nil {
				return ok()
			}
			return receive(ctx)
		}}
		defer func() {
			for _, n := range w.nodes {
				n.stop()
			}
		}()
		test(w)
	})
}

// steady is a policy without chance: waits of 5 s, 30 s and a minute, for three days.
func steady() delivery.Policy {
	return delivery.Policy{
		Waits: []time.Duration{5 * time.Second, 30 * time.Second}, Tail: time.Minute, GiveUpAfter: 72 * time.Hour,
		RetryAfterCap: 10 * time.Hour, FinalStatuses: []int{410}, GoneDisables: true, Timeout: 10 * time.Second,
	}
}

// start runs a node. The changes are applied to what it gets.
func (w *world) start(changes ...func(*dispatch.Deps)) *node {
	w.Helper()
	n := w.prepare(changes...)
	if err := n.Start(context.Background()); err != nil {
		w.Fatal(err)
	}
	w.settle()
	return n
}

// prepare makes a node that does not run yet.
func (w *world) prepare(changes ...func(*dispatch.Deps)) *node {
	w.Helper()
	n := &node{w: w}
	n.committer = committer.New(w.store, committer.Options{
		Owner: func() (int, map[int]int64) { return n.Owner() }, Log: w.logger(),
	})
	deps := w.deps(n)
	deps.Committer = n.committer
	for _, change := range changes {
		change(&deps)
	}
	var err error
	if n.Dispatcher, err = dispatch.New(deps); err != nil {
		w.Fatal(err)
	}
	w.nodes = append(w.nodes, n)
	return n
}

// deps is what a node gets, but for its committer.
func (w *world) deps(n *node) dispatch.Deps {
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		w.Fatal(err)
	}
	return dispatch.Deps{
		Store: w.store, Index: w.index, Version: w.version, Refresh: w.refresh,
		Dialects: []dialect.Dialect{w.dialect, w.other}, Keyring: w.keyring, IDs: ids,
		Transports: map[subscription.Channel]transport.Transport{
			subscription.ChannelWebhook: w.wire, subscription.ChannelEmail: w.mail,
		},
		Site: dialect.Site{BaseURL: "https://carillon.test", Product: "Carillon", Version: "1"},
		Recipients: func(context.Context, *subscription.Subscription, *event.Event) ([]string, error) {
			return w.recipients, nil
		},
		Switch:   func(_ context.Context, id ident.ID, reason string) error { return w.switchOff(n, id, reason) },
		Notify:   w.notify,
		Remember: w.remember, Recall: w.recall,
		NodeName: "node", Log: w.logger(),
	}
}

// nothing records nothing.
type nothing struct{}

func (nothing) Record(committer.Record) {}

// stop ends a node softly.
func (n *node) stop() {
	if n.dead {
		return
	}
	n.dead = true
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		n.w.Errorf("Stop: %v", err)
	}
	if err := n.committer.Stop(ctx); err != nil {
		n.w.Errorf("Stop of the committer: %v", err)
	}
}

// kill ends a node as a crash does, as far as the store can tell: nothing that it does from now on reaches the store.
func (n *node) kill(number int) {
	if n.dead {
		return
	}
	n.dead = true
	w := n.w
	w.store.mu.Lock()
	previous := w.store.trouble
	w.store.trouble = func(operation string, node int) error {
		if node == number && (operation == "Renew" || operation == "Commit" || operation == "Release" || operation == "Claim") {
			return context.DeadlineExceeded
		}
		if previous != nil {
			return previous(operation, node)
		}
		return nil
	}
	w.store.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Stop(ctx)
	_ = n.committer.Stop(ctx)
	w.store.mu.Lock()
	w.store.trouble = previous
	w.store.mu.Unlock()
}

func (w *world) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(lockedWriter{w}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type lockedWriter struct{ w *world }

func (l lockedWriter) Write(p []byte) (int, error) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return l.w.logged.Write(p)
}

// settle lets everything happen that needs no time to pass, short of the gathering of records.
func (w *world) settle() {
	w.Helper()
	synctest.Wait()
	time.Sleep(20 * time.Millisecond)
	synctest.Wait()
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// subscribe adds a subscription whose receiver answers in the given way; nil means with success.
func (w *world) subscribe(url string, receive answers, changes ...func(*subscription.Subscription)) *subscription.Subscription {
	id := w.ids.New()
	w.plain[id] = subscription.Secrets{URL: url}
	s := &subscription.Subscription{
		ID: id, Version: 1, OrganizationID: 1, Dialect: "plain", Channel: subscription.ChannelWebhook, Enabled: true,
		Name: url, Destination: ident.Derive(url), Address: "redacted " + url, URL: w.keyring.Seal(url, subscription.Place(id, "url")),
		CreatedAt: time.Now(), UpdatedAt: time.Now(),
	}
	for _, change := range changes {
		change(s)
	}
	w.versions[id] = append(w.versions[id], s)
	w.index.Put(s)
	w.receive(url, receive)
	return s
}

// receive changes how a receiver answers.
func (w *world) receive(url string, r answers) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.receivers[url] = r
}

// change makes a new version of a subscription and puts it into the index.
func (w *world) change(s *subscription.Subscription, change func(*subscription.Subscription)) *subscription.Subscription {
	next := w.index.Get(s.ID).Clone()
	next.Version++
	next.UpdatedAt = time.Now()
	change(next)
	w.mu.Lock()
	w.versions[s.ID] = append(w.versions[s.ID], next)
	w.mu.Unlock()
	w.index.Put(next)
	return next
}

func (w *world) version(_ context.Context, id ident.ID, number int64) (*subscription.Subscription, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.versions[id] {
		if s.Version == number {
			return s, nil
		}
	}
	return nil, store.ErrNotFound
}

func (w *world) refresh(context.Context) error {
	w.mu.Lock()
	w.refreshes++
	then := w.onRefresh
	w.mu.Unlock()
	if then != nil {
		then()
	}
	return nil
}

func (w *world) switchOff(n *node, id ident.ID, reason string) error {
	w.mu.Lock()
	w.switched = append(w.switched, id)
	w.mu.Unlock()
	w.change(w.index.Get(id), func(s *subscription.Subscription) { s.Enabled, s.DisabledReason = false, reason })
	n.Changed(id)
	return nil
}

func (w *world) notify(_ context.Context, events []event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		known := false
		for _, old := range w.notified {
			known = known || old.Key == e.Key
		}
		if !known {
			w.notified = append(w.notified, e)
		}
	}
	return nil
}

// told returns the actions of the notifier events so far.
func (w *world) told() (actions []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.notified {
		actions = append(actions, e.Action)
	}
	return actions
}

func (w *world) remember(_ context.Context, destination ident.ID, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if body == nil {
		delete(w.remembered, destination)
	} else {
		w.remembered[destination] = body
	}
	return nil
}

func (w *world) recall(context.Context) (map[ident.ID][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.remembered), nil
}

// event makes an event of a run, the next of its sequence; run 0 is an event without one.
func (w *world) event(run ident.ID) *event.Event {
	e := &event.Event{
		ID: w.ids.New(), Kind: event.KindRun, Organization: event.Organization{ID: 1, Name: "acme"},
		Workspace: &event.Workspace{ID: 77, Name: "network"}, AcceptedAt: time.Now().UTC(),
	}
	if run == 0 {
		e.Kind = event.KindWorkspace
		return e
	}
	e.Run = &event.Run{ID: run, SourceID: "r", Sequence: w.sequence[run]}
	w.sequence[run]++
	return e
}

// owe makes the deliveries of an event.
func (w *world) owe(e *event.Event, to ...*subscription.Subscription) (owed []delivery.Delivery) {
	for _, s := range to {
		s = w.index.Get(s.ID)
		d := delivery.Delivery{
			ID: w.ids.New(), Event: e.ID, Organization: 1, Subscription: s.ID, Version: s.Version, Destination: s.Destination,
			Due: e.AcceptedAt, Unordered: s.Delivery.Unordered,
		}
		if e.Run != nil {
			d.Run, d.Sequence = e.Run.ID, e.Run.Sequence
		}
		owed = append(owed, d)
	}
	return owed
}

// put stores an event and its deliveries as a node does that accepts it, without offering it to anybody.
func (w *world) put(e *event.Event, owed []delivery.Delivery, from int) {
	w.Helper()
	body, err := event.Encode(e)
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.store.Commit(context.Background(), &store.Batch{Owner: from, Accepts: []store.Accept{{
		Event: store.Event{ID: e.ID, Organization: 1, Kind: string(e.Kind), Body: body}, Deliveries: owed,
	}}})
	if err != nil {
		w.Fatal(err)
	}
}

// elsewhere is the number of a node that accepts events and owns nothing.
const elsewhere = 50

// accept stores an event of a run and offers it to the node that accepted it.
func (n *node) accept(run ident.ID, to ...*subscription.Subscription) []delivery.Delivery {
	n.w.Helper()
	e := n.w.event(run)
	owed := n.w.owe(e, to...)
	number, _ := n.Owner()
	n.w.put(e, owed, number)
	n.Offer(e, owed)
	return owed
}

// bodies lists the bodies of messages.
func bodies(list []sent) (all []string) {
	for _, s := range list {
		all = append(all, s.body)
	}
	return all
}

// said is the body of a delivery's message.
func said(d delivery.Delivery) string { return saidBy(d, d.Version) }

func saidBy(d delivery.Delivery, version int64) string {
	kind := event.KindWorkspace
	if d.Run != 0 {
		kind = event.KindRun
	}
	return fmt.Sprintf("%s/first of %s by version %d", kind, d.Event, version)
}

// balanced checks the accounts.
func (w *world) balanced() {
	w.Helper()
	books, _ := w.store.Books(context.Background())
	if !books.Balanced() {
		w.Errorf("the books do not balance: %+v", books)
	}
}
