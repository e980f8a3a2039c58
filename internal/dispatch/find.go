package dispatch

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

const (
	shards = delivery.Shards

	// margin is how far below the present a look for rows of other nodes begins: longer than a transaction takes to become
	// visible and two clocks are apart.
	margin = 10 * time.Second

	// lookEvery is how often a node that is not alone looks without a hint, and lookWithoutHints how often when its store
	// gives none.
	lookEvery        = 2 * time.Second
	lookWithoutHints = 250 * time.Millisecond
)

// hints gathers what is to be looked for: shards, each from an identifier on.
type hints struct {
	signal chan struct{}

	mu     sync.Mutex
	from   map[int]ident.ID
	silent bool // the store gives no hints
}

// want asks for a look at shards.
func (h *hints) want(from ident.ID, numbers ...int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.from == nil {
		h.from = make(map[int]ident.ID)
	}
	for _, number := range numbers {
		if old, asked := h.from[number]; !asked || from < old {
			h.from[number] = from
		}
	}
	poke(h.signal)
}

// take returns what is wanted and forgets it.
func (h *hints) take() map[int]ident.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	from := h.from
	h.from = nil
	return from
}

// interval is how often to look without being asked; 0 is never.
func (h *hints) interval(alone bool) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case alone:
		return 0
	case h.silent:
		return lookWithoutHints
	}
	return lookEvery
}

// listen turns the store's hints into looks, until the dispatcher halts or the store has none.
func (d *Dispatcher) listen() {
	for {
		err := d.deps.Store.Watch(d.running, d.heed)
		if d.running.Err() != nil {
			return
		}
		if err == nil {
			d.hints.mu.Lock()
			d.hints.silent = true
			d.hints.mu.Unlock()
			poke(d.hints.signal)
			return
		}
		d.deps.Log.Error("watching for other nodes", "err", err)
		if !d.pause(retryRead) {
			return
		}
	}
}

// heed notes a hint of another node; what this one committed was offered to it.
func (d *Dispatcher) heed(h store.Hint) {
	node, _ := d.lease.joined()
	if h.Node == node {
		return
	}
	d.scheduler.meet()
	if len(h.Shards) == 0 {
		return
	}
	d.hints.want(h.Lowest, h.Shards...)
}

// find looks for rows that other nodes added: at once when there is a hint, and now and then without, a little below the
// present, so that a lost hint and a commit that became visible late are made up for.
func (d *Dispatcher) find() {
	for {
		var again <-chan time.Time
		timer := (*time.Timer)(nil)
		if every := d.hints.interval(!d.scheduler.company()); every > 0 {
			timer = time.NewTimer(every)
			again = timer.C
		}
		select {
		case <-d.running.Done():
		case <-d.hints.signal:
		case <-again:
			d.hints.want(ident.At(d.deps.Now().Add(-margin)), everyShard()...)
		}
		if timer != nil {
			timer.Stop()
		}
		if d.running.Err() != nil {
			return
		}
		if err := d.look(d.hints.take()); err != nil && d.running.Err() == nil {
			d.deps.Log.Error("looking for what other nodes added", "err", err)
			if !d.pause(retryRead) {
				return
			}
		}
	}
}

// look reads what was added to shards. What could not be read is wanted still.
func (d *Dispatcher) look(from map[int]ident.ID) (err error) {
	if len(from) == 0 {
		return nil
	}
	lowest := slices.Min(slices.Collect(maps.Values(from)))
	r := d.scheduler.beginRead(false, lowest, slices.Sorted(maps.Keys(from))...)
	defer func() {
		d.scheduler.endRead(r, err == nil, d.nano())
		if err != nil {
			d.hints.want(lowest, slices.Collect(maps.Keys(from))...)
		}
	}()
	owned := slices.Sorted(maps.Keys(r.parts))
	if len(owned) == 0 {
		return nil
	}
	for {
		rows, err := d.deps.Store.QueueSince(d.running, owned, lowest, pageSize)
		if err != nil {
			return fmt.Errorf("read the queue: %w", err)
		}
		d.scheduler.found(r, rows, d.nano())
		if len(rows) < pageSize {
			return nil
		}
		lowest = rows[len(rows)-1].ID + 1
	}
}

// feed reads the rows of deliveries that lanes know by number and need now, for many lanes at once.
func (d *Dispatcher) feed() {
	for {
		select {
		case <-d.running.Done():
			return
		case <-d.wanted:
		}
		for {
			o := d.scheduler.order(pageSize)
			if len(o.entries) == 0 {
				break
			}
			if !d.serve(o) {
				return
			}
		}
	}
}

// serve fulfils an order, however long the store makes it wait; false when the dispatcher halted.
func (d *Dispatcher) serve(o order) bool {
	for {
		rows, err := d.deps.Store.QueueRows(d.running, o.keys)
		if err == nil {
			d.prefetch(rows)
			d.scheduler.deliver(o, rows, d.nano())
			return true
		}
		if d.running.Err() != nil || errors.Is(err, store.ErrFenced) {
			return false
		}
		d.deps.Log.Error("reading queue rows", "err", err)
		if !d.pause(retryRead) {
			return false
		}
	}
}

func everyShard() []int {
	all := make([]int, shards)
	for i := range all {
		all[i] = i
	}
	return all
}
