// Package store is the contract between the engine and a database.
//
// There is one hot write call, Commit: one transaction that brings events in, puts deliveries into the queue, records
// attempts and moves or ends deliveries. Everything else is small reads, a small set of records for what people manage,
// and leases on shards for installations of several nodes. Order, lanes, policies and matching are not here: they are Go
// code above, the same for every database.
//
// An implementation is a package of its own with its own SQL text and passes the suite in storetest.
package store

import (
	"context"
	"errors"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// Store is one database. All methods are safe for concurrent use. A returned nil error of a writing method means that
// the change is durable: it survives a crash of the process and of the machine.
type Store interface {
	Ledger
	Records
	History
	Leases

	// Close waits for what is running and releases the database.
	Close() error
}

// Errors of every implementation; test with errors.Is.
var (
	// ErrNotFound is returned by reads of one thing that is not there.
	ErrNotFound = errors.New("not found in the store")

	// ErrFenced is returned by Commit when the batch records work for a shard that this node no longer owns. Nothing of the
	// batch was stored.
	ErrFenced = errors.New("the shard belongs to another node now")

	// ErrRevision is returned by Apply when a record was changed meanwhile.
	ErrRevision = errors.New("the record was changed by somebody else")

	// ErrTaken is returned by Apply when a name or an alias is in use; it is wrapped in a *TakenError.
	ErrTaken = errors.New("the name is taken")
)

// Event is an event as it is stored.
type Event struct {
	ID           ident.ID
	Organization ident.ID
	Project      ident.ID
	Workspace    ident.ID
	Kind         string
	Key          string // idempotency key, unique in the organization; "" is none

	// Run and Sequence are set for events of a run; (Run, Sequence) is unique. RunAlias is the run's external identifier
	// and set on the run's first event only.
	Run      ident.ID
	Sequence int64
	RunAlias string

	// Deliveries is how many deliveries the event was accepted with: their IDs follow the event's at distance ident.Step.
	Deliveries int

	Body []byte // event.Encode
}

// Batch is one transaction's worth of work for Commit. Its parts are applied in the order of the fields.
type Batch struct {
	Accepts  []Accept
	Queue    []delivery.Delivery // further deliveries to add: redeliveries, replays, fallbacks
	Attempts []delivery.Attempt  // history to append; a final state also removes the delivery from the queue
	Moves    []delivery.Delivery // queue rows whose Attempts and Due change

	// Owner and Epochs fence the recording: every shard of Attempts and Moves must be owned by the node in the epoch given
	// here. A nil map fences nothing (one process owns everything, or the work is not a shard's).
	Owner  int
	Epochs map[int]int64
}

// Accept is one event with the deliveries it causes: all or nothing.
type Accept struct {
	Event      Event
	Deliveries []delivery.Delivery
}

// Size is the number of rows that a batch writes.
func (b *Batch) Size() int {
	n := len(b.Queue) + len(b.Attempts) + len(b.Moves) + len(b.Accepts)
	for i := range b.Accepts {
		n += len(b.Accepts[i].Deliveries)
	}
	return n
}

// Verdict is what became of one Accept of a batch.
type Verdict struct {
	// Duplicate is the event that has the same key already; zero for an event that was stored.
	Duplicate ident.ID

	// SequenceTaken says that the run already has an event of this sequence: whoever counted must read LastOfRun and count
	// again. Nothing of the accept was stored.
	SequenceTaken bool
}

// Ledger is the hot path, and the reads that dispatching needs.
type Ledger interface {
	// Commit applies a batch in one transaction. Verdicts are those of the accepts, in their order, nil when all were
	// stored. An accept that is a duplicate or whose sequence is taken leaves the others untouched. Two accepts of one batch
	// may not share a key or a (run, sequence): the later one gets the verdict.
	Commit(ctx context.Context, batch *Batch) ([]Verdict, error)

	// Queue reads rows of a shard in the order of their IDs, from the first ID above after.
	Queue(ctx context.Context, shard int, after ident.ID, limit int) ([]delivery.Delivery, error)

	// QueueSince is Queue over several shards, for rows whose ID is from or later: what other nodes have added.
	QueueSince(ctx context.Context, shards []int, from ident.ID, limit int) ([]delivery.Delivery, error)

	// QueueRows reads the rows that are still in the queue among keys, in any order.
	QueueRows(ctx context.Context, keys []delivery.Key) ([]delivery.Delivery, error)

	// QueueOf reads rows of one subscription in any shard, in the order of their IDs, from the first ID above after.
	QueueOf(ctx context.Context, subscription, after ident.ID, limit int) ([]delivery.Delivery, error)

	// Events reads events by ID; those that are gone are missing from the answer.
	Events(ctx context.Context, ids []ident.ID) ([]Event, error)

	// LastOfRun returns the run's event with the highest sequence, or ErrNotFound.
	LastOfRun(ctx context.Context, run ident.ID) (Event, error)

	// Newest returns the highest ID of any event, delivery or attempt stored by the node, zero if there is none.
	Newest(ctx context.Context, node int) (ident.ID, error)

	// Books returns the accounts. Counted is read from the queue itself, the rest from counters that Commit keeps in the
	// same transactions.
	Books(ctx context.Context) (Books, error)
}

// Books are the accounts of every delivery ever accepted.
type Books struct {
	Accepted  int64 // put into the queue
	Delivered int64
	Exhausted int64
	Cancelled int64
	Counted   int64 // rows in the queue now
}

// Pending is what the accounts say must be in the queue.
func (b Books) Pending() int64 { return b.Accepted - b.Delivered - b.Exhausted - b.Cancelled }

// Balanced reports whether the queue holds what the accounts say.
func (b Books) Balanced() bool { return b.Pending() == b.Counted }

// Page asks for one page of a list that is ordered by ID. Before and After are exclusive; zero leaves that side open.
type Page struct {
	After  ident.ID
	Before ident.ID
	Newest bool // newest first; otherwise oldest first
	Limit  int  // 0 means 50
}

// Range bounds a list by time; zero leaves that side open.
type Range struct {
	From time.Time
	To   time.Time
}
