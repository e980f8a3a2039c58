// Package committer gathers what waits to be stored into few transactions: a commit costs a sync of the disk, whatever it
// holds.
//
// Who accepts an event waits until it is durable; who records an attempt does not. While one commit is under way the next
// one gathers, so that a busy server stores hundreds of rows per sync and an idle one answers at once. What was recorded is
// kept and tried again until it is stored, or until another node owns it. The package never looks into what it stores.
package committer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"carillon/internal/delivery"
	"carillon/internal/fault"
	"carillon/internal/store"
)

// Options say how much is gathered and for how long. Every field may be zero.
type Options struct {
	// Owner names this node and the epochs of its shards; what is recorded is fenced by them. Nil fences nothing.
	Owner func() (node int, epochs map[int]int64)

	MaxRows  int           // of one commit, 1000 when 0
	MaxDelay time.Duration // how long records gather when nobody waits for an accept, 5 ms when 0
	Writers  int           // commits under way at once, 1 when 0

	Log      *slog.Logger          // slog.Default when nil
	Registry prometheus.Registerer // nil registers no metrics

	// Failpoint is called with committer.before-commit and committer.after-commit right before those steps.
	Failpoint func(name string)
}

// Record is what one finished attempt changes. It is stored whole or not at all.
type Record struct {
	Attempts []delivery.Attempt
	Moves    []delivery.Delivery
	Queue    []delivery.Delivery

	// Done is called once: with nil after the commit, with store.ErrFenced when another node owns a shard of the record now,
	// with ErrStopped when it could not be stored before the committer had to end. It is called from the goroutine that
	// commits, and must not block. It may be nil.
	Done func(error)
}

// ErrStopped is what becomes of records that come after Stop or could not be stored until its end.
var ErrStopped = errors.New("the committer has stopped")

// queueLimit is how many commits' worth of records may wait; then Record blocks.
const queueLimit = 8

// Committer stores what others hand to it. It is safe for concurrent use.
type Committer struct {
	ledger  store.Ledger
	o       Options
	metrics *metrics
	writers []*writer

	ctx    context.Context // ends when stopping takes too long
	cancel context.CancelFunc
	ended  chan struct{} // closed when every writer has ended
}

// New returns a committer that is at work: it runs one goroutine per writer until Stop.
func New(ledger store.Ledger, o Options) *Committer {
	if o.MaxRows <= 0 {
		o.MaxRows = 1000
	}
	if o.MaxDelay <= 0 {
		o.MaxDelay = 5 * time.Millisecond
	}
	if o.Writers <= 0 {
		o.Writers = 1
	}
	if o.Owner == nil {
		o.Owner = func() (int, map[int]int64) { return 0, nil }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	c := &Committer{ledger: ledger, o: o, ended: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for range o.Writers {
		c.writers = append(c.writers, newWriter(c))
	}
	c.metrics = newMetrics(c, o.Registry)
	var running sync.WaitGroup
	for _, w := range c.writers {
		running.Go(w.run)
	}
	go func() {
		running.Wait()
		c.cancel()
		close(c.ended)
	}()
	return c
}

// Accept stores events with their deliveries and returns when they are durable, with a verdict for each as store.Commit
// gives it (nil when all were stored). Very many are stored in several transactions, in their order. An error means that
// those of the failing transaction were not stored; it is a fault.Unavailable. When ctx ends before the accepts' turn has
// come nothing of them is stored; after that Accept waits for the commit, which is short.
func (c *Committer) Accept(ctx context.Context, accepts []store.Accept) ([]store.Verdict, error) {
	var verdicts []store.Verdict
	for start := 0; start < len(accepts); {
		part := c.part(accepts[start:])
		some, err := c.accept(ctx, part)
		if err != nil {
			return nil, err
		}
		if some != nil && verdicts == nil {
			verdicts = make([]store.Verdict, len(accepts))
		}
		copy(verdicts[min(start, len(verdicts)):], some)
		start += len(part)
	}
	return verdicts, nil
}

// part cuts off what fits into one commit, at least one accept.
func (c *Committer) part(accepts []store.Accept) []store.Accept {
	rows := 0
	for i := range accepts {
		rows += 1 + len(accepts[i].Deliveries)
		if rows > c.o.MaxRows && i > 0 {
			return accepts[:i]
		}
	}
	return accepts
}

func (c *Committer) accept(ctx context.Context, accepts []store.Accept) ([]store.Verdict, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := c.writers[0]
	for _, other := range c.writers[1:] {
		if other.load() < w.load() {
			w = other
		}
	}
	a := &acceptance{accepts: accepts, done: make(chan struct{})}
	for i := range accepts {
		a.rows += 1 + len(accepts[i].Deliveries)
	}
	if !w.accept(a) {
		return nil, unavailable(ErrStopped)
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		if w.withdraw(a) {
			return nil, ctx.Err()
		}
		<-a.done
	}
	if a.err != nil {
		return nil, unavailable(a.err)
	}
	return a.verdicts, nil
}

// unavailable is what a caller is told when nothing was stored.
func unavailable(cause error) error {
	return &fault.Error{Code: fault.Unavailable, Message: "The event could not be stored. Nothing was done; send it again.", Cause: cause}
}

// Record hands over what an attempt changed and returns before it is stored. It blocks while too much waits: whoever makes
// attempts faster than they can be stored must slow down.
func (c *Committer) Record(r Record) {
	// Records of one delivery go through one writer, so that they are stored in the order in which they came.
	w := c.writers[0]
	if len(c.writers) > 1 {
		w = c.writers[r.shard()%len(c.writers)]
	}
	if !w.record(r) {
		r.done(ErrStopped)
	}
}

// shard returns the shard of the record's first row.
func (r *Record) shard() int {
	switch {
	case len(r.Attempts) > 0:
		return r.Attempts[0].Delivery.Shard()
	case len(r.Moves) > 0:
		return r.Moves[0].Shard()
	case len(r.Queue) > 0:
		return r.Queue[0].Shard()
	}
	return 0
}

func (r *Record) rows() int { return len(r.Attempts) + len(r.Moves) + len(r.Queue) }

func (r *Record) done(err error) {
	if r.Done != nil {
		r.Done(err)
	}
}

// Stop takes nothing more in, stores what waits and ends. When ctx ends first, what could not be stored is given up and
// counted in the error. Stop may be called again.
func (c *Committer) Stop(ctx context.Context) error {
	for _, w := range c.writers {
		w.stop()
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.cancel()
		<-c.ended
	}
	lost := 0
	for _, w := range c.writers {
		lost += w.lost
	}
	if lost > 0 {
		return fmt.Errorf("stop the committer: %d records were not stored: %w", lost, ErrStopped)
	}
	return nil
}
