package postgres

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// listed is a row of a list of deliveries, before its last attempt is read.
type listed struct {
	delivery.Delivery
	pending bool
	place   int // of the last attempt; 0 without one
}

func readListed(row pgx.CollectableRow) (listed, error) {
	d := decoder{raw: row.RawValues()}
	return listed{Delivery: d.delivery(), pending: d.bool(), place: d.int()}, nil
}

// ListDeliveries implements store.History. One statement reads the queue and the history, so that a delivery that moves
// between them is listed once.
func (s *Store) ListDeliveries(ctx context.Context, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error) {
	summaries, err := s.listDeliveries(ctx, filter, page)
	return summaries, wrap("list deliveries", err)
}

func (s *Store) listDeliveries(ctx context.Context, filter store.DeliveryFilter, page store.Page) ([]store.Summary, error) {
	l := listing{filter: filter, page: page}
	parts := l.parts()
	if len(parts) == 0 {
		return nil, nil
	}
	sql := "SELECT d.* FROM (" + strings.Join(parts, " UNION ALL ") + ") d" + l.order("d.id", page)
	rows, err := list(ctx, s, readListed, sql, l.args...)
	if err != nil {
		return nil, err
	}
	return s.summarize(ctx, rows)
}

// CountDeliveries implements store.History.
func (s *Store) CountDeliveries(ctx context.Context, filter store.DeliveryFilter, limit int) (int, error) {
	l := listing{filter: filter, page: store.Page{Limit: limit}, counting: true}
	parts := l.parts()
	if len(parts) == 0 {
		return 0, nil
	}
	sql := l.bind("SELECT count(*) FROM (SELECT 1 FROM ("+strings.Join(parts, " UNION ALL ")+") d LIMIT ?::bigint) d", int64(limit))
	count, err := one(list(ctx, s, pgx.RowTo[int64], sql, l.args...))
	return int(count), wrap("count deliveries", err)
}

// Delivery implements store.History.
func (s *Store) Delivery(ctx context.Context, id ident.ID) (store.Summary, error) {
	page := store.Page{After: id - 1, Before: id + 1, Limit: 1}
	summary, err := one(s.listDeliveries(ctx, store.DeliveryFilter{}, page))
	return summary, wrap("read a delivery", err)
}

// summarize adds the last attempts. They never change, so that a second statement may read them.
func (s *Store) summarize(ctx context.Context, rows []listed) ([]store.Summary, error) {
	var ids, places []int64
	for i := range rows {
		if rows[i].place > 0 {
			ids, places = append(ids, int64(rows[i].ID)), append(places, int64(rows[i].place))
		}
	}
	var attempts []delivery.Attempt
	if len(ids) > 0 {
		var err error
		if attempts, err = list(ctx, s, readAttempt, selectAttemptsAt, ids, places); err != nil {
			return nil, err
		}
	}
	last := make(map[ident.ID]*delivery.Attempt, len(attempts))
	for i := range attempts {
		last[attempts[i].Delivery.ID] = &attempts[i]
	}
	summaries := make([]store.Summary, 0, len(rows))
	for i := range rows {
		summary := store.Summary{Delivery: rows[i].Delivery, Last: last[rows[i].ID]}
		if !rows[i].pending {
			if summary.Last == nil {
				continue // removed in between
			}
			summary.State = summary.Last.State
		}
		summaries = append(summaries, summary)
	}
	return summaries, nil
}

// states splits the states of a filter: whether pending deliveries are wanted, and which ended ones.
func states(f store.DeliveryFilter) (pending bool, ended []int16) {
	for _, state := range delivery.States() {
		if f.States != nil && !slices.Contains(f.States, state) {
			continue
		}
		if state == delivery.Pending {
			pending = true
		} else {
			ended = append(ended, int16(state))
		}
	}
	return pending, ended
}
