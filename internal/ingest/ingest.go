// Package ingest takes events in: it places them in the estate, gives them their identifiers and their place in their
// run, finds out who gets them, and stores event and deliveries in one transaction.
//
// Whoever got a receipt can rely on it: the event and what it owes are durable. The package never renders, sends or
// decides about retries, and it reads nothing from the store for an event of a run that it knows.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// Registrar knows the estate.
type Registrar interface {
	// Register fills in the identifiers and names of an event's organization, project, workspace and teams, makes a
	// workspace known with its first event, and returns every place where a subscription may listen: those of the event and
	// the projects that pass theirs down. An unknown organization is fault.NotFound.
	Register(ctx context.Context, e *event.Event) ([]subscription.Scope, error)
}

// Committer makes accepts durable, many at once.
type Committer interface {
	Accept(ctx context.Context, accepts []store.Accept) ([]store.Verdict, error)
}

// Ledger is what is read for runs that this node does not know yet, and for repeated events.
type Ledger interface {
	LastOfRun(ctx context.Context, run ident.ID) (store.Event, error)
	RunEvents(ctx context.Context, run ident.ID) ([]store.Event, error)
	Events(ctx context.Context, ids []ident.ID) ([]store.Event, error)
}

// Deps is what an Ingest needs.
type Deps struct {
	Committer Committer
	Ledger    Ledger
	Index     *subscription.Index
	Dialects  []dialect.Dialect
	Registrar Registrar
	IDs       *ident.Generator

	// Count draws the next number of a workspace's counter, for dialects that number what the source did not. Nil numbers
	// nothing.
	Count func(ctx context.Context, workspace ident.ID, counter string) (int64, error)

	// Offer gets each event that was stored with its deliveries, right after the commit and, for one run, in the order of
	// its sequence. It must not block. Nil offers to nobody.
	Offer func(e *event.Event, deliveries []delivery.Delivery)

	Now       func() time.Time      // time.Now when nil
	Log       *slog.Logger          // discarded when nil
	Registry  prometheus.Registerer // no metrics when nil
	Failpoint func(name string)     // nil in production

	// Runs is how many runs are remembered, 8192 when 0. A run that is forgotten costs one read with its next event.
	Runs int
}

// Ingest is the way in. It is safe for concurrent use.
type Ingest struct {
	committer Committer
	ledger    Ledger
	index     *subscription.Index
	dialects  map[string]dialect.Dialect
	steppers  map[string]dialect.Stepper
	registrar Registrar
	ids       *ident.Generator
	count     func(context.Context, ident.ID, string) (int64, error)
	offer     func(*event.Event, []delivery.Delivery)
	now       func() time.Time
	log       *slog.Logger
	failpoint func(string)
	metrics   *metrics
	runs      *runs
	locks     locks
}

// New returns an Ingest. It starts nothing.
func New(d Deps) *Ingest {
	i := &Ingest{
		committer: d.Committer, ledger: d.Ledger, index: d.Index, registrar: d.Registrar, ids: d.IDs,
		count: d.Count, offer: d.Offer,
		now: d.Now, log: d.Log, failpoint: d.Failpoint, dialects: make(map[string]dialect.Dialect, len(d.Dialects)),
	}
	for _, each := range d.Dialects {
		i.dialects[each.Name()] = each
	}
	i.steppers = steppersOf(i.dialects)
	if i.offer == nil {
		i.offer = func(*event.Event, []delivery.Delivery) {}
	}
	if i.now == nil {
		i.now = time.Now
	}
	if i.log == nil {
		i.log = slog.New(slog.DiscardHandler)
	}
	if i.failpoint == nil {
		i.failpoint = func(string) {}
	}
	size := d.Runs
	if size <= 0 {
		size = 8192
	}
	i.runs = newRuns(size)
	i.metrics = newMetrics(d.Registry, i.dialects)
	return i
}

