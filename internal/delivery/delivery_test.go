package delivery_test

import (
	"slices"
	"strconv"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

// TestShardOf fixes the shards of some destinations: they are part of what is stored.
func TestShardOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[ident.ID]int{
		0: 0, 1: 47, 2: 31, 1 << 40: 56, ident.Derive("https://a.test/"): 62, ident.Derive("https://b.test/"): 1, 1<<63 - 1: 28,
	} {
		if got := delivery.ShardOf(id); got != want {
			t.Errorf("the shard of %d is %d, want %d", id, got, want)
		}
	}
	var counts [delivery.Shards]int
	for i := range 64_000 {
		counts[delivery.ShardOf(ident.Derive("destination", strconv.Itoa(i)))]++
	}
	if least, most := slices.Min(counts[:]), slices.Max(counts[:]); least < 800 || most > 1200 {
		t.Errorf("shards get %d to %d of 1000", least, most)
	}
}

func TestKeysAndIdentifiersOfDeliveries(t *testing.T) {
	t.Parallel()
	d := delivery.Delivery{ID: 7, Destination: ident.Derive("https://a.test/")}
	if d.Key() != (delivery.Key{Shard: d.Shard(), ID: 7}) || d.Stable() != 7 {
		t.Errorf("key %+v, stable %v", d.Key(), d.Stable())
	}
	d.Origin = 3
	if d.Stable() != 3 {
		t.Errorf("stable %v", d.Stable())
	}
}

func TestWordsAreDistinct(t *testing.T) {
	t.Parallel()
	var words []string
	for c := delivery.CauseEvent; c <= delivery.CauseVerification; c++ {
		words = append(words, c.String())
	}
	for _, s := range delivery.States() {
		words = append(words, s.String())
	}
	for _, c := range delivery.Classes() {
		if c != delivery.ClassCancelled { // the state has the same word
			words = append(words, string(c))
		}
	}
	slices.Sort(words)
	if slices.Contains(words, "") || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Errorf("words %q", words)
	}
}

func TestResultOK(t *testing.T) {
	t.Parallel()
	for _, r := range []delivery.Result{answered(200), answered(204), answered(299)} {
		if !r.OK() {
			t.Errorf("%+v is no success", r)
		}
	}
	for _, r := range []delivery.Result{answered(199), answered(300), answered(0), {Class: delivery.ClassTimeout, Status: 200}, {}} {
		if r.OK() {
			t.Errorf("%+v is a success", r)
		}
	}
}

func TestMessageHeaders(t *testing.T) {
	t.Parallel()
	var m delivery.Message
	m.Set("X-One", "1")
	m.Add("X-Many", "a")
	m.Add("x-many", "b")
	m.Set("x-ONE", "2")
	want := []delivery.HeaderField{{Name: "x-ONE", Value: "2"}, {Name: "X-Many", Value: "a"}, {Name: "x-many", Value: "b"}}
	if !slices.Equal(m.Header, want) {
		t.Errorf("header %+v", m.Header)
	}
	if m.Get("X-MANY") != "a" || m.Get("x-one") != "2" || m.Get("X-On") != "" || m.Get("X-Twp") != "" {
		t.Errorf("values %q %q", m.Get("X-MANY"), m.Get("x-one"))
	}
}
