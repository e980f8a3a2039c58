package tfe

import (
	"encoding/json"
	"slices"
	"testing"

	"carillon/internal/event"
	"carillon/internal/subscription"
)

func TestTriggersAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	var rows []struct {
		Value      string   `json:"value"`
		Title      string   `json:"display_name"`
		Scopes     []string `json:"scopes"`
		Deprecated bool     `json:"deprecated"`
		Granular   bool     `json:"granular"`
	}
	if err := json.Unmarshal(file(t, "triggers.json"), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(triggers) {
		t.Fatalf("%d triggers, want %d", len(triggers), len(rows))
	}
	for i, row := range rows {
		got := triggers[i]
		if got.value != row.Value || got.title != row.Title || got.deprecated != row.Deprecated || got.granular != row.Granular {
			t.Errorf("got %+v, want %+v", got, row)
		}
		for _, level := range []subscription.Level{"workspace", "project", "team", "organization", "environment"} {
			if want := slices.Contains(row.Scopes, string(level)); offered(row.Value, level) != want {
				t.Errorf("%s at level %s: got %v, want %v", row.Value, level, !want, want)
			}
		}
	}
	if got := New().Triggers(subscription.LevelTeam); len(got) != 1 || got[0].Value != changeRequestCreated || got[0].Group != "Change requests" {
		t.Errorf("team: got %v", got)
	}
	if got := New().Triggers(subscription.LevelProject); len(got) != 19 || got[2].Value != runNeedsAttention || !got[2].Deprecated {
		t.Errorf("project: got %v", got)
	}
}

type statusRow struct {
	Status   string   `json:"run_status"`
	Waiting  *bool    `json:"waiting"`
	Trigger  string   `json:"trigger"`
	Granular []string `json:"granular"`
	Message  string   `json:"message"`
}

func TestTransitionsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	var rows []statusRow
	if err := json.Unmarshal(file(t, "run_status_map.json"), &rows); err != nil {
		t.Fatal(err)
	}
	seen := map[event.Status]bool{}
	for _, row := range rows {
		seen[event.Status(row.Status)] = true
		if !known(event.Status(row.Status)) {
			t.Errorf("%s is not known", row.Status)
		}
		states := []bool{true, false}
		if row.Waiting != nil {
			states = []bool{*row.Waiting}
		}
		for _, waiting := range states {
			e := sampleRun(event.Status(row.Status), waiting)
			e.Source.Kind = "cli"
			row.check(t, transitionOf(e))
		}
	}
	for status := range statuses {
		if !seen[status] {
			t.Errorf("%s is not in the table", status)
		}
	}
	if known("skipped") {
		t.Error("a status that the platform does not have is known")
	}
}

func (row statusRow) check(t *testing.T, got *transition) {
	t.Helper()
	if got == nil {
		if row.Trigger != "" || len(row.Granular) > 0 {
			t.Errorf("%s fires nothing", row.Status)
		}
		return
	}
	if got.base != row.Trigger || !slices.Equal(got.granular, row.Granular) || got.message != row.Message {
		t.Errorf("%s: got %+v, want %+v", row.Status, got, row)
	}
}

func TestWaitingIsDerivedWhereTheSourceDoesNotSay(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		e    func(*event.Event)
		want bool
	}{
		{"changes and no auto-apply", func(e *event.Event) { e.Run.HasChanges, e.Run.AutoApply = ref(true), ref(false) }, true},
		{"no changes", func(e *event.Event) { e.Run.HasChanges, e.Run.AutoApply = ref(false), ref(false) }, false},
		{"auto-apply", func(e *event.Event) { e.Run.HasChanges, e.Run.AutoApply = ref(true), ref(true) }, false},
		{"unknown", func(*event.Event) {}, false},
		{"another status", func(e *event.Event) {
			e.Run.HasChanges, e.Run.AutoApply, e.Run.Status = ref(true), ref(false), "planning"
		}, false},
		{"a wrapper says", func(e *event.Event) {
			e.Run.HasChanges, e.Run.AutoApply, e.Source.Kind = ref(true), ref(false), "cli"
		}, false},
		{"a platform says", func(e *event.Event) {
			e.Run.HasChanges, e.Run.AutoApply, e.Source.Dialect = ref(true), ref(false), "other"
		}, false},
		{"the event says", func(e *event.Event) { e.Run.Awaiting = true }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := sampleRun("planned", false)
			tc.e(e)
			if got := waiting(e); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
