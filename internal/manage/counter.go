package manage

import (
	"context"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// counter is a counter of a workspace.
type counter struct {
	Last int64 `json:"last"`
}

// Count draws the next number of a workspace's counter, from 1 on. No number is drawn twice; one that its event is not
// stored with is lost.
func (m *Manage) Count(ctx context.Context, workspace ident.ID, name string) (int64, error) {
	var drawn int64
	err := m.retry(ctx, func() error {
		return m.commit(ctx, func() ([]store.Change, error) {
			record, err := m.nextOf(ctx, workspace, name, &drawn)
			return []store.Change{record}, err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("draw a number of %q: %w", name, err)
	}
	return drawn, nil
}

// nextOf returns the change that raises a counter.
func (m *Manage) nextOf(ctx context.Context, workspace ident.ID, name string, drawn *int64) (store.Change, error) {
	id := ident.Derive("counter", workspace.String(), name)
	r, err := m.store.Get(ctx, store.KindCounter, id)
	fresh := missing(err)
	if err != nil && !fresh {
		return store.Change{}, err
	}
	was := &counter{}
	if !fresh {
		if was, err = decode[counter](&r); err != nil {
			return store.Change{}, err
		}
	}
	*drawn = was.Last + 1
	body, err := encode(counter{Last: *drawn})
	if err != nil {
		return store.Change{}, err
	}
	next := &store.Record{Kind: store.KindCounter, ID: id, Parent: workspace, Name: name, Body: body, Revision: r.Revision}
	if fresh {
		return store.Insert(next), nil
	}
	return store.Update(next), nil
}
