package sqlite

import (
	"encoding/hex"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"carillon/internal/delivery"
	"carillon/internal/ident"
)

func sample() delivery.Attempt {
	return delivery.Attempt{
		Delivery: delivery.Delivery{
			ID: 1 << 60, Event: 1<<60 - 640, Organization: 5, Version: 3, Destination: 1 << 62, Notice: 1, Run: 8, Sequence: 9,
			Attempts: 2, Due: time.UnixMicro(1_700_000_000_000_001).UTC(), Origin: 77, Pinned: true, Unordered: true,
		},
		Number: 2, Trigger: "run:errored", Repeat: true, BodyHash: 1<<64 - 1, BodySize: 1200, Workspace: 4, Address: "https://x/…", Node: 3,
		Result: delivery.Result{
			Class: delivery.ClassAnswered, Status: 503, StartedAt: time.UnixMicro(1_700_000_000_000_000).UTC(), Duration: 1234567,
			Detail: "overloaded", RetryAfter: time.Minute,
			Response: &delivery.Response{Status: 503, Header: map[string][]string{"A": {"1", ""}, "B": {"2"}}, Body: []byte("no"), Truncated: true},
		},
	}
}

func TestPackAttempt(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*delivery.Attempt){
		"full":        func(*delivery.Attempt) {},
		"empty":       func(a *delivery.Attempt) { *a = delivery.Attempt{Delivery: delivery.Delivery{ID: 1}} },
		"no response": func(a *delivery.Attempt) { a.Result.Response = nil },
		"no header":   func(a *delivery.Attempt) { a.Result.Response.Header = nil },
		"other class": func(a *delivery.Attempt) { a.Result.Class = "a class of a later release" },
		"no event":    func(a *delivery.Attempt) { a.Delivery.Event = 0 },
		"negative":    func(a *delivery.Attempt) { a.Delivery.Sequence, a.Result.Duration = -1, -5 },
	} {
		want := sample()
		change(&want)
		if want.Delivery.Due.IsZero() {
			want.Delivery.Due, want.Result.StartedAt = time.Time{}, time.Time{}
		}
		got := delivery.Attempt{Delivery: delivery.Delivery{ID: want.Delivery.ID}}
		u := unpacker{rest: packAttempt(nil, &want)}
		if u.attempt(&got); u.err() != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, u.err(), got, want)
		}
	}
}

// TestClassesHaveCodes fails for a class that somebody adds without giving it a code: it would be written out in words.
func TestClassesHaveCodes(t *testing.T) {
	t.Parallel()
	for _, class := range delivery.Classes() {
		if code, ok := classCodes[class]; !ok || classes[code] != class {
			t.Errorf("class %s has no code of its own", class)
		}
	}
	if len(classes) != len(classCodes) {
		t.Error("two classes have one code")
	}
}

// TestWhatAnEarlierReleasePackedIsRead reads bytes that databases hold. A later format gets a file of its own.
func TestWhatAnEarlierReleasePackedIsRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/attempt.v1.hex")
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	want := sample()
	want.Result.Response.Header = map[string][]string{"A": {"1", ""}}
	got := delivery.Attempt{Delivery: delivery.Delivery{ID: want.Delivery.ID}}
	u := unpacker{rest: bytes}
	if u.attempt(&got); u.err() != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", u.err(), got, want)
	}
	if now := packAttempt(nil, &want); string(now) != string(bytes) {
		t.Errorf("version 1 is packed otherwise now:\n%x", now)
	}
}

// FuzzUnpack reads anything: it must say that it is damaged, or give what packs into the same attempt again.
func FuzzUnpack(f *testing.F) {
	full := sample()
	f.Add(packAttempt(nil, &full))
	f.Add([]byte{})
	f.Add([]byte{packed, 255})
	f.Add([]byte{packed, 0, 0x80})
	f.Fuzz(func(t *testing.T, packed []byte) {
		first := delivery.Attempt{Delivery: delivery.Delivery{ID: 9}}
		u := unpacker{rest: packed}
		u.attempt(&first)
		if u.err() != nil {
			return
		}
		second := delivery.Attempt{Delivery: delivery.Delivery{ID: 9}}
		u = unpacker{rest: packAttempt(nil, &first)}
		if u.attempt(&second); u.err() != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("read %+v, then %+v (%v)", first, second, u.err())
		}
	})
}

// TestADamagedRowIsNotGuessed damages what is stored: reading must say so, and name the row.
func TestADamagedRowIsNotGuessed(t *testing.T) {
	t.Parallel()
	a := sample()
	whole := packAttempt(nil, &a)
	for cut := range whole {
		u := unpacker{rest: whole[:cut]}
		got := delivery.Attempt{Delivery: delivery.Delivery{ID: ident.ID(1 << 60)}}
		if u.attempt(&got); !errors.Is(u.err(), errPacked) {
			t.Fatalf("%d of %d bytes were read as %+v", cut, len(whole), got)
		}
	}
}
