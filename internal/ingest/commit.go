package ingest

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// maxTries bounds how often an event is counted again because another node took its number. Each try reads the run's
// newest event, so that losing twice needs two more events of the same run within milliseconds.
const maxTries = 10

// store brings events of different runs in, counting again where another node was faster. The runs are locked.
func (i *Ingest) store(ctx context.Context, open []*item) error {
	for len(open) > 0 {
		wave := make([]*item, 0, len(open))
		accepts := make([]store.Accept, 0, len(open))
		for _, it := range open {
			settled, err := i.prepare(ctx, it)
			if err != nil {
				return err
			}
			if !settled {
				wave = append(wave, it)
				accepts = append(accepts, it.accept)
			}
		}
		if len(wave) == 0 {
			return nil
		}
		i.failpoint("ingest.before-commit")
		verdicts, err := i.committer.Accept(ctx, accepts)
		if err != nil {
			i.forget(wave) // whether they were stored is not known
			return fmt.Errorf("store events: %w", err)
		}
		i.failpoint("ingest.after-commit")
		if open, err = i.settle(ctx, wave, verdicts); err != nil {
			return err
		}
	}
	return nil
}

func (i *Ingest) forget(items []*item) {
	for _, it := range items {
		i.runs.forget(it.run)
	}
}

// settle acts on the store's verdicts and returns the events that must be counted again.
func (i *Ingest) settle(ctx context.Context, wave []*item, verdicts []store.Verdict) (again []*item, err error) {
	for n, it := range wave {
		var verdict store.Verdict
		if verdicts != nil {
			verdict = verdicts[n]
		}
		switch {
		case verdict.Duplicate != 0:
			i.duplicate(ctx, it, verdict.Duplicate)
		case verdict.SequenceTaken:
			if recountErr := i.recount(ctx, it); recountErr != nil {
				err = errors.Join(err, recountErr)
				continue
			}
			if it.receipt.Event == 0 {
				again = append(again, it)
			}
		default:
			i.stored(it)
		}
	}
	return again, err
}

// stored remembers what was stored and offers it.
func (i *Ingest) stored(it *item) {
	e := it.stored
	it.receipt = dialect.Receipt{Event: e.ID, Deliveries: len(it.accept.Deliveries)}
	if e.Run != nil {
		it.receipt.Run = e.Run.ID
	}
	if it.run != 0 {
		it.receipt.Sequence = e.Run.Sequence
		if known := i.runs.get(it.run); known == nil || known.sequence < e.Run.Sequence {
			i.runs.put(it.run, stateOf(e, len(it.accept.Deliveries)))
		}
	}
	i.metrics.stored(e.Kind, it.matched)
	i.offer(e, it.accept.Deliveries)
}

// duplicate answers for an event whose key is known already.
func (i *Ingest) duplicate(ctx context.Context, it *item, known ident.ID) {
	i.metrics.duplicate(it.given.Kind)
	it.receipt = dialect.Receipt{Event: known, Run: it.run, Duplicate: true}
	events, err := i.ledger.Events(ctx, []ident.ID{known})
	if err != nil || len(events) == 0 {
		// The caller has what counts; the rest was pruned, or is of no use right now.
		i.log.DebugContext(ctx, "known event not read", "event", known, "error", err)
		return
	}
	it.receipt.Run, it.receipt.Sequence, it.receipt.Deliveries = events[0].Run, events[0].Sequence, events[0].Deliveries
}

// recount reads how far the run really is, after another node took the event's number or this node had forgotten the
// run. A number that the source gave is never changed: that it is taken means that the step is known.
func (i *Ingest) recount(ctx context.Context, it *item) error {
	i.metrics.conflicts.Inc()
	if it.tries++; it.tries >= maxTries {
		i.runs.forget(it.run)
		return fault.New(fault.Unavailable, "The run %q gets events on many nodes at once; send this one again.", it.given.Run.SourceID)
	}
	last, err := i.load(ctx, it.run)
	if err != nil {
		return err
	}
	if !it.given.Run.Sequenced || last == nil {
		return nil
	}
	if last.sequence == it.given.Run.Sequence {
		i.repeated(it, last)
		return nil
	}
	events, err := i.ledger.RunEvents(ctx, it.run)
	if err != nil {
		return fmt.Errorf("read run: %w", err)
	}
	for _, e := range events {
		if e.Sequence == it.given.Run.Sequence {
			i.metrics.duplicate(event.KindRun)
			it.receipt = dialect.Receipt{Event: e.ID, Run: e.Run, Sequence: e.Sequence, Duplicate: true, Deliveries: e.Deliveries}
		}
	}
	return nil
}

// repeated answers for a step that is the run's newest already.
func (i *Ingest) repeated(it *item, last *state) {
	i.metrics.duplicate(event.KindRun)
	it.receipt = dialect.Receipt{
		Event: last.event, Run: it.run, Sequence: last.sequence, Duplicate: true, Deliveries: last.deliveries,
	}
}

// load reads a run's newest event into memory; nil means that the run has none.
func (i *Ingest) load(ctx context.Context, run ident.ID) (*state, error) {
	stored, err := i.ledger.LastOfRun(ctx, run)
	if errors.Is(err, store.ErrNotFound) {
		i.runs.forget(run)
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read last event of run: %w", err)
	}
	e, err := event.Decode(stored.Body)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", stored.ID, err)
	}
	if e.Run == nil {
		return nil, fmt.Errorf("event %s of run %s holds no run", stored.ID, run)
	}
	last := stateOf(e, stored.Deliveries)
	last.event, last.sequence = stored.ID, stored.Sequence
	i.runs.put(run, last)
	return last, nil
}
