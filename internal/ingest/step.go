package ingest

import (
	"carillon/internal/dialect"
	"carillon/internal/event"
)

// step counts the run's states in the words of the dialects that have their own. The count stands in the event, so that
// it goes on after a restart and on another node. Whoever sent the event has no say in it. A step that arrives after a
// later one leaves the state as it is.
func (i *Ingest) step(e *event.Event, last *state) {
	e.Run.Steps = nil
	late := last != nil && e.Run.Sequence < last.sequence
	for name, stepper := range i.steppers {
		var before *event.Step
		if last != nil {
			if known, ok := last.run.Steps[name]; ok {
				before = &known
			}
		}
		now, ok := nextStep(stepper, e, before)
		if late {
			now, ok = stay(before)
		}
		if ok {
			if e.Run.Steps == nil {
				e.Run.Steps = make(map[string]event.Step, len(i.steppers))
			}
			e.Run.Steps[name] = now
		}
	}
}

// nextStep returns the step that an event leaves its run in; ok is false as long as the run has none.
func nextStep(stepper dialect.Stepper, e *event.Event, before *event.Step) (now event.Step, ok bool) {
	if before == nil {
		word := stepper.Step(e, "")
		return event.Step{Word: word}, word != ""
	}
	switch word := stepper.Step(e, before.Word); word {
	case "", before.Word:
		return stay(before)
	default:
		return event.Step{Word: word, Number: before.Number + 1}, true
	}
}

// stay is the step of an event that changes nothing.
func stay(before *event.Step) (now event.Step, ok bool) {
	if before == nil {
		return event.Step{}, false
	}
	return event.Step{Word: before.Word, Number: before.Number, Repeats: true}, true
}

// steppersOf lists the dialects that count states.
func steppersOf(all map[string]dialect.Dialect) map[string]dialect.Stepper {
	steppers := make(map[string]dialect.Stepper)
	for name, each := range all {
		if stepper, ok := each.(dialect.Stepper); ok {
			steppers[name] = stepper
		}
	}
	return steppers
}
