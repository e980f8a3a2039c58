package pulumi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// Recognizer reads the log and the output of up, preview, destroy, refresh and import. One Recognizer reads one command.
type Recognizer struct {
	planOnly  bool
	applyOnly bool
	drift     bool

	log    []byte    // a line of the log that has not ended
	skip   bool      // its rest is passed over: it is longer than what we look for
	tail   [2]string // the end of what was printed
	found  []runner.Observation
	begun  bool // a phase was begun
	plans  bool // the phase is the plan
	ready  bool // the plan is there
	asked  bool
	denied bool
}

// NewRecognizer returns a Recognizer for one command. planOnly says that it ends with its plan, applyOnly that it has none,
// drift that it looks for drift.
func NewRecognizer(planOnly, applyOnly, drift bool) *Recognizer {
	return &Recognizer{planOnly: planOnly, applyOnly: applyOnly, drift: drift}
}

// lineLimit bounds a line of the log that is looked at. What describes resources may be longer; what we look for is not.
const lineLimit = 1 << 20

// Read takes the next chunk of the log, or of one of the two outputs.
func (r *Recognizer) Read(stream runner.Stream, chunk []byte) []runner.Observation {
	if stream != runner.Aside {
		r.printed(stream, chunk)
		return r.take()
	}
	for len(chunk) > 0 {
		line, rest, ended := bytes.Cut(chunk, []byte("\n"))
		if r.skip = r.skip || len(r.log)+len(line) > lineLimit; !r.skip {
			r.log = append(r.log, line...)
		}
		if !ended {
			break
		}
		if !r.skip {
			r.line(r.log)
		}
		r.log, r.skip, chunk = r.log[:0], false, rest
	}
	return r.take()
}

// End reads a line that never ended, and says when nothing has begun.
func (r *Recognizer) End() []runner.Observation {
	if len(r.log) > 0 && !r.skip {
		r.line(r.log)
	}
	if !r.begun {
		r.saw(runner.Observation{Saw: runner.Unstarted})
	}
	return r.take()
}

func (r *Recognizer) take() []runner.Observation {
	found := r.found
	r.found = nil
	return found
}

func (r *Recognizer) saw(o runner.Observation) { r.found = append(r.found, o) }

// engineEvent is a line of the log, as far as it is looked at. The counts' key of policies has a capital letter in the
// log; they are not needed here.
type engineEvent struct {
	Prelude    *struct{}   `json:"preludeEvent"`
	Summary    *summary    `json:"summaryEvent"`
	Policy     *policy     `json:"policyEvent"`
	Diagnostic *diagnostic `json:"diagnosticEvent"`
}

type summary struct {
	Changes   map[string]int64 `json:"resourceChanges"`
	IsPreview bool             `json:"isPreview"`
	Result    string           `json:"result"` // missing before the releases of May 2026
}

type policy struct {
	Resource string `json:"resourceUrn"`
	Message  string `json:"message"`
	Policy   string `json:"policyName"`
	Pack     string `json:"policyPackName"`
	Version  string `json:"policyPackVersion"`
	Tag      string `json:"policyPackVersionTag"`
	Level    string `json:"enforcementLevel"`
	Severity string `json:"severity"`
}

type diagnostic struct {
	Message  string `json:"message"`
	Severity string `json:"severity"`
}

// wanted are the events that are looked at; every other line is passed over before it is read.
var wanted = [][]byte{[]byte(`"preludeEvent"`), []byte(`"summaryEvent"`), []byte(`"policyEvent"`), []byte(`"diagnosticEvent"`)}

// line reads a line of the log.
func (r *Recognizer) line(line []byte) {
	if !hasAny(line, wanted) {
		return
	}
	var e engineEvent
	if json.Unmarshal(line, &e) != nil {
		return
	}
	switch {
	case e.Prelude != nil:
		r.begin()
	case e.Summary != nil:
		r.end(e.Summary)
	case e.Policy != nil:
		r.violated(e.Policy)
	case e.Diagnostic != nil && e.Diagnostic.Severity == "error":
		r.saw(runner.Observation{Saw: runner.Failed, Text: plain(e.Diagnostic.Message)})
	}
}

func hasAny(line []byte, parts [][]byte) bool {
	for _, part := range parts {
		if bytes.Contains(line, part) {
			return true
		}
	}
	return false
}

