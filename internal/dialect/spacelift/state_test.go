package spacelift

import (
	"strings"
	"testing"

	"carillon/internal/event"
)

// TestStatesOfForeignRuns follows whole runs of other sources through section 4.3, with the numbers that follow.
func TestStatesOfForeignRuns(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		run  event.Run
		path string // statuses; a star waits for a person
		want string
	}{
		"applied": {event.Run{Operation: "apply"}, "pending fetching plan_queued planning planned* confirmed apply_queued applying applied",
			"QUEUED PLANNING UNCONFIRMED CONFIRMED APPLYING FINISHED"},
		"without asking": {event.Run{Operation: "apply"}, "pending planning planned apply_queued pre_apply_running applying post_apply_running applied",
			"QUEUED PLANNING APPLYING FINISHED"},
		"nothing to do":  {event.Run{}, "pending planning planned_and_finished", "QUEUED PLANNING FINISHED"},
		"a long plan":    {event.Run{}, "pending pre_plan_running pre_plan_completed plan_queued planning planned cost_estimating cost_estimated policy_checking policy_checked* applying applied", "QUEUED PLANNING UNCONFIRMED APPLYING FINISHED"},
		"an override":    {event.Run{}, "planning policy_override* policy_soft_failed", "PLANNING UNCONFIRMED FAILED"},
		"a review":       {event.Run{Operation: "plan"}, "planning planned* planned_and_finished", "PLANNING PENDING_REVIEW FINISHED"},
		"drift":          {event.Run{Drift: true}, "planning policy_override planned_and_finished", "PLANNING PENDING_REVIEW FINISHED"},
		"a task":         {event.Run{Operation: "task"}, "pending planning applying applied", "QUEUED PERFORMING FINISHED"},
		"a destroy run":  {event.Run{Operation: "destroy"}, "pending planning applying applied", "QUEUED PLANNING DESTROYING FINISHED"},
		"a saved plan":   {event.Run{}, "planning planned_and_saved", "PLANNING FINISHED"},
		"canceled early": {event.Run{}, "pending canceled", "QUEUED CANCELED"},
		"canceled late":  {event.Run{}, "pending planning force_canceled", "QUEUED PLANNING STOPPED"},
		"its phase":      {event.Run{Phase: "plan"}, "pending canceled", "QUEUED STOPPED"},
		"discarded":      {event.Run{}, "planned* discarded", "UNCONFIRMED DISCARDED"},
		"failed":         {event.Run{}, "applying errored", "APPLYING FAILED"},
		"skipped":        {event.Run{}, "pending skipped", "QUEUED SKIPPED"},
		"own words":      {event.Run{}, "pending initializing preparing_replan unheard_of planning", "QUEUED INITIALIZING PREPARING_REPLAN PLANNING"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			before := ""
			for _, status := range strings.Fields(c.path) {
				run := c.run
				run.Awaiting = strings.HasSuffix(status, "*")
				run.Status = event.Status(strings.TrimSuffix(status, "*"))
				word := New().Step(&event.Event{Run: &run}, before)
				if word != "" && word != before {
					got, before = append(got, word), word
				}
			}
			if line := strings.Join(got, " "); line != c.want {
				t.Errorf("got %s, want %s", line, c.want)
			}
		})
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		e    event.Event
		want string
	}{
		"plan":     {event.Event{Run: &event.Run{Operation: "plan"}}, "PROPOSED"},
		"apply":    {event.Event{Run: &event.Run{Operation: "apply"}}, "TRACKED"},
		"refresh":  {event.Event{Run: &event.Run{Operation: "refresh"}}, "TRACKED"},
		"import":   {event.Event{Run: &event.Run{Operation: "import"}}, "TRACKED"},
		"nothing":  {event.Event{Run: &event.Run{}}, "TRACKED"},
		"destroy":  {event.Event{Run: &event.Run{Operation: "destroy"}}, "DESTROY"},
		"drift":    {event.Event{Run: &event.Run{Drift: true}}, "PROPOSED"},
		"test":     {event.Event{Run: &event.Run{Operation: "test"}}, "TESTING"},
		"task":     {event.Event{Run: &event.Run{Operation: "task"}}, "TASK"},
		"its word": {event.Event{Run: &event.Run{NativeType: "PARSE"}, Source: event.Source{Dialect: Name}}, "PARSE"},
		"others'":  {event.Event{Run: &event.Run{NativeType: "destroy-all"}, Source: event.Source{Dialect: "elsewhere"}}, "TRACKED"},
	}
	for name, c := range cases {
		c.e.Workspace = &event.Workspace{}
		if got := runType(&c.e); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	if got := runType(&event.Event{Run: &event.Run{}, Workspace: &event.Workspace{Module: true}}); got != "TESTING" {
		t.Errorf("a module: got %s", got)
	}
}

// TestARepeatedStateSaysNothing: two equal states in a row are one transition (section 4.3).
func TestARepeatedStateSaysNothing(t *testing.T) {
	t.Parallel()
	e := sampleRun("r", event.StatusApplyQueued, 1, stateConfirmed, 3)
	e.Run.Steps[Name] = event.Step{Word: stateConfirmed, Number: 3, Repeats: true}
	if got := New().Notices(e); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	e.Run.Steps[Name] = event.Step{Word: stateConfirmed, Number: 3}
	if got := New().Notices(e); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	e.Run.Steps = nil
	if got := New().Notices(e); len(got) != 0 {
		t.Errorf("apply_queued is no state: %v", got)
	}
}
