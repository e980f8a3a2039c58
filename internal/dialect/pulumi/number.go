package pulumi

import (
	"slices"

	"carillon/internal/event"
)

// Counters names the numbers that payloads print and that the event's source does not give (§3.3). A page of its own makes
// the number of an update needless; deployments print theirs beside the address.
func (*Dialect) Counters(e *event.Event) []string {
	var names []string
	for _, a := range announce(e) {
		if name := counterOf(e, a); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func counterOf(e *event.Event, a announcement) string {
	r := e.Run
	switch {
	case a.native:
	case a.kind == kindUpdate && r.Number == 0 && r.URL == "":
		return seriesUpdates
	case a.kind == kindPolicy && e.Policy.RunURL == "" && r != nil && r.Number == 0 && r.URL == "":
		return seriesUpdates
	case a.kind == kindDeployment && e.Kind == event.KindRun && r.Number == 0:
		return seriesDeployments
	case a.kind == kindDeployment && e.Kind == event.KindDeployment && e.Deployment.Number == 0:
		return seriesDeployments
	case a.kind != kindDrift && a.kind != kindRemediation:
	case e.Kind == event.KindRun && r.Number == 0 && r.URL == "", e.Kind == event.KindAssessment && e.Assessment.New.URL == "":
		return seriesDeployments
	}
	return ""
}
