package terraform

import (
	"regexp"
	"strconv"
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// What is looked for in the output for people. Each stands at the beginning of a line; what a configuration can put into a
// plan (values, heredocs) is indented there, and what it prints while applying has the resource's address before it.
var (
	planLine      = regexp.MustCompile(`^Plan: (\d+ to \w+(?:, \d+ to \w+)*)`)
	completeLine  = regexp.MustCompile(`^(?:Apply|Destroy) complete! Resources: (\d+ \w+(?:, \d+ \w+)*)`)
	declinedLine  = regexp.MustCompile(`^(?:Apply|Destroy) cancell?ed|[Dd]iscarded using the UI or API`)
	questionLine  = regexp.MustCompile(`^(?:Do you (?:really )?want to|Would you like to) `)
	replaceLine   = regexp.MustCompile(`^  # .+ (?:must|will) be replaced(?:$|[ ,])`)
	operationLine = regexp.MustCompile(`^\S.*: (?:Creating|Modifying|Destroying|Importing)\.\.\.`)
	// An interrupt at the prompt ends the command with this error; "Interrupt received." is then only sometimes printed.
	interruptedPrompt = regexp.MustCompile(`^Error: .*asking for approval: (?:interrupted|context canceled)`)
	logLine           = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\S+ \[(?:TRACE|DEBUG|INFO|WARN|ERROR)\]`) // with TF_LOG
	countWords        = regexp.MustCompile(`(\d+) (?:to )?(\w+)`)
)

// text reads one line of the output for people.
func (r *Recognizer) text(line string) {
	if r.finished {
		return
	}
	if r.asked && !r.answered {
		r.answer(line)
	}
	switch {
	case line == "":
	case r.linkNext:
		r.link(line)
	case line[0] == ' ':
		r.indented(line)
	case operationLine.MatchString(line):
		if r.planned || r.answered {
			r.apply()
		}
	case strings.HasPrefix(line, "Interrupt received."), strings.HasPrefix(line, "Two interrupts received."):
		r.interrupt()
	case strings.HasPrefix(line, "To view this run in a browser, visit:"):
		r.linkNext = true
	case !r.asked && questionLine.MatchString(line):
		r.question = true
	default:
		r.result(line)
	}
}

// result reads the lines that say what a plan or an apply came to.
func (r *Recognizer) result(line string) {
	switch {
	case strings.HasPrefix(line, "Plan: ") && !r.planned:
		if m := planLine.FindStringSubmatch(line); m != nil {
			r.plan(counts(m[1]), true) // without changes there is no such line
		}
	case strings.HasPrefix(line, "No changes.") && !r.planned:
		r.plan(event.Changes{}, false)
	case !r.planned && (line == "Changes to Outputs:" || strings.HasPrefix(line, "This is a refresh-only plan")):
		r.plan(event.Changes{}, true)
	case strings.HasPrefix(line, "Import successful!"):
		r.saw(runner.Observation{Saw: runner.Completed, Changes: &event.Changes{Import: 1}})
	case line == "Outputs:":
		r.finished = true
	default:
		if m := completeLine.FindStringSubmatch(line); m != nil {
			done := counts(m[1])
			r.saw(runner.Observation{Saw: runner.Completed, Changes: &done})
			r.finished = true
		}
	}
}

func (r *Recognizer) indented(line string) {
	if !r.planned && replaceLine.MatchString(line) {
		r.replaced++
	}
	if r.question && !r.asked {
		r.prompt(line)
	}
}

// prompt looks for the place where the command waits.
func (r *Recognizer) prompt(line string) {
	if strings.HasPrefix(line, "  Enter a value:") {
		r.asked = true
		r.saw(runner.Observation{Saw: runner.Asking})
	}
}

// answer reads the first line after the prompt. A refusal is said in words; after an error or an interrupt there was no
// answer; and anything else would not be printed without approval.
func (r *Recognizer) answer(line string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "", strings.HasPrefix(trimmed, "Enter a value:"):
	case declinedLine.MatchString(trimmed):
		r.decline()
	case isErrorStart(line): // it could not ask; nothing but the error's text follows
		r.answered = true
	case r.interrupted, strings.HasPrefix(trimmed, "Interrupt received."), logLine.MatchString(line):
	case strings.HasPrefix(trimmed, "╷"), strings.HasPrefix(trimmed, "│"): // the box of an error or a warning
	default:
		r.answered = true
		r.saw(runner.Observation{Saw: runner.Approved})
	}
}

func (r *Recognizer) link(line string) {
	r.linkNext = false
	if address := strings.TrimSpace(line); strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		r.saw(runner.Observation{Saw: runner.Linked, Text: address})
	}
}

// counts reads "2 to add, 1 to change, 0 to destroy" and "2 added, 1 changed, 0 destroyed".
func counts(text string) event.Changes {
	var c event.Changes
	for _, m := range countWords.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil {
			continue
		}
		switch m[2] {
		case "add", "added":
			c.Add = n
		case "change", "changed":
			c.Change = n
		case "destroy", "destroyed":
			c.Destroy = n
		case "import", "imported":
			c.Import = n
		default:
			if c.Operations == nil {
				c.Operations = map[string]int64{}
			}
			c.Operations[m[2]] = n // "forget", and what later releases bring
		}
	}
	return c
}
