package storetest

import (
	"fmt"
	"slices"
	"time"

	"carillon/internal/ident"
	"carillon/internal/store"
)

var eventParts = []part{
	{"events/filters and pages", listEvents},
	{"events/walking through all pages", walkEvents},
}

// estate is a handful of events in two organizations, and the filters that tests ask for them with.
type estate struct {
	events         []store.Event // in the order of their IDs
	first, second  ident.ID      // organizations
	project, other ident.ID      // projects of the first
	left, right    ident.ID      // workspaces of the first
	runs           []ident.ID
}

// settle commits an estate: runs of three events in two workspaces, events of other kinds, and another organization.
func (w *world) settle() estate {
	w.Helper()
	e := estate{
		first: w.organization, second: w.id(), project: w.project, other: w.id(), left: w.workspace, right: w.id(),
	}
	for range 5 {
		e.runs = append(e.runs, w.id())
	}
	add := func(changes ...func(*store.Accept)) {
		a := w.accept(1, changes...)
		w.commit(store.Batch{Accepts: []store.Accept{a}})
		e.events = append(e.events, a.Event)
	}
	for sequence := range int64(3) {
		for i, run := range e.runs {
			add(inRun(run, sequence), func(a *store.Accept) {
				if sequence == 0 {
					a.Event.RunAlias = fmt.Sprint("run-", i)
				}
				switch {
				case i == 4:
					of(e.second)(a)
					a.Event.Project, a.Event.Workspace = 0, 0
				case i%2 == 1:
					a.Event.Project, a.Event.Workspace = e.other, e.right
				}
			})
		}
		add(func(a *store.Accept) { a.Event.Kind = "workspace" })
		add(func(a *store.Accept) { a.Event.Kind, a.Event.Workspace, a.Event.Project = "account", 0, 0 })
	}
	return e
}

// chosen is the rule of EventFilter.
func chosen(f store.EventFilter, e store.Event) bool {
	return (f.Organizations == nil || slices.Contains(f.Organizations, e.Organization)) &&
		(f.Project == 0 || f.Project == e.Project) && (f.Workspace == 0 || f.Workspace == e.Workspace) &&
		(f.Run == 0 || f.Run == e.Run) && (f.Kinds == nil || slices.Contains(f.Kinds, e.Kind)) && within(f.Range, e.ID)
}

// within is the rule of Range: from the first moment on, until before the second.
func within(r store.Range, id ident.ID) bool {
	return (r.From.IsZero() || id >= ident.At(r.From)) && (r.To.IsZero() || id < ident.At(r.To))
}

func (e estate) filters() map[string]store.EventFilter {
	at := func(i int) time.Time { return e.events[i].ID.Time() }
	return map[string]store.EventFilter{
		"all":                      {},
		"organization":             {Organizations: []ident.ID{e.first}},
		"the other one":            {Organizations: []ident.ID{e.second}},
		"two organizations":        {Organizations: []ident.ID{e.second, 77, e.first}},
		"no organization":          {Organizations: []ident.ID{}},
		"an unknown organization":  {Organizations: []ident.ID{77}},
		"project":                  {Organizations: []ident.ID{e.first}, Project: e.other},
		"project alone":            {Project: e.project},
		"workspace":                {Workspace: e.right},
		"workspace, organization":  {Organizations: []ident.ID{e.first}, Workspace: e.left},
		"workspace, wrong one":     {Organizations: []ident.ID{e.second}, Workspace: e.left},
		"run":                      {Run: e.runs[1]},
		"run, organizations":       {Run: e.runs[1], Organizations: []ident.ID{e.first, e.second}},
		"run, wrong organization":  {Run: e.runs[1], Organizations: []ident.ID{e.second}},
		"kind":                     {Kinds: []string{"workspace"}},
		"kinds":                    {Kinds: []string{"workspace", "account"}, Organizations: []ident.ID{e.first}},
		"unknown kind":             {Kinds: []string{"nothing"}},
		"from":                     {Range: store.Range{From: at(7)}},
		"to":                       {Range: store.Range{To: at(7)}},
		"between":                  {Range: store.Range{From: at(3), To: at(12)}, Organizations: []ident.ID{e.first}},
		"between, workspace, kind": {Range: store.Range{From: at(3), To: at(18)}, Workspace: e.left, Kinds: []string{"run"}},
	}
}

func listEvents(w *world) {
	e := w.settle()
	for name, filter := range e.filters() {
		all := slices.DeleteFunc(slices.Clone(e.events), func(one store.Event) bool { return !chosen(filter, one) })
		for at, page := range pagesOf(eventIDs(all)) {
			got, err := w.ListEvents(w.ctx, filter, page)
			w.must(err)
			w.equal(name+", "+at, got, paged(all, eventID, page))
		}
	}
}

func walkEvents(w *world) {
	e := w.settle()
	filter := store.EventFilter{Organizations: []ident.ID{e.first, e.second}, Kinds: []string{"run", "account"}}
	want := slices.DeleteFunc(slices.Clone(e.events), func(one store.Event) bool { return !chosen(filter, one) })
	for _, newest := range []bool{false, true} {
		var got []store.Event
		page := store.Page{Limit: 4, Newest: newest}
		for {
			events, err := w.ListEvents(w.ctx, filter, page)
			w.must(err)
			if len(events) == 0 {
				break
			}
			got = append(got, events...)
			if last := events[len(events)-1].ID; newest {
				page.Before = last
			} else {
				page.After = last
			}
		}
		if newest {
			slices.Reverse(got)
		}
		w.equal(fmt.Sprint("newest first: ", newest), got, want)
	}
}

func eventID(e store.Event) ident.ID { return e.ID }

func eventIDs(events []store.Event) []ident.ID {
	var ids []ident.ID
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}
