package terraform

import (
	"encoding/json"
	"fmt"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// message is one line of the machine-readable output, as far as it is looked at.
type message struct {
	Message string `json:"@message"`
	Type    string `json:"type"`
	Changes struct {
		Add       int64  `json:"add"`
		Change    int64  `json:"change"`
		Import    int64  `json:"import"`
		Remove    int64  `json:"remove"`
		Forget    int64  `json:"forget"`
		Operation string `json:"operation"`
	} `json:"changes"`
	Change struct {
		Resource struct {
			Address string `json:"addr"`
		} `json:"resource"`
		Action string `json:"action"`
	} `json:"change"`
	Outputs map[string]struct {
		Action string `json:"action"` // empty once applied
	} `json:"outputs"`
	Diagnostic *diagnostic `json:"diagnostic"`
}

// diagnostic is an error or a warning.
type diagnostic struct {
	Severity string `json:"severity"`
	Summary  string `json:"summary"`
	Detail   string `json:"detail"`
	Address  string `json:"address"`
	Range    *struct {
		Filename string `json:"filename"`
		Start    struct {
			Line int `json:"line"`
		} `json:"start"`
	} `json:"range"`
	Snippet *struct {
		Context string `json:"context"`
		Code    string `json:"code"`
	} `json:"snippet"`
}

// message reads a line of the machine-readable output. It reports false for a line that is none after all.
func (r *Recognizer) message(line string) bool {
	var m message
	if json.Unmarshal([]byte(line), &m) != nil {
		return false
	}
	switch m.Type {
	case "planned_change":
		r.changed = r.changed || effective(m.Change.Action)
		if m.Change.Action == "replace" {
			r.replaced++
		}
	case "resource_drift":
		r.drifted = r.drifted || effective(m.Change.Action)
	case "change_summary":
		r.summary(m)
	case "outputs":
		r.outputs(m)
	case "apply_start":
		r.apply()
	case "diagnostic":
		if m.Diagnostic != nil && m.Diagnostic.Severity == "error" {
			r.failed(m.Diagnostic.text())
		}
	case "log":
		if strings.Contains(m.Message, "Interrupt received.") || strings.Contains(m.Message, "Two interrupts received.") {
			r.interrupt()
		}
	}
	return true
}

func (r *Recognizer) summary(m message) {
	c := event.Changes{Add: m.Changes.Add, Change: m.Changes.Change, Destroy: m.Changes.Remove, Import: m.Changes.Import}
	if m.Changes.Forget > 0 {
		c.Operations = map[string]int64{"forget": m.Changes.Forget}
	}
	if m.Changes.Operation == "plan" {
		some := c.Add+c.Change+c.Destroy+c.Import+m.Changes.Forget > 0
		r.plan(c, some || r.changed || r.refreshOnly && r.drifted) // a refresh-only plan counts nothing
		return
	}
	r.saw(runner.Observation{Saw: runner.Completed, Changes: &c})
}

// outputs reads the output values of a plan, which come after its summary: they alone can be a change.
func (r *Recognizer) outputs(m message) {
	for _, output := range m.Outputs {
		if output.Action != "" && effective(output.Action) && !r.applying {
			r.saw(runner.Observation{Saw: runner.Planned, HasChanges: new(true)})
			return
		}
	}
}

// effective says whether an action changes anything.
func effective(action string) bool { return action != "noop" && action != "read" && action != "" }

// text words the diagnostic as the output for people does.
func (d diagnostic) text() string {
	var b strings.Builder
	b.WriteString("Error: " + d.Summary)
	if d.Address != "" {
		b.WriteString("\n\n  with " + d.Address)
	}
	if d.Range != nil {
		fmt.Fprintf(&b, "\n\n  on %s line %d", d.Range.Filename, d.Range.Start.Line)
		if d.Snippet != nil {
			if d.Snippet.Context != "" {
				b.WriteString(", in " + d.Snippet.Context)
			}
			fmt.Fprintf(&b, ":\n  %4d: %s", d.Range.Start.Line, d.Snippet.Code)
		}
	}
	if detail := strings.TrimSpace(d.Detail); detail != "" {
		b.WriteString("\n\n" + detail)
	}
	return shorten(b.String())
}
