package dispatch

import (
	"context"
	"fmt"
	"sync"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// occurrence is an event ready for rendering. The deliveries of one event share it: it is decoded once, and each dialect
// says once what it has to say of it.
type occurrence struct {
	event *event.Event

	mu      sync.Mutex
	notices map[string][]subscription.Notice
}

// of returns the dialect's notices of the event.
func (o *occurrence) of(speaker dialect.Dialect) (notices []subscription.Notice, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name := speaker.Name()
	notices, known := o.notices[name]
	if known {
		return notices, nil
	}
	if err := guarded(func() { notices = speaker.Notices(o.event) }); err != nil {
		return nil, err
	}
	if o.notices == nil {
		o.notices = make(map[string][]subscription.Notice, 1)
	}
	o.notices[name] = notices
	return notices, nil
}

// isNotifier reports whether the event is about Carillon itself.
func (o *occurrence) isNotifier() bool { return o != nil && o.event.Kind == event.KindNotifier }

// workspace is the workspace that the event happened in, 0 when there is none.
func (o *occurrence) workspace() ident.ID {
	if o == nil || o.event.Workspace == nil {
		return 0
	}
	return o.event.Workspace.ID
}

// weigh estimates the bytes that a decoded event takes, from its parts that can be large.
func weigh(e *event.Event) int {
	weight := 2 << 10
	if e.Native != nil {
		weight += len(e.Native.Body)
	}
	if e.Run != nil {
		weight += len(e.Run.Message) + len(e.Run.Error)
	}
	if e.Account != nil {
		weight += len(e.Account.Body) + len(e.Account.Data)
	}
	return weight
}

// occurrence returns an event by its identifier, from memory if it is there; nil when the store does not have it.
func (d *Dispatcher) occurrence(ctx context.Context, id ident.ID) (*occurrence, error) {
	if o, ok := d.events.get(id); ok {
		return o, nil
	}
	stored, err := d.deps.Store.Events(ctx, []ident.ID{id})
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	if len(stored) == 0 {
		return nil, nil
	}
	return d.decode(&stored[0])
}

func (d *Dispatcher) decode(stored *store.Event) (*occurrence, error) {
	e, err := event.Decode(stored.Body)
	if err != nil {
		return nil, fmt.Errorf("decode the event: %w", err)
	}
	if e.ID == 0 {
		e.ID = stored.ID
	}
	return d.events.put(stored.ID, &occurrence{event: e}, 1<<10+2*len(stored.Body)), nil
}

// prefetch reads the events of rows that are about to be tried, those that are not in memory, in one go. What fails is
// read when it is needed.
func (d *Dispatcher) prefetch(rows []delivery.Delivery) {
	seen := make(map[ident.ID]bool)
	var wanted []ident.ID
	for i := range rows {
		id := rows[i].Event
		if id == 0 || seen[id] {
			continue
		}
		seen[id] = true
		if _, ok := d.events.get(id); !ok {
			wanted = append(wanted, id)
		}
	}
	if len(wanted) == 0 {
		return
	}
	stored, err := d.deps.Store.Events(d.running, wanted)
	if err != nil {
		return
	}
	for i := range stored {
		if _, err := d.decode(&stored[i]); err != nil {
			d.deps.Log.Error("reading an event", "event", stored[i].ID, "err", err)
		}
	}
}

// guarded runs a dialect's code and turns a panic into an error: one event that a dialect can not cope with must not
// stop the deliveries of all others, again and again with each restart.
func guarded(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	f()
	return nil
}
