package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/subscription"
)

func TestStepsAreCountedAndRepeatsAreOneStep(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		steps []event.Event
		want  string
	}{
		"steps of one run": {
			[]event.Event{step("pending"), step("planning"), step("applied")}, "event 0 seq 0, event 1 seq 1, event 2 seq 2"},
		"equal statuses in a row": {
			[]event.Event{step("pending"), step("planning"), step("planning"), step("pending")},
			"event 0 seq 0, event 1 seq 1, event 1 seq 1 duplicate, event 2 seq 2"},
		"equal but for awaiting": {
			[]event.Event{step("planned"), step("planned", awaiting), step("planned", awaiting)},
			"event 0 seq 0, event 1 seq 1, event 1 seq 1 duplicate"},
		"two runs": {
			[]event.Event{step("pending"), step("pending", ofRun("r2")), step("planning", ofRun("r2")), step("planning")},
			"event 0 seq 0, event 1 seq 0, event 2 seq 1, event 3 seq 1"},
		"equal keys": {
			[]event.Event{step("pending", withKey("k")), step("planning"), step("pending", withKey("k"))},
			"event 0 seq 0, event 1 seq 1, event 0 seq 0 duplicate"},
		"equal keys of two runs": {
			[]event.Event{step("pending", withKey("k")), step("applied", ofRun("r2"), withKey("k"))},
			"event 0 seq 0, event 0 seq 0 duplicate"},
		"a source that counts": {
			[]event.Event{step("pending", counted(4)), step("planning", counted(9)), step("planning", counted(10))},
			"event 0 seq 4, event 1 seq 9, event 2 seq 10"},
		"a counted step again": {
			[]event.Event{step("pending", counted(1)), step("planning", counted(2)), step("planning", counted(2)), step("pending", counted(1))},
			"event 0 seq 1, event 1 seq 2, event 1 seq 2 duplicate, event 0 seq 1 duplicate"},
		"a counted step that is late": {
			[]event.Event{step("pending", counted(1)), step("applied", counted(3)), step("planning", counted(2)), step("errored")},
			"event 0 seq 1, event 1 seq 3, event 2 seq 2, event 3 seq 4"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// However the steps are cut into requests, and whether the node still knows the run, makes no difference.
			for _, runs := range []int{0, 1} {
				one, each := newHouse(t, remember(runs)), newHouse(t, remember(runs))
				if got := one.describe(one.accept(t, copies(test.steps)...)); got != test.want {
					t.Errorf("in one request, runs %d:\ngot  %s\nwant %s", runs, got, test.want)
				}
				var got []string
				for _, s := range copies(test.steps) {
					got = append(got, each.describe(each.accept(t, s)))
				}
				if strings.Join(got, ", ") != test.want {
					t.Errorf("in several requests, runs %d:\ngot  %s\nwant %s", runs, strings.Join(got, ", "), test.want)
				}
			}
		})
	}
}

func remember(runs int) func(*ingest.Deps) { return func(d *ingest.Deps) { d.Runs = runs } }

// copies returns events that share nothing: the parts of accepted events belong to Ingest.
func copies(events []event.Event) []event.Event {
	out := slices.Clone(events)
	for n := range out {
		run, workspace := *out[n].Run, *out[n].Workspace
		out[n].Run, out[n].Workspace = &run, &workspace
	}
	return out
}

func TestLateStepIsMarkedAndDoesNotMoveTheRunBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.accept(t, step("pending", counted(1)), step("applied", counted(3)))
	h.accept(t, step("planning", counted(2), func(e *event.Event) { e.Source.Metadata = map[string]string{"a": "b"} }))
	if late := h.last(t); late.Source.Metadata[ingest.MetadataLate] != "true" || late.Source.Metadata["a"] != "b" || late.Run.Sequence != 2 {
		t.Errorf("late step: %+v, sequence %d", late.Source, late.Run.Sequence)
	}
	h.accept(t, step("discarded"))
	if next := h.last(t); next.Run.Sequence != 4 || next.Source.Metadata[ingest.MetadataLate] != "" {
		t.Errorf("next step: sequence %d, %+v", next.Run.Sequence, next.Source)
	}
}

