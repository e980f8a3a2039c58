package storetest

import (
	"slices"

	"carillon/internal/ident"
	"carillon/internal/store"
)

var runParts = []part{
	{"runs/filters and pages", listRuns},
	{"runs/their order is that of their beginnings", runOrder},
	{"runs/the events of a run in their sequence", runEvents},
	{"runs/by alias within organizations", runByAlias},
}

func listRuns(w *world) {
	e := w.settle()
	for name, filter := range e.filters() {
		all := slices.DeleteFunc(slices.Clone(e.events), func(one store.Event) bool {
			return one.Run == 0 || one.Sequence > 0 || !chosen(filter, one)
		})
		for at, page := range pagesOf(eventIDs(all)) {
			got, err := w.ListRuns(w.ctx, filter, page)
			w.must(err)
			w.equal(name+", "+at, got, paged(all, eventID, page))
		}
	}
}

// runOrder has runs whose events came in another order than their sequence, and none that begins with 0.
func runOrder(w *world) {
	x, y := w.id(), w.id()
	xLate, yFirst, xFirst, yLate := w.accept(0, inRun(x, 9)), w.accept(0, inRun(y, 5)), w.accept(0, inRun(x, 2)), w.accept(0, inRun(y, 6))
	w.commit(store.Batch{Accepts: []store.Accept{xLate, yFirst, xFirst, yLate, w.accept(0)}})
	got, err := w.ListRuns(w.ctx, store.EventFilter{}, store.Page{})
	w.must(err)
	w.equal("runs", got, []store.Event{yFirst.Event, xFirst.Event})
}

func runEvents(w *world) {
	e := w.settle()
	run := w.id()
	third, first, second := w.accept(0, inRun(run, 12)), w.accept(0, inRun(run, 0)), w.accept(0, inRun(run, 1))
	w.commit(store.Batch{Accepts: []store.Accept{third, first, second}})
	got, err := w.RunEvents(w.ctx, run)
	w.must(err)
	w.equal("events", got, []store.Event{first.Event, second.Event, third.Event})
	got, err = w.RunEvents(w.ctx, e.runs[2])
	w.must(err)
	w.equal("how many", len(got), 3)
	got, err = w.RunEvents(w.ctx, w.id())
	w.must(err)
	w.equal("unknown run", got, nil)
}

func runByAlias(w *world) {
	e := w.settle()
	twin := w.id() // the same alias in another organization
	w.commit(store.Batch{Accepts: []store.Accept{w.accept(0, inRun(twin, 0), aliased("run-0"), of(e.second))}})
	cases := map[string]struct {
		alias         string
		organizations []ident.ID
		want          ident.ID
	}{
		"everywhere":            {"run-1", nil, e.runs[1]},
		"in its organization":   {"run-1", []ident.ID{e.first}, e.runs[1]},
		"in one of several":     {"run-4", []ident.ID{77, e.first, e.second}, e.runs[4]},
		"in another one":        {"run-1", []ident.ID{e.second}, 0},
		"in none":               {"run-1", []ident.ID{}, 0},
		"one of two, the first": {"run-0", []ident.ID{e.first}, e.runs[0]},
		"one of two, the other": {"run-0", []ident.ID{e.second}, twin},
		"unknown":               {"run-99", nil, 0},
		"no alias at all":       {"", nil, 0},
	}
	for name, c := range cases {
		got, err := w.RunByAlias(w.ctx, c.alias, c.organizations)
		if c.want == 0 {
			w.wantErr(name, err, store.ErrNotFound)
			continue
		}
		w.must(err)
		w.equal(name, got, c.want)
	}
}
