package strict

import (
	"bytes"
	"fmt"
)

// space skips white space.
func (w *walker) space() {
	for w.pos < len(w.data) {
		switch w.data[w.pos] {
		case ' ', '\t', '\r', '\n':
			w.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (w *walker) peek() byte {
	if w.pos < len(w.data) {
		return w.data[w.pos]
	}
	return 0
}

// str reads a quoted text and returns it with its quotes.
func (w *walker) str() ([]byte, *Error) {
	start := w.pos
	for w.pos++; w.pos < len(w.data); w.pos++ {
		switch ch := w.data[w.pos]; {
		case ch == '"':
			w.pos++
			return w.data[start:w.pos], nil
		case ch < 0x20:
			return nil, w.broken("a text holds a control character that must be escaped")
		case ch == '\\':
			if failure := w.escape(); failure != nil {
				return nil, failure
			}
		}
	}
	return nil, w.broken("a text has no closing quote")
}

// escape reads an escape and leaves pos at its last byte.
func (w *walker) escape() *Error {
	w.pos++
	switch w.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			w.pos++
			if !isHex(w.peek()) {
				return w.broken(`expected four hexadecimal digits after \u`)
			}
		}
		return nil
	}
	return w.broken("there is no such escape")
}

func isHex(b byte) bool {
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F')
}

// number reads a number and returns its text.
func (w *walker) number() ([]byte, *Error) {
	start := w.pos
	if w.peek() == '-' {
		w.pos++
	}
	switch {
	case w.peek() == '0':
		w.pos++
	case !w.digits():
		return nil, w.broken("expected a digit")
	}
	if w.peek() == '.' {
		w.pos++
		if !w.digits() {
			return nil, w.broken("expected a digit after the decimal point")
		}
	}
	if ch := w.peek(); ch == 'e' || ch == 'E' {
		w.pos++
		if ch = w.peek(); ch == '+' || ch == '-' {
			w.pos++
		}
		if !w.digits() {
			return nil, w.broken("expected a digit in the exponent")
		}
	}
	return w.data[start:w.pos], nil
}

// digits skips digits and reports whether there was any.
func (w *walker) digits() bool {
	start := w.pos
	for w.peek() >= '0' && w.peek() <= '9' {
		w.pos++
	}
	return w.pos > start
}

var literals = [][]byte{[]byte("true"), []byte("false"), []byte("null")}

// literal reads true, false or null.
func (w *walker) literal() *Error {
	for _, word := range literals {
		if bytes.HasPrefix(w.data[w.pos:], word) {
			w.pos += len(word)
			return nil
		}
	}
	return w.broken("expected a value")
}

// broken says where the document stops being JSON.
func (w *walker) broken(what string) *Error {
	at := min(w.pos, len(w.data))
	line := 1 + bytes.Count(w.data[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(w.data[:at], '\n')
	found := "the end"
	if at < len(w.data) {
		r := bytes.Runes(w.data[at:min(at+4, len(w.data))])
		found = fmt.Sprintf("%q", string(r[:1]))
	}
	return malformed("The document is not JSON: line %d, column %d: %s, found %s.", line, column, what, found)
}
