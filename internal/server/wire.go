package server

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"time"

	"carillon/internal/committer"
	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/dispatch"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/guard"
	"carillon/internal/httpapi"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/manage"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/subscription"
	"carillon/internal/transport"
	httptransport "carillon/internal/transport/http"
	"carillon/internal/transport/local"
	"carillon/internal/transport/smtp"
)

// leaseTTL is how long a node's shards stay its own without a renewal.
const leaseTTL = 5 * time.Second

// wire makes the engines and ties them together. They do not know each other: each gets what it needs of the others as a
// function or a small interface.
func (s *Server) wire(ctx context.Context) (err error) {
	if s.keyring, err = keyring(s.config); err != nil {
		return err
	}
	if s.guard, err = s.newGuard(); err != nil {
		return err
	}
	if s.ids, err = ident.NewGenerator(0, time.Now); err != nil {
		return err
	}
	transports, err := s.transports()
	if err != nil {
		return err
	}
	s.manage = manage.New(manage.Deps{
		Store: s.store, Keyring: s.keyring, Index: s.index, IDs: s.ids, Dialects: s.dialects,
		CheckURL: s.guard.CheckURL, Site: s.site, Log: s.log,
	})
	s.committer = committer.New(s.store, committer.Options{
		Owner: s.owner, Writers: s.writers(), Log: s.log, Registry: s.registry, Failpoint: s.failpoint,
	})
	s.ingest = ingest.New(ingest.Deps{
		Committer: s.committer, Ledger: s.store, Index: s.index, Dialects: s.dialects, Registrar: s.manage, IDs: s.ids,
		Count: s.manage.Count, Offer: s.offer, Log: s.log, Registry: s.registry, Failpoint: s.failpoint,
	})
	s.dispatcher, err = dispatch.New(dispatch.Deps{
		Store: s.store, Committer: s.committer, Index: s.index, Version: s.manage.Version, Refresh: s.manage.Refresh,
		Dialects: s.dialects,
		Keyring:  s.keyring, Transports: transports, IDs: s.ids, Site: s.site,
		Recipients: s.manage.Recipients, Switch: s.manage.Switch, Notify: s.notify,
		Remember: s.manage.Remember, Recall: s.manage.Recall,
		NodeName: s.nodeName(), LeaseTTL: leaseTTL, Log: s.log, Registry: s.registry, Failpoint: s.failpoint,
	})
	if err != nil {
		return fmt.Errorf("set up dispatching: %w", err)
	}
	s.replays, err = replay.New(replay.Deps{
		Store: s.store, Engine: s.dispatcher, Index: s.index, Dialects: s.dialects, IDs: s.ids, Audit: s.auditReplay,
		Refresh: s.manage.Refresh, Alone: s.config.DatabaseURL == "", NodeName: s.nodeName(), Log: s.log, Failpoint: s.failpoint,
	})
	if err != nil {
		return fmt.Errorf("set up replays: %w", err)
	}
	s.manage.SetEngine(s.dispatcher)
	s.manage.SetAccept(s.ingest.Accept)
	return nil
}

// writers is how many commits run at once: the embedded database has one writer, PostgreSQL profits from a second.
func (s *Server) writers() int {
	if s.config.DatabaseURL != "" {
		return 2
	}
	return 1
}

// owner is asked by the committer; it exists before the dispatcher does.
func (s *Server) owner() (node int, epochs map[int]int64) {
	if s.dispatcher == nil {
		return 0, nil
	}
	return s.dispatcher.Owner()
}

// offer hands what ingest committed to the dispatcher.
func (s *Server) offer(e *event.Event, deliveries []delivery.Delivery) {
	s.dispatcher.Offer(e, deliveries)
}

// notify takes in the events that are about Carillon itself.
func (s *Server) notify(ctx context.Context, events []event.Event) error {
	_, err := s.ingest.Accept(ctx, events)
	return err
}

// auditReplay notes what was done to a replay.
func (s *Server) auditReplay(p estate.Principal, action string, r *replay.Replay) store.Change {
	return s.manage.Entry(p, manage.AuditEntry{Action: action, Kind: "replay", ObjectID: r.ID, OrganizationID: r.OrganizationID})
}

func (s *Server) newGuard() (*guard.Guard, error) {
	g, err := guard.New(guard.Options{Allow: s.config.EgressAllow, DeniedPorts: s.config.EgressPorts})
	if err != nil {
		return nil, fmt.Errorf("read --egress-allow: %w", err)
	}
	if address, err := netip.ParseAddrPort(s.listener.Addr().String()); err == nil {
		g.Own(address)
	}
	return g, nil
}

// transports lists what carries messages: HTTP for every channel but mail.
func (s *Server) transports() (map[subscription.Channel]transport.Transport, error) {
	overHTTP := httptransport.New(httptransport.Options{Guard: s.guard, Log: s.log})
	list := map[subscription.Channel]transport.Transport{
		subscription.ChannelWebhook: overHTTP,
		subscription.ChannelSlack:   overHTTP,
		subscription.ChannelTeams:   overHTTP,
		subscription.ChannelTrigger: overHTTP,
		subscription.ChannelWork:    &local.Transport{Workers: s.workers()},
	}
	if s.config.MailServer == "" {
		return list, nil
	}
	mail, err := smtp.New(smtp.Options{Guard: s.guard, Server: s.config.MailServer, From: s.config.MailFrom, Log: s.log})
	if err != nil {
		return nil, fmt.Errorf("set up mail: %w", err)
	}
	list[subscription.ChannelEmail] = mail
	return list, nil
}

// workers lists who does the dialects' own work, by the dialects' names.
func (s *Server) workers() map[string]local.Worker {
	workers := map[string]local.Worker{}
	for _, d := range s.dialects {
		if w, ok := d.(dialect.Worker); ok {
			workers[d.Name()] = func(ctx context.Context, msg *delivery.Message) error {
				return w.Work(ctx, s.manage.Services(), msg)
			}
		}
	}
	return workers
}

func (s *Server) nodeName() string {
	if s.config.NodeName != "" {
		return s.config.NodeName
	}
	name, err := os.Hostname()
	if err != nil {
		return "carillon"
	}
	return name
}

// handler puts the faces on one mux: our API, every dialect's, discovery, and what operators ask.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	services := s.manage.Services()
	discovery := map[string]any{}
	for _, d := range s.dialects {
		if m, ok := d.(dialect.Manager); ok {
			m.Mount(mux, services)
			maps.Copy(discovery, m.Discovery())
		}
	}
	mux.HandleFunc("GET /.well-known/terraform.json", s.discovery(discovery))
	api := s.api(services)
	mux.Handle("/v1/", api)
	mux.Handle("/in/", api)
	mux.HandleFunc("/", unknownPath)
	s.mountHealth(mux)
	return mux
}

// api is our own API.
func (s *Server) api(services dialect.Services) http.Handler {
	return httpapi.New(httpapi.Deps{
		Services: services, Dialects: s.dialects,
		Events: s.manage.Events(), Deliveries: s.manage.Deliveries(), Replays: s.replays, Tokens: s.manage.Tokens(),
		Sources: s.manage.Sources(),
		Audit:   s.manage.Audit(), MaySend: s.manage.MaySend, Accept: s.ingest.Accept, Explain: s.ingest.Explain,
		LastOfRun: s.store.LastOfRun, Destinations: s.dispatcher,
		Places: s.manage.Places, Compose: s.dispatcher.Preview, Recipients: s.manage.Recipients, Books: s.store.Books,
	})
}
