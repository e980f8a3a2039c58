package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"carillon/internal/committer"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/guard"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/replay"
	"carillon/internal/seal"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Server is one node: a store, the three engines, and the faces. Make it with New; it does nothing until Start.
type Server struct {
	config   Config
	site     dialect.Site
	log      *slog.Logger
	registry *prometheus.Registry

	listener   net.Listener
	http       *http.Server
	store      store.Store
	keyring    *seal.Keyring
	guard      *guard.Guard
	index      *subscription.Index
	ids        *ident.Generator
	committer  *committer.Committer
	manage     *manage.Manage
	ingest     *ingest.Ingest
	dispatcher *dispatch.Dispatcher
	replays    *replay.Service
	dialects   []dialect.Dialect
	failpoint  func(string)

	background sync.WaitGroup
	cancel     context.CancelFunc
	ready      readiness
}

// New opens the listener and the store and wires everything. What it opened is closed again when it fails.
func New(ctx context.Context, config Config) (_ *Server, err error) {
	config, err = config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, log: config.Log, registry: prometheus.NewRegistry(), index: &subscription.Index{}, dialects: dialects()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.closeAll())
		}
	}()
	if s.failpoint, err = failpoints(config.Failpoints); err != nil {
		return nil, err
	}
	if err := configure(s.dialects, config.DialectOptions); err != nil {
		return nil, err
	}
	if config.DataDir != "" {
		if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, config); err != nil {
		return nil, err
	}
	if err := s.wire(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// listen opens the listener: the address must be known before anything is told the public address.
func (s *Server) listen() error {
	settings, err := tlsConfig(s.config, time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.config.Listen, err)
	}
	s.site = dialect.Site{BaseURL: s.config.baseURL(listener.Addr()), Product: "Carillon", Version: s.config.Version}
	if settings != nil {
		listener = tls.NewListener(listener, settings)
	}
	s.listener = listener
	return nil
}

// Addr returns the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// BaseURL returns the public address, without a trailing slash.
func (s *Server) BaseURL() string { return s.site.BaseURL }

// Start recovers what is owed, begins to deliver, and serves. It returns when the server is ready; requests that came in
// before wait until then.
func (s *Server) Start(ctx context.Context) error {
	s.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := s.manage.Load(ctx); err != nil {
		return fmt.Errorf("load what is managed: %w", err)
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	if err := s.debug(running); err != nil {
		return err
	}
	if err := s.dispatcher.Start(running); err != nil {
		return fmt.Errorf("start dispatching: %w", err)
	}
	s.replays.Start()
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.background.Go(func() {
		if err := s.http.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("serving ended", "err", err)
		}
	})
	s.background.Go(func() { s.maintain(running) })
	s.ready.set(true)
	return nil
}

// Bootstrap makes the first administrator's token where there is none, and returns its text once. With a configured
// token it returns "".
func (s *Server) Bootstrap(ctx context.Context) (token string, err error) {
	return s.manage.Bootstrap(ctx, s.config.AdminToken)
}

// Stop ends the server softly: no new requests, attempts in flight finish and are recorded, then everything closes. When
// ctx ends first, what is still in flight is given up; it is delivered after the next start.
func (s *Server) Stop(ctx context.Context) error {
	s.ready.set(false)
	ctx, cancel := context.WithTimeout(ctx, s.config.SoftStopTimeout)
	defer cancel()
	var problems []error
	if s.http != nil {
		problems = append(problems, s.http.Shutdown(ctx))
	}
	if s.replays != nil {
		problems = append(problems, s.replays.Stop(ctx)) // it still queues, so before the dispatcher
	}
	if s.dispatcher != nil {
		problems = append(problems, s.dispatcher.Stop(ctx))
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.background.Wait()
	problems = append(problems, s.closeAll())
	return errors.Join(problems...)
}

// closeAll closes what New opened, in the order of use.
func (s *Server) closeAll() error {
	var problems []error
	if s.committer != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.config.SoftStopTimeout)
		defer cancel()
		problems = append(problems, s.committer.Stop(ctx))
		s.committer = nil
	}
	if s.store != nil {
		problems = append(problems, s.store.Close())
		s.store = nil
	}
	if s.listener != nil && s.http == nil {
		problems = append(problems, s.listener.Close())
	}
	return errors.Join(problems...)
}
