package tfe

import (
	"strings"

	"carillon/internal/dialect"
	"carillon/internal/estate"
	"carillon/internal/event"
)

// runAttributes is a run as far as its events tell (§6). What the platform lets people do with runs is not offered.
type runAttributes struct {
	Actions       map[string]bool   `json:"actions"`
	AutoApply     bool              `json:"auto-apply"`
	CanceledAt    *string           `json:"canceled-at"`
	CreatedAt     *string           `json:"created-at"`
	HasChanges    bool              `json:"has-changes"`
	IsDestroy     bool              `json:"is-destroy"`
	Message       string            `json:"message"`
	PlanOnly      bool              `json:"plan-only"`
	Refresh       bool              `json:"refresh"`
	RefreshOnly   bool              `json:"refresh-only"`
	Source        string            `json:"source"`
	Status        string            `json:"status"`
	Timestamps    map[string]string `json:"status-timestamps"`
	TriggerReason string            `json:"trigger-reason"`
}

// showRun builds a run from its events.
func showRun(c *call) (answer, error) {
	events, err := c.runEvents(c.path("run"))
	if err != nil {
		return answer{}, err
	}
	if len(events) == 0 || events[0].Run == nil || events[0].Workspace == nil {
		return answer{}, notFound
	}
	return ok(single(newRun(events))), nil
}

// runEvents finds a run by an identifier that we issued, or by the source's own.
func (c *call) runEvents(text string) ([]event.Event, error) {
	if id, issued := runIDs.Decode(text); issued {
		events, err := c.Events.Run(c, c.who, estate.ByID(id))
		if err == nil || problemsOf(err).status() != 404 {
			return events, err
		}
	}
	return c.Events.Run(c, c.who, estate.ByAlias(Name, text))
}

func newRun(events []event.Event) resource {
	first, last := events[0], events[len(events)-1]
	run := last.Run
	a := runAttributes{
		Actions: map[string]bool{
			"is-cancelable": false, "is-confirmable": false, "is-discardable": false, "is-force-cancelable": false,
		},
		AutoApply:     run.AutoApply != nil && *run.AutoApply,
		CreatedAt:     millis(run.CreatedAt),
		HasChanges:    run.HasChanges != nil && *run.HasChanges,
		IsDestroy:     run.Operation == event.OperationDestroy,
		Message:       run.Message,
		PlanOnly:      run.Operation == event.OperationPlan,
		Refresh:       true,
		RefreshOnly:   run.Operation == event.OperationRefresh,
		Source:        "tfe-api",
		Status:        string(run.Status),
		Timestamps:    map[string]string{},
		TriggerReason: "manual",
	}
	if a.CreatedAt == nil {
		a.CreatedAt = millis(happened(&first))
	}
	for i := range events {
		status, moment := events[i].Run.Status, happened(&events[i])
		a.Timestamps[strings.ReplaceAll(string(status), "_", "-")+"-at"] = moment.UTC().Format(zoned)
		if status == event.StatusCanceled || status == event.StatusForceCanceled {
			a.CanceledAt = millis(moment)
		}
	}
	id := runID(run)
	return resource{
		ID: id, Type: "runs", Attributes: a,
		Relationships: map[string]relationship{"workspace": toOne(workspaceType, workspaceID(last.Workspace))},
		Links:         map[string]string{"self": "/api/v2/runs/" + id},
	}
}

var _ dialect.Manager = (*Dialect)(nil)
