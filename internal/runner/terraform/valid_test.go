package terraform_test

import (
	"encoding/json"
	"testing"
	"time"

	terraformdata "carillon/examples/terraform-data"
	"carillon/internal/event"
	"carillon/internal/runner"
)

// TestEventsAreWhatTheServerTakes reads the events of a run, of an assessment and of the recording as the server does.
func TestEventsAreWhatTheServerTakes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	facts := runner.Facts{
		RunID: "run-1", Place: runner.Place{Organization: "acme", Project: "shop", Name: "prod"}, Message: "Ship it",
		Actor: &event.Actor{Name: "alice"}, Trigger: "push", URL: "https://ci.example/1", Branch: "main", Tool: "terraform",
		Job: "github", Commit: &event.Commit{Hash: "abc", At: at}, Labels: []string{"blue"}, Repository: "acme/shop", VCS: "github",
	}
	inv := read(t, "terraform", "apply")
	track := runner.NewTrack(inv, facts)
	events := track.Begin(at)
	for _, o := range inv.Recognizer.Read(runner.Output, readFile(t, recordings, "apply-error", "out")) {
		events = append(events, track.Observe(o, at)...)
	}
	events = append(events, track.End(runner.Exit{Code: 1}, at)...)
	events = append(events, facts.AssessmentEvent(event.Assessment{
		New:   event.AssessmentResult{Succeeded: true, Drifted: true, DriftedResourceList: []string{"a.b"}, CreatedAt: at},
		Prior: &event.AssessmentResult{}, DriftChanged: new(true),
	}, at))
	steps, err := terraformdata.Recording()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		e, err := event.Decode(step.Event)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, runner.Replay(*e, facts, at.Add(step.After)))
	}
	for _, e := range events {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := event.Parse(body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}
