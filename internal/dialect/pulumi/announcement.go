package pulumi

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

// announcement is one thing that the platform would say of an event: a kind, the filters that it has, and what follows
// from the mapping rather than from the event alone.
type announcement struct {
	kind    string
	filters []string

	action    string
	operation string
	outcome   string // result of an update, status of everything else
	drifted   bool
	native    bool // said by the platform itself: its body is at hand
}

// Notices returns what the platform says of an event (§4.3). Groups are triggers like filters: a webhook names either.
func (*Dialect) Notices(e *event.Event) []subscription.Notice {
	var notices []subscription.Notice
	for _, a := range announce(e) {
		notices = append(notices, subscription.Notice{Name: a.kind, Triggers: a.triggers(), Levels: a.levels(e)})
	}
	return notices
}

// announce decides what the platform says of an event. What came from it was decided there.
func announce(e *event.Event) []announcement {
	if fromPlatform(e) {
		return announceNative(e)
	}
	switch e.Kind {
	case event.KindRun:
		return announceRun(e)
	case event.KindAssessment:
		return announceAssessment(e)
	case event.KindWorkspace:
		return announceStack(e)
	case event.KindDeployment:
		return announceDeployment(e)
	case event.KindPolicy:
		return announcePolicy(e)
	case event.KindEnvironment:
		return announceEnvironment(e)
	case event.KindChangeRequest:
		return announceChangeRequest(e)
	}
	return nil
}

// triggers are the filters, then the groups that they belong to.
func (a announcement) triggers() []string {
	values := slices.Clone(a.filters)
	for _, name := range a.filters {
		if f := filterNamed(name); f != nil && !slices.Contains(values, f.group) {
			values = append(values, f.group)
		}
	}
	return values
}

// levels are those of the widest filter. What has no filter reaches whoever takes everything at the places of its event
// (§4.2).
func (a announcement) levels(e *event.Event) []subscription.Level {
	levels := []subscription.Level{subscription.LevelOrganization}
	open := func(level subscription.Level) bool {
		return slices.ContainsFunc(a.filters, func(name string) bool { return isFilter(name, level) })
	}
	if open(subscription.LevelWorkspace) || (len(a.filters) == 0 && e.Workspace != nil) {
		levels = append(levels, subscription.LevelWorkspace)
	}
	if open(subscription.LevelEnvironment) || (len(a.filters) == 0 && e.Environment != nil) {
		levels = append(levels, subscription.LevelEnvironment)
	}
	return levels
}

// one makes an announcement with one filter.
func one(a announcement, name string) []announcement {
	if filterNamed(name) == nil {
		return nil
	}
	a.filters = []string{name}
	return []announcement{a}
}

var kindShape = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// fromPlatform reports whether the event is one that the platform told us of, in a form that can leave again (§3.3).
func fromPlatform(e *event.Event) bool {
	n := e.Native
	return n != nil && n.Dialect == Name && kindShape.MatchString(n.Kind) && json.Valid(n.Body)
}

// announceNative repeats what the platform said. Its filter follows from its members; what has none reaches only those who
// take everything.
func announceNative(e *event.Event) []announcement {
	c, ok := readContent(e.Native.Kind, e.Native.Body)
	if !ok || c.kind == kindPing {
		return nil
	}
	return []announcement{{kind: c.kind, filters: c.derivedFilters(), native: true}}
}

// derivedFilters finds the filters of what the platform said (§4.3).
func (c *content) derivedFilters() []string {
	var candidates []string
	switch c.kind {
	case kindUpdate:
		candidates = []string{c.operation + "_" + c.result}
	case kindPreview:
		candidates = []string{"preview_" + c.result}
	case kindDeployment:
		candidates = []string{"deployment_" + deploymentStep(c.status)}
	case kindDrift:
		if c.drifted {
			candidates = []string{"drift_detected"}
		}
		candidates = append(candidates, "drift_detection_"+c.status)
	case kindPolicy:
		candidates = []string{"policy_violation_" + cmp.Or(c.level, "advisory")}
	case kindImported:
		candidates = []string{kindImported}
	default:
		for _, end := range []string{c.action, c.result, c.status} {
			if f := filterNamed(c.kind + "_" + end); f != nil {
				return []string{f.name}
			}
		}
	}
	return slices.DeleteFunc(candidates, func(name string) bool {
		f := filterNamed(name)
		return f == nil || f.kind != c.kind
	})
}

// deploymentStep is the end of a deployment's filter for its status.
func deploymentStep(status string) string {
	switch status {
	case statusQueued:
		return "queued"
	case statusRunning:
		return "started"
	}
	return status
}
