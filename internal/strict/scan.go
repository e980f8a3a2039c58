package strict

import (
	"bytes"
	"fmt"
)

// space skips white space.
func (c *checker) space() {
	for c.pos < len(c.data) {
		switch c.data[c.pos] {
		case ' ', '\t', '\r', '\n':
			c.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (c *checker) peek() byte {
	if c.pos < len(c.data) {
		return c.data[c.pos]
	}
	return 0
}

// str reads a quoted text and returns it with its quotes.
func (c *checker) str() ([]byte, *Error) {
	start := c.pos
	for c.pos++; c.pos < len(c.data); c.pos++ {
		switch ch := c.data[c.pos]; {
		case ch == '"':
			c.pos++
			return c.data[start:c.pos], nil
		case ch < 0x20:
			return nil, c.broken("a text holds a control character that must be escaped")
		case ch == '\\':
			if failure := c.escape(); failure != nil {
				return nil, failure
			}
		}
	}
	return nil, c.broken("a text has no closing quote")
}

// escape reads an escape and leaves pos at its last byte.
func (c *checker) escape() *Error {
	c.pos++
	switch c.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			c.pos++
			if !isHex(c.peek()) {
				return c.broken(`expected four hexadecimal digits after \u`)
			}
		}
		return nil
	}
	return c.broken("there is no such escape")
}

func isHex(b byte) bool {
	return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F')
}

// number reads a number and returns its text.
func (c *checker) number() ([]byte, *Error) {
	start := c.pos
	if c.peek() == '-' {
		c.pos++
	}
	switch {
	case c.peek() == '0':
		c.pos++
	case !c.digits():
		return nil, c.broken("expected a digit")
	}
	if c.peek() == '.' {
		c.pos++
		if !c.digits() {
			return nil, c.broken("expected a digit after the decimal point")
		}
	}
	if ch := c.peek(); ch == 'e' || ch == 'E' {
		c.pos++
		if ch = c.peek(); ch == '+' || ch == '-' {
			c.pos++
		}
		if !c.digits() {
			return nil, c.broken("expected a digit in the exponent")
		}
	}
	return c.data[start:c.pos], nil
}

// digits skips digits and reports whether there was any.
func (c *checker) digits() bool {
	start := c.pos
	for c.peek() >= '0' && c.peek() <= '9' {
		c.pos++
	}
	return c.pos > start
}

var literals = [][]byte{[]byte("true"), []byte("false"), []byte("null")}

// literal reads true, false or null.
func (c *checker) literal() *Error {
	for _, word := range literals {
		if bytes.HasPrefix(c.data[c.pos:], word) {
			c.pos += len(word)
			return nil
		}
	}
	return c.broken("expected a value")
}

// broken says where the document stops being JSON.
func (c *checker) broken(what string) *Error {
	at := min(c.pos, len(c.data))
	line := 1 + bytes.Count(c.data[:at], []byte("\n"))
	column := at - bytes.LastIndexByte(c.data[:at], '\n')
	found := "the end"
	if at < len(c.data) {
		r := bytes.Runes(c.data[at:min(at+4, len(c.data))])
		found = fmt.Sprintf("%q", string(r[:1]))
	}
	return malformed("The document is not JSON: line %d, column %d: %s, found %s.", line, column, what, found)
}
