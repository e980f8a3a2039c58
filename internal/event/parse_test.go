package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
	"carillon/internal/fault"
)

var update = flag.Bool("update", false, "write the expected faults into testdata")

// TestParseKeepsWholeEvents reads one event of each kind and compares what is stored of it with what was sent.
func TestParseKeepsWholeEvents(t *testing.T) {
	t.Parallel()
	for name, body := range readDir(t, "testdata/valid/*.json") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := event.Parse(body)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := event.Encode(&e)
			if err != nil {
				t.Fatal(err)
			}
			back, err := event.Decode(stored)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := event.Encode(back)
			if !bytes.Equal(stored, again) {
				t.Errorf("stored %s\nread   %s", stored, again)
			}
			requireContains(t, "", decode(t, stored), decode(t, body))
		})
	}
}

// requireContains fails unless everything in want is in got; times may be spelled in another zone.
func requireContains(t *testing.T, pointer string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for name := range want {
			requireContains(t, pointer+"/"+name, object[name], want[name])
		}
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
			return
		}
		for i := range want {
			requireContains(t, fmt.Sprint(pointer, "/", i), list[i], want[i])
		}
	case string:
		if at, err := time.Parse(time.RFC3339, want); err == nil {
			want = at.UTC().Format(time.RFC3339Nano)
		}
		if got != want {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
		}
	default:
		zero := want == false || want == float64(0)
		if got != want && (got != nil || !zero) {
			t.Errorf("%s: got %v, want %v", pointer, got, want)
		}
	}
}

