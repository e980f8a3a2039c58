package manage

import (
	"context"
	"encoding/json"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// Remember keeps what the engine must know of a destination after a restart, such as since when it has failed. The state
// is JSON of the engine's making; nil forgets it.
func (m *Manage) Remember(ctx context.Context, destination ident.ID, state json.RawMessage) error {
	return m.commit(ctx, func() ([]store.Change, error) {
		if state == nil {
			return []store.Change{store.Delete(store.KindDestination, destination)}, nil
		}
		return []store.Change{store.Put(&store.Record{Kind: store.KindDestination, ID: destination, Body: state})}, nil
	})
}

// Recall returns what was remembered of a destination, nil when nothing was.
func (m *Manage) Recall(ctx context.Context, destination ident.ID) (json.RawMessage, error) {
	r, err := m.store.Get(ctx, store.KindDestination, destination)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recall destination %s: %w", destination, err)
	}
	return r.Body, nil
}

// RecallAll calls fn for every destination of which something is remembered.
func (m *Manage) RecallAll(ctx context.Context, fn func(destination ident.ID, state json.RawMessage) error) error {
	return m.each(ctx, store.KindDestination, 0, func(r *store.Record) error { return fn(r.ID, r.Body) })
}
