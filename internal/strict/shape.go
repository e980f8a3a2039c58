package strict

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
)

// kind is what a place of a document may hold.
type kind uint8

const (
	kindAny kind = iota
	kindObject
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

// shape is the form of a document that a Go type gives, as far as the checker needs it.
type shape struct {
	kind   kind
	bits   int            // of numbers
	names  map[string]int // of an object: position in fields
	fields []*shape
	elem   *shape // of a map or an array
	text   func([]byte) error
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
		return &shape{kind: kindAny}
	case reflect.PointerTo(t).Implements(typeDecoder):
		return &shape{kind: kindAny}
	case reflect.PointerTo(t).Implements(typeText):
		return &shape{kind: kindText, text: func(text []byte) error {
			return reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
		}}
	}
	switch t.Kind() {
	case reflect.Struct:
		return b.object(t)
	case reflect.Map:
		return &shape{kind: kindMap, elem: b.of(t.Elem())}
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
	}
	return &shape{kind: kindAny}
}

func (b *builder) object(t reflect.Type) *shape {
	if known := b.seen[t]; known != nil {
		return known
	}
	s := &shape{kind: kindObject, names: map[string]int{}}
	b.seen[t] = s
	for _, field := range reflect.VisibleFields(t) {
		name, ok := nameOf(field)
		if !ok {
			continue
		}
		s.names[name] = len(s.fields)
		s.fields = append(s.fields, b.of(field.Type))
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

// known lists an object's names in alphabetical order.
func (s *shape) known() []string {
	names := make([]string, 0, len(s.names))
	for name := range s.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
