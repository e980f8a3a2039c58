package sqlite

import (
	"cmp"
	"slices"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// rowSource reads deliveries from a statement, each from one row.
type rowSource struct {
	l     *lister
	s     *stmt
	scan  func(*stmt) (store.Summary, error)
	ended bool
}

func scanFinal(s *stmt) (store.Summary, error) {
	a, err := scanAttempt(s)
	return store.Summary{Delivery: a.Delivery, State: a.State, Last: &a}, err
}

func scanPending(s *stmt) (store.Summary, error) {
	d, err := scanQueue(s)
	return store.Summary{Delivery: d}, err
}

func (r *rowSource) next() (store.Summary, ident.ID, bool, error) {
	for !r.ended {
		more, err := r.s.step()
		if r.ended = !more; !more || err != nil {
			return store.Summary{}, 0, false, err
		}
		sum, err := r.scan(r.s)
		if err != nil {
			return sum, 0, false, err
		}
		if keep, err := r.l.keepsRow(&sum); keep || err != nil {
			return sum, sum.Delivery.ID, keep, err
		}
	}
	return store.Summary{}, 0, false, nil
}

func (r *rowSource) close() { r.s.done() }

// shardSource reads one shard of the queue a few rows at a time: a page of a list over all shards needs few of each.
type shardSource struct {
	l     *lister
	shard int
	rest  span
	read  []delivery.Delivery
	ended bool
}

const shardChunk = 16

func (r *shardSource) next() (store.Summary, ident.ID, bool, error) {
	for {
		if len(r.read) == 0 {
			if r.ended {
				return store.Summary{}, 0, false, nil
			}
			if err := r.fill(); err != nil {
				return store.Summary{}, 0, false, err
			}
			continue
		}
		sum := store.Summary{Delivery: r.read[0]}
		r.read = r.read[1:]
		if keep, err := r.l.keepsRow(&sum); keep || err != nil {
			return sum, sum.Delivery.ID, keep, err
		}
	}
}

func (r *shardSource) fill() (err error) {
	r.read, err = r.l.c.queueRead(nil, queueColumns+rowsOfShard+r.rest.order("id")+" LIMIT ?", func(s *stmt) {
		s.int(int64(r.shard)).int(int64(r.rest.lo)).int(int64(r.rest.hi)).int(shardChunk)
	})
	if r.ended = len(r.read) < shardChunk; r.ended || err != nil {
		return err
	}
	if last := r.read[len(r.read)-1].ID; r.rest.newest {
		r.rest.hi = last - 1
	} else {
		r.rest.lo = last + 1
	}
	return nil
}

func (r *shardSource) close() {}

// block is an event and the deliveries that it was accepted with.
type block struct {
	event, workspace, run ident.ID
	deliveries            int
}

// scanBlock reads a row of blockColumns.
func scanBlock(s *stmt) block {
	return block{
		event: ident.ID(s.colInt(0)), deliveries: int(s.colInt(1)), workspace: ident.ID(s.colInt(2)), run: ident.ID(s.colInt(3)),
	}
}

// last is the ID of the block's last delivery.
func (b block) last() ident.ID { return b.event + ident.ID(b.deliveries)*ident.Step }

// blockSource reads the deliveries of events block by block: those that ended from their range of the history, the others
// from the queue. All IDs are those of one node, so blocks do not overlap.
type blockSource struct {
	l       *lister
	s       *stmt   // reads events, or
	few     []block // these
	pending bool    // list what is in the queue too
	read    []store.Summary
	ended   bool
}

func (r *blockSource) next() (store.Summary, ident.ID, bool, error) {
	for {
		if len(r.read) > 0 {
			sum := r.read[0]
			r.read = r.read[1:]
			return sum, sum.Delivery.ID, true, nil
		}
		b, ok, err := r.advance()
		if err != nil || !ok {
			return store.Summary{}, 0, false, err
		}
		if r.read, err = r.l.blockOf(b, r.pending); err != nil {
			return store.Summary{}, 0, false, err
		}
	}
}

func (r *blockSource) advance() (block, bool, error) {
	if r.s == nil {
		if len(r.few) == 0 {
			return block{}, false, nil
		}
		b := r.few[0]
		r.few = r.few[1:]
		return b, true, nil
	}
	if r.ended {
		return block{}, false, nil
	}
	more, err := r.s.step()
	if r.ended = !more; !more || err != nil {
		return block{}, false, err
	}
	return scanBlock(r.s), true, nil
}

func (r *blockSource) close() {
	if r.s != nil {
		r.s.done()
	}
}

// blockOf lists the deliveries of one event that the filter chooses, in the order of the span.
func (l *lister) blockOf(b block, pending bool) (chosen []store.Summary, err error) {
	lo, hi := max(l.at.lo, b.event+ident.Step), min(l.at.hi, b.last())
	if lo > hi {
		return nil, nil
	}
	keep := func(sum store.Summary) error {
		ok, err := l.keeps(&sum, b.workspace)
		if ok {
			chosen = append(chosen, sum)
		}
		return err
	}
	ended := map[ident.ID]bool{}
	err = l.c.each(attemptColumns+finalsAnywhere, func(s *stmt) { s.int(int64(lo)).int(int64(hi)) }, func(s *stmt) (bool, error) {
		sum, err := scanFinal(s)
		if err != nil || sum.Delivery.Event != b.event {
			return true, err
		}
		ended[sum.Delivery.ID] = true
		return true, keep(sum)
	})
	if err != nil {
		return nil, err
	}
	for k := 1; k <= b.deliveries && pending; k++ {
		id := b.event + ident.ID(k)*ident.Step
		if id < lo || id > hi || ended[id] {
			continue
		}
		row, err := l.c.pending(id)
		if err == store.ErrNotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := keep(store.Summary{Delivery: row}); err != nil {
			return nil, err
		}
	}
	l.sort(chosen)
	return chosen, nil
}

func (l *lister) sort(sums []store.Summary) {
	slices.SortFunc(sums, func(a, b store.Summary) int { return cmp.Compare(a.Delivery.ID, b.Delivery.ID) })
	if l.at.newest {
		slices.Reverse(sums)
	}
}

// repeatSource lists what repeats the deliveries of a few events: it is read at once when it is first asked.
type repeatSource struct {
	l      *lister
	blocks []block
	filled bool
	read   []store.Summary
}

func (r *repeatSource) next() (store.Summary, ident.ID, bool, error) {
	if !r.filled {
		r.filled = true
		for _, b := range r.blocks {
			if err := r.fill(b); err != nil {
				return store.Summary{}, 0, false, err
			}
		}
		r.l.sort(r.read)
	}
	if len(r.read) == 0 {
		return store.Summary{}, 0, false, nil
	}
	sum := r.read[0]
	r.read = r.read[1:]
	return sum, sum.Delivery.ID, true, nil
}

func (r *repeatSource) fill(b block) error {
	keep := func(sum store.Summary, err error) (bool, error) {
		if err != nil || sum.Delivery.ID < r.l.at.lo || sum.Delivery.ID > r.l.at.hi {
			return true, err
		}
		ok, err := r.l.keeps(&sum, b.workspace)
		if ok {
			r.read = append(r.read, sum)
		}
		return true, err
	}
	if r.l.final {
		err := r.l.c.each(finalsOfRepeats, func(s *stmt) { s.int(int64(b.event + ident.Step)).int(int64(b.last())) },
			func(s *stmt) (bool, error) { return keep(scanFinal(s)) })
		if err != nil {
			return err
		}
	}
	if !r.l.pending {
		return nil
	}
	return r.l.c.each(rowsOfRepeats, func(s *stmt) { s.int(int64(b.event)) }, func(s *stmt) (bool, error) { return keep(scanPending(s)) })
}

func (r *repeatSource) close() {}
