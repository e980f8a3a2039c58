package replay

import (
	"context"
	"fmt"

	"carillon/internal/estate"
	"carillon/internal/store"
)

// The bounds of a preview.
const (
	previewLooks = 1000 // deliveries that are judged one by one
	previewLists = 20   // deliveries that are listed
)

// Preview is what a replay would do.
type Preview struct {
	Found int  // deliveries that the filter chooses
	Exact bool // false: there are more

	// Of the Looked oldest ones Queued would be sent again; the others would be skipped.
	Looked  int
	Queued  int
	Skipped Skips

	First []store.Summary // the oldest that would be sent again
}

// Preview tells what a replay of the draft would do. Nothing is stored.
func (s *Service) Preview(ctx context.Context, p estate.Principal, d Draft) (*Preview, error) {
	r, err := s.draft(p, d)
	if err != nil {
		return nil, err
	}
	v := &Preview{First: []store.Summary{}}
	if v.Found, v.Exact, err = s.count(ctx, r.Filter); err != nil {
		return nil, err
	}
	for v.Looked < previewLooks {
		page := store.Page{After: r.Progress.Cursor, Limit: min(searchPage, previewLooks-v.Looked)}
		some, err := s.Store.ListDeliveries(ctx, r.Filter, page)
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		for i := range some {
			if err := s.look(ctx, r, v, &some[i]); err != nil {
				return nil, err
			}
		}
		if len(some) < page.Limit {
			break
		}
		r.Progress.Cursor = some[len(some)-1].Delivery.ID
	}
	return v, nil
}

// look judges one delivery of a preview.
func (s *Service) look(ctx context.Context, r *Replay, v *Preview, chosen *store.Summary) error {
	judged, err := s.judge(ctx, r.Filter, chosen)
	if err != nil {
		return err
	}
	v.Looked++
	if v.Skipped = v.Skipped.plus(judged.skipped); judged.skips() {
		return nil
	}
	v.Queued++
	if len(v.First) < previewLists {
		v.First = append(v.First, *chosen)
	}
	return nil
}
