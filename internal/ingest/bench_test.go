package ingest_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/ident"
	"carillon/internal/ingest"
	"carillon/internal/store"
	"carillon/internal/subscription"
)

// bottomless stores nothing: what is measured is the work of this package alone.
type bottomless struct{ memory }

func (*bottomless) Accept(context.Context, []store.Accept) ([]store.Verdict, error) { return nil, nil }

// BenchmarkAccept measures one event of a known run from a parsed event to its receipt, without a database.
func BenchmarkAccept(b *testing.B) {
	body, err := os.ReadFile("testdata/step.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, fanOut := range []int{0, 1, 10} {
		b.Run(fmt.Sprintf("fan-out=%d", fanOut), func(b *testing.B) {
			h := newHouse(b, func(d *ingest.Deps) {
				d.Committer = &bottomless{}
				d.Offer = func(*event.Event, []delivery.Delivery) {}
				d.Dialects = []dialect.Dialect{plain{name: "alpha"}}
			})
			for n := range fanOut {
				h.subscribe(ident.ID(n+1), "alpha", subscription.LevelOrganization, acme)
			}
			for n := range 1000 {
				h.subscribe(ident.ID(n+1000), "alpha", subscription.LevelWorkspace, ident.Derive("elsewhere", fmt.Sprint(n)))
			}
			parsed, err := event.Parse(body)
			if err != nil {
				b.Fatal(err)
			}
			statuses := []event.Status{event.StatusPlanning, event.StatusApplied}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				e, run, workspace := parsed, *parsed.Run, *parsed.Workspace
				e.Run, e.Workspace, e.Key = &run, &workspace, ""
				e.Run.Status = statuses[n%2]
				if _, err := h.Accept(b.Context(), []event.Event{e}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
