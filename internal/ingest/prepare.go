package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// prepare makes everything that is to be stored for an event. Settled means that nothing is: the event is known.
func (i *Ingest) prepare(ctx context.Context, it *item) (settled bool, err error) {
	e := it.given
	own(&e)
	first := false
	var last *state
	if it.run != 0 {
		if last, err = i.last(ctx, it); err != nil {
			return false, err
		}
		if last != nil && !e.Run.Sequenced && last.status == e.Run.Status && last.awaiting == e.Run.Awaiting {
			i.repeated(it, last)
			return true, nil
		}
		first = last == nil
		i.number(&e, last)
		i.step(&e, last)
	}
	if known, err := i.draw(ctx, it, &e, last); err != nil || known {
		if err != nil {
			return false, err
		}
		return i.prepare(ctx, it) // the run is remembered now
	}
	matched, err := i.match(&e, it.places)
	if err != nil {
		return false, err
	}
	e.ID = i.ids.Block(1 + len(matched))
	deliveries := owe(&e, matched)
	body, err := event.Encode(&e)
	if err != nil {
		return false, fmt.Errorf("encode event: %w", err)
	}
	it.stored, it.matched = &e, matched
	it.accept = store.Accept{Event: row(&e, it.run, first, len(deliveries), body), Deliveries: deliveries}
	return false, nil
}

// last returns the run's newest event as far as it is known. A run that this node does not know is taken for a new one:
// the store refuses the number 0 when it is not. Only where the source counts, that would prove nothing.
func (i *Ingest) last(ctx context.Context, it *item) (*state, error) {
	if known := i.runs.get(it.run); known != nil {
		return known, nil
	}
	if it.given.Run.Sequenced {
		return i.load(ctx, it.run)
	}
	return nil, nil
}

// number gives the event its place in the run, and the run's facts that it does not repeat.
func (i *Ingest) number(e *event.Event, last *state) {
	if last == nil {
		if !e.Run.Sequenced {
			e.Run.Sequence = 0
		}
		return
	}
	carry(e, last)
	switch {
	case !e.Run.Sequenced:
		e.Run.Sequence = last.sequence + 1
	case e.Run.Sequence < last.sequence:
		// The source counts, and its steps arrived out of order: the step is stored under its number, and the run stays
		// where it is.
		e.Source.Metadata = withEntry(e.Source.Metadata, MetadataLate, "true")
		i.metrics.late.Inc()
	}
}

// MetadataLate is the entry of Source.Metadata that marks a step that arrived after a later one of its run.
const MetadataLate = "late"

func withEntry(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = make(map[string]string, 1)
	}
	m[key] = value
	return m
}

// row is the event as the store keeps it.
func row(e *event.Event, run ident.ID, first bool, deliveries int, body []byte) store.Event {
	r := store.Event{
		ID: e.ID, Organization: e.Organization.ID, Kind: string(e.Kind), Key: e.Key, Run: run, Deliveries: deliveries, Body: body,
	}
	if e.Project != nil {
		r.Project = e.Project.ID
	}
	if e.Workspace != nil {
		r.Workspace = e.Workspace.ID
	}
	if run != 0 {
		r.Sequence = e.Run.Sequence
		if first {
			r.RunAlias = alias(e)
		}
	}
	return r
}

// alias is the run's external identifier by which it can be found: the one of the dialect that it came from, else the
// first by name.
func alias(e *event.Event) string {
	ids := e.Run.ExternalIDs
	if len(ids) == 0 {
		return ""
	}
	if own := ids[e.Source.Dialect]; own != "" {
		return estate.Alias(e.Source.Dialect, own)
	}
	names := slices.Sorted(maps.Keys(ids))
	return estate.Alias(names[0], ids[names[0]])
}
