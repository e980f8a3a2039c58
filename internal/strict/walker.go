package strict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds how deep a document may nest.
const maxDepth = 100

// walker reads a document in one pass. Names and values stay slices of the document until they are set, and the path to
// the current place becomes a pointer only when there is something to report.
type walker struct {
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

// nowhere is the value that nothing is set in: the walker only looks.
var nowhere reflect.Value

// document reads the whole. The result is not nil when the document is not JSON.
func (w *walker) document(root *shape, v reflect.Value) *Error {
	if !utf8.Valid(w.data) {
		return malformed("The document is not valid UTF-8.")
	}
	w.space()
	if w.pos == len(w.data) {
		return malformed("The document is empty; send JSON.")
	}
	if failure := w.value(root, v); failure != nil {
		return failure
	}
	w.space()
	if w.pos < len(w.data) {
		return w.broken("expected the end of the document")
	}
	return nil
}

// value reads one value of a shape into v.
func (w *walker) value(s *shape, v reflect.Value) *Error {
	if len(w.path) > maxDepth {
		return w.broken(fmt.Sprintf("nested more than %d levels deep", maxDepth))
	}
	if v.IsValid() {
		own := s.kind != kindAny && s.kind != kindRaw // such types read a null themselves, unless it is a pointer's
		if w.peek() == 'n' && (own || v.Kind() == reflect.Pointer) {
			return w.null(v)
		}
		if !own {
			return w.foreign(s, v)
		}
		v = reach(v)
	}
	switch ch := w.peek(); {
	case ch == '{':
		return w.object(s, v)
	case ch == '[':
		return w.array(s, v)
	case ch == '"':
		text, failure := w.str()
		if failure == nil {
			w.setString(s, v, text)
		}
		return failure
	case ch == '-' || (ch >= '0' && ch <= '9'):
		text, failure := w.number()
		if failure == nil {
			w.setNumber(s, v, text)
		}
		return failure
	case ch == 't', ch == 'f':
		w.setBool(s, v, ch == 't')
		return w.literal()
	}
	return w.literal() // null where nothing is set
}

// reach follows pointers to the value itself, making what they point at.
func reach(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

// null reads a null: it clears what can be absent, and leaves everything else as it is.
func (w *walker) null(v reflect.Value) *Error {
	failure := w.literal()
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		v.SetZero()
	}
	return failure
}

// foreign reads a value that is kept as it stands, or that its Go type reads itself.
func (w *walker) foreign(s *shape, v reflect.Value) *Error {
	start := w.pos
	if failure := w.value(anything, nowhere); failure != nil {
		return failure
	}
	text := w.data[start:w.pos]
	if v = reach(v); s.kind == kindRaw {
		v.SetBytes(bytes.Clone(text))
		return nil
	}
	if err := json.Unmarshal(text, v.Addr().Interface()); err != nil {
		w.report("Can not be read: %s.", err)
	}
	return nil
}

func (w *walker) object(s *shape, v reflect.Value) *Error {
	if s.kind != kindObject && s.kind != kindMap && s.kind != kindAny && s.kind != kindRaw {
		w.report("Must be %s, not an object.", s.want())
		s, v = anything, nowhere
	}
	if s.kind == kindMap && v.IsValid() && v.IsNil() {
		v.Set(reflect.MakeMap(s.typ))
	}
	w.pos++
	start := len(w.keys)
	var seen [maxFields / 64]uint64
	for first := true; ; first = false {
		w.space()
		if w.peek() == '}' && first {
			break
		}
		name, failure := w.name()
		if failure != nil {
			return failure
		}
		w.path = append(w.path, segment{name: name})
		if failure = w.member(s, v, name, &seen, start); failure != nil {
			return failure
		}
		w.path = w.path[:len(w.path)-1]
		w.space()
		if w.peek() != ',' {
			break
		}
		w.pos++
	}
	w.keys = w.keys[:start]
	if w.peek() != '}' {
		return w.broken(`expected "," or "}"`)
	}
	w.pos++
	return nil
}

// name reads the name of a member and what follows it up to the value.
func (w *walker) name() ([]byte, *Error) {
	if w.peek() != '"' {
		return nil, w.broken(`expected a name in quotes or "}"`)
	}
	name, failure := w.str()
	if failure != nil {
		return nil, failure
	}
	w.space()
	if w.peek() != ':' {
		return nil, w.broken(`expected ":" after a name`)
	}
	w.pos++
	w.space()
	return plain(name), nil
}

// member reads the value of an object's member.
func (w *walker) member(s *shape, v reflect.Value, name []byte, seen *[maxFields / 64]uint64, start int) *Error {
	switch s.kind {
	case kindMap:
		w.freeName(name, start)
		return w.entry(s, v, name)
	case kindObject:
	default:
		w.freeName(name, start)
		return w.value(anything, nowhere)
	}
	i, known := s.names[string(name)]
	if !known {
		if len(w.problems) < maxProblems { // looking for what was meant costs more than all the rest
			w.report("%s", unknownName(string(name), s))
		}
		return w.value(anything, nowhere)
	}
	word, bit := &seen[i/64], uint64(1)<<(i%64)
	if *word&bit != 0 {
		w.report("Stands here twice; keep one of the two.")
	}
	*word |= bit
	f := &s.fields[i]
	switch {
	case !v.IsValid():
	case len(f.index) == 1:
		v = v.Field(f.index[0])
	default:
		v = v.FieldByIndex(f.index)
	}
	return w.value(f.shape, v)
}

// entry reads one entry of a map.
func (w *walker) entry(s *shape, v reflect.Value, name []byte) *Error {
	if !v.IsValid() {
		return w.value(s.elem, nowhere)
	}
	elem := reflect.New(s.typ.Elem()).Elem()
	failure := w.value(s.elem, elem)
	v.SetMapIndex(reflect.ValueOf(string(name)).Convert(s.typ.Key()), elem)
	return failure
}

// maxCompared is how many names of a free object are compared one by one; beyond it, finding duplicates would cost more
// than it is worth, and the last one counts, as everywhere in JSON.
const maxCompared = 64

func (w *walker) freeName(name []byte, start int) {
	names := w.keys[start:]
	if len(names) >= maxCompared {
		return
	}
	for _, other := range names {
		if bytes.Equal(other, name) {
			w.report("Stands here twice; keep one of the two.")
			return
		}
	}
	w.keys = append(w.keys, name)
}

func unknownName(name string, s *shape) string {
	const unknown = "There is no such field here"
	if near := Nearest(name, s.known()); near != "" {
		return unknown + "; did you mean " + strconv.Quote(near) + "?"
	}
	return unknown + "; known ones are " + strings.Join(s.known(), ", ") + "."
}

func (w *walker) array(s *shape, v reflect.Value) *Error {
	elem := anything
	switch s.kind {
	case kindArray:
		elem = s.elem
	case kindAny, kindRaw:
	default:
		w.report("Must be %s, not a list.", s.want())
		v = nowhere
	}
	if v.IsValid() {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	w.pos++
	w.space()
	if w.peek() == ']' {
		w.pos++
		return nil
	}
	for i := 0; ; i++ {
		w.space()
		w.path = append(w.path, segment{index: i})
		item := nowhere
		if v.IsValid() {
			v.Grow(1)
			v.SetLen(i + 1)
			item = v.Index(i)
		}
		if failure := w.value(elem, item); failure != nil {
			return failure
		}
		w.path = w.path[:len(w.path)-1]
		w.space()
		if w.peek() != ',' {
			break
		}
		w.pos++
	}
	if w.peek() != ']' {
		return w.broken(`expected "," or "]"`)
	}
	w.pos++
	return nil
}

// report notes a problem at the current place.
func (w *walker) report(format string, args ...any) {
	if len(w.problems) < maxProblems {
		w.problems = append(w.problems, Problem{Pointer: w.pointer(), Message: fmt.Sprintf(format, args...)})
	}
}

// pointer spells the path as a JSON pointer.
func (w *walker) pointer() string {
	var b strings.Builder
	for _, step := range w.path {
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
