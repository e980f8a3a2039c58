package storetest

import (
	"fmt"

	"carillon/internal/ident"
	"carillon/internal/store"
)

var changeParts = []part{
	{"changes/what changed since, in order", changedSince},
	{"changes/reading in steps loses nothing", changesInSteps},
	{"changes/a reader that is too far behind is told", changesCut},
}

func changedSince(w *world) {
	start, err := w.Revision(w.ctx)
	w.must(err)
	changed, upTo, complete, err := w.ChangedSince(w.ctx, start, 100)
	w.must(err)
	w.equal("nothing yet", []any{changed, upTo, complete}, []any{nil, start, true})
	a, b, c := w.record(store.KindTeam, "a"), w.record(store.KindTeam, "b"), w.record(store.KindUser, "c")
	first := w.apply(store.Insert(a), store.Insert(b))
	second := w.apply(store.Insert(c))
	third := w.apply(store.Delete(b.Kind, b.ID))
	keys := func(records ...*store.Record) (keys []store.RecordKey) {
		for _, r := range records {
			keys = append(keys, store.RecordKey{Kind: r.Kind, ID: r.ID})
		}
		return keys
	}
	for name, c := range map[string]struct {
		since int64
		want  []store.RecordKey
	}{
		"the last":                {second, keys(b)},
		"the last two":            {first, keys(c, b)},
		"nothing after the last ": {third, nil},
	} {
		changed, upTo, complete, err := w.ChangedSince(w.ctx, c.since, 100)
		w.must(err)
		w.equal(name, []any{changed, upTo, complete}, []any{c.want, third, true})
	}
	_, _, complete, err = w.ChangedSince(w.ctx, third+10, 100)
	w.must(err)
	w.equal("a revision that this store never had", complete, false)
}

// changesInSteps follows the log with a small limit, over steps of several changes each.
func changesInSteps(w *world) {
	want := map[store.RecordKey]bool{}
	at, err := w.Revision(w.ctx)
	w.must(err)
	for step := range 10 {
		var changes []store.Change
		for i := range 1 + step%4 {
			r := w.record(store.KindMembership, fmt.Sprint(step, i))
			changes = append(changes, store.Insert(r))
			want[store.RecordKey{Kind: r.Kind, ID: r.ID}] = true
		}
		w.apply(changes...)
	}
	end, err := w.Revision(w.ctx)
	w.must(err)
	for steps := 0; at < end; steps++ {
		if steps > 100 {
			w.Fatalf("reading the log stands still at revision %d of %d", at, end)
		}
		changed, upTo, complete, err := w.ChangedSince(w.ctx, at, 2)
		w.must(err)
		w.equal("complete", complete, true)
		for _, key := range changed {
			delete(want, key)
		}
		at = upTo
	}
	w.equal("end", at, end)
	w.equal("records that the reader never learned of", len(want), 0)
}

// changesCut makes more changes than the log must keep: a reader from the beginning gets everything or is told to load
// again, and one that is behind by less than ChangesKept gets everything.
func changesCut(w *world) {
	start, err := w.Revision(w.ctx)
	w.must(err)
	const each = store.ChangesKept / 4
	records := make([]store.Change, each)
	for i := range records {
		records[i] = store.Put(&store.Record{Kind: store.KindSetting, ID: ident.ID(i + 1), Parent: w.organization, Body: []byte(`{}`)})
	}
	for range 6 {
		w.apply(records...)
	}
	late := w.apply(records...)
	last := w.apply(records[:10]...)
	changed, upTo, complete, err := w.ChangedSince(w.ctx, start, 1<<30)
	w.must(err)
	if complete && (len(changed) < each || upTo != last) {
		w.Fatalf("%d changes up to revision %d of %d, called complete", len(changed), upTo, last)
	}
	changed, upTo, complete, err = w.ChangedSince(w.ctx, late-1, 1<<30)
	w.must(err)
	w.equal("near the end", []any{len(changed) >= each, upTo, complete}, []any{true, last, true})
	changed, upTo, complete, err = w.ChangedSince(w.ctx, late, 1<<30)
	w.must(err)
	w.equal("at the end", []any{len(changed), upTo, complete}, []any{10, last, true})
}
