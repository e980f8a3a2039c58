package strict

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDepth bounds how deep free parts of a document may nest.
const maxDepth = 100

// checker walks a document once. It decodes nothing: names and values stay slices of the document, and the path to the
// current place becomes a pointer only when there is something to report.
type checker struct {
	data     []byte
	pos      int
	path     []segment
	keys     [][]byte // names seen in the free objects that are open, the innermost last
	problems []Problem
}

// segment is one step of the path: a name, or an index when name is nil.
type segment struct {
	name  []byte
	index int
}

// document checks the whole. The result is not nil when the document is not JSON.
func (c *checker) document(root *shape) *Error {
	if !utf8.Valid(c.data) {
		return malformed("The document is not valid UTF-8.")
	}
	c.space()
	if c.pos == len(c.data) {
		return malformed("The document is empty; send JSON.")
	}
	if failure := c.value(root); failure != nil {
		return failure
	}
	c.space()
	if c.pos < len(c.data) {
		return c.broken("expected the end of the document")
	}
	return nil
}

// value checks one value against its shape.
func (c *checker) value(s *shape) *Error {
	if len(c.path) > maxDepth {
		return c.broken(fmt.Sprintf("nested more than %d levels deep", maxDepth))
	}
	if c.pos >= len(c.data) {
		return c.broken("expected a value")
	}
	switch ch := c.data[c.pos]; {
	case ch == '{':
		return c.object(s)
	case ch == '[':
		return c.array(s)
	case ch == '"':
		text, failure := c.str()
		if failure == nil {
			c.checkString(s, text)
		}
		return failure
	case ch == '-' || (ch >= '0' && ch <= '9'):
		text, failure := c.number()
		if failure == nil {
			c.checkNumber(s, text)
		}
		return failure
	case ch == 't', ch == 'f':
		if s.kind != kindBool && s.kind != kindAny {
			c.report("Must be %s, not a truth value.", s.want())
		}
		return c.literal()
	}
	return c.literal() // null is allowed everywhere and means that the value is absent
}

func (c *checker) object(s *shape) *Error {
	free := s.kind == kindMap || s.kind == kindAny
	if s.kind != kindObject && !free {
		c.report("Must be %s, not an object.", s.want())
		s, free = anything, true
	}
	c.pos++
	start := len(c.keys)
	seen := make(bitset, 0, 1)
	for first := true; ; first = false {
		c.space()
		if c.peek() == '}' && first {
			break
		}
		if c.peek() != '"' {
			return c.broken(`expected a name in quotes or "}"`)
		}
		name, failure := c.str()
		if failure != nil {
			return failure
		}
		name = plain(name)
		c.space()
		if c.peek() != ':' {
			return c.broken(`expected ":" after a name`)
		}
		c.pos++
		c.space()
		c.path = append(c.path, segment{name: name})
		if failure = c.value(c.member(s, free, name, &seen, start)); failure != nil {
			return failure
		}
		c.path = c.path[:len(c.path)-1]
		c.space()
		if c.peek() != ',' {
			break
		}
		c.pos++
	}
	c.keys = c.keys[:start]
	if c.peek() != '}' {
		return c.broken(`expected "," or "}"`)
	}
	c.pos++
	return nil
}

// member returns the shape of an object's member, after reporting an unknown or repeated name.
func (c *checker) member(s *shape, free bool, name []byte, seen *bitset, start int) *shape {
	if free {
		c.freeName(name, start)
		if s.kind == kindMap {
			return s.elem
		}
		return anything
	}
	i, known := s.names[string(name)]
	if !known {
		if len(c.problems) < maxProblems { // looking for what was meant costs more than all the rest
			c.report("%s", unknownName(string(name), s))
		}
		return anything
	}
	if !seen.add(i) {
		c.report("Stands here twice; keep one of the two.")
	}
	return s.fields[i]
}

// maxCompared is how many names of a free object are compared one by one; beyond it, finding duplicates would cost more
// than it is worth, and the last one counts, as everywhere in JSON.
const maxCompared = 64

func (c *checker) freeName(name []byte, start int) {
	names := c.keys[start:]
	if len(names) >= maxCompared {
		return
	}
	for _, other := range names {
		if bytes.Equal(other, name) {
			c.report("Stands here twice; keep one of the two.")
			return
		}
	}
	c.keys = append(c.keys, name)
}

