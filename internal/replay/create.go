package replay

import (
	"context"
	"errors"
	"fmt"

	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// Create makes a replay; a node begins to work on it at once. It needs the right to administer the organization.
func (s *Service) Create(ctx context.Context, p estate.Principal, d Draft) (*Replay, error) {
	r, err := s.draft(p, d)
	if err != nil {
		return nil, err
	}
	if err := s.room(ctx, r.OrganizationID); err != nil {
		return nil, err
	}
	if r.Found, r.Exact, err = s.count(ctx, r.Filter); err != nil {
		return nil, err
	}
	record, err := encode(r)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.Apply(ctx, append([]store.Change{store.Insert(record)}, s.audit(p, "create", r)...)); err != nil {
		return nil, fmt.Errorf("store replay %s: %w", r.ID, err)
	}
	s.nudge()
	return r, nil
}

// draft checks what is asked for and makes a replay of it that is not stored yet.
func (s *Service) draft(p estate.Principal, d Draft) (*Replay, error) {
	if err := demand(p, d.OrganizationID, "organization", d.OrganizationID.String()); err != nil {
		return nil, err
	}
	var faults fault.Collector
	if empty(d.Filter) {
		faults.Add("/filter", "Choose what is to be sent again, by a state, a time or anything else: an empty filter would send everything.")
	}
	bounded(&faults, "/pace", &d.Pace, DefaultPace, MaxPace)
	bounded(&faults, "/max_pending", &d.MaxPending, DefaultPending, MaxPending)
	now := s.utcNow()
	if r := &d.Filter.Range; !r.From.IsZero() && !r.From.Before(now) {
		faults.Add("/filter/from", "Lies in the future: there is nothing to send again.")
	} else if !r.To.IsZero() && !r.From.Before(r.To) {
		faults.Add("/filter/to", "Must be later than from.")
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	d.Filter.Organizations = []ident.ID{d.OrganizationID}
	if to := d.Filter.Range.To; to.IsZero() || to.After(now) {
		d.Filter.Range.To = now // what comes later, its own deliveries above all, is not for it
	}
	return &Replay{
		ID: s.IDs.New(), OrganizationID: d.OrganizationID, Filter: d.Filter, Pace: d.Pace, MaxPending: d.MaxPending,
		State: Running, CreatedAt: now, CreatedBy: p.Name,
	}, nil
}

func bounded(faults *fault.Collector, pointer string, value *int, otherwise, most int) {
	switch {
	case *value == 0:
		*value = otherwise
	case *value < 0 || *value > most:
		faults.Add(pointer, "Must be a whole number from 1 to %d.", most)
	}
}

// empty reports whether a filter chooses everything.
func empty(f store.DeliveryFilter) bool {
	return f.Workspace == 0 && f.Run == 0 && f.Event == 0 && f.Subscription == 0 && f.Destination == 0 && len(f.States) == 0 &&
		f.StatusFrom == 0 && f.StatusTo == 0 && f.Cause == nil && f.Range.From.IsZero() && f.Range.To.IsZero()
}

// room makes sure that an organization has not too many replays under way.
func (s *Service) room(ctx context.Context, organization ident.ID) error {
	running := 0
	page := store.Page{Newest: true, Limit: MaxRunning * 10}
	records, err := s.Store.List(ctx, store.KindReplay, organization, page)
	if err != nil {
		return fmt.Errorf("list replays: %w", err)
	}
	for i := range records {
		r, err := decode(&records[i])
		if err != nil {
			return err
		}
		if !r.finished() {
			running++
		}
	}
	if running >= MaxRunning {
		return fault.New(fault.Conflict, "The organization has %d replays under way. Wait until one is done, or cancel one.", running)
	}
	return nil
}

// count counts what a filter chooses, as far as that is counted.
func (s *Service) count(ctx context.Context, f store.DeliveryFilter) (found int, exact bool, err error) {
	if found, err = s.Store.CountDeliveries(ctx, f, CountLimit); err != nil {
		return 0, false, fmt.Errorf("count deliveries: %w", err)
	}
	return found, found < CountLimit, nil
}

// Cancel ends a replay: nothing more of it is queued. With pending, what is still pending of it is cancelled too, soon
// after; else that is delivered. It needs the right to administer the organization.
func (s *Service) Cancel(ctx context.Context, p estate.Principal, id ident.ID, pending bool) (*Replay, error) {
	r, err := s.Get(ctx, p, id)
	if err != nil {
		return nil, err
	}
	r, err = s.change(ctx, id, s.cancelling(p, pending), s.audit(p, "cancel", r)...)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.Missing("replay", id.String())
	}
	if err != nil {
		return nil, err
	}
	s.nudge()
	return r, nil
}

// cancelling is the change of a replay that is cancelled. Cancelling twice does no harm.
func (s *Service) cancelling(p estate.Principal, pending bool) func(*Replay) (bool, error) {
	return func(r *Replay) (bool, error) {
		switch {
		case r.State == Done:
			return false, fault.New(fault.Conflict, "The replay is done already.")
		case r.State == Cancelled && (!pending || r.Withdraw || r.finished()):
			return false, nil
		case r.State == Running:
			r.State, r.CancelledAt, r.CancelledBy = Cancelled, s.utcNow(), p.Name
		}
		r.Withdraw = pending
		return true, nil
	}
}
