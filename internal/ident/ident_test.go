package ident_test

import (
	"strings"
	"testing"
	"time"

	"carillon/internal/ident"
)

func TestTextRoundTripAndOrder(t *testing.T) {
	t.Parallel()
	ids := []ident.ID{1, 2, ident.Step, 1 << 40, ident.At(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)), 1<<63 - 1}
	for i, id := range ids {
		text := id.String()
		back, err := ident.Parse(text)
		if err != nil || back != id {
			t.Errorf("Parse(%q) = %d, %v; want %d", text, back, err, id)
		}
		if i > 0 && ids[i-1].String() >= text {
			t.Errorf("text order differs: %q before %q", ids[i-1], text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "0", "0000000000000", "zzzzzzzzzzzzz", "0d5vk3m2q8rxu", "0D5VK3M2Q8RX1", "0d5vk3m2q8rx1 "} {
		if id, err := ident.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %d, want an error", text, id)
		}
	}
}

func TestGeneratorRisesWhenTheClockDoesNot(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	g, err := ident.NewGenerator(5, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	last := ident.ID(0)
	for i := range 10_000 {
		if i == 5_000 {
			now = now.Add(-time.Hour)
		}
		id := g.New()
		if id <= last || id.Node() != 5 {
			t.Fatalf("id %d after %d, node %d", id, last, id.Node())
		}
		last = id
	}
	block := g.Block(10)
	if next := g.New(); next != block+10*ident.Step {
		t.Errorf("after a block of 10 at %d came %d", block, next)
	}
	g.Advance(ident.At(now.Add(48 * time.Hour)))
	if id := g.New(); !id.Time().After(now.Add(47 * time.Hour)) {
		t.Errorf("Advance was ignored: %v", id.Time())
	}
}

func TestIDCarriesItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 4, 26, 0, 123456000, time.UTC)
	g, _ := ident.NewGenerator(0, func() time.Time { return now })
	if got := g.New().Time(); !got.Equal(now) {
		t.Errorf("Time = %v, want %v", got, now)
	}
	if err := g.SetNode(9); err != nil || g.New().Node() != 9 || g.SetNode(-1) == nil {
		t.Errorf("SetNode: %v", err)
	}
	if _, err := ident.NewGenerator(ident.MaxNode+1, time.Now); err == nil {
		t.Error("a node number out of range was accepted")
	}
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	codecs := []ident.Codec{
		{Prefix: "run-", Alphabet: ident.Base58, Length: 16},
		{Prefix: "wh-", Alphabet: ident.Base32Hex, Length: 15},
	}
	for _, c := range codecs {
		for _, id := range []ident.ID{1, 2, 3, 1 << 40, ident.Derive("x"), 1<<63 - 1} {
			text := c.Encode(id)
			if !c.Matches(text) {
				t.Errorf("%q does not match its own shape", text)
			}
			if back, ok := c.Decode(text); !ok || back != id {
				t.Errorf("Decode(%q) = %d, %v; want %d", text, back, ok, id)
			}
		}
	}
}

func TestCodecRefusesForeignIdentifiers(t *testing.T) {
	t.Parallel()
	c := ident.Codec{Prefix: "nc-", Alphabet: ident.Base58, Length: 16}
	for _, text := range []string{"nc-AeUQ2zfKZzW9TiGZ", "nonexisting", "", "nc-", "ws-AeUQ2zfKZzW9TiGZ", "nc-AeUQ2zfKZzW9TiG0", "nc-" + strings.Repeat("z", 16)} {
		if id, ok := c.Decode(text); ok {
			t.Errorf("Decode(%q) = %d, want refusal", text, id)
		}
	}
}

func TestDeriveSeparatesItsParts(t *testing.T) {
	t.Parallel()
	if ident.Derive("a", "bc") == ident.Derive("ab", "c") {
		t.Error("parts run together")
	}
	// The value is part of the stored format: every release must derive the same.
	if got := ident.Derive("a", "b").String(); got != "3s7as212vs23p" {
		t.Errorf("Derive = %s", got)
	}
}

func FuzzCodecDecode(f *testing.F) {
	c := ident.Codec{Prefix: "ws-", Alphabet: ident.Base58, Length: 16}
	f.Add("ws-XdeUVMWShTesDMME")
	f.Add(c.Encode(42))
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := c.Decode(text); ok && c.Encode(id) != text {
			t.Errorf("Decode(%q) accepted what Encode does not write", text)
		}
	})
}
