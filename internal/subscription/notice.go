package subscription

import (
	"slices"

	"carillon/internal/event"
)

// Notice is one thing that a dialect would say of an event: often one per event, sometimes none or two. It holds what
// matching needs; rendering starts again from the event and the notice's Name.
type Notice struct {
	// Name tells the notices of one event apart within its dialect: a trigger's base value, a kind.
	Name string

	// Triggers are the values that fire this notice when a subscription names one of them, in the order of precedence.
	Triggers []string

	// Levels restricts the notice to subscriptions of these levels; none means organization, project and workspace.
	Levels []Level

	// Unlisted keeps the notice from subscriptions that take everything: it must be named.
	Unlisted bool
}

// openLevels are the levels of a notice that restricts nothing.
var openLevels = []Level{LevelOrganization, LevelProject, LevelWorkspace}

// OpenTo reports whether subscriptions of the level may get the notice.
func (n Notice) OpenTo(level Level) bool {
	if len(n.Levels) == 0 {
		return slices.Contains(openLevels, level)
	}
	return slices.Contains(n.Levels, level)
}

// Verdict says whether a subscription gets a notice, and why.
type Verdict string

// The verdicts, in the order in which they are decided.
const (
	Matches       Verdict = "matches"
	Disabled      Verdict = "disabled"       // the subscription is switched off
	OtherScope    Verdict = "other_scope"    // it listens to other places
	NothingToSay  Verdict = "nothing_to_say" // its dialect has no notice for the event
	WrongLevel    Verdict = "wrong_level"    // the notice is not for subscriptions of its level
	NotSubscribed Verdict = "not_subscribed" // it does not name any of the notice's triggers
	Suppressed    Verdict = "suppressed"     // its dialect suppresses the event, such as a local run's
	OtherTenant   Verdict = "other_tenant"   // it belongs to another organization
	Empty         Verdict = "nothing_chosen" // it names no trigger at all
)

// Judge decides whether the subscription gets the notice of an event in the places. It is the whole rule: Index only
// finds candidates faster.
func Judge(s *Subscription, n Notice, places []Scope) Verdict {
	if !s.Enabled {
		return Disabled
	}
	verdict := OtherScope
	for _, scope := range s.Scopes {
		if !slices.Contains(places, scope) {
			continue
		}
		if verdict = judgeAt(s, n, scope.Level); verdict == Matches {
			break
		}
	}
	return verdict
}

func judgeAt(s *Subscription, n Notice, level Level) Verdict {
	switch {
	case !n.OpenTo(level):
		return WrongLevel
	case s.All && !n.Unlisted:
		return Matches
	case len(s.Triggers) == 0:
		return Empty
	case slices.ContainsFunc(n.Triggers, func(t string) bool { return slices.Contains(s.Triggers, t) }):
		return Matches
	}
	return NotSubscribed
}

// Places lists where an accepted event happened, the narrowest first: its workspace, project, teams, and organization.
// Projects that pass their subscriptions down are added by who knows the estate.
func Places(e *event.Event) []Scope {
	places := make([]Scope, 0, 4)
	if e.Workspace != nil && e.Workspace.ID != 0 {
		places = append(places, Scope{LevelWorkspace, e.Workspace.ID})
	}
	if e.Project != nil && e.Project.ID != 0 {
		places = append(places, Scope{LevelProject, e.Project.ID})
	}
	for _, team := range e.Teams {
		if team.ID != 0 {
			places = append(places, Scope{LevelTeam, team.ID})
		}
	}
	if e.Environment != nil && e.Organization.ID != 0 {
		places = append(places, Scope{LevelEnvironment, EnvironmentID(e)})
	}
	if e.Organization.ID != 0 {
		places = append(places, Scope{LevelOrganization, e.Organization.ID})
	}
	return places
}
