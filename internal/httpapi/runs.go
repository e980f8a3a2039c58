package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"carillon/internal/estate"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
)

// runView is a run as it stands.
type runView struct {
	ID           ident.ID           `json:"id"`
	SourceID     string             `json:"source_id"`
	ExternalIDs  map[string]string  `json:"external_ids,omitempty"`
	Organization event.Organization `json:"organization"`
	Project      *event.Project     `json:"project,omitempty"`
	Workspace    *event.Workspace   `json:"workspace,omitempty"`
	Message      string             `json:"message,omitempty"`
	URL          string             `json:"url,omitempty"`
	Operation    event.Operation    `json:"operation,omitempty"`
	CreatedAt    time.Time          `json:"created_at,omitzero"`
	CreatedBy    *event.Actor       `json:"created_by,omitempty"`
	StartedAt    time.Time          `json:"started_at"` // when its first event was accepted
	Status       event.Status       `json:"status"`
	Awaiting     bool               `json:"awaiting,omitempty"`
	Final        bool               `json:"final"`
	Changes      *event.Changes     `json:"changes,omitempty"`
	Error        string             `json:"error,omitempty"`
	Transitions  []transitionView   `json:"transitions,omitempty"`
}

// transitionView is one step of a run.
type transitionView struct {
	Event        ident.ID     `json:"event"`
	Sequence     int64        `json:"sequence"`
	Status       event.Status `json:"status"`
	NativeStatus string       `json:"native_status,omitempty"`
	Awaiting     bool         `json:"awaiting,omitempty"`
	Late         bool         `json:"late,omitempty"` // arrived after a later step
	Actor        *event.Actor `json:"actor,omitempty"`
	OccurredAt   time.Time    `json:"occurred_at"`
	AcceptedAt   time.Time    `json:"accepted_at"`
}

// listRuns lists runs in the order of their beginnings, newest first.
func (a *api) listRuns(c *call) error {
	page := c.q.page(newest)
	filter, err := a.eventFilter(c)
	if err != nil {
		return err
	}
	first, err := a.Events.Runs(c.r.Context(), c.p, filter, page.Page)
	if err != nil {
		return err
	}
	last := make(map[ident.ID]*event.Event, len(first))
	for i := range first {
		if last[first[i].Run.ID], err = a.lastOf(c, &first[i]); err != nil {
			return err
		}
	}
	return c.answer(http.StatusOK, cut(page, first, eventID, func(e *event.Event) runView { return viewRun(e, last[e.Run.ID]) }))
}

// lastOf returns the newest step of the run that an event began.
func (a *api) lastOf(c *call, first *event.Event) (*event.Event, error) {
	stored, err := a.LastOfRun(c.r.Context(), first.Run.ID)
	if err != nil {
		return nil, fmt.Errorf("read the newest step of a run: %w", err)
	}
	last, err := event.Decode(stored.Body)
	if err != nil {
		return nil, fmt.Errorf("decode event %s: %w", stored.ID, err)
	}
	return last, nil
}

// getRun shows a run with its transitions. The path names it by its ID, or by "dialect:identifier".
func (a *api) getRun(c *call) error {
	text := c.r.PathValue("run")
	ref := estate.Ref{Alias: text}
	if !strings.Contains(text, ":") {
		id, err := ident.Parse(text)
		if err != nil {
			return fault.Missing("run", text)
		}
		ref = estate.ByID(id)
	}
	events, err := a.Events.Run(c.r.Context(), c.p, ref)
	if err != nil {
		return err
	}
	if len(events) == 0 || events[0].Run == nil {
		return fault.Missing("run", text)
	}
	last := &events[len(events)-1]
	view := viewRun(&events[0], last)
	for i := range events {
		e := &events[i]
		view.Transitions = append(view.Transitions, transitionView{
			Event: e.ID, Sequence: e.Run.Sequence, Status: e.Run.Status, NativeStatus: e.Run.NativeStatus, Awaiting: e.Run.Awaiting,
			Late: e.Source.Metadata[ingest.MetadataLate] != "", Actor: e.Actor, OccurredAt: e.OccurredAt, AcceptedAt: e.AcceptedAt,
		})
	}
	return c.answer(http.StatusOK, view)
}

func viewRun(first, last *event.Event) runView {
	r := last.Run
	return runView{
		ID: r.ID, SourceID: r.SourceID, ExternalIDs: r.ExternalIDs, Organization: last.Organization, Project: last.Project,
		Workspace: last.Workspace, Message: r.Message, URL: r.URL, Operation: r.Operation, CreatedAt: r.CreatedAt,
		CreatedBy: r.CreatedBy, StartedAt: first.AcceptedAt, Status: r.Status, Awaiting: r.Awaiting, Final: r.Status.Final(),
		Changes: r.Changes, Error: r.Error,
	}
}