func TestTwoNodesCountOneRun(t *testing.T) {
	t.Parallel()
	a := newHouse(t)
	b := newHouse(t, func(d *ingest.Deps) { d.Committer, d.Ledger, d.IDs = a.ledger, a.ledger, generator(t, 2) })
	b.ledger = a.ledger
	got := a.describe(a.accept(t, step("pending"))) + "; " +
		b.describe(b.accept(t, step("planning"), step("planned"))) + "; " +
		a.describe(a.accept(t, step("planned"), step("applying"))) + "; " +
		b.describe(b.accept(t, step("applied")))
	if want := "event 0 seq 0; event 1 seq 1, event 2 seq 2; event 2 seq 2 duplicate, event 3 seq 3; event 4 seq 4"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestManyAtOnceLeaveNoGapAndNoDouble(t *testing.T) {
	t.Parallel()
	a := newHouse(t)
	b := newHouse(t, func(d *ingest.Deps) { d.Committer, d.Ledger, d.IDs = a.ledger, a.ledger, generator(t, 2) })
	const each = 40
	var wg sync.WaitGroup
	for n := range 8 {
		h := []*house{a, b}[n%2]
		wg.Go(func() {
			for k := range each {
				status := event.Status(fmt.Sprintf("s_%d_%d", n, k))
				for {
					receipts, err := h.Accept(t.Context(), []event.Event{step(status, withKey(string(status)))})
					if fault.Is(err, fault.Unavailable) {
						continue // many nodes at once: send again
					}
					if err != nil || receipts[0].Duplicate {
						t.Errorf("%v, %v", receipts, err)
					}
					break
				}
			}
		})
	}
	wg.Wait()
	var sequences []int64
	for _, e := range a.ledger.events {
		sequences = append(sequences, e.Sequence)
	}
	slices.Sort(sequences)
	for n, sequence := range sequences {
		if int64(n) != sequence {
			t.Fatalf("position %d has sequence %d", n, sequence)
		}
	}
	if len(sequences) != 8*each {
		t.Errorf("%d events are stored, want %d", len(sequences), 8*each)
	}
	for _, h := range []*house{a, b} {
		if !slices.IsSortedFunc(h.offered.events, func(x, y *event.Event) int { return int(x.Run.Sequence - y.Run.Sequence) }) {
			t.Error("the steps of the run were offered out of order")
		}
	}
}

func TestFactsAreCarriedFromStepToStep(t *testing.T) {
	t.Parallel()
	yes := true
	first := step("pending", func(e *event.Event) {
		e.Run.Message, e.Run.URL, e.Run.CreatedAt = "Widen", "https://iac.example.com/r1", now
		e.Run.CreatedBy, e.Run.Operation = &event.Actor{Name: "ada"}, event.OperationDestroy
		e.Run.ExternalIDs = map[string]string{"alpha": "run-1"}
		e.Run.HasChanges, e.Run.Labels, e.Run.Note, e.Run.Error = &yes, []string{"x"}, "a note", "an error"
		e.Workspace.URL, e.Workspace.Tags, e.Workspace.ExecutionMode = "https://iac.example.com/net", []string{"prod"}, "agent"
		e.Project = &event.Project{Name: "default", URL: "https://iac.example.com/p"}
	})
	second := step("planning", func(e *event.Event) {
		e.Run.Message, e.Run.ExternalIDs = "Widen more", map[string]string{"beta": "7"}
	})
	for _, runs := range []int{0, 1} {
		h := newHouse(t, remember(runs))
		h.accept(t, copies([]event.Event{first})...)
		h.accept(t, step("pending", ofRun("another"))) // a memory of one run has forgotten the first
		h.accept(t, copies([]event.Event{second})...)
		e := h.last(t)
		r := e.Run
		if r.Message != "Widen more" || r.URL != "https://iac.example.com/r1" || !r.CreatedAt.Equal(now) || r.CreatedBy.Name != "ada" ||
			r.Operation != event.OperationDestroy || r.ExternalIDs["alpha"] != "run-1" || r.ExternalIDs["beta"] != "7" ||
			!*r.HasChanges || r.Labels[0] != "x" || e.Workspace.Tags[0] != "prod" || e.Workspace.ExecutionMode != "agent" ||
			e.Workspace.URL != "https://iac.example.com/net" || e.Project.URL != "https://iac.example.com/p" {
			t.Errorf("not carried (remembering %d runs): %+v, %+v", runs, r, e.Workspace)
		}
		if r.Note != "" || r.Error != "" {
			t.Errorf("carried although it belongs to one step: %q, %q", r.Note, r.Error)
		}
	}
}

func TestRunIsFoundByItsFirstEvent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		source string
		ids    map[string]string
		want   string
	}{
		"none":              {"", nil, ""},
		"the source's own":  {"beta", map[string]string{"alpha": "a-1", "beta": "b-1"}, "beta:b-1"},
		"the first by name": {"", map[string]string{"gamma": "g-1", "beta": "b-1"}, "beta:b-1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			identify := func(e *event.Event) { e.Run.ExternalIDs, e.Source.Dialect = test.ids, test.source }
			h.accept(t, step("pending", identify), step("planning", identify))
			if got := h.ledger.events[0].RunAlias; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if got := h.ledger.events[1].RunAlias; got != "" {
				t.Errorf("the second event has the alias %q too", got)
			}
			if want := ingest.RunID(workspaceID("net"), "r1"); h.ledger.events[0].Run != want || h.last(t).Run.ID != want {
				t.Errorf("run %s, want %s", h.ledger.events[0].Run, want)
			}
		})
	}
}

