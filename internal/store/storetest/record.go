package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"carillon/internal/ident"
	"carillon/internal/store"
)

var recordParts = []part{
	{"records/they come back as they were put", recordKept},
	{"records/insert, update and delete", recordLife},
	{"records/expectations", recordExpect},
	{"records/names are unique within kind and parent", recordNames},
	{"records/aliases are unique within the kind", recordAliases},
	{"records/all changes or none", recordAtomic},
	{"records/lists, pages and counts", recordLists},
}

func (w *world) apply(changes ...store.Change) int64 {
	w.Helper()
	revision, err := w.Apply(w.ctx, changes)
	w.must(err)
	now, err := w.Revision(w.ctx)
	w.must(err)
	w.equal("revision", now, revision)
	return revision
}

func (w *world) record(kind store.Kind, name string, aliases ...string) *store.Record {
	id := w.id()
	return &store.Record{
		Kind: kind, ID: id, Parent: w.organization, Name: name, Aliases: aliases, Body: []byte(fmt.Sprintf(`{"id":"%s"}`, id)),
	}
}

func (w *world) get(r *store.Record) store.Record {
	w.Helper()
	got, err := w.Get(w.ctx, r.Kind, r.ID)
	w.must(err)
	return withSortedAliases(got)
}

// withSortedAliases orders the aliases: they are a set.
func withSortedAliases(r store.Record) store.Record {
	r.Aliases = slices.Clone(r.Aliases)
	slices.Sort(r.Aliases)
	return r
}

func recordKept(w *world) {
	for name, change := range map[string]func(*store.Record){
		"plain":     func(*store.Record) {},
		"odd JSON":  func(r *store.Record) { r.Body = []byte("{ \"b\":1.00,\n\t\"a\": \"<\\u00e9>\", \"b\": 2 }") },
		"no name":   func(r *store.Record) { r.Name = "" },
		"no parent": func(r *store.Record) { r.Parent = 0 },
		"aliases":   func(r *store.Record) { r.Aliases = []string{"a'b", "external:ws-1", "☃"} },
		"odd name":  func(r *store.Record) { r.Name = ` it's "x" % _ \ ` },
	} {
		r := w.record(store.KindWorkspace, "w")
		change(r)
		revision := w.apply(store.Put(r))
		w.equal(name+": the revision is given", r.Revision, revision)
		w.equal(name, w.get(r), *r)
		w.apply(store.Delete(r.Kind, r.ID))
	}
	_, err := w.Get(w.ctx, store.KindWorkspace, w.id())
	w.wantErr("unknown", err, store.ErrNotFound)
}

func recordLife(w *world) {
	r := w.record(store.KindTeam, "ops", "a", "b")
	first := w.apply(store.Insert(r))
	r.Name, r.Aliases, r.Body, r.Parent = "operations", []string{"b", "c"}, []byte(`{"n":2}`), w.id()
	second := w.apply(store.Update(r))
	w.equal("revisions rise by one", second, first+1)
	w.equal("updated", w.get(r), *r)
	for name, found := range map[string]bool{"ops": false, "operations": true} {
		_, err := w.ByName(w.ctx, store.KindTeam, r.Parent, name)
		w.equal("by name "+name, err == nil, found)
	}
	for alias, found := range map[string]bool{"a": false, "b": true, "c": true} {
		got, err := w.ByAlias(w.ctx, store.KindTeam, alias)
		w.equal("by alias "+alias, err == nil, found)
		if found {
			w.equal("by alias "+alias, withSortedAliases(got), *r)
		}
	}
	other := w.record(store.KindUser, "x")
	other.ID = r.ID // another kind's identifiers are another kind's
	w.apply(store.Insert(other))
	w.apply(store.Delete(store.KindTeam, r.ID))
	_, err := w.Get(w.ctx, store.KindTeam, r.ID)
	w.wantErr("deleted", err, store.ErrNotFound)
	_, err = w.ByName(w.ctx, store.KindTeam, r.Parent, "operations")
	w.wantErr("deleted, by name", err, store.ErrNotFound)
	_, err = w.ByAlias(w.ctx, store.KindTeam, "b")
	w.wantErr("deleted, by alias", err, store.ErrNotFound)
	w.equal("of the other kind", w.get(other), *other)
	w.apply(store.Delete(store.KindTeam, r.ID)) // that it is gone is no error
	w.apply(store.Insert(w.record(store.KindTeam, "operations", "a", "b", "c")))
}

