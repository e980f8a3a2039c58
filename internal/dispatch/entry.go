package dispatch

import (
	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// stage says where in its lane a delivery stands.
type stage uint8

const (
	waiting  stage = iota // behind an earlier delivery of its run
	parked                // due later
	unread                // due, but its row is in the store alone
	loading               // its row is being read
	ready                 // may start
	flying                // an attempt is being made
	settling              // what became of it is being recorded
)

// entry is a delivery that its lane knows by more than its number.
type entry struct {
	id       ident.ID
	row      *delivery.Delivery // nil while only the store holds it
	due      int64              // nanoseconds of Unix time
	chain    *chain             // nil for a delivery that waits for no other
	sequence int64
	hash     uint64 // of the body that was sent first, 0 before
	place    int32  // in the heap of its stage
	stage    stage

	// joined says that it was decided whether the delivery belongs to a chain; it takes the row to decide.
	joined bool

	// repeat says that the next attempt may repeat one that was sent and not recorded.
	repeat bool

	// cancelled asks that the delivery ends with the attempt that is in flight.
	cancelled bool

	stumbles uint8 // tries in a row that ended before anything was sent, for reasons of our own
}

func newEntryHeap(before func(a, b *entry) bool) heap[*entry] {
	return heap[*entry]{before: before, place: func(e *entry) *int32 { return &e.place }}
}

// older orders by identifier, which is by time of making: a backlog drains oldest first.
func older(a, b *entry) bool { return a.id < b.id }

// sooner orders by due time.
func sooner(a, b *entry) bool {
	if a.due != b.due {
		return a.due < b.due
	}
	return a.id < b.id
}
