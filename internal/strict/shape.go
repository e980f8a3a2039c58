package strict

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// kind is what a place of a document may hold.
type kind uint8

const (
	kindAny    kind = iota // whatever its Go type reads itself
	kindRaw                // kept as it stands
	kindObject             // a struct
	kindMap
	kindArray
	kindString
	kindText // a string that its Go type reads itself
	kindTime
	kindBytes // base64
	kindBool
	kindInt
	kindUint
	kindFloat
)

// shape is the form of a document that a Go type gives.
type shape struct {
	kind   kind
	bits   int            // of numbers
	names  map[string]int // of an object: position in fields
	fields []field
	elem   *shape       // of a map or an array
	typ    reflect.Type // of a map
}

// field is one member of an object.
type field struct {
	shape *shape
	index []int // in the struct, through embedded ones
}

var (
	typeTime    = reflect.TypeFor[time.Time]()
	typeRaw     = reflect.TypeFor[json.RawMessage]()
	typeText    = reflect.TypeFor[encoding.TextUnmarshaler]()
	typeDecoder = reflect.TypeFor[json.Unmarshaler]()
)

func shapeOf(t reflect.Type) *shape { return (&builder{seen: map[reflect.Type]*shape{}}).of(t) }

// builder remembers the shapes of structs, so that a type may hold itself.
type builder struct{ seen map[reflect.Type]*shape }

func (b *builder) of(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == typeTime:
		return &shape{kind: kindTime}
	case t == typeRaw:
		return &shape{kind: kindRaw}
	case reflect.PointerTo(t).Implements(typeDecoder):
		return anything
	case reflect.PointerTo(t).Implements(typeText):
		return &shape{kind: kindText}
	}
	switch t.Kind() {
	case reflect.Struct:
		return b.object(t)
	case reflect.Map:
		if t.Key().Kind() != reflect.String || t.Key().Implements(typeText) {
			panic(fmt.Sprintf("strict: a document can not be read into %s: its keys are no strings", t))
		}
		return &shape{kind: kindMap, elem: b.of(t.Elem()), typ: t}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &shape{kind: kindBytes}
		}
		return &shape{kind: kindArray, elem: b.of(t.Elem())}
	case reflect.String:
		return &shape{kind: kindString}
	case reflect.Bool:
		return &shape{kind: kindBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &shape{kind: kindInt, bits: t.Bits()}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &shape{kind: kindUint, bits: t.Bits()}
	case reflect.Float32, reflect.Float64:
		return &shape{kind: kindFloat, bits: t.Bits()}
	case reflect.Interface:
		return anything
	}
	panic(fmt.Sprintf("strict: a document can not be read into %s", t))
}

func (b *builder) object(t reflect.Type) *shape {
	if known := b.seen[t]; known != nil {
		return known
	}
	s := &shape{kind: kindObject, names: map[string]int{}}
	b.seen[t] = s
	for _, f := range reflect.VisibleFields(t) {
		name, ok := nameOf(f)
		if !ok {
			continue
		}
		s.names[name] = len(s.fields)
		s.fields = append(s.fields, field{shape: b.of(f.Type), index: f.Index})
	}
	if len(s.fields) > maxFields {
		panic(fmt.Sprintf("strict: %s has more than %d fields", t, maxFields))
	}
	return s
}

// nameOf returns the name of a field in documents; ok is false for fields that documents do not have. Embedded structs
// lend their fields, which VisibleFields lists by themselves.
func nameOf(f reflect.StructField) (name string, ok bool) {
	if !f.IsExported() {
		return "", false
	}
	name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case name == "-", f.Anonymous && name == "":
		return "", false
	case name == "":
		return f.Name, true
	}
	return name, true
}

// maxFields bounds the fields of a struct: the walker notes in a set of bits which of them it has seen.
const maxFields = 128

// known lists an object's names in alphabetical order.
func (s *shape) known() []string {
	names := make([]string, 0, len(s.names))
	for name := range s.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
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

// anything is the shape of what the walker does not look into.
var anything = &shape{kind: kindAny}