func recordExpect(w *world) {
	r := w.record(store.KindSource, "s")
	w.apply(store.Insert(r))
	stale := *r
	w.apply(store.Update(r))
	before, err := w.Revision(w.ctx)
	w.must(err)
	gone := w.record(store.KindSource, "gone")
	w.apply(store.Insert(gone))
	w.apply(store.Delete(gone.Kind, gone.ID))
	for name, change := range map[string]store.Change{
		"insert what exists":   store.Insert(&store.Record{Kind: r.Kind, ID: r.ID, Name: "new", Body: []byte(`{}`)}),
		"update what changed":  store.Update(&stale),
		"update what is gone":  store.Update(gone),
		"delete what changed":  {Delete: &store.RecordKey{Kind: r.Kind, ID: r.ID}, Expect: stale.Revision},
		"update from nowhere":  {Put: &store.Record{Kind: r.Kind, ID: w.id(), Name: "n", Body: []byte(`{}`)}, Expect: 5},
		"update of the future": {Put: &store.Record{Kind: r.Kind, ID: r.ID, Name: "n", Body: []byte(`{}`)}, Expect: 1 << 40},
	} {
		_, err := w.Apply(w.ctx, []store.Change{change})
		w.wantErr(name, err, store.ErrRevision)
		w.equal(name, w.get(r), *r)
	}
	now, err := w.Revision(w.ctx)
	w.must(err)
	w.equal("what fails raises nothing", now, before+2)
	w.apply(store.Change{Delete: &store.RecordKey{Kind: r.Kind, ID: r.ID}, Expect: r.Revision})
}

func recordNames(w *world) {
	r := w.record(store.KindProject, "app")
	w.apply(store.Insert(r))
	taken := func(what string, change store.Change, name string) {
		w.Helper()
		_, err := w.Apply(w.ctx, []store.Change{change})
		w.wantErr(what, err, store.ErrTaken)
		var e *store.TakenError
		if !errors.As(err, &e) || e.Kind != store.KindProject || e.Name != name || e.Alias != "" {
			w.Fatalf("%s: error %#v, want one that says what is taken", what, err)
		}
	}
	second := w.record(store.KindProject, "app")
	taken("insert", store.Insert(second), "app")
	second.Name = "web"
	w.apply(store.Insert(second))
	second.Name = "app"
	taken("rename", store.Update(second), "app")

	elsewhere := w.record(store.KindProject, "app")
	elsewhere.Parent = w.id()
	upper := w.record(store.KindProject, "App")
	w.apply(store.Insert(elsewhere), store.Insert(upper), store.Insert(w.record(store.KindWorkspace, "app")))
	w.apply(store.Insert(w.record(store.KindProject, "")), store.Insert(w.record(store.KindProject, "")))
	got, err := w.ByName(w.ctx, store.KindProject, elsewhere.Parent, "app")
	w.must(err)
	w.equal("within its parent", withSortedAliases(got), *elsewhere)
	_, err = w.ByName(w.ctx, store.KindProject, elsewhere.Parent, "")
	w.wantErr("the empty name is no name", err, store.ErrNotFound)

	next := w.record(store.KindProject, "app") // a name that is freed by an earlier change of the same step is free
	w.apply(store.Delete(r.Kind, r.ID), store.Insert(next))
	w.apply(store.Update(next)) // and a record's own name is not taken from it
}

