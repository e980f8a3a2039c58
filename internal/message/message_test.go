package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestJSONLeavesTheServicesOwnEscapesAlone(t *testing.T) {
	t.Parallel()
	body, err := JSON(Slack{Text: "<https://example.com|a &amp; b>"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"text":"<https://example.com|a &amp; b>"}`; string(body) != want {
		t.Errorf("got %s, want %s", body, want)
	}
	if _, err := JSON(make(chan int)); err == nil {
		t.Error("a value that has no JSON form was encoded")
	}
}

func TestCutBytes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		limit      int
		want       string
	}{
		{"fits", "abc", 3, "abc"},
		{"cut with mark", "abcdefgh", 6, "abc…"},
		{"never inside a character", "ab世世", 7, "ab…"},
		{"room for the mark alone", "abcdef", 3, "…"},
		{"no room", "abcdef", 2, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := CutBytes(tc.text, tc.limit)
			if got != tc.want || len(got) > tc.limit {
				t.Errorf("got %q (%d bytes), want %q", got, len(got), tc.want)
			}
		})
	}
}

func TestCutRunes(t *testing.T) {
	t.Parallel()
	if got := CutRunes("世世世世", 3); got != "世世…" {
		t.Errorf("got %q", got)
	}
	if got := CutRunes("世世世", 3); got != "世世世" {
		t.Errorf("a text that fits was changed to %q", got)
	}
	if got := CutRunes("ab", 0); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestLineHasNoLineEnds(t *testing.T) {
	t.Parallel()
	if got := Line(" a\r\nBcc: evil@example.com\t b\u2028c "); got != "a Bcc: evil@example.com b c" {
		t.Errorf("got %q", got)
	}
}

func TestSlackText(t *testing.T) {
	t.Parallel()
	if got := SlackText("a <b> & &amp;"); got != "a &lt;b&gt; &amp; &amp;amp;" {
		t.Errorf("got %q", got)
	}
	long := SlackText(strings.Repeat("é", SlackTextLimit+1))
	if n := utf8.RuneCountInString(long); n != SlackTextLimit || !strings.HasSuffix(long, Mark) {
		t.Errorf("cut to %d characters", n)
	}
	if got := SlackLink("https://example.com/?a=1&b=<|>", "x|y>"); got != "<https://example.com/?a=1&amp;b=%3C%7C%3E|x¦y&gt;>" {
		t.Errorf("got %s", got)
	}
}

func TestCardText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"plain brackets stay", "[Action Required] Pinning (SEC-090)", "[Action Required] Pinning (SEC-090)"},
		{"a link does not", "[click](https://evil.example.com)", `[click]\(https://evil.example.com)`},
		{"emphasis", "my_workspace *is* `it` ~no~ \\", "my\\_workspace \\*is\\* \\`it\\` \\~no\\~ \\\\"},
		{"lists", "- a\n+ b\n  1. c\n2) d\n3 e", "\\- a\n\\+ b\n  1\\. c\n2\\) d\n3 e"},
		{"headings and quotations", "# a\n> b", "\\# a\n\\> b"},
		{"line ends", "a\r\n\r\nb", "a\n\nb"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := CardText(tc.text); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	if got := CardLink("a]b", "https://example.com/(x) y"); got != `[a\]b](https://example.com/%28x%29%20y)` {
		t.Errorf("got %s", got)
	}
}

func TestFitTeamsCutsOnlyTheText(t *testing.T) {
	t.Parallel()
	build := func(text string) Teams {
		return NewTeams([]CardItem{CardTitle("T"), CardParagraph(CardText(text)), CardFacts(Fact{"a", "b"})}, CardButton("View", "https://example.com"))
	}
	for _, tc := range []struct{ name, text string }{
		{"short", "hello"}, {"ascii", strings.Repeat("x", 2*TeamsLimit)}, {"wide", strings.Repeat("世", TeamsLimit)},
		{"escapes", strings.Repeat("_\n", TeamsLimit)}, {"control characters", strings.Repeat("\x01", TeamsLimit)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body, err := FitTeams(tc.text, TeamsLimit, build)
			if err != nil {
				t.Fatal(err)
			}
			if len(body) > TeamsLimit || !utf8.Valid(body) {
				t.Errorf("%d bytes", len(body))
			}
			if cut := strings.Contains(string(body), Mark); cut != (len(tc.text) > 100) {
				t.Errorf("cut: %v", cut)
			}
		})
	}
	if _, err := FitTeams("", 10, build); err == nil {
		t.Error("a card that can not fit was returned")
	}
}

func TestLetter(t *testing.T) {
	t.Parallel()
	var letter Letter
	letter.Say(Plain("Hello,"))
	letter.Say(LetterLine{{Text: "Run "}, {Text: "r<1>", URL: "https://example.com/r?a&b"}, {Text: "\nis done."}}, Plain("Second."))
	letter.Show(LetterRow{Label: "Run", URL: "https://example.com"}, LetterRow{Label: "Message", Text: "one\r\n\r\ntwo\n"}, LetterRow{Label: "None"})
	letter.Show(LetterRow{Label: "Empty"})
	letter.Say(LetterLine{{Text: "x", URL: "javascript:alert(1)"}})
	wantText := "Hello,\n\nRun r<1> is done.\nSecond.\n\nRun:     https://example.com\nMessage: one\n\n         two\n\nx\n"
	if got := letter.Text(); got != wantText {
		t.Errorf("text:\n%q\nwant\n%q", got, wantText)
	}
	got := letter.HTML()
	for _, want := range []string{
		`<a href="https://example.com/r?a&amp;b">r&lt;1&gt;</a>`, "Second.</p>", "one<br>\n<br>\ntwo</td>", "<p>x</p>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("HTML lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "javascript") || strings.Contains(got, "Empty") || strings.Contains(got, "None") {
		t.Errorf("HTML holds what it must not:\n%s", got)
	}
}

func FuzzFitTeams(f *testing.F) {
	f.Add("hello *world*", 1200)
	f.Add(strings.Repeat("é\x00", 900), 900)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		build := func(text string) Teams { return NewTeams([]CardItem{CardParagraph(CardText(text))}) }
		body, err := FitTeams(text, limit, build)
		if err == nil && len(body) > limit {
			t.Errorf("%d bytes, want at most %d", len(body), limit)
		}
	})
}