func unknownName(name string, s *shape) string {
	const unknown = "There is no such field here"
	if near := Nearest(name, s.known()); near != "" {
		return unknown + "; did you mean " + strconv.Quote(near) + "?"
	}
	return unknown + "; known ones are " + strings.Join(s.known(), ", ") + "."
}

func (c *checker) array(s *shape) *Error {
	elem := anything
	switch s.kind {
	case kindArray:
		elem = s.elem
	case kindAny:
	default:
		c.report("Must be %s, not a list.", s.want())
	}
	c.pos++
	c.space()
	if c.peek() == ']' {
		c.pos++
		return nil
	}
	for i := 0; ; i++ {
		c.space()
		c.path = append(c.path, segment{index: i})
		if failure := c.value(elem); failure != nil {
			return failure
		}
		c.path = c.path[:len(c.path)-1]
		c.space()
		if c.peek() != ',' {
			break
		}
		c.pos++
	}
	if c.peek() != ']' {
		return c.broken(`expected "," or "]"`)
	}
	c.pos++
	return nil
}

func (c *checker) checkString(s *shape, quoted []byte) {
	switch s.kind {
	case kindAny, kindString:
	case kindText:
		if err := s.text(plain(quoted)); err != nil {
			c.report("Can not be read: %s.", err)
		}
	case kindTime:
		var at time.Time
		if err := at.UnmarshalText(plain(quoted)); err != nil {
			c.report(`Must be a time as in RFC 3339, such as "2026-11-22T04:26:00Z".`)
		}
	case kindBytes:
		if _, err := base64.StdEncoding.DecodeString(string(plain(quoted))); err != nil {
			c.report("Must be text in base64.")
		}
	default:
		c.report("Must be %s, not a string.", s.want())
	}
}

func (c *checker) checkNumber(s *shape, text []byte) {
	var err error
	switch s.kind {
	case kindAny:
	case kindInt:
		_, err = strconv.ParseInt(string(text), 10, s.bits)
	case kindUint:
		_, err = strconv.ParseUint(string(text), 10, s.bits)
	case kindFloat:
		_, err = strconv.ParseFloat(string(text), s.bits)
	default:
		c.report("Must be %s, not a number.", s.want())
	}
	if err != nil {
		c.report("Must be %s; %s is not.", s.want(), text)
	}
}

// want names what a place may hold.
func (s *shape) want() string {
	switch s.kind {
	case kindObject, kindMap:
		return "an object"
	case kindArray:
		return "a list"
	case kindBool:
		return "true or false"
	case kindInt, kindUint:
		if s.bits < 64 {
			return fmt.Sprintf("a whole number of %d bits", s.bits)
		}
		return "a whole number"
	case kindFloat:
		return "a number"
	}
	return "a string"
}

// anything is the shape of what nobody looks into.
var anything = &shape{kind: kindAny}

// report notes a problem at the current place.
func (c *checker) report(format string, args ...any) {
	if len(c.problems) < maxProblems {
		c.problems = append(c.problems, Problem{Pointer: c.pointer(), Message: fmt.Sprintf(format, args...)})
	}
}

// pointer spells the path as a JSON pointer.
func (c *checker) pointer() string {
	var b strings.Builder
	for _, step := range c.path {
		b.WriteByte('/')
		if step.name == nil {
			b.WriteString(strconv.Itoa(step.index))
			continue
		}
		b.WriteString(escaper.Replace(string(step.name)))
	}
	return b.String()
}

var escaper = strings.NewReplacer("~", "~0", "/", "~1")

// plain resolves the escapes of a quoted text, which came with its quotes. It never returns nil.
func plain(quoted []byte) []byte {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // the scanner accepted it
	return []byte(text)
}

// bitset remembers which fields of an object were seen.
type bitset []uint64

// add reports whether i was not in the set before.
func (b *bitset) add(i int) bool {
	for len(*b) <= i/64 {
		*b = append(*b, 0)
	}
	word, bit := &(*b)[i/64], uint64(1)<<(i%64)
	was := *word&bit != 0
	*word |= bit
	return !was
}
