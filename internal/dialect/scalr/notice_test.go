package scalr

import (
	"fmt"
	"testing"

	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/subscription"
)

// TestNotices is the table of §4.2, and of §4.3 for events of other sources.
func TestNotices(t *testing.T) {
	t.Parallel()
	const completed, errored, attention = runCompleted, runErrored, runNeedsAttention
	for _, tc := range []struct {
		status   event.Status
		awaiting bool
		want     string
		shown    string
	}{
		{"applied", false, completed, "applied"},
		{"planned_and_finished", false, completed, "planned_and_finished"},
		{"errored", false, errored, "errored"},
		{"canceled", false, errored, "canceled"},
		{"force_canceled", false, errored, "canceled"},
		{"discarded", false, "", ""},
		{"planned", true, attention, "planned"},
		{"planned", false, "", ""},
		{"cost_estimated", true, attention, "cost_estimated"},
		{"cost_estimated", false, "", ""},
		{"policy_checked", true, attention, "policy_checked"},
		{"policy_checked", false, "", ""},
		{"policy_override", false, attention, "policy_override"},
		{"policy_soft_failed", false, attention, "policy_soft_failed"},
		{"planned_and_saved", false, attention, "planned_and_saved"},
	} {
		e := oldRun(tc.status, tc.awaiting, "2020-11-25T00:43:38Z")
		if got := fired(New(), e); got != tc.want || (got != "" && shownStatus(e) != tc.shown) {
			t.Errorf("%s, awaiting %v: got %q as %s, want %q", tc.status, tc.awaiting, got, shownStatus(e), tc.want)
		}
	}
	for _, status := range []event.Status{
		"pending", "pre_plan_queued", "pre_plan_running", "pre_plan_finished", "plan_queued", "planning", "confirmed", "post_plan_running",
		"post_plan_finished", "cost_estimating", "policy_checking", "pre_apply_queued", "pre_apply_running", "pre_apply_finished",
		"apply_queued", "applying", "post_apply_running", "post_apply_finished", "fetching", "skipped", "unheard_of",
	} {
		if got := fired(New(), oldRun(status, false, "2020-11-25T00:43:38Z")); got != "" {
			t.Errorf("%s fires %s", status, got)
		}
	}
}

// fired names what an event fires.
func fired(d *Dialect, e *event.Event) string {
	switch notices := d.Notices(e); len(notices) {
	case 0:
		return ""
	case 1:
		return notices[0].Name
	default:
		return fmt.Sprint(notices)
	}
}

func TestDiscardedIsAnOption(t *testing.T) {
	t.Parallel()
	d := &Dialect{DiscardedIsErrored: true}
	if got := fired(d, oldRun("discarded", false, "2020-11-25T00:43:38Z")); got != runErrored {
		t.Errorf("got %q", got)
	}
}

// TestOwnEventsAreTakenAtTheirWord covers what the platform itself reported: a status that would not fire by the table
// still fires what the platform said, and the run shows the platform's word.
func TestOwnEventsAreTakenAtTheirWord(t *testing.T) {
	t.Parallel()
	e := oldRun("planned", false, "2020-11-25T00:43:38Z")
	e.Native = &event.Native{Dialect: Name, Kind: runNeedsAttention}
	e.Run.NativeStatus = "post_plan_finished"
	if got := fired(New(), e); got != runNeedsAttention || shownStatus(e) != "post_plan_finished" {
		t.Errorf("got %q as %s", got, shownStatus(e))
	}
	e.Native.Dialect = "elsewhere"
	if got := fired(New(), e); got != "" || shownStatus(e) != "planned" {
		t.Errorf("of another platform: %q as %s", got, shownStatus(e))
	}
}

// one is a single scope.
func one(level subscription.Level, id ident.ID) []subscription.Scope {
	return []subscription.Scope{{Level: level, ID: id}}
}

// TestWhoGetsIt is the table of §4.4.
func TestWhoGetsIt(t *testing.T) {
	t.Parallel()
	e := oldRun("applied", false, "2020-11-25T00:43:38Z")
	for name, tc := range map[string]struct {
		change func(s *subscription.Subscription)
		want   subscription.Verdict
	}{
		"its workspace":        {func(s *subscription.Subscription) { s.Scopes = one(subscription.LevelWorkspace, sampleWorkspace) }, subscription.Matches},
		"another workspace":    {func(s *subscription.Subscription) { s.Scopes = one(subscription.LevelWorkspace, 1) }, subscription.OtherScope},
		"its environment":      {func(*subscription.Subscription) {}, subscription.Matches},
		"another environment":  {func(s *subscription.Subscription) { s.Scopes = one(subscription.LevelProject, 1) }, subscription.OtherScope},
		"shared":               {func(s *subscription.Subscription) { s.Scopes = one(subscription.LevelOrganization, sampleOrganization) }, subscription.Matches},
		"listed among others":  {func(s *subscription.Subscription) { s.Scopes = append(one(subscription.LevelProject, 1), s.Scopes...) }, subscription.Matches},
		"not shared, no list":  {func(s *subscription.Subscription) { s.Scopes = nil }, subscription.OtherScope},
		"switched off":         {func(s *subscription.Subscription) { s.Enabled = false }, subscription.Disabled},
		"other events":         {func(s *subscription.Subscription) { s.Triggers = []string{runErrored} }, subscription.NotSubscribed},
		"no events":            {func(s *subscription.Subscription) { s.Triggers = nil }, subscription.Empty},
		"everything, from /v1": {func(s *subscription.Subscription) { s.Triggers, s.All = nil, true }, subscription.Matches},
	} {
		s := webhook("wh-1", sampleEndpoint)
		tc.change(s)
		if got := subscription.Judge(s, New().Notices(e)[0], subscription.Places(e)); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
