package postgres

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/ident"
	"carillon/internal/store"
)

func TestEveryClassHasACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[int]delivery.Class{}
	for _, class := range delivery.Classes() {
		code, ok := classCodes[class]
		if other, twice := seen[code]; !ok || twice {
			t.Errorf("class %s has code %d (present %v), %q has it too", class, code, ok, other)
		}
		seen[code] = class
	}
	if err := checkClasses([]delivery.Attempt{{Result: delivery.Result{Class: "new"}}}); err == nil {
		t.Error("a class without a code would be stored")
	}
}

func TestResponsesComeBack(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*delivery.Response{
		"none":   nil,
		"empty":  {},
		"status": {Status: 204},
		"whole": {
			Status: 503, Truncated: true, Body: []byte("a\x00\xff"),
			Header: map[string][]string{"A": {"1", ""}, "B": {}, "": {"x"}, "Long": {strings.Repeat("v", 300)}},
		},
		"body alone": {Status: 200, Body: bytes.Repeat([]byte("b"), 1000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseResponse(appendResponse(nil, r))
			if err != nil || !reflect.DeepEqual(got, r) {
				t.Errorf("got %+v, %v; want %+v", got, err, r)
			}
		})
	}
}

func FuzzParseResponse(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(appendResponse(nil, &delivery.Response{Status: 200, Header: map[string][]string{"A": {"b", "c"}}, Body: []byte("x")}))
	f.Add([]byte{1, 200, 1, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseResponse(data)
		if err != nil || r == nil {
			return
		}
		again, err := parseResponse(appendResponse(nil, r))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Errorf("%+v became %+v, %v", r, again, err)
		}
	})
}

func TestHintsComeBack(t *testing.T) {
	t.Parallel()
	for name, hint := range map[string]store.Hint{
		"rows":     {Node: 63, Shards: []int{0, 5, 63}, Lowest: 1<<63 - 1},
		"records":  {Node: 3, Records: true},
		"no shard": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			instance, got, err := decodeHint(encodeHint("abc", hint.Node, hint))
			if err != nil || instance != "abc" || !reflect.DeepEqual(got, hint) {
				t.Errorf("got %s %+v, %v; want %+v", instance, got, err, hint)
			}
		})
	}
	for _, text := range []string{"", "a 1 2 3", "a x 0 0 true", "a 1 g 0 true", "a 1 0 x true", "a 1 0 0 maybe", "a 1 0 0 true more"} {
		if _, _, err := decodeHint(text); err == nil {
			t.Errorf("%q was read as a hint", text)
		}
	}
}

func TestShardSet(t *testing.T) {
	t.Parallel()
	var s shardSet
	for _, shard := range []int{63, 0, 7, 63} {
		s.add(shard)
	}
	if got := s.list(); !slices.Equal(got, []int{0, 7, 63}) || s.len() != 3 {
		t.Errorf("got %v", got)
	}
}

func TestAttemptsAreSortedByWhenTheyWereMade(t *testing.T) {
	t.Parallel()
	at := func(id ident.ID, number, minute int, state delivery.State) delivery.Attempt {
		a := delivery.Attempt{Delivery: delivery.Delivery{ID: id}, Number: number, State: state}
		if minute > 0 {
			a.Result.StartedAt = ident.ID(0).Time().AddDate(0, 0, minute)
		}
		return a
	}
	want := []delivery.Attempt{
		at(10, 1, 1, delivery.Pending), at(10, 2, 3, delivery.Pending), at(20, 1, 4, delivery.Pending),
		at(10, 3, 5, delivery.Pending), at(10, 0, 0, delivery.Cancelled), at(20, 2, 6, delivery.Delivered),
	}
	mixed := []delivery.Attempt{want[4], want[2], want[5], want[3], want[0], want[1]}
	if got := inOrder(mixed); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}