// Accept stores events with the deliveries that they cause and returns a receipt for each, in their order. When it
// returns without an error everything is durable. The events were validated before, and their parts belong to Ingest from
// now on. Each event is stored whole or not at all; events of one run keep their order. An event that can not be placed
// refuses all of them. On any other error the receipts of events that are not known to be stored are zero: sending those
// again is safe when they carry keys.
func (i *Ingest) Accept(ctx context.Context, events []event.Event) ([]dialect.Receipt, error) {
	if len(events) == 0 {
		return nil, nil
	}
	started := i.now()
	items, err := i.open(ctx, events, started)
	if err != nil {
		return nil, err
	}
	unlock := i.locks.lock(items)
	defer unlock()
	// What happens now must be seen through even when the caller goes away: an event that was committed but never offered
	// would wait for the dispatcher's slow sweep.
	ctx = context.WithoutCancel(ctx)
	for open := items; len(open) > 0; {
		var wave []*item
		wave, open = firstOfEachRun(open)
		if err = i.store(ctx, wave); err != nil {
			break
		}
	}
	i.metrics.took(i.now().Sub(started))
	receipts := make([]dialect.Receipt, len(items))
	for n, it := range items {
		receipts[n] = it.receipt
	}
	return receipts, err
}

// item is one event on its way.
type item struct {
	// given is the event as it was registered; it is kept apart from stored, which is made anew for each try.
	given  event.Event
	places []subscription.Scope
	run    ident.ID // zero for an event that is no step of a run

	accept  store.Accept
	matched []matching
	stored  *event.Event

	tries   int
	receipt dialect.Receipt
}

// open places every event in the estate.
func (i *Ingest) open(ctx context.Context, events []event.Event, now time.Time) ([]*item, error) {
	items := make([]*item, len(events))
	for n := range events {
		it := &item{given: events[n]}
		if err := i.place(ctx, it, now); err != nil {
			return nil, within(err, n, len(events))
		}
		items[n] = it
	}
	return items, nil
}

func (i *Ingest) place(ctx context.Context, it *item, now time.Time) error {
	e := &it.given
	if err := checkParts(e); err != nil {
		return err
	}
	e.AcceptedAt = now.UTC()
	if e.OccurredAt.IsZero() {
		e.OccurredAt = e.AcceptedAt
	}
	places, err := i.registrar.Register(ctx, e)
	if err != nil {
		return fmt.Errorf("register event: %w", err)
	}
	it.places = places
	if e.Run != nil && e.Workspace != nil {
		e.Run.ID = RunID(e.Workspace.ID, e.Run.SourceID)
		if e.Kind == event.KindRun {
			it.run = e.Run.ID
		}
	}
	return nil
}

// RunID names the run that a source calls sourceID in a workspace: every node derives the same.
func RunID(workspace ident.ID, sourceID string) ident.ID {
	return ident.Derive("run", workspace.String(), sourceID)
}

// own copies the parts that are filled in per try, so that a second try starts from what was given.
func own(e *event.Event) {
	if e.Project != nil {
		project := *e.Project
		e.Project = &project
	}
	if e.Workspace != nil {
		workspace := *e.Workspace
		e.Workspace = &workspace
	}
	if e.Run != nil {
		run := *e.Run
		e.Run = &run
	}
}

// checkParts refuses what could not be stored, whatever let it through.
func checkParts(e *event.Event) error {
	switch {
	case e.Kind == "":
		return fault.At("/kind", "Is missing.")
	case e.Organization.Name == "" && e.Organization.ID == 0:
		return fault.At("/organization/name", "Is missing.")
	case e.Kind == event.KindRun && (e.Run == nil || e.Run.SourceID == "" || e.Run.Status == ""):
		return fault.At("/run", "Is missing, or has no source_id or status.")
	case e.Kind == event.KindRun && e.Workspace == nil:
		return fault.At("/workspace", "Is missing.")
	}
	return nil
}

// within puts an event's position before the pointers of its fault, when it was one of several.
func within(err error, n, of int) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || of == 1 {
		return err
	}
	moved := *f
	moved.Field = fmt.Sprintf("/%d%s", n, f.Field)
	moved.More = make([]fault.Field, len(f.More))
	for k, field := range f.More {
		moved.More[k] = fault.Field{Pointer: fmt.Sprintf("/%d%s", n, field.Pointer), Message: field.Message}
	}
	return &moved
}

// firstOfEachRun takes the events that can be stored at once: all that are no steps of a run, and the earliest of each
// run. The later ones wait until its number is settled, so that no node can slip in between in a way that turns their
// order around.
func firstOfEachRun(open []*item) (wave, rest []*item) {
	if len(open) == 1 {
		return open, nil
	}
	seen := make(map[ident.ID]struct{}, len(open))
	for _, it := range open {
		if it.run != 0 {
			if _, again := seen[it.run]; again {
				rest = append(rest, it)
				continue
			}
			seen[it.run] = struct{}{}
		}
		wave = append(wave, it)
	}
	return wave, rest
}
