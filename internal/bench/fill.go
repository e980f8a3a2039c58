package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// template is an event with its deliveries as a server stored them: what a database is filled with copies of.
type template struct {
	row   store.Event
	event *event.Event
	owed  []store.Summary
}

// rowsPerCommit is how many deliveries one transaction of a fill stores.
const rowsPerCommit = 2000

// fill brings copies of one real event into the database until so many deliveries are in it, pending ones or delivered
// ones with their attempts. It writes through the store, as the server does, but without a server: a million deliveries
// take a minute then, and none of it is measured.
func fill(ctx context.Context, d *database, of []*template, pending, delivered int) error {
	s, err := d.open(ctx)
	if err != nil {
		return fmt.Errorf("open the database to fill it: %w", err)
	}
	err = copies(ctx, s, of, delivered, true)
	if err == nil {
		err = copies(ctx, s, of, pending, false)
	}
	return errors.Join(err, s.Close())
}

func copies(ctx context.Context, s store.Store, of []*template, deliveries int, attempted bool) error {
	newest := of[len(of)-1]
	ids, err := ident.NewGenerator(newest.row.ID.Node(), time.Now)
	if err != nil {
		return err
	}
	ids.Advance(newest.row.ID + ident.ID(len(newest.owed)+1)*ident.Step)
	for done, event := 0, 0; done < deliveries; {
		var batch store.Batch
		for rows := 0; rows < rowsPerCommit && done < deliveries; event++ {
			t := of[event%len(of)]
			if err := t.copy(&batch, ids.Block(1+len(t.owed)), attempted); err != nil {
				return err
			}
			rows += len(t.owed)
			done += len(t.owed)
		}
		if _, err := s.Commit(ctx, &batch); err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	return nil
}

// copy adds the event under another identity, as the first step of a run of its own.
func (t *template) copy(to *store.Batch, id ident.ID, attempted bool) error {
	e, run := *t.event, *t.event.Run
	e.ID, e.AcceptedAt, e.OccurredAt = id, id.Time(), id.Time()
	run.SourceID = "filled-" + id.String()
	run.ID, run.Sequence = ident.Derive("run", e.Workspace.ID.String(), run.SourceID), 0
	e.Run = &run
	body, err := event.Encode(&e)
	if err != nil {
		return fmt.Errorf("encode a copy: %w", err)
	}
	row := t.row
	row.ID, row.Run, row.Sequence, row.Body, row.RunAlias = id, run.ID, 0, body, ""
	accept := store.Accept{Event: row}
	for n := range t.owed {
		owed := t.owed[n].Delivery
		owed.ID, owed.Event, owed.Run, owed.Sequence = id+ident.ID(n+1)*ident.Step, id, run.ID, 0
		owed.Attempts, owed.Due = 0, id.Time()
		accept.Deliveries = append(accept.Deliveries, owed)
		if attempted {
			attempt := *t.owed[n].Last
			owed.Attempts = 1
			attempt.Delivery, attempt.Result.StartedAt = owed, id.Time()
			to.Attempts = append(to.Attempts, attempt)
		}
	}
	to.Accepts = append(to.Accepts, accept)
	return nil
}

// learn hands one event in for every workspace, waits until they are delivered, stops the server, and reads what it
// stored.
func learn(ctx context.Context, d *database, node *process, s Scenario) ([]*template, error) {
	var events []ident.ID
	for n := range s.workspaces() {
		var receipt struct {
			Event ident.ID `json:"event"`
		}
		l := &load{workspace: func(int64) string { return workspaceName(int(n)) }}
		if err := node.ask(ctx, http.MethodPost, "/v1/events", l.sample(), &receipt); err != nil {
			return nil, fmt.Errorf("hand in an event to copy: %w", err)
		}
		events = append(events, receipt.Event)
	}
	if err := settled(ctx, node); err != nil {
		return nil, err
	}
	node.stop()
	db, err := d.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the database to read the events: %w", err)
	}
	var all []*template
	for _, id := range events {
		var t *template
		if t, err = read(ctx, db, id); err != nil {
			break
		}
		all = append(all, t)
	}
	return all, errors.Join(err, db.Close())
}

func read(ctx context.Context, s store.Store, id ident.ID) (*template, error) {
	rows, err := s.Events(ctx, []ident.ID{id})
	if err != nil || len(rows) == 0 {
		return nil, errors.Join(err, fmt.Errorf("read event %s", id))
	}
	t := &template{row: rows[0]}
	if t.event, err = event.Decode(t.row.Body); err != nil {
		return nil, fmt.Errorf("decode event %s: %w", id, err)
	}
	if t.owed, err = s.ListDeliveries(ctx, store.DeliveryFilter{Event: id}, store.Page{Limit: 1000}); err != nil {
		return nil, fmt.Errorf("list the deliveries of event %s: %w", id, err)
	}
	for _, o := range t.owed {
		if o.State != delivery.Delivered || o.Last == nil {
			return nil, fmt.Errorf("delivery %s of the event to copy is %s", o.Delivery.ID, o.State)
		}
	}
	return t, nil
}

// settled waits until nothing is pending.
func settled(ctx context.Context, node *process) error {
	for deadline := time.Now().Add(drainTime); ; {
		var books accounts
		if err := node.ask(ctx, http.MethodGet, "/v1/accounting", nil, &books); err != nil {
			return err
		}
		if !books.Balanced {
			return errors.New("the books do not balance")
		}
		if books.Pending == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d deliveries are still pending after %v", books.Pending, drainTime)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
