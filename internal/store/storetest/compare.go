package storetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

// equal compares what a store gave back with what was put in. Empty and nil are the same, and so are two times of the
// same moment in different zones: no promise tells them apart.
func (w *world) equal(what string, got, want any) {
	w.Helper()
	g, x := normal(reflect.ValueOf(got)), normal(reflect.ValueOf(want))
	if !reflect.DeepEqual(g, x) {
		w.Fatalf("%s:\n got %s\nwant %s", what, spell(g), spell(x))
	}
}

func (w *world) wantErr(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

// normal turns a value into maps, slices and plain values that compare by meaning. Empty collections become nil.
func normal(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if at, ok := v.Interface().(time.Time); ok {
		return at.UnixMicro()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return normal(v.Elem())
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			fields[v.Type().Field(i).Name] = normal(v.Field(i))
		}
		return fields
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return string(v.Bytes())
		}
		var items []any
		for i := range v.Len() {
			items = append(items, normal(v.Index(i)))
		}
		return items
	case reflect.Map:
		if v.Len() == 0 {
			return nil
		}
		items := map[any]any{}
		for _, key := range v.MapKeys() {
			items[key.Interface()] = normal(v.MapIndex(key))
		}
		return items
	}
	return v.Interface()
}

// spell prints a normal value for a person who looks for the difference.
func spell(v any) string {
	text, err := json.Marshal(stringKeys(v))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func stringKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, item := range v {
			text, _ := json.Marshal(key)
			out[string(text)] = stringKeys(item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = stringKeys(item)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range v {
			out = append(out, stringKeys(item))
		}
		return out
	}
	return v
}

// byID returns the deliveries in the order of their IDs.
func byID(deliveries []delivery.Delivery) []delivery.Delivery {
	sorted := slices.Clone(deliveries)
	slices.SortFunc(sorted, func(a, b delivery.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}

// sortedEvents returns the events in the order of their IDs.
func sortedEvents(events []store.Event) []store.Event {
	sorted := slices.Clone(events)
	slices.SortFunc(sorted, func(a, b store.Event) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}

// paged chooses a page from a list that is in the order of IDs: what every paged reading must return.
func paged[T any](all []T, id func(T) ident.ID, p store.Page) []T {
	var chosen []T
	for _, item := range all {
		if (p.After == 0 || id(item) > p.After) && (p.Before == 0 || id(item) < p.Before) {
			chosen = append(chosen, item)
		}
	}
	if p.Newest {
		slices.Reverse(chosen)
	}
	limit := p.Limit
	if limit == 0 {
		limit = 50
	}
	return chosen[:min(limit, len(chosen))]
}

// pagesOf lists the pages by which a list of these IDs is asked for in tests: from both ends, in several sizes, and
// from cursors on both sides.
func pagesOf(ids []ident.ID) map[string]store.Page {
	pages := map[string]store.Page{
		"default":       {},
		"newest":        {Newest: true},
		"two oldest":    {Limit: 2},
		"three newest":  {Limit: 3, Newest: true},
		"one oldest":    {Limit: 1},
		"far more":      {Limit: 10_000},
		"before first":  {Before: 1},
		"after the end": {After: 1<<63 - 1},
	}
	if len(ids) > 2 {
		middle := ids[len(ids)/2]
		pages["after the middle"] = store.Page{After: middle, Limit: 3}
		pages["before the middle"] = store.Page{Before: middle, Limit: 3}
		pages["newest before the middle"] = store.Page{Before: middle, Newest: true, Limit: 2}
		pages["newest after the middle"] = store.Page{After: middle, Newest: true, Limit: 2}
		pages["between"] = store.Page{After: ids[0], Before: ids[len(ids)-1]}
		pages["between, newest"] = store.Page{After: ids[0], Before: ids[len(ids)-1], Newest: true, Limit: 2}
	}
	return pages
}