// begin is the beginning of a phase: the plan's, unless there is none or it is there already.
func (r *Recognizer) begin() {
	r.begun = true
	r.plans = r.planOnly || !r.applyOnly && !r.ready
	if r.plans {
		return
	}
	r.apply()
}

func (r *Recognizer) apply() {
	if r.asked && !r.denied {
		r.saw(runner.Observation{Saw: runner.Approved})
	}
	r.saw(runner.Observation{Saw: runner.Applying})
}

// end is the end of a phase, with its counts.
func (r *Recognizer) end(s *summary) {
	r.begun = true
	changes, changed := changesOf(s.Changes), r.changed(s.Changes)
	switch {
	case s.IsPreview && s.Result != "failed" && s.Result != "canceled":
		r.ready = true
		r.saw(runner.Observation{Saw: runner.Planned, Changes: changes, HasChanges: &changed})
	case !s.IsPreview:
		if r.plans {
			r.apply() // the plan's log was missed
		}
		r.saw(runner.Observation{Saw: runner.Counted, Changes: changes, HasChanges: &changed})
	}
	if s.Result == "canceled" {
		r.saw(runner.Observation{Saw: runner.Interrupted})
	}
}

// changed says whether anything but looking is done. Drift is what was changed or deleted.
func (r *Recognizer) changed(counts map[string]int64) bool {
	for op, n := range counts {
		switch {
		case n <= 0, op == "same", op == "read", op == "refresh":
		case !r.drift, op == "update", op == "delete":
			return true
		}
	}
	return false
}

// countLimit is far above what a stack holds, and low enough that sums stay what they are.
const countLimit = 1 << 40

// changesOf counts what others count, and keeps the tool's own counts beside. What can be no count is left out.
func changesOf(counts map[string]int64) *event.Changes {
	known := make(map[string]int64, len(counts))
	for op, n := range counts {
		if op != "" && len(op) <= event.MaxName && n >= 0 && n < countLimit && len(known) < event.MaxItems {
			known[op] = n
		}
	}
	return &event.Changes{
		Add: known["create"] + known["import"], Change: known["update"], Destroy: known["delete"], Import: known["import"],
		Replace: known["replace"], Operations: known,
	}
}

// violated notes a violated policy. Only mandatory ones stop the run.
func (r *Recognizer) violated(p *policy) {
	if p.Policy == "" {
		return
	}
	version := p.Tag
	if version == "" {
		version = p.Version
	}
	r.saw(runner.Observation{Saw: runner.Violated, Blocking: p.Level == "mandatory", Violation: &event.Violation{
		Pack: p.Pack, PackVersion: version, Policy: p.Policy, Message: plain(p.Message), Resource: p.Resource, Severity: p.Severity,
	}})
}

// colours are the marks with which the tool writes colours, and those of terminals.
var colours = regexp.MustCompile(`<\{%[^%]*%\}>|\x1b\[[0-9;?]*[A-Za-z]`)

// textLimit bounds a message that is kept.
const textLimit = 4 << 10

// plain is a message without colours.
func plain(text string) string {
	text = strings.TrimSpace(colours.ReplaceAllString(text, ""))
	if len(text) > textLimit {
		text = strings.ToValidUTF8(text[:textLimit], "")
	}
	return text
}

// What is printed and not in the log.
const (
	question = "Do you want to perform this "
	refusal  = "confirmation declined"
	stopping = "received; cancelling"
)

// printed looks for the question, for a refusal and for an interrupt in what people see.
func (r *Recognizer) printed(stream runner.Stream, chunk []byte) {
	text := r.tail[stream] + colours.ReplaceAllString(string(chunk), "")
	for _, look := range []struct {
		text string
		saw  runner.Sight
		done *bool
	}{{question, runner.Asking, &r.asked}, {refusal, runner.Declined, &r.denied}} {
		if !*look.done && strings.Contains(text, look.text) {
			*look.done = true
			r.saw(runner.Observation{Saw: look.saw})
		}
	}
	if at := strings.LastIndex(text, stopping); at >= 0 {
		r.saw(runner.Observation{Saw: runner.Interrupted})
		text = text[at+len(stopping):]
	}
	r.tail[stream] = text[max(0, len(text)-len(question)):]
}