func TestOneEventThatHasNoPlaceRefusesAll(t *testing.T) {
	t.Parallel()
	stranger := func(e *event.Event) { e.Organization.Name = "stranger" }
	tests := map[string]struct {
		events []event.Event
		want   string
	}{
		"alone":        {[]event.Event{step("pending", stranger)}, "/organization/name"},
		"among others": {[]event.Event{step("pending"), step("pending", ofRun("r2"), stranger)}, "/1/organization/name"},
		"no run":       {[]event.Event{step("pending"), {Kind: event.KindRun, Organization: event.Organization{Name: "acme"}}}, "/1/run"},
		"no workspace": {[]event.Event{step("pending", func(e *event.Event) { e.Workspace = nil })}, "/workspace"},
		"no kind":      {[]event.Event{{Organization: event.Organization{Name: "acme"}}}, "/kind"},
		"nobody's":     {[]event.Event{{Kind: event.KindOther}}, "/organization/name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			receipts, err := h.Accept(t.Context(), test.events)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Field != test.want || receipts != nil || h.ledger.commits != 0 {
				t.Errorf("got %v, %v after %d commits", receipts, err, h.ledger.commits)
			}
		})
	}
	if receipts, err := newHouse(t).Accept(t.Context(), nil); receipts != nil || err != nil {
		t.Errorf("nothing: got %v, %v", receipts, err)
	}
}

func TestAfterAFailedCommitTheRunIsReadAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.accept(t, step("pending"))
	h.ledger.fail = fault.New(fault.Unavailable, "The disk is full.")
	receipts, err := h.Accept(t.Context(), []event.Event{step("planning"), step("planned")})
	if !fault.Is(err, fault.Unavailable) || len(receipts) != 2 || receipts[0].Event != 0 || receipts[1].Event != 0 {
		t.Errorf("got %+v, %v", receipts, err)
	}
	if got := h.describe(h.accept(t, step("planning"))); got != "event 1 seq 1" || h.ledger.reads == 0 {
		t.Errorf("got %s after %d reads", got, h.ledger.reads)
	}
}

func TestACallerThatGoesAwayDoesNotKeepDeliveriesBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := newHouse(t, func(d *ingest.Deps) {
		d.Failpoint = func(name string) {
			if name == "ingest.before-commit" {
				cancel()
			}
		}
	})
	h.subscribe(1, "alpha", subscription.LevelOrganization, acme)
	if _, err := h.Accept(ctx, []event.Event{step("pending"), step("planning")}); err != nil || len(h.offered.owed) != 2 {
		t.Errorf("%d deliveries were offered, %v", len(h.offered.owed), err)
	}
}

func TestFailpointsStandAroundTheCommit(t *testing.T) {
	t.Parallel()
	var passed []string
	var h *house
	h = newHouse(t, func(d *ingest.Deps) {
		d.Failpoint = func(name string) {
			passed = append(passed, fmt.Sprintf("%s with %d stored and %d offered", name, len(h.ledger.events), len(h.offered.events)))
		}
	})
	h.accept(t, step("pending"))
	want := []string{"ingest.before-commit with 0 stored and 0 offered", "ingest.after-commit with 1 stored and 0 offered"}
	if !slices.Equal(passed, want) {
		t.Errorf("got %q", passed)
	}
}

func TestKnownRunsAreNotRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for n := range 10 {
		h.accept(t, step(event.Status(fmt.Sprint("s", n))))
	}
	if h.ledger.reads != 0 || h.ledger.commits != 10 {
		t.Errorf("%d reads, %d commits", h.ledger.reads, h.ledger.commits)
	}
}

func TestWhatCameInIsCounted(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	h := newHouse(t, func(d *ingest.Deps) { d.Registry = registry })
	h.subscribe(1, "alpha", subscription.LevelOrganization, acme)
	h.subscribe(2, "alpha", subscription.LevelOrganization, acme)
	h.subscribe(3, "beta", subscription.LevelOrganization, acme)
	h.accept(t, step("pending"), step("pending"), step("planning"))
	h.accept(t, step("late", ofRun("r2"), counted(5)), step("late", ofRun("r2"), counted(4)))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		`carillon_deliveries_accepted_total{dialect="alpha"} 8`,
		`carillon_deliveries_accepted_total{dialect="beta"} 4`,
		`carillon_events_total{kind="run",outcome="stored"} 4`,
		`carillon_events_total{kind="run",outcome="duplicate"} 1`,
		`carillon_events_total{kind="other",outcome="stored"} 0`,
		`carillon_events_late_total 1`,
		`carillon_event_recounts_total 0`,
		`carillon_accept_duration_seconds_count 2`,
	} {
		if !strings.Contains(text.String(), line+"\n") {
			t.Errorf("no line %s in\n%s", line, text.String())
		}
	}
}

func TestTimesAndIdentifiersAreGiven(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.accept(t, step("pending"))
	e := h.last(t)
	if !e.AcceptedAt.Equal(now) || !e.OccurredAt.Equal(now) || e.ID != h.ledger.events[0].ID || e.Organization.ID != acme {
		t.Errorf("got %+v", e)
	}
	row := h.ledger.events[0]
	if row.Organization != acme || row.Workspace != workspaceID("net") || row.Project != ident.Derive("project", "default") || row.Kind != "run" {
		t.Errorf("got %+v", row)
	}
	earlier := now.Add(-1e9)
	h.accept(t, step("planning", func(e *event.Event) { e.OccurredAt = earlier }))
	if e := h.last(t); !e.OccurredAt.Equal(earlier) || !e.AcceptedAt.Equal(now) {
		t.Errorf("got %+v", e)
	}
}
