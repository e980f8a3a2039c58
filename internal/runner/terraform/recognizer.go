package terraform

import (
	"strings"

	"carillon/internal/event"
	"carillon/internal/runner"
)

// Recognizer reads the output of plan, apply, destroy, refresh and import. One Recognizer reads one command.
type Recognizer struct {
	refreshOnly bool // the plan's only changes are the drift

	streams [2]lines
	errors  [2]excerpt
	found   []runner.Observation

	planned     bool  // a plan's result was seen
	replaced    int64 // resources that the plan replaces
	drifted     bool  // -json: a resource was changed outside of the configuration
	changed     bool  // -json: the plan does something
	question    bool  // the question for approval was printed, the prompt may follow
	asked       bool  // the prompt was printed
	answered    bool
	applying    bool
	interrupted bool
	finished    bool // only output values follow, which can hold any text
	linkNext    bool // the next line is the address of the run
}

// NewRecognizer returns a Recognizer for one command's output. refreshOnly says that the command has -refresh-only.
func NewRecognizer(refreshOnly bool) *Recognizer { return &Recognizer{refreshOnly: refreshOnly} }

// Read takes the next chunk of one of the two outputs.
func (r *Recognizer) Read(stream runner.Stream, chunk []byte) []runner.Observation {
	r.streams[stream].add(chunk, func(line string) { r.line(stream, line) })
	if r.question && !r.asked {
		r.prompt(r.streams[stream].rest()) // it waits on the same line, which therefore does not end
	}
	return r.take()
}

// End reads what stood in lines that never ended.
func (r *Recognizer) End() []runner.Observation {
	for stream := range r.streams {
		if r.streams[stream].rest() != "" {
			r.streams[stream].flush(func(line string) { r.line(runner.Stream(stream), line) })
		}
		r.failed(r.errors[stream].end())
	}
	return r.take()
}

func (r *Recognizer) take() []runner.Observation {
	found := r.found
	r.found = nil
	return found
}

func (r *Recognizer) saw(o runner.Observation) { r.found = append(r.found, o) }

// line reads one line of either kind of output. Which kind it is each line shows itself: -json may also come from
// TF_CLI_ARGS, and a tool that can not start prints for people all the same.
func (r *Recognizer) line(stream runner.Stream, line string) {
	if strings.HasPrefix(line, `{"@level":`) && r.message(line) {
		return
	}
	if !r.finished || strings.HasPrefix(line, "│") { // an output value may hold the text of an error, but no box
		r.failed(r.errors[stream].line(line))
	}
	if stream == runner.Output {
		r.text(line)
	} else if r.asked && !r.answered && declinedLine.MatchString(line) {
		r.decline() // a remote run that was discarded elsewhere ends with an error
	}
}

// failed notes an error's excerpt.
func (r *Recognizer) failed(text string) {
	if text == "" || text == halted {
		return
	}
	r.saw(runner.Observation{Saw: runner.Failed, Text: text})
	if interruptedPrompt.MatchString(text) {
		r.interrupt()
	}
}

// plan notes a plan's result. A later one of the same run only says more about it.
func (r *Recognizer) plan(changes event.Changes, hasChanges bool) {
	r.planned = true
	changes.Replace = r.replaced
	r.saw(runner.Observation{Saw: runner.Planned, Changes: &changes, HasChanges: &hasChanges})
}

func (r *Recognizer) apply() {
	if !r.applying {
		r.applying = true
		r.saw(runner.Observation{Saw: runner.Applying})
	}
}

// interrupt notes an interrupt. Each is told: whoever passes signals on counts them.
func (r *Recognizer) interrupt() {
	r.interrupted = true
	r.saw(runner.Observation{Saw: runner.Interrupted})
}

func (r *Recognizer) decline() {
	r.answered = true
	r.saw(runner.Observation{Saw: runner.Declined})
}
