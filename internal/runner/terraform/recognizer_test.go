package terraform_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"carillon/internal/event"
	"carillon/internal/runner"
	"carillon/internal/runner/terraform"
)

// TestComposed reads outputs that could not be recorded: of other releases, of remote runs, of tricky configurations.
func TestComposed(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/composed/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			parts := map[string]string{}
			archive := txtar.Parse(readFile(t, path))
			for _, file := range archive.Files {
				parts[file.Name] = string(file.Data)
			}
			code, err := strconv.Atoi(strings.TrimSpace(parts["exit"]))
			if err != nil {
				t.Fatal(err)
			}
			inv := read(t, strings.Fields(parts["args"])...)
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			track := runner.NewTrack(inv, runner.Facts{RunID: "run-1"})
			events := track.Begin(at)
			seen := inv.Recognizer.Read(runner.Output, []byte(parts["out"]))
			seen = append(seen, inv.Recognizer.Read(runner.Errors, []byte(parts["err"]))...)
			for _, o := range append(seen, inv.Recognizer.End()...) {
				events = append(events, track.Observe(o, at)...)
			}
			events = append(events, track.End(runner.Exit{Code: code}, at)...)
			var words []string
			for _, e := range events {
				words = append(words, word(e))
			}
			if got, want := strings.Join(words, ", "), strings.TrimSpace(parts["want"]); got != want {
				t.Errorf("understood as\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// word spells an event in a few words.
func word(e event.Event) string {
	r := e.Run
	text := string(r.Status)
	if r.Awaiting {
		text += "?"
	}
	if c := r.Changes; c != nil {
		text += fmt.Sprintf(" +%d ~%d -%d", c.Add, c.Change, c.Destroy)
		if c.Import > 0 {
			text += fmt.Sprintf(" import %d", c.Import)
		}
		if c.Replace > 0 {
			text += fmt.Sprintf(" replace %d", c.Replace)
		}
	}
	if r.URL != "" {
		text += " at " + r.URL
	}
	if r.Phase != "" {
		text += " in " + string(r.Phase)
	}
	if r.Error != "" {
		text += ": " + r.Error
	}
	return text
}

func TestExcerptIsBounded(t *testing.T) {
	t.Parallel()
	r := terraform.NewRecognizer(false)
	seen := r.Read(runner.Errors, []byte("\nError: much\n\n"+strings.Repeat("größer und größer\n", 100000)))
	seen = append(seen, r.End()...)
	if len(seen) != 1 || len(seen[0].Text) > 4<<10 || !strings.HasPrefix(seen[0].Text, "Error: much\n\ngrößer") ||
		!strings.HasSuffix(seen[0].Text, "…") || strings.ToValidUTF8(seen[0].Text, "") != seen[0].Text {
		t.Errorf("%d observations, the text has %d bytes", len(seen), len(seen[0].Text))
	}
}

func TestOverlongLineIsPassedOver(t *testing.T) {
	t.Parallel()
	r := terraform.NewRecognizer(false)
	var seen []runner.Observation
	for range 5 {
		seen = append(seen, r.Read(runner.Output, bytes.Repeat([]byte("x"), 1<<20))...)
	}
	seen = append(seen, r.Read(runner.Output, []byte("\nPlan: 1 to add, 0 to change, 0 to destroy.\n"))...)
	if len(seen) != 1 || seen[0].Saw != runner.Planned {
		t.Errorf("saw %+v", seen)
	}
}

// FuzzRecognizer feeds any output in any chunks: it must not panic, and the chunks must not matter.
func FuzzRecognizer(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(recordings, "*", "out"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		f.Add(readFile(f, path), uint8(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		whole := terraform.NewRecognizer(false)
		want := append(whole.Read(runner.Output, text), whole.End()...)
		cut := terraform.NewRecognizer(false)
		var got []runner.Observation
		for chunk := range slices.Chunk(text, int(size)+1) {
			got = append(got, cut.Read(runner.Output, chunk)...)
		}
		got = append(got, cut.End()...)
		if len(got) != len(want) {
			t.Fatalf("in chunks %+v, whole %+v", got, want)
		}
		for i := range got {
			if got[i].Saw != want[i].Saw || got[i].Text != want[i].Text {
				t.Errorf("in chunks %+v, whole %+v", got[i], want[i])
			}
		}
	})
}
