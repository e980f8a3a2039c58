package event

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"carillon/internal/fault"
)

// LineReader reads a stream of events, one JSON document a line (application/x-ndjson). Empty lines are skipped. A
// faulty line does not end the stream: it is reported, and the next call goes on behind it.
type LineReader struct {
	r     *bufio.Reader
	limit int
	line  int
	buf   []byte
	ended error // of the input
}

// NewLineReader reads lines of at most limit bytes from r.
func NewLineReader(r io.Reader, limit int) *LineReader {
	return &LineReader{r: bufio.NewReaderSize(r, 64<<10), limit: limit}
}

// Next returns the next event and the number of its line, counted from 1. A *fault.Error concerns this line alone; any
// other error ends the stream, io.EOF at its proper end.
func (l *LineReader) Next() (e Event, line int, err error) {
	for l.ended == nil {
		text, long := l.read()
		if long {
			return Event{}, l.line, fault.New(fault.TooLarge, "The line is longer than %d bytes.", l.limit)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if l.ended != nil && !errors.Is(l.ended, io.EOF) {
			break // the input broke in the middle of this line
		}
		e, err = Parse(text)
		return e, l.line, err
	}
	return Event{}, l.line, l.ended
}

// read returns the next line, valid until the next call, and whether it was longer than the limit.
func (l *LineReader) read() (text []byte, long bool) {
	l.line++
	l.buf = l.buf[:0]
	for {
		piece, err := l.r.ReadSlice('\n')
		if !long {
			l.buf = append(l.buf, piece...)
			long = len(bytes.TrimRight(l.buf, "\r\n")) > l.limit
		}
		switch {
		case err == nil:
			return l.buf, long
		case !errors.Is(err, bufio.ErrBufferFull):
			l.ended = err
			return l.buf, long
		}
	}
}
