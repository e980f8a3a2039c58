package transfer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"carillon/internal/ident"
	"carillon/internal/store"
)

// written says when a record was last written.
type written struct {
	revision int64
	key      store.RecordKey
}

// records copies the records in the order of their revisions: what is newer in the source is never older in the target.
// The order alone is kept in memory; the records are read once more in it.
func (c *copier) records(ctx context.Context) error {
	var order []written
	err := eachRecords(ctx, c.from, func(records []store.Record) error {
		for i := range records {
			order = append(order, written{records[i].Revision, store.RecordKey{Kind: records[i].Kind, ID: records[i].ID}})
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(order, func(a, b written) int {
		return cmp.Or(cmp.Compare(a.revision, b.revision), cmp.Compare(a.key.Kind, b.key.Kind), cmp.Compare(a.key.ID, b.key.ID))
	})
	for some := range slices.Chunk(order, page) {
		changes := make([]store.Change, len(some))
		for i, w := range some {
			r, err := c.from.Get(ctx, w.key.Kind, w.key.ID)
			if err != nil {
				return fmt.Errorf("read the %s %s: %w", w.key.Kind, w.key.ID, err)
			}
			changes[i] = store.Insert(&r)
		}
		if _, err := c.to.Apply(ctx, changes); err != nil {
			return fmt.Errorf("store records: %w", err)
		}
		c.counts.Records += len(some)
		c.report("records", c.counts.Records)
	}
	return nil
}

// exported is what can be asked for all its records.
type exported interface {
	store.Records
	store.Exporter
}

func eachRecords(ctx context.Context, s exported, take func([]store.Record) error) error {
	kinds, err := s.Kinds(ctx)
	if err != nil {
		return err
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		var after ident.ID
		for {
			records, err := s.List(ctx, kind, 0, store.Page{After: after, Limit: page})
			if err != nil {
				return err
			}
			if len(records) == 0 {
				break
			}
			if err := take(records); err != nil {
				return err
			}
			after = records[len(records)-1].ID
		}
	}
	return nil
}
