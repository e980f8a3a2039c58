package httpapi

import (
	"context"
	"net/http"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/estate"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/replay"
	"carillon/internal/store"
	"carillon/internal/strict"
)

// Replays sends many deliveries once more.
type Replays interface {
	Create(ctx context.Context, p estate.Principal, d replay.Draft) (*replay.Replay, error)
	Preview(ctx context.Context, p estate.Principal, d replay.Draft) (*replay.Preview, error)
	Get(ctx context.Context, p estate.Principal, id ident.ID) (*replay.Replay, error)
	List(ctx context.Context, p estate.Principal, organization ident.ID, page store.Page) ([]replay.Replay, error)
	Cancel(ctx context.Context, p estate.Principal, id ident.ID, pending bool) (*replay.Replay, error)
}

type replayDraft struct {
	Organization string            `json:"organization"` // ID or name
	Filter       replayFilterDraft `json:"filter"`
	Pace         int               `json:"pace"`        // deliveries per second
	MaxPending   int               `json:"max_pending"` // at a time
}

// replayFilterDraft holds the choices of the list of deliveries.
type replayFilterDraft struct {
	Workspace    string    `json:"workspace"` // ID or name
	Run          ident.ID  `json:"run"`
	Event        ident.ID  `json:"event"`
	Subscription ident.ID  `json:"subscription"`
	Destination  ident.ID  `json:"destination"`
	State        []string  `json:"state"`
	Status       string    `json:"status"` // 503, or 500-599
	Cause        string    `json:"cause"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
}

var replayDrafts = strict.For[replayDraft]()

// replayDraft reads what is to be sent again.
func (a *api) replayDraft(c *call) (replay.Draft, error) {
	d, err := decode(c, replayDrafts)
	if err != nil {
		return replay.Draft{}, err
	}
	if d.Organization == "" {
		return replay.Draft{}, fault.At("/organization", "Name the organization whose deliveries are meant.")
	}
	o, err := a.organization(c, d.Organization)
	if fault.Is(err, fault.NotFound) {
		return replay.Draft{}, fault.At("/organization", "There is no organization %q, or you may not see it.", d.Organization)
	}
	if err != nil {
		return replay.Draft{}, err
	}
	filter, err := a.replayFilter(c, o.ID, d.Filter)
	return replay.Draft{OrganizationID: o.ID, Filter: filter, Pace: d.Pace, MaxPending: d.MaxPending}, at("/filter", err)
}

func (a *api) replayFilter(c *call, organization ident.ID, d replayFilterDraft) (store.DeliveryFilter, error) {
	filter := store.DeliveryFilter{
		Run: d.Run, Event: d.Event, Subscription: d.Subscription, Destination: d.Destination,
		Range: store.Range{From: d.From.UTC(), To: d.To.UTC()},
	}
	var faults fault.Collector
	for _, word := range d.State {
		if state, ok := byName(delivery.States(), word); ok {
			filter.States = append(filter.States, state)
		} else {
			faults.Add("/state", "%s", unknownWord(word, namesOf(delivery.States())))
		}
	}
	if d.Cause != "" {
		if cause, ok := byName(delivery.Causes(), d.Cause); ok {
			filter.Cause = &cause
		} else {
			faults.Add("/cause", "%s", unknownWord(d.Cause, namesOf(delivery.Causes())))
		}
	}
	if d.Status != "" {
		var ok bool
		if filter.StatusFrom, filter.StatusTo, ok = statusBounds(d.Status); !ok {
			faults.Add("/status", statusAdvice)
		}
	}
	if err := faults.Err(); err != nil || d.Workspace == "" {
		return filter, err
	}
	w, err := a.workspace(c, organization, 0, d.Workspace, "/workspace")
	filter.Workspace = w.ID
	return filter, err
}

// createReplay begins to send deliveries once more.
func (a *api) createReplay(c *call) error {
	d, err := a.replayDraft(c)
	if err != nil {
		return err
	}
	r, err := a.Replays.Create(c.r.Context(), c.p, d)
	if err != nil {
		return err
	}
	return c.created("/v1/replays/"+r.ID.String(), viewReplay(r))
}

// previewReplay tells what would be sent again.
func (a *api) previewReplay(c *call) error {
	d, err := a.replayDraft(c)
	if err != nil {
		return err
	}
	preview, err := a.Replays.Preview(c.r.Context(), c.p, d)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, viewReplayPreview(preview))
}

// listReplays lists replays, newest first.
func (a *api) listReplays(c *call) error {
	page := c.q.page(newest)
	organization, err := a.organizationOfQuery(c)
	if err == nil {
		err = c.q.err()
	}
	if err != nil {
		return err
	}
	found, err := a.Replays.List(c.r.Context(), c.p, organization, page.Page)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, cut(page, found, func(r *replay.Replay) ident.ID { return r.ID }, viewReplay))
}

// getReplay shows how far a replay is.
func (a *api) getReplay(c *call) error {
	id, err := c.pathID("replay", "replay")
	if err != nil {
		return err
	}
	r, err := a.Replays.Get(c.r.Context(), c.p, id)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, viewReplay(r))
}

type replayCancelDraft struct {
	Pending bool `json:"pending"` // cancel what is pending of it, too
}

var replayCancelDrafts = strict.For[replayCancelDraft]()

// cancelReplay ends a replay.
func (a *api) cancelReplay(c *call) error {
	id, err := c.pathID("replay", "replay")
	if err != nil {
		return err
	}
	var d replayCancelDraft
	if c.r.ContentLength != 0 {
		if d, err = decode(c, replayCancelDrafts); err != nil {
			return err
		}
	}
	r, err := a.Replays.Cancel(c.r.Context(), c.p, id, d.Pending)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, viewReplay(r))
}
