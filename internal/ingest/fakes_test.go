package ingest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// memory is a ledger without a database: the rules of store.Ledger for accepts, and nothing else.
type memory struct {
	mu      sync.Mutex
	events  []store.Event
	owed    []delivery.Delivery
	commits int
	fail    error // of the next commit
	reads   int
}

func (m *memory) Accept(_ context.Context, accepts []store.Accept) ([]store.Verdict, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits++
	if err := m.fail; err != nil {
		m.fail = nil
		return nil, err
	}
	verdicts := make([]store.Verdict, len(accepts))
	for n, a := range accepts {
		if verdicts[n] = m.judge(&a.Event); verdicts[n] == (store.Verdict{}) {
			m.events = append(m.events, a.Event)
			m.owed = append(m.owed, a.Deliveries...)
		}
	}
	return verdicts, nil
}

func (m *memory) judge(e *store.Event) store.Verdict {
	for _, known := range m.events {
		if e.Key != "" && known.Organization == e.Organization && known.Key == e.Key {
			return store.Verdict{Duplicate: known.ID}
		}
	}
	for _, known := range m.events {
		if e.Run != 0 && known.Run == e.Run && known.Sequence == e.Sequence {
			return store.Verdict{SequenceTaken: true}
		}
	}
	return store.Verdict{}
}

func (m *memory) LastOfRun(_ context.Context, run ident.ID) (last store.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	err = store.ErrNotFound
	for _, e := range m.events {
		if e.Run == run && (err != nil || e.Sequence > last.Sequence) {
			last, err = e, nil
		}
	}
	return last, err
}

func (m *memory) RunEvents(_ context.Context, run ident.ID) (events []store.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		if e.Run == run {
			events = append(events, e)
		}
	}
	return events, nil
}

func (m *memory) Events(_ context.Context, ids []ident.ID) (events []store.Event, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.events {
		for _, id := range ids {
			if e.ID == id {
				events = append(events, e)
			}
		}
	}
	return events, nil
}

// names is a Registrar that derives identifiers from names and knows the organization "acme" alone.
type names struct{}

func (names) Register(_ context.Context, e *event.Event) ([]subscription.Scope, error) {
	if e.Organization.Name != "acme" {
		return nil, fault.At("/organization/name", "There is no organization %q.", e.Organization.Name)
	}
	e.Organization.ID = acme
	if e.Project == nil {
		e.Project = &event.Project{Name: "default"}
	}
	e.Project.ID = ident.Derive("project", e.Project.Name)
	if e.Workspace != nil {
		e.Workspace.ID = workspaceID(e.Workspace.Name)
	}
	return subscription.Places(e), nil
}

var acme = ident.Derive("acme")

func workspaceID(name string) ident.ID { return ident.Derive("workspace", name) }

// plain is a dialect that says one thing of each step of a run, and two of an assessment.
type plain struct {
	dialect.Dialect
	name      string
	unordered bool
	suppress  string // workspaces executed so
}

func (p plain) Name() string { return p.name }

func (p plain) Notices(e *event.Event) []subscription.Notice {
	switch e.Kind {
	case event.KindRun:
		return []subscription.Notice{{Name: string(e.Run.Status), Triggers: []string{"run:" + string(e.Run.Status)}}}
	case event.KindAssessment:
		return []subscription.Notice{
			{Name: "drift", Triggers: []string{"drift"}},
			{Name: "checks", Triggers: []string{"checks"}, Levels: []subscription.Level{subscription.LevelProject}, Unlisted: true},
		}
	case event.KindWorkspace, event.KindTest:
		return []subscription.Notice{{Name: e.Action, Triggers: []string{"workspace:" + e.Action}}}
	}
	return nil
}

func (p plain) Policy(*subscription.Subscription) delivery.Policy {
	return delivery.Policy{Unordered: p.unordered}
}

func (p plain) Suppresses(e *event.Event) bool {
	return p.suppress != "" && e.Workspace != nil && e.Workspace.ExecutionMode == p.suppress
}

// offered notes what was offered to dispatch, in its order.
type offered struct {
	mu     sync.Mutex
	events []*event.Event
	owed   []delivery.Delivery
}

func (o *offered) offer(e *event.Event, deliveries []delivery.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, e)
	o.owed = append(o.owed, deliveries...)
}

// house is an Ingest with what stands around it.
type house struct {
	*ingest.Ingest
	ledger  *memory
	index   *subscription.Index
	offered *offered
	deps    ingest.Deps
}

var now = time.Date(2026, 11, 22, 4, 26, 0, 0, time.UTC)

func newHouse(t testing.TB, change ...func(*ingest.Deps)) *house {
	t.Helper()
	h := &house{ledger: &memory{}, index: &subscription.Index{}, offered: &offered{}}
	h.deps = ingest.Deps{
		Committer: h.ledger, Ledger: h.ledger, Index: h.index, Registrar: names{}, IDs: generator(t, 1), Offer: h.offered.offer,
		Dialects: []dialect.Dialect{plain{name: "alpha"}, plain{name: "beta", unordered: true, suppress: "local"}},
		Now:      func() time.Time { return now },
	}
	for _, c := range change {
		c(&h.deps)
	}
	h.Ingest = ingest.New(h.deps)
	return h
}

func generator(t testing.TB, node int) *ident.Generator {
	t.Helper()
	g, err := ident.NewGenerator(node, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// accept takes events in and fails the test when that fails.
func (h *house) accept(t testing.TB, events ...event.Event) []dialect.Receipt {
	t.Helper()
	receipts, err := h.Accept(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

// last decodes the event that was stored last.
func (h *house) last(t testing.TB) *event.Event {
	t.Helper()
	e, err := event.Decode(h.ledger.events[len(h.ledger.events)-1].Body)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// subscribe puts an enabled subscription into the index.
func (h *house) subscribe(id ident.ID, name string, level subscription.Level, place ident.ID, triggers ...string) *subscription.Subscription {
	s := &subscription.Subscription{
		ID: id, Version: 3, OrganizationID: acme, Dialect: name, Enabled: true, Triggers: triggers, All: len(triggers) == 0,
		Scopes: []subscription.Scope{{Level: level, ID: place}}, Destination: ident.Derive("destination", id.String()),
	}
	h.index.Put(s)
	return s
}

// step is an event of the run "r1" of the workspace "net".
func step(status event.Status, change ...func(*event.Event)) event.Event {
	e := event.Event{
		Kind: event.KindRun, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"},
		Run: &event.Run{SourceID: "r1", Status: status},
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

func ofRun(name string) func(*event.Event)  { return func(e *event.Event) { e.Run.SourceID = name } }
func withKey(key string) func(*event.Event) { return func(e *event.Event) { e.Key = key } }
func awaiting(e *event.Event)               { e.Run.Awaiting = true }
func counted(sequence int64) func(*event.Event) {
	return func(e *event.Event) { e.Run.Sequence, e.Run.Sequenced = sequence, true }
}

// describe spells receipts shortly: "0", "1 duplicate", … with events numbered in the order in which they were stored.
func (h *house) describe(receipts []dialect.Receipt) string {
	var parts []string
	for _, r := range receipts {
		position := "?"
		for n, e := range h.ledger.events {
			if e.ID == r.Event {
				position = fmt.Sprint("event ", n)
			}
		}
		part := fmt.Sprintf("%s seq %d", position, r.Sequence)
		if r.Duplicate {
			part += " duplicate"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}
