package runner_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// word spells an event's status with what goes with it: "planned?+2~1-2" waits, and changes so many.
func word(e event.Event) string {
	text := string(e.Run.Status)
	if e.Run.Awaiting {
		text += "?"
	}
	if c := e.Run.Changes; c != nil {
		text += fmt.Sprintf("+%d~%d-%d", c.Add, c.Change, c.Destroy)
	}
	if e.Run.Phase != "" {
		text += " in " + string(e.Run.Phase)
	}
	return text
}

func TestTrack(t *testing.T) {
	t.Parallel()
	asks := runner.Invocation{Tool: "terraform", Command: "apply", Operation: event.OperationApply, AutoApply: new(false)}
	auto := asks
	auto.AutoApply = new(true)
	plan := runner.Invocation{Tool: "terraform", Command: "plan", Operation: event.OperationPlan, PlanOnly: true, ChangesCode: 2}
	saved := auto
	saved.ApplyOnly = true
	saw := func(sights ...runner.Sight) []runner.Observation {
		var list []runner.Observation
		for _, s := range sights {
			o := runner.Observation{Saw: s}
			switch s {
			case runner.Planned:
				o.HasChanges, o.Changes = new(true), &event.Changes{Add: 2, Change: 1, Destroy: 2, Replace: 1}
			case runner.Completed:
				o.Changes = &event.Changes{Add: 2, Change: 1, Destroy: 1}
			case runner.Failed:
				o.Text = "Error: it broke"
			}
			list = append(list, o)
		}
		return list
	}
	unchanged := []runner.Observation{{Saw: runner.Planned, HasChanges: new(false), Changes: &event.Changes{}}}
	tests := []struct {
		name string
		inv  runner.Invocation
		seen []runner.Observation
		exit runner.Exit
		want string
	}{
		{
			"approved", asks, saw(runner.Planned, runner.Asking, runner.Approved, runner.Applying, runner.Completed), runner.Exit{},
			"pending, planning, planned?+2~1-2, confirmed+2~1-2, applying+2~1-2, applied+2~1-1",
		},
		{
			"approved, first resource not seen", asks, saw(runner.Planned, runner.Asking, runner.Completed), runner.Exit{},
			"pending, planning, planned?+2~1-2, applying+2~1-1, applied+2~1-1",
		},
		{
			"declined", asks, saw(runner.Planned, runner.Asking, runner.Declined), runner.Exit{Code: 1},
			"pending, planning, planned?+2~1-2, discarded+2~1-2",
		},
		{
			"interrupted at the question", asks, saw(runner.Planned, runner.Asking, runner.Interrupted), runner.Exit{Code: 1},
			"pending, planning, planned?+2~1-2, canceled+2~1-2 in plan",
		},
		{
			"auto", auto, saw(runner.Planned, runner.Applying, runner.Completed), runner.Exit{},
			"pending, planning, planned+2~1-2, applying+2~1-2, applied+2~1-1",
		},
		{
			"failed while applying", auto, saw(runner.Planned, runner.Applying, runner.Failed), runner.Exit{Code: 1},
			"pending, planning, planned+2~1-2, applying+2~1-2, errored+2~1-2 in apply",
		},
		{
			"interrupted while applying", auto, saw(runner.Planned, runner.Applying, runner.Interrupted, runner.Interrupted), runner.Exit{Code: 1},
			"pending, planning, planned+2~1-2, applying+2~1-2, canceled+2~1-2 in apply",
		},
		{
			"interrupted and finished all the same", auto, saw(runner.Planned, runner.Applying, runner.Interrupted, runner.Completed), runner.Exit{},
			"pending, planning, planned+2~1-2, applying+2~1-2, applied+2~1-1",
		},
		{"killed", auto, saw(runner.Planned), runner.Exit{Signal: syscall.SIGKILL}, "pending, planning, planned+2~1-2, canceled+2~1-2 in plan"},
		{"failed while planning", asks, saw(runner.Failed), runner.Exit{Code: 1}, "pending, planning, errored in plan"},
		{"nothing understood, success", asks, nil, runner.Exit{}, "pending, planning, applied"},
		{"nothing understood, failure", asks, nil, runner.Exit{Code: 1}, "pending, planning, errored in plan"},
		{"no changes", auto, append(unchanged, saw(runner.Completed)...), runner.Exit{}, "pending, planning, planned_and_finished+0~0-0"},
		{"plan", plan, saw(runner.Planned), runner.Exit{}, "pending, planning, planned_and_finished+2~1-2"},
		{"plan with detailed exit code", plan, saw(runner.Planned), runner.Exit{Code: 2}, "pending, planning, planned_and_finished+2~1-2"},
		{"plan that failed", plan, saw(runner.Failed), runner.Exit{Code: 1}, "pending, planning, errored in plan"},
		{"saved plan", saved, saw(runner.Completed), runner.Exit{}, "pending, applying, applied+2~1-1"},
		{"saved plan that failed", saved, saw(runner.Failed), runner.Exit{Code: 1}, "pending, applying, errored in apply"},
		{
			"steps out of order are not taken back", auto, saw(runner.Applying, runner.Planned, runner.Asking, runner.Approved), runner.Exit{},
			"pending, planning, planned, applying, applied+2~1-2",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			track := runner.NewTrack(tt.inv, runner.Facts{RunID: "run-1", Place: runner.Place{Name: "w"}})
			events := track.Begin(at)
			for i, o := range tt.seen {
				events = append(events, track.Observe(o, at.Add(time.Duration(i)*time.Second))...)
			}
			events = append(events, track.End(tt.exit, at.Add(time.Hour))...)
			if more := append(track.End(tt.exit, at), track.Observe(runner.Observation{Saw: runner.Applying}, at)...); len(more) > 0 {
				t.Errorf("a run that has ended goes on: %v", more)
			}
			var words []string
			for i, e := range events {
				words = append(words, word(e))
				if e.Run.Sequence != int64(i) || !e.Run.Sequenced || e.Key != fmt.Sprintf("cli:run-1:%d", i) {
					t.Errorf("event %d has the sequence %d and the key %q", i, e.Run.Sequence, e.Key)
				}
			}
			if got := strings.Join(words, ", "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTrackSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	inv := runner.Invocation{
		Tool: "terraform", Command: "apply -destroy", Operation: event.OperationDestroy, AutoApply: new(true),
	}
	actor := &event.Actor{Name: "alice"}
	track := runner.NewTrack(inv, runner.Facts{
		RunID: "run-1", Place: runner.Place{Organization: "acme", Project: "shop", Name: "prod"}, Message: "Ship it",
		URL: "https://ci.example/1", Actor: actor, Trigger: "push", Branch: "main", Commit: &event.Commit{Hash: "abc"},
		Repository: "acme/shop", VCS: "github", Job: "github", Tool: "terraform",
	})
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("east", 3600))
	first := track.Begin(at)[0]
	if first.Organization.Name != "acme" || first.Project.Name != "shop" || first.Workspace.Name != "prod" ||
		first.Workspace.Repository != "acme/shop" || first.OccurredAt != at.UTC() || first.Actor != actor {
		t.Errorf("the envelope is %+v", first)
	}
	run := first.Run
	if run.Message != "Ship it" || run.URL != "https://ci.example/1" || run.Operation != event.OperationDestroy ||
		run.NativeType != "apply -destroy" || run.CreatedBy != actor || run.Trigger != "push" || run.Origin != "cli" ||
		run.Branch != "main" || run.Commit.Hash != "abc" || !*run.AutoApply || run.HasChanges != nil || run.CreatedAt != at.UTC() {
		t.Errorf("the run is %+v", run)
	}
	track.Observe(runner.Observation{Saw: runner.Linked, Text: "https://run.example/2"}, at)
	track.Observe(runner.Observation{Saw: runner.Failed, Text: "Error: it broke"}, at)
	last := track.End(runner.Exit{Code: 1}, at)[0]
	if last.Run.URL != "https://run.example/2" || last.Run.Error != "Error: it broke" || last.Actor != nil {
		t.Errorf("the last event is %+v of %+v", last, last.Run)
	}
	if first.Run.URL != "https://ci.example/1" || first.Run.Error != "" {
		t.Error("a later step has changed an earlier event")
	}
}

func TestTrackExplainsAFailureThatPrintedNothing(t *testing.T) {
	t.Parallel()
	track := runner.NewTrack(runner.Invocation{Tool: "tofu", Command: "apply"}, runner.Facts{RunID: "run-1"})
	track.Begin(time.Now())
	events := track.End(runner.Exit{Code: 3}, time.Now())
	if got, want := events[0].Run.Error, "tofu apply ended with exit code 3."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
