package tfe

import (
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// assessmentAttributes is an assessment's result; the documents spell its error in two ways (§6).
type assessmentAttributes struct {
	Succeeded          bool    `json:"succeeded"`
	AllChecksSucceeded bool    `json:"all-checks-succeeded"`
	ChecksErrored      int64   `json:"checks-errored"`
	ChecksFailed       int64   `json:"checks-failed"`
	ChecksPassed       int64   `json:"checks-passed"`
	ChecksUnknown      int64   `json:"checks-unknown"`
	CreatedAt          string  `json:"created-at"`
	Drifted            bool    `json:"drifted"`
	ErrorMessage       *string `json:"error-message"`
	ErrorMsg           *string `json:"error-msg"`
	ResourcesDrifted   int64   `json:"resources-drifted"`
	ResourcesUndrifted int64   `json:"resources-undrifted"`
}

const (
	assessmentPage  = 200
	assessmentPages = 25 // assessments further back are not searched
)

// showAssessment finds a result among the newest assessments that the caller may see. Results are named by their source,
// or by what follows from it (see resultID), so that there is no index to ask.
func showAssessment(c *call) (answer, error) {
	var before ident.ID
	for range assessmentPages {
		events, err := c.Events.List(c, c.who, store.EventFilter{Kinds: []string{string(event.KindAssessment)}},
			store.Page{Newest: true, Before: before, Limit: assessmentPage})
		if err != nil {
			return answer{}, err
		}
		for i := range events {
			if r := resultNamed(&events[i], c.path("result")); r != nil {
				return ok(single(newAssessment(&events[i], r))), nil
			}
		}
		if len(events) < assessmentPage {
			break
		}
		before = events[len(events)-1].ID
	}
	return answer{}, notFound
}

// resultNamed returns the event's new or prior result of the identifier.
func resultNamed(e *event.Event, id string) *event.AssessmentResult {
	switch {
	case e.Assessment == nil || e.Workspace == nil:
	case resultID(e, &e.Assessment.New) == id:
		return &e.Assessment.New
	case e.Assessment.Prior != nil && resultID(e, e.Assessment.Prior) == id:
		return e.Assessment.Prior
	}
	return nil
}

func newAssessment(e *event.Event, r *event.AssessmentResult) resource {
	id, at := resultID(e, r), r.CreatedAt
	if at.IsZero() {
		at = happened(e)
	}
	return resource{
		ID: id, Type: "assessment-results",
		Attributes: assessmentAttributes{
			Succeeded: r.Succeeded, AllChecksSucceeded: r.AllChecksSucceeded, ChecksErrored: r.ChecksErrored, ChecksFailed: r.ChecksFailed,
			ChecksPassed: r.ChecksPassed, ChecksUnknown: r.ChecksUnknown, CreatedAt: at.UTC().Format(zoned), Drifted: r.Drifted,
			ErrorMessage: text(r.Error), ErrorMsg: text(r.Error), ResourcesDrifted: r.ResourcesDrifted, ResourcesUndrifted: r.ResourcesUndrifted,
		},
		Relationships: map[string]relationship{"workspace": toOne(workspaceType, workspaceID(e.Workspace))},
		Links:         map[string]string{"self": "/api/v2/assessment-results/" + id},
	}
}
