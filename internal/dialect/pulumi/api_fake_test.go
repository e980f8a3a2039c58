package pulumi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// world is what the API stands on, in memory: the organization acme, whose tokens are "owner", "reader", and "stack" for
// one of its stacks. It is one test's own.
type world struct {
	t        *testing.T
	mux      *http.ServeMux
	next     ident.ID
	tokens   map[string]estate.Principal
	projects *shelf[estate.Project]
	stacks   *shelf[estate.Workspace]
	hooks    *hooks
	attempts []delivery.Attempt
	told     []event.Event
	org      estate.Organization
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, mux: http.NewServeMux(), next: 1 << 40}
	w.org = estate.Organization{Common: estate.Common{ID: w.id(), Name: "acme"}}
	w.projects = &shelf[estate.Project]{world: w, common: func(p *estate.Project) *estate.Common { return &p.Common }, parent: func(p *estate.Project) ident.ID { return p.OrganizationID }}
	w.stacks = &shelf[estate.Workspace]{world: w, common: func(s *estate.Workspace) *estate.Common { return &s.Common }, parent: func(s *estate.Workspace) ident.ID { return s.ProjectID }}
	w.hooks = &hooks{world: w, plain: map[ident.ID]subscription.Secrets{}}
	grant := func(role estate.Role) estate.Principal {
		return estate.Principal{Name: string(role), Grants: []estate.Grant{{OrganizationID: w.org.ID, Role: role}}}
	}
	w.tokens = map[string]estate.Principal{"owner": grant(estate.RoleOwner), "reader": grant(estate.RoleReader), "stranger": {Name: "stranger"}}
	organizations := &shelf[estate.Organization]{world: w, items: []estate.Organization{w.org}, common: func(o *estate.Organization) *estate.Common { return &o.Common }, parent: func(*estate.Organization) ident.ID { return 0 }}
	New().Mount(w.mux, dialect.Services{
		Organizations: organizations, Projects: w.projects, Workspaces: w.stacks, Subscriptions: w.hooks, Deliveries: log{w}, Events: w, Access: w,
		Site: sampleSite, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return sampleMoment },
	})
	return w
}

func (w *world) id() ident.ID {
	w.next += 1 << 13
	return w.next
}

// call sends a request with a token.
func (w *world) call(token, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "token "+token)
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

func (w *world) Authenticate(_ context.Context, token string) (estate.Principal, error) {
	if p, ok := w.tokens[token]; ok {
		return p, nil
	}
	return estate.Principal{}, fault.New(fault.Unauthorized, "The token is unknown.")
}

func (w *world) Accept(_ context.Context, _ estate.Principal, events []event.Event) ([]dialect.Receipt, error) {
	w.told = append(w.told, events...)
	return nil, nil
}

func (*world) Run(context.Context, estate.Principal, estate.Ref) ([]event.Event, error) {
	return nil, nil
}
func (*world) List(context.Context, estate.Principal, store.EventFilter, store.Page) ([]event.Event, error) {
	return nil, nil
}

// shelf is a collection in memory.
type shelf[T any] struct {
	world  *world
	items  []T
	common func(*T) *estate.Common
	parent func(*T) ident.ID
}

func (s *shelf[T]) Create(_ context.Context, _ estate.Principal, item T) (T, error) {
	if strings.ContainsAny(s.common(&item).Name, "?\n") || s.common(&item).Name == "" {
		return item, fault.At("/name", "The name is wrong.")
	}
	s.common(&item).ID = s.world.id()
	s.items = append(s.items, item)
	return item, nil
}

func (s *shelf[T]) at(p estate.Principal, ref estate.Ref) int {
	return slices.IndexFunc(s.items, func(item T) bool {
		c := s.common(&item)
		return len(p.Grants) > 0 && (c.ID == ref.ID || ref.Name != "" && c.Name == ref.Name && s.parent(&item) == ref.Parent)
	})
}

func (s *shelf[T]) Get(_ context.Context, p estate.Principal, ref estate.Ref) (item T, err error) {
	if i := s.at(p, ref); i >= 0 {
		return s.items[i], nil
	}
	return item, fault.Missing("object", ref.Name)
}

func (s *shelf[T]) List(_ context.Context, p estate.Principal, parent ident.ID) (list []T, err error) {
	for _, item := range s.items {
		if len(p.Grants) > 0 && (parent == 0 || s.parent(&item) == parent) {
			list = append(list, item)
		}
	}
	return list, nil
}

func (s *shelf[T]) Update(_ context.Context, p estate.Principal, id ident.ID, change func(*T) error) (T, error) {
	i := s.at(p, estate.ByID(id))
	return s.items[i], change(&s.items[i])
}

func (s *shelf[T]) Delete(_ context.Context, p estate.Principal, id ident.ID) error {
	i := s.at(p, estate.ByID(id))
	s.items = slices.Delete(s.items, i, i+1)
	return nil
}

// hooks are subscriptions in memory, without what the API does not ask for.
type hooks struct {
	dialect.Subscriptions
	world *world
	items []subscription.Subscription
	plain map[ident.ID]subscription.Secrets
	taken int // how many names that are drawn are taken
}

func (h *hooks) save(s *subscription.Subscription, plain subscription.Secrets) error {
	if strings.Contains(plain.URL, "forbidden") {
		return fault.At("/url", "The address is not allowed as a destination.")
	}
	s.Secret = ""
	if plain.Secret != "" {
		s.Secret = "sealed"
	}
	return New().Complete(dialect.Completion{
		Subscription: s, Plain: plain, Was: h.plain[s.ID], Organization: "acme", Fingerprint: func(_, text string) string { return "hash of " + text },
	})
}