// TestParsePointsAtEveryFault compares the faults of each document with those below the line of its file.
func TestParsePointsAtEveryFault(t *testing.T) {
	t.Parallel()
	for name, content := range readDir(t, "testdata/faulty/*.txt") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, want, _ := strings.Cut(string(content), "----------\n")
			_, err := event.Parse([]byte(strings.TrimSuffix(body, "\n")))
			got := describe(err)
			if *update {
				_ = os.WriteFile(filepath.Join("testdata/faulty", name+".txt"), []byte(body+"----------\n"+got), 0o644)
				return
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func describe(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return fmt.Sprintln("no fault:", err)
	}
	var b strings.Builder
	b.WriteString(string(f.Code) + "\n")
	if f.Fields() == nil {
		b.WriteString(f.Message + "\n")
	}
	for _, field := range f.Fields() {
		b.WriteString(field.Pointer + " " + field.Message + "\n")
	}
	return b.String()
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(e *event.Event)
		want   string
	}{
		"key":       {func(e *event.Event) { e.Key = strings.Repeat("k", 256) }, "/key Is 256 bytes long, at most 255 are taken."},
		"message":   {func(e *event.Event) { e.Run.Message = strings.Repeat("m", 65537) }, "/run/message Is 65537 bytes long, at most 65536 are taken; shorten it."},
		"error":     {func(e *event.Event) { e.Run.Error = strings.Repeat("e", 16385) }, "/run/error Is 16385 bytes long, at most 16384 are taken; shorten it."},
		"url":       {func(e *event.Event) { e.Run.URL = "https://" + strings.Repeat("u", 4090) }, "/run/url Is 4098 bytes long, at most 4096 are taken."},
		"labels":    {func(e *event.Event) { e.Run.Labels = make([]string, 1001) }, "/run/labels Holds 1001 items, at most 1000 are taken."},
		"one label": {func(e *event.Event) { e.Run.Labels = []string{"", strings.Repeat("l", 256)} }, "/run/labels/1 Is 256 bytes long, at most 255 are taken."},
		"variable":  {func(e *event.Event) { e.Run.Variables = map[string]string{"": ""} }, "/run/variables Has a name of 0 bytes, it must have 1 to 255."},
		"status":    {func(e *event.Event) { e.Run.Status = event.Status(strings.Repeat("s", 65)) }, `/run/status Must be a word of a-z, 0-9 and _, such as "applied".`},
		"long kind": {func(e *event.Event) { e.Kind = event.Kind(strings.Repeat("k", 99)) }, `/kind There is no "` + strings.Repeat("k", 64) + `…"; known ones are run, workspace, assessment, deployment, environment, policy, change_request, module_version, account, notifier, test, other.`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := minimal()
			test.change(&e)
			if got, want := describe(e.Validate()), "invalid\n"+test.want+"\n"; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestFaultsAreReportedUpToTwenty(t *testing.T) {
	t.Parallel()
	e := minimal()
	e.Teams = make([]event.Team, 50)
	f, ok := errors.AsType[*fault.Error](e.Validate())
	if !ok || len(f.Fields()) != 20 || f.Fields()[19].Pointer != "/teams/19/name" {
		t.Errorf("got %v", f)
	}
}

func TestParseBatch(t *testing.T) {
	t.Parallel()
	one, err := json.Marshal(minimal())
	if err != nil {
		t.Fatal(err)
	}
	events, err := event.ParseBatch([]byte("[" + string(one) + "," + string(one) + "]"))
	if err != nil || len(events) != 2 {
		t.Fatalf("got %d events, %v", len(events), err)
	}
	tests := map[string]struct{ body, want string }{
		"no list":        {string(one), "invalid\nMust be a list, not an object.\n"},
		"empty":          {"[]", "invalid\nThe batch holds no event.\n"},
		"wrong type":     {"[" + string(one) + `,{"kind":1}]`, "invalid\n/1/kind Must be a string, not a number.\n"},
		"missing":        {"[" + string(one) + `,{"kind":"test","organization":{"name":""}}]`, "invalid\n/1/organization/name Is missing.\n"},
		"given, in part": {`[{"kind":"test","organization":{"name":"a"},"teams":[{"name":"b","id":"0d5vk3m2q8rx0"}]}]`, "invalid\n/0/teams/0/id Is given by Carillon; name the team by its name.\n"},
		"too many": {"[" + strings.Repeat("{},", 1000) + "{}]", "too_large\nThe batch holds 1001 events, at most 1000 are taken at once; " +
			"send the rest in further requests, or all of them as application/x-ndjson.\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := event.ParseBatch([]byte(test.body)); describe(err) != test.want {
				t.Errorf("got  %s\nwant %s", describe(err), test.want)
			}
		})
	}
}

func TestParseMovesTimesToUTC(t *testing.T) {
	t.Parallel()
	e, err := event.Parse([]byte(`{"kind":"test","organization":{"name":"a"},"occurred_at":"2026-11-22T06:26:00+02:00"}`))
	if err != nil || e.OccurredAt.String() != "2026-11-22 04:26:00 +0000 UTC" {
		t.Errorf("got %v, %v", e.OccurredAt, err)
	}
}

func minimal() event.Event {
	return event.Event{
		Kind: event.KindRun, Organization: event.Organization{Name: "acme"}, Workspace: &event.Workspace{Name: "w"},
		Run: &event.Run{SourceID: "1", Status: event.StatusApplied},
	}
}

// FuzzParse watches that whatever is accepted can be stored, read back and checked again.
func FuzzParse(f *testing.F) {
	for _, body := range readDir(f, "testdata/valid/*.json") {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := event.Parse(body)
		if err != nil {
			if fault.CodeOf(err) == fault.Internal {
				t.Errorf("%v is not a fault", err)
			}
			return
		}
		stored, err := event.Encode(&e)
		if err != nil {
			t.Fatal(err)
		}
		back, err := event.Decode(stored)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Validate(); err != nil {
			t.Errorf("read back: %v", err)
		}
		if again, _ := event.Encode(back); !bytes.Equal(stored, again) {
			t.Errorf("stored %s\nread   %s", stored, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	body, err := os.ReadFile("testdata/valid/run.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Parse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func readDir(tb testing.TB, pattern string) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no files match %s: %v", pattern, err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))] = content
	}
	return files
}

func decode(t *testing.T, body []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
