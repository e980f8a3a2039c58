package httpapi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var update = flag.Bool("update", false, "write the answers into testdata")

// TestScenarios plays the files of testdata/scenario: requests with the answers that are expected, to the byte but for
// identifiers, cursors and secrets that are made up. A block is
//
//	# a comment
//	answer 503 words      what receivers answer from now on
//	pass 1m               the clock moves on
//	let name = /pointer   keeps a value of this block's answer; ${name} stands for it from then on
//	METHOD /path
//	as reader             whose token: a kept value; the administrator's without the line; "nobody" sends none
//	Header: value
//
//	body
//	----
//	expected status, headers that say something, and document
//
// and ends with a line of equals signs.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenario/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var played []string
			in(t, func(w *world) { played = play(w, string(content)) })
			if *update {
				if err := os.WriteFile(file, []byte(strings.Join(played, separator)), 0o644); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

const (
	separator = "\n====================\n"
	divider   = "\n----\n"
)

// secrets are what the scenarios give away and no answer may give back.
var secrets = []string{"s3cret", "k3y", "n3w"}

// player plays one file.
type player struct {
	*world
	kept map[string]string
}

func play(w *world, content string) (played []string) {
	p := &player{world: w, kept: map[string]string{}}
	for n, block := range strings.Split(content, separator) {
		asked, expected, _ := strings.Cut(block+"\n", divider)
		expected = strings.TrimRight(expected, "\n")
		asked = strings.TrimRight(asked, "\n")
		got := p.step(asked)
		if got != expected && !*update {
			p.Errorf("block %d:\n%s\ngot\n%s\nwant\n%s", n+1, asked, got, expected)
		}
		played = append(played, asked+divider+got)
	}
	return played
}

// step plays one block and spells the answer.
func (p *player) step(asked string) string {
	head, body, _ := strings.Cut(asked, "\n\n")
	lets := map[string]string{}
	header := http.Header{}
	token := adminToken
	var method, path string
	for line := range strings.Lines(head) {
		line = p.expand(strings.TrimSuffix(line, "\n"))
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
		case word == "answer":
			status, text, _ := strings.Cut(rest, " ")
			code, err := strconv.Atoi(status)
			p.must(err)
			p.wire.answer(code, text)
		case word == "pass":
			d, err := time.ParseDuration(rest)
			p.must(err)
			time.Sleep(d)
			atRest()
		case word == "let":
			name, pointer, _ := strings.Cut(rest, " = ")
			lets[name] = pointer
		case word == "as":
			token = rest
			if rest == "nobody" {
				token = ""
			}
		case method == "":
			method, path = word, rest
		default:
			name, value, ok := strings.Cut(line, ": ")
			if !ok {
				p.Fatalf("what is %q?", line)
			}
			header.Set(name, value)
		}
	}
	body = p.expand(body)
	r := request(method, path, token, body)
	for name, values := range header {
		r.Header[name] = values
	}
	recorder := p.do(r)
	atRest()
	checked(p.TB, r, body, recorder)
	for _, secret := range secrets {
		if strings.Contains(recorder.Body.String(), secret) {
			p.Errorf("the answer of\n%s\nholds the secret %q:\n%s", asked, secret, recorder.Body)
		}
	}
	p.keep(lets, recorder.Body.Bytes())
	return p.spell(recorder)
}

// atRest lets everything that was set off come to an end: records gather for a few milliseconds.
func atRest() {
	time.Sleep(50 * time.Millisecond)
	synctest.Wait()
}

func (p *player) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

var variable = regexp.MustCompile(`\$\{([a-z_0-9]+)\}`)

func (p *player) expand(text string) string {
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := p.kept[found[2:len(found)-1]]
		if !ok {
			p.Fatalf("nothing is kept as %s", found)
		}
		return value
	})
}

// keep takes values out of an answer.
func (p *player) keep(lets map[string]string, body []byte) {
	for name, pointer := range lets {
		var document any
		p.must(json.Unmarshal(body, &document))
		for _, step := range strings.Split(pointer, "/")[1:] {
			switch at := document.(type) {
			case map[string]any:
				document = at[step]
			case []any:
				index, err := strconv.Atoi(step)
				p.must(err)
				if index >= len(at) {
					p.Fatalf("%s: nothing at %s of %s", name, pointer, body)
				}
				document = at[index]
			}
		}
		if document == nil {
			p.Fatalf("%s: nothing at %s of %s", name, pointer, body)
		}
		p.kept[name] = fmt.Sprint(document)
	}
}

// told are the headers that say something.
var told = []string{"Location", "WWW-Authenticate", "Retry-After", "Allow", "Cache-Control"}

// spell writes an answer down as the files hold it.
func (p *player) spell(got *httptest.ResponseRecorder) string {
	lines := []string{strconv.Itoa(got.Code)}
	for _, name := range told {
		if value := got.Header().Get(name); value != "" {
			lines = append(lines, name+": "+value)
		}
	}
	contentType := got.Header().Get("Content-Type")
	if contentType != "" && contentType != "application/json" && contentType != "application/problem+json" {
		lines = append(lines, "Content-Type: "+contentType)
	}
	var indented bytes.Buffer
	switch body := got.Body.Bytes(); {
	case len(body) == 0:
	case json.Indent(&indented, body, "", "  ") == nil:
		lines = append(lines, strings.TrimSpace(indented.String()))
	default:
		lines = append(lines, strings.TrimSpace(string(body)))
	}
	return p.mask(strings.Join(lines, "\n"))
}

var (
	identifier = regexp.MustCompile(`\b[0-9a-f][0-9a-hjkmnp-tv-z]{12}\b`)
	cursor     = regexp.MustCompile(`"next": "[^"]*"`)
	madeUp     = regexp.MustCompile(`"(token|hint|secret)": "[^"]*"`)
	signed     = regexp.MustCompile(`v1,[A-Za-z0-9+/=]{44}`)
	instant    = regexp.MustCompile(`"2026-11-22T[0-9:.]+Z"`)
)

// mask replaces what differs from run to run: kept values by their names, other identifiers, cursors and secrets.
func (p *player) mask(text string) string {
	names := make([]string, 0, len(p.kept))
	for name := range p.kept {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if value := p.kept[name]; identifier.MatchString(value) {
			text = strings.ReplaceAll(text, value, "${"+name+"}")
		}
	}
	text = cursor.ReplaceAllString(text, `"next": "<cursor>"`)
	text = madeUp.ReplaceAllString(text, `"$1": "<$1>"`)
	text = signed.ReplaceAllString(text, "v1,<signature>")
	text = instant.ReplaceAllStringFunc(text, func(at string) string { return at[:len(`"2026-11-22T04:26:00`)] + `Z"` })
	return identifier.ReplaceAllString(text, "<id>")
}
