package terraform

// lineLimit bounds what is kept of one line. Longer ones hold nothing that is looked for.
const lineLimit = 1 << 20

// lines cuts a stream into lines without escape sequences, however the stream is chunked.
type lines struct {
	pending  []byte // the raw beginning of a line that has not ended
	overlong bool
}

// add takes a chunk and calls line for each line that has ended, without its end.
func (l *lines) add(chunk []byte, line func(string)) {
	start := 0
	for i, b := range chunk {
		if b != '\n' {
			continue
		}
		l.keep(chunk[start:i])
		start = i + 1
		l.flush(line)
	}
	l.keep(chunk[start:])
}

func (l *lines) keep(part []byte) {
	if l.overlong || len(l.pending)+len(part) > lineLimit {
		l.overlong, l.pending = true, l.pending[:0]
		return
	}
	l.pending = append(l.pending, part...)
}

// flush passes on the pending line as if it had ended.
func (l *lines) flush(line func(string)) {
	if !l.overlong {
		line(plain(l.pending))
	}
	l.pending, l.overlong = l.pending[:0], false
}

// rest returns the line that has not ended yet.
func (l *lines) rest() string { return plain(l.pending) }

// plain returns text without escape sequences and carriage returns. A sequence that the text cuts off is dropped too.
func plain(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '\r':
		case escape:
			i += sequenceLength(raw[i:]) - 1
		default:
			out = append(out, raw[i])
		}
	}
	return string(out)
}

const escape = 0x1b

// sequenceLength returns the length of the escape sequence with which raw begins.
func sequenceLength(raw []byte) int {
	if len(raw) < 2 {
		return len(raw)
	}
	switch raw[1] {
	case '[': // a control sequence ends with a byte of 0x40 to 0x7e
		for i := 2; i < len(raw); i++ {
			if raw[i] >= 0x40 && raw[i] <= 0x7e {
				return i + 1
			}
		}
	case ']': // an operating system command ends with BEL or ESC \
		for i := 2; i < len(raw); i++ {
			if raw[i] == 0x07 {
				return i + 1
			}
			if raw[i] == escape && i+1 < len(raw) && raw[i+1] == '\\' {
				return i + 2
			}
		}
	default:
		return 2
	}
	return len(raw)
}
