package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/fault"
)

func eventLine(t *testing.T, key string) []byte {
	t.Helper()
	body, err := event.Encode(&event.Event{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return appendRecord(nil, kindEvent, body)
}

func doneLine(n int) []byte { return appendRecord(nil, kindDone, fmt.Append(nil, n)) }

func TestParse(t *testing.T) {
	t.Parallel()
	one, two := eventLine(t, "one"), eventLine(t, "two")
	flipped := bytes.Replace(one, []byte("one"), []byte("onf"), 1)
	tests := []struct {
		name    string
		text    []byte
		keys    []string
		done    int
		damaged int
		torn    bool
	}{
		{name: "empty"},
		{name: "two events", text: bytes.Join([][]byte{one, two}, nil), keys: []string{"one", "two"}},
		{name: "one done", text: bytes.Join([][]byte{one, two, doneLine(1)}, nil), keys: []string{"two"}, done: 1},
		{name: "both done", text: bytes.Join([][]byte{one, doneLine(1), two, doneLine(2)}, nil), done: 2},
		{name: "torn tail", text: append(one, two[:20]...), keys: []string{"one"}, damaged: 1, torn: true},
		{name: "torn tail of a few bytes", text: append(one, 'e', ' '), keys: []string{"one"}, damaged: 1, torn: true},
		{name: "flipped bit", text: append(flipped, two...), keys: []string{"two"}, damaged: 1},
		{name: "zeros at the end", text: append(one, make([]byte, 64)...), keys: []string{"one"}, damaged: 1, torn: true},
		{name: "done more than there is", text: append(one, doneLine(9)...), done: 1},
		{name: "unknown kind", text: append(appendRecord(nil, 'x', []byte("1")), one...), keys: []string{"one"}, damaged: 1},
		{name: "no JSON", text: appendRecord(nil, kindEvent, []byte("{")), damaged: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := parse(tt.text)
			var keys []string
			for _, e := range c.events {
				keys = append(keys, e.Key)
			}
			if fmt.Sprint(keys) != fmt.Sprint(tt.keys) || c.done != tt.done || c.damaged != tt.damaged || c.torn != tt.torn {
				t.Errorf("got %v, %d done, %d damaged, torn %v", keys, c.done, c.damaged, c.torn)
			}
		})
	}
}

func TestClaimMendsATornTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "left.events")
	two := eventLine(t, "two")
	if err := os.WriteFile(path, append(eventLine(t, "one"), two[:15]...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, c, err := claim(path)
	if err != nil || len(c.events) != 1 || c.damaged != 1 {
		t.Fatalf("claimed %+v, %v", c, err)
	}
	if _, _, err := claim(path); !errors.Is(err, errOwned) {
		t.Errorf("a second owner got %v", err)
	}
	if err := errors.Join(f.add(&event.Event{Key: "three"}), f.settle(1), f.release(false)); err != nil {
		t.Fatal(err)
	}
	f, c, err = claim(path)
	if err != nil || len(c.events) != 1 || c.events[0].Key != "three" {
		t.Fatalf("claimed again %+v, %v", c, err)
	}
	if err := f.release(true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := claim(path); !errors.Is(err, errOwned) {
		t.Errorf("a removed file gives %v", err)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		want verdict
	}{
		{nil, accepted},
		{errors.New("connection refused"), again},
		{fault.New(fault.Unavailable, "x"), again},
		{fault.New(fault.RateLimited, "x"), again},
		{fault.New(fault.Internal, "x"), again},
		{fault.New(fault.Unauthorized, "x"), later},
		{fault.New(fault.Forbidden, "x"), later},
		{fault.New(fault.NotFound, "x"), later},
		{fault.New(fault.Invalid, "x"), never},
		{fmt.Errorf("send: %w", fault.New(fault.Malformed, "x")), never},
		{fault.New(fault.TooLarge, "x"), never},
		{fault.New(fault.Conflict, "x"), never},
	}
	for _, tt := range tests {
		if got := judge(tt.err); got != tt.want {
			t.Errorf("%v is judged %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestPauseGrowsToItsBound(t *testing.T) {
	t.Parallel()
	var p pause
	for _, want := range []time.Duration{pauseFirst, 2 * pauseFirst, 4 * pauseFirst} {
		if got := p.take(); got < want*8/10 || got > want*12/10 {
			t.Errorf("pause of %v, want about %v", got, want)
		}
	}
	for range 20 {
		if got := p.take(); got > pauseMax*12/10 {
			t.Errorf("pause of %v", got)
		}
	}
	p.reset()
	if got := p.take(); got > pauseFirst*12/10 {
		t.Errorf("pause of %v after a success", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("e 00000000 {}\n"))
	f.Add(appendRecord(appendRecord(nil, kindEvent, []byte(`{"key":"k"}`)), kindDone, []byte("1")))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := parse(text)
		if again := parse(append(bytes.Clone(text), '\n')); len(again.events) != len(c.events) {
			t.Errorf("ending the last line changes %d events to %d", len(c.events), len(again.events))
		}
	})
}