func (h *hooks) Create(_ context.Context, _ estate.Principal, s subscription.Subscription, plain subscription.Secrets, _ dialect.SaveOptions) (subscription.Subscription, error) {
	if h.taken--; h.taken >= 0 {
		return s, &fault.Error{Code: fault.Conflict, Field: "/external_ids/pulumi", Message: "Taken."}
	}
	s.ID = h.world.id()
	if err := h.save(&s, plain); err != nil {
		return s, err
	}
	h.items, h.plain[s.ID] = append(h.items, s), plain
	return s, nil
}

func (h *hooks) at(id ident.ID) int {
	return slices.IndexFunc(h.items, func(s subscription.Subscription) bool { return s.ID == id })
}

func (h *hooks) List(_ context.Context, _ estate.Principal, f dialect.SubscriptionFilter) (list []subscription.Subscription, err error) {
	for _, s := range h.items {
		if slices.Contains(s.Scopes, *f.Scope) {
			list = append(list, s)
		}
	}
	return list, nil
}

func (h *hooks) Update(_ context.Context, _ estate.Principal, id ident.ID, _ dialect.SaveOptions, change func(*subscription.Subscription, *subscription.Secrets) error) (subscription.Subscription, error) {
	next, plain := h.items[h.at(id)].Clone(), h.plain[id]
	if err := change(next, &plain); err != nil {
		return *next, err
	}
	if err := h.save(next, plain); err != nil {
		return *next, err
	}
	h.items[h.at(id)], h.plain[id] = *next, plain
	return *next, nil
}

func (h *hooks) Delete(_ context.Context, _ estate.Principal, id ident.ID) error {
	h.items = slices.Delete(h.items, h.at(id), h.at(id)+1)
	return nil
}

func (h *hooks) Reveal(_ context.Context, _ estate.Principal, id ident.ID) (subscription.Secrets, error) {
	return subscription.Secrets{URL: h.plain[id].URL}, nil
}

func (h *hooks) Verify(_ context.Context, _ estate.Principal, id ident.ID) (delivery.Attempt, error) {
	return h.world.send(delivery.Delivery{ID: h.world.id(), Subscription: id}, nil), fault.New(fault.Unverified, "Nobody answers.")
}

// send notes an attempt without an answer, or with one.
func (w *world) send(d delivery.Delivery, answer *delivery.Response) delivery.Attempt {
	d.Attempts++
	a := delivery.Attempt{Delivery: d, Number: d.Attempts, State: delivery.Exhausted, Trigger: "ping", Address: "redacted"}
	a.Result = delivery.Result{Class: delivery.ClassRefused, StartedAt: sampleMoment.Add(time.Duration(len(w.attempts)) * time.Second), Duration: 1500 * time.Microsecond}
	if answer != nil {
		a.Result.Class, a.Result.Status, a.Result.Response = delivery.ClassAnswered, answer.Status, answer
	}
	w.attempts = append(w.attempts, a)
	return a
}

// log reads the attempts that were noted.
type log struct{ w *world }

func (l log) List(_ context.Context, _ estate.Principal, f store.DeliveryFilter, page store.Page) (list []store.Summary, err error) {
	for i := range slices.Backward(l.w.attempts) {
		a := &l.w.attempts[i]
		known := slices.ContainsFunc(list, func(s store.Summary) bool { return s.Delivery.ID == a.Delivery.ID })
		if a.Delivery.Subscription == f.Subscription && !known && len(list) < page.Limit && (page.Before == 0 || a.Delivery.ID < page.Before) {
			list = append(list, store.Summary{Delivery: a.Delivery, Last: a})
		}
	}
	return list, nil
}

func (l log) Get(_ context.Context, _ estate.Principal, id ident.ID) (s store.Summary, made []delivery.Attempt, err error) {
	for i := range l.w.attempts {
		if a := &l.w.attempts[i]; a.Delivery.ID == id || a.Delivery.Origin == id {
			made = append(made, *a)
			if a.Delivery.ID == id {
				s = store.Summary{Delivery: a.Delivery, Last: a}
			}
		}
	}
	if s.Last == nil {
		return s, nil, fault.Missing("delivery", id.String())
	}
	return s, made, nil
}

func (l log) Sent(_ context.Context, _ estate.Principal, a delivery.Attempt) (*delivery.Message, bool, error) {
	if a.BodySize == 1 {
		return nil, false, fault.New(fault.NotFound, "What was sent is not kept.")
	}
	msg := request(subscription.ChannelWebhook, sampleSite, "ping", []byte(`{"a":1}`))
	New().Sign(msg, dialect.Signing{Delivery: &a.Delivery, Secrets: []string{"s"}})
	msg.URL = "https://example.com/x"
	return msg, true, nil
}

func (l log) Redeliver(_ context.Context, _ estate.Principal, id ident.ID, _ bool) (delivery.Delivery, *delivery.Attempt, error) {
	first, _, _ := l.Get(context.Background(), estate.Principal{}, id)
	if first.Last.BodySize == 1 {
		return first.Delivery, nil, fault.New(fault.Conflict, "Gone.")
	}
	again := delivery.Delivery{ID: l.w.id(), Origin: first.Delivery.Stable(), Subscription: first.Delivery.Subscription}
	a := l.w.send(again, &delivery.Response{Status: 200, Header: map[string][]string{"x-b": {"2", "1"}, "A": {"\xff"}}, Body: []byte("ok \xff")})
	return again, &a, nil
}
