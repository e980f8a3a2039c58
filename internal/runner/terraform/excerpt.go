package terraform

import "strings"

// excerptLimit bounds what is kept of an error.
const excerptLimit = 4 << 10

// halted is what is printed for everything that an interrupt kept from happening. It explains nothing.
const halted = "Error: execution halted"

// excerpt collects one error of the output for people. With colours an error stands in a box, whose lines begin with a
// bar; without, it goes on until the next one begins or the output ends.
type excerpt struct {
	text  strings.Builder
	open  bool
	boxed bool
	done  bool // the first error that explains something is the useful one, later ones follow from it
}

// line takes the next line and returns the error's text once it is complete.
func (x *excerpt) line(line string) string {
	if x.done {
		return ""
	}
	inner, bar := strings.CutPrefix(line, "│")
	if bar {
		inner = strings.TrimPrefix(inner, " ")
	}
	switch {
	case x.open && x.ends(line, inner, bar):
		if text := x.end(); x.done {
			return text
		}
		return x.line(line) // it may begin the next one
	case x.open:
		x.keep(inner)
	case isErrorStart(line):
		x.open, x.boxed = true, bar
		x.keep(inner)
	}
	return ""
}

func (x *excerpt) ends(line, inner string, bar bool) bool {
	if x.boxed {
		return !bar
	}
	return isErrorStart(line) || strings.HasPrefix(inner, "Warning: ")
}

func (x *excerpt) keep(line string) {
	if x.text.Len() <= excerptLimit {
		x.text.WriteString(line)
		x.text.WriteByte('\n')
	}
}

// end closes the excerpt and returns its text, "" when there is none.
func (x *excerpt) end() string {
	if !x.open || x.done {
		return ""
	}
	text := shorten(x.text.String())
	x.text.Reset()
	x.open, x.done = false, text != halted
	return text
}

// isErrorStart says whether an error begins with the line.
func isErrorStart(line string) bool {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "│"), " ")
	return strings.HasPrefix(line, "Error: ")
}

// shorten trims the lines' ends and cuts the text at the limit, without splitting a character.
func shorten(text string) string {
	kept := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range kept {
		kept[i] = strings.TrimRight(line, " \t")
	}
	text = strings.Join(kept, "\n")
	if len(text) > excerptLimit {
		const more = "\n…"
		text = strings.ToValidUTF8(text[:excerptLimit-len(more)], "") + more
	}
	return text
}
