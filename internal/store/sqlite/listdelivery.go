package sqlite

import (
	"context"
	"fmt"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// ListDeliveries lists deliveries.
func (s *Store) ListDeliveries(ctx context.Context, filter store.DeliveryFilter, page store.Page) (all []store.Summary, err error) {
	err = s.browse(ctx, func(c *conn) error {
		l := newLister(c, filter, spanOf(page, filter.Range))
		return l.list(func(sum store.Summary) (bool, error) {
			if sum.State == delivery.Pending && sum.Last == nil && sum.Delivery.Attempts > 0 {
				var err error
				if sum.Last, err = c.newest(sum.Delivery.ID); err != nil {
					return false, err
				}
			}
			all = append(all, sum)
			return len(all) < l.at.limit, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return all, nil
}

// CountDeliveries counts what ListDeliveries would list, up to a limit.
func (s *Store) CountDeliveries(ctx context.Context, filter store.DeliveryFilter, limit int) (n int, err error) {
	if limit <= 0 {
		return 0, nil
	}
	err = s.browse(ctx, func(c *conn) error {
		return newLister(c, filter, spanOf(store.Page{Newest: true}, filter.Range)).list(func(store.Summary) (bool, error) {
			n++
			return n < limit, nil
		})
	})
	if err != nil {
		return 0, fmt.Errorf("count deliveries: %w", err)
	}
	return n, nil
}

// lister reads the deliveries that a filter chooses. Each of its sources reads one index in the order of IDs; what the
// index does not decide is filtered row by row.
type lister struct {
	c  *conn
	f  store.DeliveryFilter
	at span
	in func(ident.ID) bool

	// What the states and the cause leave to look for.
	pending, final bool // in the queue; in the history
	failed         bool // of the history only what ended badly
	block, aside   bool // deliveries that events were accepted with; all others
}

func newLister(c *conn, f store.DeliveryFilter, at span) *lister {
	l := &lister{c: c, f: f, at: at, in: among(f.Organizations), pending: true, final: true, block: true, aside: true}
	if f.States != nil {
		l.pending = slices.Contains(f.States, delivery.Pending)
		l.final = slices.ContainsFunc(f.States, func(s delivery.State) bool { return s != delivery.Pending })
		l.failed = l.final && !slices.Contains(f.States, delivery.Delivered)
	}
	if f.StatusFrom >= 300 {
		l.failed = true // what is delivered was answered with 2xx
	}
	if f.Cause != nil {
		l.block, l.aside = *f.Cause == delivery.CauseEvent, *f.Cause != delivery.CauseEvent
	}
	return l
}

func (l *lister) list(take func(store.Summary) (bool, error)) error {
	if l.at.lo > l.at.hi {
		return nil
	}
	sources, err := l.sources()
	defer closeAll(sources)
	if err != nil {
		return err
	}
	return merge(l.at, sources, take)
}

// sources chooses the indexes that leave the least to filter.
func (l *lister) sources() ([]source[store.Summary], error) {
	p := planner{l: l}
	switch {
	case l.f.Event != 0, l.f.Run != 0:
		p.fewEvents()
	case l.f.Subscription != 0:
		p.finals(finalsOfSubscription, l.f.Subscription)
		p.rows(rowsOfSubscription, l.f.Subscription)
	case l.f.Workspace != 0:
		p.events(eventsInWorkspace, l.f.Workspace, l.pending)
		p.asides()
	case l.f.Destination != 0 && p.lanes():
	case !l.block:
		p.asides()
	case !l.final, l.failed:
		p.finals(finalsFailed, 0)
		p.shards()
	case l.f.Organizations != nil && len(l.f.Organizations) <= mergedOrganizations:
		p.organizations()
	default:
		p.finals(finalsAnywhere, 0)
		p.shards()
	}
	return p.sources, p.err
}

// keeps is the rule of DeliveryFilter, but for what the way to the delivery has decided. workspace is the event's, and is
// looked at when the filter names one.
func (l *lister) keeps(sum *store.Summary, workspace ident.ID) (bool, error) {
	d, f := &sum.Delivery, &l.f
	if !l.in(d.Organization) ||
		(f.Workspace != 0 && workspace != f.Workspace) ||
		(f.Event != 0 && d.Event != f.Event) ||
		(f.Subscription != 0 && d.Subscription != f.Subscription) ||
		(f.Destination != 0 && d.Destination != f.Destination) ||
		(f.States != nil && !slices.Contains(f.States, sum.State)) ||
		(f.Cause != nil && d.Cause != *f.Cause) {
		return false, nil
	}
	if f.StatusFrom == 0 && f.StatusTo == 0 {
		return true, nil
	}
	if sum.State == delivery.Pending {
		if d.Attempts == 0 {
			return false, nil
		}
		var err error
		if sum.Last, err = l.c.newest(d.ID); err != nil || sum.Last == nil {
			return false, err
		}
	}
	// Who asks for a status asks for answers.
	r := &sum.Last.Result
	return r.Class == delivery.ClassAnswered && r.Status >= f.StatusFrom && (f.StatusTo == 0 || r.Status <= f.StatusTo), nil
}

const workspaceOfEvent = `SELECT workspace FROM event WHERE id = ?`

// keepsRow is keeps for a row of the queue, which does not know its workspace, and for a final attempt that was not found
// by its event.
func (l *lister) keepsRow(sum *store.Summary) (bool, error) {
	if l.f.Run != 0 && sum.Delivery.Run != l.f.Run {
		return false, nil
	}
	var workspace ident.ID
	switch {
	case l.f.Workspace == 0:
	case sum.Last != nil:
		workspace = sum.Last.Workspace
	default:
		_, err := l.c.one(workspaceOfEvent, func(s *stmt) { s.int(int64(sum.Delivery.Event)) }, func(s *stmt) error {
			workspace = ident.ID(s.colInt(0))
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	return l.keeps(sum, workspace)
}
