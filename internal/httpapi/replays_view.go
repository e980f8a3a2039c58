package httpapi

import (
	"strconv"
	"time"

	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
)

// replayView is a replay as answers show it.
type replayView struct {
	ID             ident.ID         `json:"id"`
	OrganizationID ident.ID         `json:"organization_id"`
	State          replay.State     `json:"state"`
	Filter         replayFilterView `json:"filter"`
	Pace           int              `json:"pace"`
	MaxPending     int              `json:"max_pending"`

	Found      int          `json:"found"`       // deliveries that the filter chose when it was made
	FoundExact bool         `json:"found_exact"` // false: there were more
	Handled    int          `json:"handled"`     // of those, so far: queued or skipped
	Queued     int          `json:"queued"`
	Skipped    replay.Skips `json:"skipped"` // by reason

	// What became of the queued ones.
	Pending   int `json:"pending"`
	Delivered int `json:"delivered"`
	Exhausted int `json:"exhausted"`
	Cancelled int `json:"cancelled"`
	Unknown   int `json:"unknown,omitempty"`

	CreatedAt   time.Time `json:"created_at"`
	CreatedBy   string    `json:"created_by"`
	CancelledAt time.Time `json:"cancelled_at,omitzero"`
	CancelledBy string    `json:"cancelled_by,omitempty"`
	FinishedAt  time.Time `json:"finished_at,omitzero"` // nothing of it is pending any more
}

// replayFilterView spells a filter as a draft does. To is the moment when the replay was made, unless it was earlier.
type replayFilterView struct {
	Workspace    ident.ID  `json:"workspace,omitzero"`
	Run          ident.ID  `json:"run,omitzero"`
	Event        ident.ID  `json:"event,omitzero"`
	Subscription ident.ID  `json:"subscription,omitzero"`
	Destination  ident.ID  `json:"destination,omitzero"`
	State        []string  `json:"state,omitempty"`
	Status       string    `json:"status,omitempty"`
	Cause        string    `json:"cause,omitempty"`
	From         time.Time `json:"from,omitzero"`
	To           time.Time `json:"to,omitzero"`
}

func viewReplay(r *replay.Replay) replayView {
	p := &r.Progress
	return replayView{
		ID: r.ID, OrganizationID: r.OrganizationID, State: r.State, Filter: viewReplayFilter(r.Filter), Pace: r.Pace,
		MaxPending: r.MaxPending, Found: r.Found, FoundExact: r.Exact, Handled: p.Handled, Queued: p.Queued, Skipped: p.Skipped,
		Pending: p.Pending(), Delivered: p.Delivered, Exhausted: p.Exhausted, Cancelled: p.Cancelled, Unknown: p.Unknown,
		CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy, CancelledAt: r.CancelledAt, CancelledBy: r.CancelledBy, FinishedAt: r.FinishedAt,
	}
}

func viewReplayFilter(f store.DeliveryFilter) replayFilterView {
	view := replayFilterView{
		Workspace: f.Workspace, Run: f.Run, Event: f.Event, Subscription: f.Subscription, Destination: f.Destination,
		From: f.Range.From, To: f.Range.To,
	}
	if len(f.States) > 0 {
		view.State = namesOf(f.States)
	}
	if f.Cause != nil {
		view.Cause = f.Cause.String()
	}
	if f.StatusFrom != 0 {
		view.Status = strconv.Itoa(f.StatusFrom)
		if f.StatusTo != f.StatusFrom {
			view.Status += "-" + strconv.Itoa(f.StatusTo)
		}
	}
	return view
}

// replayPreviewView is what a replay would do.
type replayPreviewView struct {
	Found      int            `json:"found"`
	FoundExact bool           `json:"found_exact"`
	Looked     int            `json:"looked"` // at so many of the oldest; of these
	Queued     int            `json:"queued"` // would be sent again
	Skipped    replay.Skips   `json:"skipped"`
	First      []deliveryView `json:"first"` // the oldest of those that would be sent again
}

func viewReplayPreview(p *replay.Preview) replayPreviewView {
	view := replayPreviewView{
		Found: p.Found, FoundExact: p.Exact, Looked: p.Looked, Queued: p.Queued, Skipped: p.Skipped,
		First: make([]deliveryView, len(p.First)),
	}
	for i := range p.First {
		view.First[i] = viewDelivery(&p.First[i])
	}
	return view
}
