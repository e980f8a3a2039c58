package ingest_test

import (
	"context"
	"maps"
	"testing"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/subscription"
)

// numbering is a dialect that numbers what ends.
type numbering struct{ plain }

func (numbering) Counters(e *event.Event) []string {
	switch {
	case e.Run == nil:
		return []string{"checks"}
	case e.Run.Number != 0:
		return nil
	case e.Run.Status == event.StatusApplied:
		return []string{"jobs", "updates"}
	}
	return []string{"jobs"}
}

// counters counts in memory.
type counters struct {
	drawn map[ident.ID]map[string]int64
	fail  error
}

func (c *counters) count(_ context.Context, workspace ident.ID, name string) (int64, error) {
	if c.drawn[workspace] == nil {
		c.drawn[workspace] = map[string]int64{}
	}
	c.drawn[workspace][name]++
	return c.drawn[workspace][name], c.fail
}

func numberingHouse(t *testing.T) (*house, *counters) {
	c := &counters{drawn: map[ident.ID]map[string]int64{}}
	h := newHouse(t, func(d *ingest.Deps) {
		d.Dialects = append(d.Dialects, numbering{plain{name: "gamma"}})
		d.Count, d.Runs = c.count, 4
	})
	return h, c
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	h, c := numberingHouse(t)
	wantNumbers := func(want map[string]int64) {
		t.Helper()
		if got := h.last(t).Numbers; !maps.Equal(got, want) {
			t.Errorf("the numbers are %v, want %v", got, want)
		}
	}
	h.accept(t, step(event.StatusPending))
	wantNumbers(nil) // nobody listens who wants any
	h.subscribe(1, "gamma", subscription.LevelOrganization, acme)
	h.accept(t, step(event.StatusPlanning))
	wantNumbers(map[string]int64{"jobs": 1})
	h.accept(t, step(event.StatusPending, ofRun("r2")))
	wantNumbers(map[string]int64{"jobs": 2})
	h.accept(t, step(event.StatusApplied))
	wantNumbers(map[string]int64{"jobs": 1, "updates": 1})
	h.accept(t, step(event.StatusPending, ofRun("r3"), func(e *event.Event) { e.Run.Number = 7 }))
	wantNumbers(nil)
	h.accept(t, event.Event{Kind: event.KindAssessment, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "net"}, Assessment: &event.Assessment{}})
	wantNumbers(map[string]int64{"checks": 1})
	if got := c.drawn[workspaceID("net")]; !maps.Equal(got, map[string]int64{"jobs": 2, "updates": 1, "checks": 1}) {
		t.Errorf("%v were drawn", got)
	}
}

// TestNumbersOfARunThatWasForgotten checks that a run keeps its numbers when this node has forgotten it.
func TestNumbersOfARunThatWasForgotten(t *testing.T) {
	t.Parallel()
	h, c := numberingHouse(t)
	h.subscribe(1, "gamma", subscription.LevelOrganization, acme)
	h.accept(t, step(event.StatusPending))
	for _, name := range []string{"r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"} {
		h.accept(t, step(event.StatusPending, ofRun(name)))
	}
	h.accept(t, step(event.StatusApplied))
	if got := h.last(t); got.Numbers["jobs"] != 1 || got.Numbers["updates"] != 1 || got.Run.Sequence != 1 {
		t.Errorf("%v, sequence %d", got.Numbers, got.Run.Sequence)
	}
	if n := c.drawn[workspaceID("net")]["jobs"]; n != 9 {
		t.Errorf("%d were drawn for 9 runs", n)
	}
}

func TestNumbersThatCanNotBeDrawn(t *testing.T) {
	t.Parallel()
	h, c := numberingHouse(t)
	h.subscribe(1, "gamma", subscription.LevelOrganization, acme)
	c.fail = context.DeadlineExceeded
	if _, err := h.Accept(t.Context(), []event.Event{step(event.StatusPending)}); err == nil || len(h.ledger.events) != 0 {
		t.Errorf("the event was stored: %v", err)
	}
}

var _ dialect.Numberer = numbering{}
