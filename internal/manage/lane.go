package manage

import (
	"context"
	"encoding/json"
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// Remember keeps what the engine must know of a destination after a restart, such as since when it has failed. The body
// is JSON of the engine's making; a nil one forgets the destination.
func (m *Manage) Remember(ctx context.Context, destination ident.ID, body []byte) error {
	if body != nil && !json.Valid(body) {
		return fmt.Errorf("remember destination %s: what is to be kept is not JSON", destination)
	}
	return m.commit(ctx, func() ([]store.Change, error) {
		if body == nil {
			return []store.Change{store.Delete(store.KindDestination, destination)}, nil
		}
		return []store.Change{store.Put(&store.Record{Kind: store.KindDestination, ID: destination, Body: body})}, nil
	})
}

// Recall returns what is remembered of every destination.
func (m *Manage) Recall(ctx context.Context) (map[ident.ID][]byte, error) {
	all := make(map[ident.ID][]byte)
	err := m.each(ctx, store.KindDestination, 0, func(r *store.Record) error {
		all[r.ID] = r.Body
		return nil
	})
	return all, err
}
