// Package replay sends many deliveries once more: those that a filter chooses, oldest first, at a pace.
//
// A replay is a record of the store. It holds what was asked for and how far it has come, so that it survives restarts: one
// node works on it at a time, under a lease on the record, and another one takes over when that node dies. What is to be
// queued next is written into the record before it is queued, with the identifiers that it will have; after a crash the
// store tells whether it was, so nothing is skipped and nothing is queued twice. (A node that stands still for longer than
// its lease between those two steps, and then goes on, can queue what it had planned a second time.)
//
// The package chooses, queues, cancels and counts. It never renders or sends: that is the Engine's business, for
// repetitions as for everything else.
package replay

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// State is how far a replay is.
type State string

// The states. A replay that was cancelled may still have deliveries pending, until FinishedAt is set.
const (
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// The bounds of what a replay may be asked for.
const (
	DefaultPace = 50
	MaxPace     = 2000

	DefaultPending = 500
	MaxPending     = 2000

	// CountLimit is up to where the deliveries that a filter chooses are counted.
	CountLimit = 100_000

	// MaxRunning is how many replays of one organization may be unfinished at a time.
	MaxRunning = 10
)

// Draft is what a replay is made from.
type Draft struct {
	OrganizationID ident.ID

	// Filter chooses what is sent again. Its Organizations are not looked at. It must choose something: an empty filter, which
	// would send everything once more, is refused.
	Filter store.DeliveryFilter

	Pace       int // deliveries per second, DefaultPace when 0
	MaxPending int // how many may be pending at a time, DefaultPending when 0
}

// Replay is one replay: what was asked for, and how far it is.
type Replay struct {
	ID             ident.ID             `json:"id"`
	OrganizationID ident.ID             `json:"organization_id"`
	Filter         store.DeliveryFilter `json:"-"` // with the organization, and bounded by the moment of making
	Pace           int                  `json:"pace"`
	MaxPending     int                  `json:"max_pending"`

	State    State `json:"state"`
	Withdraw bool  `json:"withdraw,omitempty"` // cancelled together with what was pending of it

	// Found is how many deliveries the filter chose when the replay was made; Exact is false when there were more than that.
	Found int  `json:"found"`
	Exact bool `json:"exact"`

	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
	FinishedAt  time.Time `json:"finished_at,omitzero"` // nothing is left to do

	Progress Progress `json:"progress"`
	Lease    Lease    `json:"lease,omitzero"`

	revision int64 // of the record that this was read from
}

// Progress is how far a replay is. Only the node that holds the lease changes it.
type Progress struct {
	Cursor  ident.ID `json:"cursor,omitzero"` // the last delivery that was handled
	Handled int      `json:"handled"`         // Queued and Skipped together
	Queued  int      `json:"queued"`
	Skipped Skips    `json:"skipped,omitzero"`

	// What became of those that were queued; the others are open.
	Delivered int `json:"delivered"`
	Exhausted int `json:"exhausted"`
	Cancelled int `json:"cancelled"`
	Unknown   int `json:"unknown,omitempty"` // their history was removed before it was read

	Open []Item `json:"open,omitempty"`
	Plan *Plan  `json:"plan,omitempty"`
}

// Pending is how many of the queued deliveries have not ended, as far as was seen.
func (p *Progress) Pending() int { return len(p.Open) }

// Skips counts the chosen deliveries that were not sent again, by the reason.
type Skips struct {
	Pending   int `json:"pending,omitempty"`   // it, or a repetition of it, is on its way anyhow
	Delivered int `json:"delivered,omitempty"` // a repetition was delivered, and only what was not delivered was asked for
	Repeated  int `json:"repeated,omitempty"`  // it repeats one that was chosen too
	Deleted   int `json:"deleted,omitempty"`   // the subscription is gone
	Disabled  int `json:"disabled,omitempty"`  // the subscription is switched off
	Test      int `json:"test,omitempty"`      // a verification or test, of which no event is kept
}

// Total is how many were skipped.
func (s Skips) Total() int {
	return s.Pending + s.Delivered + s.Repeated + s.Deleted + s.Disabled + s.Test
}

func (s Skips) plus(o Skips) Skips {
	return Skips{
		s.Pending + o.Pending, s.Delivered + o.Delivered, s.Repeated + o.Repeated, s.Deleted + o.Deleted, s.Disabled + o.Disabled,
		s.Test + o.Test,
	}
}

// Item is a delivery of the replay.
type Item delivery.Key

// Plan is what is to be queued next. It is written before it is queued: either all of it is in the store, or nothing.
type Plan struct {
	To      ident.ID `json:"to"` // the last delivery that is handled with it
	Items   []Item   `json:"items"`
	Skipped Skips    `json:"skipped,omitzero"`
}

// Lease says which node works on a replay, and until when if it is not heard of again.
type Lease struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// carried takes the plan as carried out.
func (p *Progress) carried() {
	plan := p.Plan
	p.Plan = nil
	p.Open = append(p.Open, plan.Items...)
	p.pass(plan.To, len(plan.Items), plan.Skipped)
}

// pass moves the cursor.
func (p *Progress) pass(to ident.ID, queued int, skipped Skips) {
	p.Cursor = to
	p.Queued += queued
	p.Skipped = p.Skipped.plus(skipped)
	p.Handled += queued + skipped.Total()
}

// finished reports whether nothing is left to do.
func (r *Replay) finished() bool { return !r.FinishedAt.IsZero() }
