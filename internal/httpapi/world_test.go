package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/httpapi"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/replay"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/store/sqlite"
	"carillon/internal/subscription"
	"carillon/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// began is when every world's clock starts.
var began = time.Date(2026, 11, 22, 4, 26, 0, 0, time.UTC)

// adminToken is the token of the installation's administrator.
const adminToken = "first-administrator-token"

// world is an installation with a clock of its own: a real store and the real engines; only the wire is not real.
type world struct {
	testing.TB
	http.Handler
	store  store.Store
	manage *manage.Manage
	wire   *wire
	logged *bytes.Buffer

	mu     sync.Mutex
	accept func(events []event.Event) error // why the way in does not work, nil when it does
}

// in runs a test in a world of its own.
func in(t *testing.T, test func(w *world)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "carillon.db")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(began))
		w, stop := open(t, path)
		defer stop()
		test(w)
	})
}

// open builds an installation; stop ends it.
func open(t testing.TB, path string) (w *world, stop func()) {
	t.Helper()
	w = &world{TB: t, wire: &wire{status: 200}, logged: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(&locked{w: w.logged}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx := context.Background()
	db, err := sqlite.Open(ctx, sqlite.Options{Path: path, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	w.store = db
	keyring, err := seal.NewKeyring(bytes.Repeat([]byte{7}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := ident.NewGenerator(0, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	index := &subscription.Index{}
	dialects := []dialect.Dialect{plain{}, mute{}}
	site := dialect.Site{BaseURL: "https://carillon.test", Product: "Carillon", Version: "1.2.3"}
	w.manage = manage.New(manage.Deps{
		Store: db, Keyring: keyring, Index: index, IDs: ids, Dialects: dialects, CheckURL: checkURL, Site: site, Log: log,
	})
	var dispatcher *dispatch.Dispatcher
	gather := committer.New(db, committer.Options{Owner: func() (int, map[int]int64) { return dispatcher.Owner() }, Log: log})
	accept := ingest.New(ingest.Deps{
		Committer: gather, Ledger: db, Index: index, Dialects: dialects, Registrar: w.manage, IDs: ids, Log: log,
		Offer: func(e *event.Event, deliveries []delivery.Delivery) { dispatcher.Offer(e, deliveries) },
	})
	dispatcher, err = dispatch.New(dispatch.Deps{
		Store: db, Committer: gather, Index: index, Version: w.manage.Version, Refresh: w.manage.Refresh, Dialects: dialects,
		Keyring: keyring, IDs: ids, Site: site, Recipients: w.manage.Recipients, Switch: w.manage.Switch, NodeName: "node", Log: log,
		Transports: map[subscription.Channel]transport.Transport{
			subscription.ChannelWebhook: w.wire, subscription.ChannelEmail: w.wire,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.manage.SetEngine(dispatcher)
	w.manage.SetAccept(accept.Accept)
	if err := w.manage.Load(ctx); err != nil {
		t.Fatal(err)
	}
	if err := dispatcher.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := w.manage.Bootstrap(ctx, adminToken); err != nil {
		t.Fatal(err)
	}
	replays, err := replay.New(replay.Deps{
		Store: db, Engine: dispatcher, Index: index, Dialects: dialects, IDs: ids, NodeName: "node", Alone: true, Log: log,
		Audit: func(p estate.Principal, action string, r *replay.Replay) store.Change {
			return w.manage.Entry(p, manage.AuditEntry{Action: action, Kind: "replay", ObjectID: r.ID, OrganizationID: r.OrganizationID})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	replays.Start()
	w.Handler = httpapi.New(httpapi.Deps{
		Replays:  replays,
		Services: w.manage.Services(), Dialects: dialects, Events: w.manage.Events(), Deliveries: w.manage.Deliveries(),
		Tokens: w.manage.Tokens(), Sources: w.manage.Sources(), Audit: w.manage.Audit(), MaySend: w.manage.MaySend,
		Accept: func(ctx context.Context, events []event.Event) ([]dialect.Receipt, error) {
			if err := w.trouble(events); err != nil {
				return nil, err
			}
			return accept.Accept(ctx, events)
		},
		LastOfRun: db.LastOfRun, Destinations: dispatcher, Explain: accept.Explain, Places: w.manage.Places, Compose: dispatcher.Preview, Recipients: w.manage.Recipients, Books: db.Books,
	})
	return w, func() {
		if err := replays.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := dispatcher.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := gather.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func (w *world) trouble(events []event.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.accept == nil {
		return nil
	}
	return w.accept(events)
}

// checkURL refuses one host, as a guard would.
func checkURL(url string) error {
	if strings.Contains(url, "169.254.169.254") {
		return fault.New(fault.Invalid, "The address 169.254.169.254 is not allowed as a destination.")
	}
	return nil
}

// wire carries nothing: every receiver answers what the test says.
type wire struct {
	mu     sync.Mutex
	status int
	body   string
	sent   []*delivery.Message
}

func (w *wire) Send(_ context.Context, _ transport.Lane, msg *delivery.Message) delivery.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, msg)
	return delivery.Result{
		Class: delivery.ClassAnswered, Status: w.status, StartedAt: time.Now().UTC(), Duration: 1500 * time.Microsecond,
		Response: &delivery.Response{
			Status: w.status, Header: map[string][]string{"Content-Type": {"text/plain"}}, Body: []byte(w.body),
		},
	}
}

func (w *wire) Close() error { return nil }

// answer says what receivers answer from now on.
func (w *wire) answer(status int, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.body = status, body
}

// locked lets several goroutines log.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// do makes one request and waits until everything that it set off has come to rest.
func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return recorder
}

// request builds a request under a token.
func request(method, path, token, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}
