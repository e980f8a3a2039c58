package runner

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"carillon/internal/event"
)

func TestOddFactsDoNotCostTheEvent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 1000)
	odd := "two\nlines\x00\xff"
	facts := Facts{
		RunID: "run-1", Place: Place{Organization: "acme", Project: odd, Name: long}, Message: strings.Repeat("m", 1<<17),
		URL: "javascript:alert(1)", Actor: &event.Actor{ID: odd, Name: long, FullName: odd, Email: odd}, Trigger: long,
		Branch: odd, Commit: &event.Commit{Hash: long, Message: long, AuthorName: odd, URL: "not an address", At: time.Now()},
		Labels: []string{odd, long}, Repository: odd, VCS: long,
	}.fit()
	for _, e := range NewTrack(Invocation{Operation: event.OperationApply, Command: "apply"}, facts).Begin(time.Now()) {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := event.Parse(body); err != nil {
			t.Errorf("%v", err)
		}
	}
	if facts.Branch != "two lines �" || facts.URL != "" || facts.Commit.URL != "" {
		t.Errorf("fitted to %+v", facts)
	}
}

func TestFitURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://ci.example/1?a=b#c": "https://ci.example/1?a=b#c",
		"http://127.0.0.1:8080":      "http://127.0.0.1:8080",
		"":                           "",
		"ci.example/1":               "",
		"ftp://ci.example":           "",
		"https://":                   "",
		"https://ci.example/a b":     "",
		"https://x.example/" + strings.Repeat("x", event.MaxURL): "",
	} {
		if got := fitURL(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
