package replay

import (
	"context"
	"fmt"
	"time"

	"carillon/internal/store"
)

// Sweep removes the replays that were finished before the moment and returns how many they were.
func (s *Service) Sweep(ctx context.Context, before time.Time) (removed int, err error) {
	page := store.Page{Limit: findPage}
	for {
		some, err := s.list(ctx, 0, page)
		if err != nil {
			return removed, err
		}
		var changes []store.Change
		for i := range some {
			if some[i].finished() && some[i].FinishedAt.Before(before) {
				changes = append(changes, store.Delete(store.KindReplay, some[i].ID))
			}
		}
		if len(changes) > 0 {
			if _, err := s.Store.Apply(ctx, changes); err != nil {
				return removed, fmt.Errorf("remove old replays: %w", err)
			}
			removed += len(changes)
		}
		if len(some) < findPage {
			return removed, nil
		}
		page.After = some[len(some)-1].ID
	}
}
