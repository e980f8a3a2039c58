package manage

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// sweepStep is how many records one transaction of Sweep removes at most: small steps keep the writer free.
const sweepStep = 500

// Sweep removes what nobody needs any more and returns how many records it removed: audit entries from before the moment
// or beyond the log's bound, versions of subscriptions that were replaced before it and that nothing pending needs,
// every version of a deleted subscription of which no delivery is left, and the memory of lanes that nobody uses. The
// moment is that of the history's retention.
func (m *Manage) Sweep(ctx context.Context, before time.Time) (int, error) {
	if err := m.current(ctx); err != nil {
		return 0, err
	}
	s := sweeper{m: m, before: before}
	for _, step := range []func(context.Context) error{s.audit, s.versions, s.lanes} {
		if err := step(ctx); err != nil {
			return s.removed, err
		}
	}
	return s.removed, s.flush(ctx)
}

// sweeper gathers what goes.
type sweeper struct {
	m       *Manage
	before  time.Time
	changes []store.Change
	removed int
}

func (s *sweeper) remove(ctx context.Context, kind store.Kind, id ident.ID) error {
	s.changes = append(s.changes, store.Delete(kind, id))
	if len(s.changes) < sweepStep {
		return nil
	}
	return s.flush(ctx)
}

func (s *sweeper) flush(ctx context.Context) error {
	if len(s.changes) == 0 {
		return nil
	}
	err := s.m.commit(ctx, func() ([]store.Change, error) { return s.changes, nil })
	if err != nil {
		return fmt.Errorf("remove old records: %w", err)
	}
	s.removed += len(s.changes)
	s.changes = nil
	return nil
}

// audit removes the oldest entries.
func (s *sweeper) audit(ctx context.Context) error {
	count, err := s.m.store.Count(ctx, store.KindAudit, 0)
	if err != nil {
		return fmt.Errorf("count the audit log: %w", err)
	}
	excess, oldest := count-maxAudit, ident.At(s.before)
	for {
		records, err := s.m.store.List(ctx, store.KindAudit, 0, store.Page{Limit: sweepStep})
		if err != nil {
			return fmt.Errorf("list the audit log: %w", err)
		}
		gone := 0
		for i := range records {
			if records[i].ID >= oldest && excess <= 0 {
				break
			}
			gone, excess = gone+1, excess-1
			s.changes = append(s.changes, store.Delete(store.KindAudit, records[i].ID))
		}
		if err := s.flush(ctx); err != nil || gone < sweepStep {
			return err
		}
	}
}

// versionRecord is the record of a version: its ID tells when it was made, its name which it is.
type versionRecord struct {
	id   ident.ID
	name string
}

// versions removes versions that no delivery can need. They come by subscription, oldest first.
func (s *sweeper) versions(ctx context.Context) error {
	bySubscription := make(map[ident.ID][]versionRecord)
	err := s.m.each(ctx, store.KindVersion, 0, func(r *store.Record) error {
		bySubscription[r.Parent] = append(bySubscription[r.Parent], versionRecord{r.ID, r.Name})
		return nil
	})
	if err != nil {
		return err
	}
	for id, records := range bySubscription {
		if s.m.index.Get(id) == nil {
			err = s.versionsOfGone(ctx, id, records)
		} else {
			err = s.versionsReplaced(ctx, id, records)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// versionsOfGone removes the versions of a deleted subscription once the log holds nothing of it.
func (s *sweeper) versionsOfGone(ctx context.Context, id ident.ID, records []versionRecord) error {
	if !records[len(records)-1].id.Time().Before(s.before) {
		return nil // its deletion can not be older, and what it sent may still be on its way into the log
	}
	count, err := s.m.store.CountDeliveries(ctx, store.DeliveryFilter{Subscription: id}, 1)
	if err != nil {
		return fmt.Errorf("count deliveries of subscription %s: %w", id, err)
	}
	if count > 0 {
		return nil
	}
	for _, each := range records {
		if err := s.remove(ctx, store.KindVersion, each.id); err != nil {
			return err
		}
	}
	return nil
}

// versionsReplaced removes the versions that were replaced before the moment, but for those that something pending was
// made with.
func (s *sweeper) versionsReplaced(ctx context.Context, id ident.ID, records []versionRecord) error {
	replaced := 0
	for replaced+1 < len(records) && records[replaced+1].id.Time().Before(s.before) {
		replaced++
	}
	if replaced == 0 {
		return nil
	}
	pending, err := s.m.store.QueueOf(ctx, id, 0, sweepStep)
	if err != nil {
		return fmt.Errorf("read the queue of subscription %s: %w", id, err)
	}
	if len(pending) == sweepStep {
		return nil // a backlog: later
	}
	needed := make(map[string]bool, len(pending))
	for _, d := range pending {
		needed[strconv.FormatInt(d.Version, 10)] = true
	}
	for _, old := range records[:replaced] {
		if needed[old.name] {
			continue
		}
		if err := s.remove(ctx, store.KindVersion, old.id); err != nil {
			return err
		}
	}
	return nil
}

// lanes forgets destinations that no subscription has.
func (s *sweeper) lanes(ctx context.Context) error {
	used := make(map[ident.ID]bool)
	for _, each := range s.m.index.All(func(*subscription.Subscription) bool { return true }) {
		used[each.Destination] = true
	}
	return s.m.each(ctx, store.KindDestination, 0, func(r *store.Record) error {
		if used[r.ID] {
			return nil
		}
		return s.remove(ctx, store.KindDestination, r.ID)
	})
}
