package scalr

import (
	"encoding/json"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

// render renders the event for the webhook as the engine would.
func render(t *testing.T, e *event.Event, s *subscription.Subscription) *delivery.Message {
	t.Helper()
	notices := New().Notices(e)
	if len(notices) != 1 {
		t.Fatalf("the event fires %v", notices)
	}
	msg, err := New().Render(dialect.Input{Event: e, Notice: notices[0], Subscription: s, Site: sampleSite})
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	old, integration := webhook("wh-t6v0g1l0dlqhh58", sampleEndpoint), webhook("wh-v0o90pc58r1t97e", 0)
	with := func(e *event.Event, change func(r *event.Run)) *event.Event {
		change(e.Run)
		return e
	}
	for name, tc := range map[string]struct {
		e *event.Event
		s *subscription.Subscription
	}{
		"gen1-needs_attention": {with(oldRun("policy_checked", true, "2020-11-25T00:43:38Z"), func(r *event.Run) {
			r.Message, r.Origin, r.Variables = "Update variables.tf", "ui", map[string]string{"foo": "bar"}
		}), old},
		"gen1-completed": {with(oldRun("applied", false, "2020-11-25T00:51:02Z"), func(r *event.Run) {
			r.Message, r.Origin = "Updated instance\n", "vcs"
		}), old},
		"gen1-errored": {with(oldRun("errored", false, "2020-11-25T00:44:10Z"), func(r *event.Run) {
			r.Message, r.Origin, r.CreatedBy = `Größe ändern <prod> & "test"`, "cli", nil
		}), old},
		"gen2-completed": {with(newRun("applied", "2024-07-03T16:27:10Z"), func(r *event.Run) {
			r.Message = "Updated instance\n"
		}), integration},
		"gen2-needs_attention": {newRun("policy_override", "2024-07-03T16:26:01Z"), integration},
		"gen2-errored": {with(newRun("canceled", "2024-07-03T16:26:40Z"), func(r *event.Run) {
			r.Message, r.Variables = "Updated instance\n", map[string]string{"some_name": "bar", "Other-Name": ""}
		}), integration},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameBytes(t, render(t, tc.e, tc.s).Body, file(t, "delivery/"+name+".json"))
		})
	}
}

// TestGeneration covers what decides over the shape (§3).
func TestGeneration(t *testing.T) {
	t.Parallel()
	e := oldRun("applied", false, "2020-11-25T00:51:02Z")
	for name, tc := range map[string]struct {
		s    *subscription.Subscription
		want string
	}{
		"with an endpoint":                {webhook("wh-1", sampleEndpoint), "{\n  \"payload_version\": 1,\n"},
		"without":                         {webhook("wh-1", 0), `{"environment":{"id":`},
		"an endpoint, asked for the new":  {chosen(webhook("wh-1", sampleEndpoint), `{"generation":2}`), `{"environment":{"id":`},
		"no endpoint, asked for the old":  {chosen(webhook("wh-1", 0), `{"generation":1}`), "{\n  \"payload_version\": 1,\n"},
		"settings of another shape count": {chosen(webhook("wh-1", 0), `{"generation":"x"}`), `{"environment":{"id":`},
	} {
		if got := string(render(t, e, tc.s).Body); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func chosen(s *subscription.Subscription, settings string) *subscription.Subscription {
	s.Settings = json.RawMessage(settings)
	return s
}

// TestOwnLinks covers events whose source has no pages: the links are ours, and never empty (§3).
func TestOwnLinks(t *testing.T) {
	t.Parallel()
	e := oldRun("applied", false, "2020-11-25T00:51:02Z")
	e.Run.URL, e.Workspace.URL, e.Project.URL = "", "", ""
	e.Run.ExternalIDs = nil
	got := string(render(t, e, webhook("wh-1", 0)).Body)
	page := `https://carillon.example.com/v2/e/env-sfuari395m7sck1/`
	id := runIDs.Encode(e.Run.ID)
	for _, want := range []string{
		`"url":"` + page + `"`, `"url":"` + page + `workspaces/ws-t5hft7e7v366rd0"`, `"url":"` + page + `workspaces/ws-t5hft7e7v366rd0/runs/` + id + `"`,
		`"id":"` + id + `"`, `"source":"api"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %s", got, want)
		}
	}
	if !runIDs.Matches(id) {
		t.Errorf("the run is %s", id)
	}
}

// TestTimesHaveThreeForms is the trap of §8.1: payloads without a zone, Date with +0000.
func TestTimesHaveThreeForms(t *testing.T) {
	t.Parallel()
	e := oldRun("applied", false, "2020-11-25T02:51:02+02:00")
	msg := render(t, e, webhook("wh-1", 0))
	if got := string(msg.Body); !strings.Contains(got, `"updated-at":"2020-11-25T00:51:02"`) {
		t.Errorf("got %s", got)
	}
	New().Sign(msg, dialect.Signing{At: at("2020-11-25T02:51:02+02:00"), Delivery: &delivery.Delivery{ID: 3 << 13}})
	if got := msg.Get("Date"); got != "2020-11-25T00:51:02+0000" {
		t.Errorf("Date: %s", got)
	}
	e.Run.CreatedAt, e.OccurredAt, e.AcceptedAt = e.OccurredAt, e.AcceptedAt, at("2021-01-02T03:04:05Z")
	if got := string(render(t, e, webhook("wh-1", 0)).Body); !strings.Contains(got, `"updated-at":"2021-01-02T03:04:05"`) {
		t.Errorf("without its own time: %s", got)
	}
}