func recordAliases(w *world) {
	r := w.record(store.KindWorkspace, "one", "ws-1", "ws-1", "st-1")
	w.apply(store.Insert(r))
	second := w.record(store.KindWorkspace, "two", "ws-2", "ws-1")
	second.Parent = w.id()
	_, err := w.Apply(w.ctx, []store.Change{store.Insert(second)})
	w.wantErr("alias", err, store.ErrTaken)
	var e *store.TakenError
	if !errors.As(err, &e) || e.Kind != store.KindWorkspace || e.Alias != "ws-1" {
		w.Fatalf("error %#v, want one that says what is taken", err)
	}
	_, err = w.ByAlias(w.ctx, store.KindWorkspace, "ws-2")
	w.wantErr("nothing of it was stored", err, store.ErrNotFound)
	w.apply(store.Insert(w.record(store.KindTeam, "one", "ws-1")))
	r.Aliases = []string{"st-1"}
	w.apply(store.Update(r), store.Insert(second))
	got, err := w.ByAlias(w.ctx, store.KindWorkspace, "ws-1")
	w.must(err)
	w.equal("freed", got.ID, second.ID)
}

func recordAtomic(w *world) {
	r := w.record(store.KindUser, "ann")
	before := w.apply(store.Insert(r))
	good, bad := w.record(store.KindUser, "bob", "b"), w.record(store.KindUser, "ann")
	_, err := w.Apply(w.ctx, []store.Change{store.Insert(good), store.Delete(store.KindUser, w.id()), store.Insert(bad)})
	w.wantErr("apply", err, store.ErrTaken)
	_, err = w.Get(w.ctx, good.Kind, good.ID)
	w.wantErr("the first change", err, store.ErrNotFound)
	_, err = w.ByAlias(w.ctx, good.Kind, "b")
	w.wantErr("its alias", err, store.ErrNotFound)
	bad.Revision = before // it never was
	_, err = w.Apply(w.ctx, []store.Change{store.Delete(r.Kind, r.ID), store.Update(bad)})
	if err == nil {
		w.Fatal("a record that never was could be updated")
	}
	w.equal("the record that was to be deleted", w.get(r), *r)
	now, err := w.Revision(w.ctx)
	w.must(err)
	w.equal("revision", now, before)
	ended, end := context.WithCancel(w.ctx)
	end()
	if _, err := w.Apply(ended, []store.Change{store.Put(good)}); err == nil {
		w.Fatal("changes were made for a caller that had gone")
	}
	after := w.apply(store.Put(good))
	w.equal("one step, one revision", after, before+1)
}

func recordLists(w *world) {
	other := w.id()
	var all []store.Record
	var changes []store.Change
	for i := range 60 {
		r := w.record(store.KindSubscription, "", fmt.Sprint("s-", i))
		if i%4 == 1 {
			r.Parent = other
		}
		changes = append(changes, store.Insert(r), store.Insert(w.record(store.KindVersion, "")))
	}
	w.apply(changes...)
	for _, c := range changes {
		if c.Put.Kind == store.KindSubscription {
			all = append(all, *c.Put)
		}
	}
	slices.SortFunc(all, func(a, b store.Record) int { return cmp.Compare(a.ID, b.ID) })
	for name, parent := range map[string]ident.ID{"every parent": 0, "one parent": other, "unknown": w.id()} {
		want := slices.DeleteFunc(slices.Clone(all), func(r store.Record) bool { return parent != 0 && r.Parent != parent })
		var ids []ident.ID
		for _, r := range want {
			ids = append(ids, r.ID)
		}
		for at, page := range pagesOf(ids) {
			got, err := w.List(w.ctx, store.KindSubscription, parent, page)
			w.must(err)
			w.equal(name+", "+at, got, paged(want, func(r store.Record) ident.ID { return r.ID }, page))
		}
		n, err := w.Count(w.ctx, store.KindSubscription, parent)
		w.must(err)
		w.equal(name+", count", n, len(want))
	}
}
