// Package strict reads JSON documents that other people write, and says precisely what is wrong with them.
//
// The standard decoder stops at the first fault, ignores the case of names, lets duplicate names pass and can not say
// where in a document it is. A Reader walks a document once, side by side with the Go type that it is read into, and
// gathers every unknown name, wrong type and duplicate with its JSON pointer. What it accepts it reads exactly as the
// standard decoder would, in half the time; a fuzz target compares the two.
// The package knows nothing of what documents mean: required fields and ranges are their owners' business.
package strict

import (
	"fmt"
	"reflect"
	"strings"
)

// maxProblems bounds how many problems of one document are reported: whoever gets twenty mends them first.
const maxProblems = 20

// Problem is one thing that is wrong with a document. Message is a full sentence.
type Problem struct {
	Pointer string // JSON pointer (RFC 6901), "" for the whole document
	Message string
}

// Error says what is wrong with a document. Malformed means that it is not JSON at all; it then has one Problem without
// a pointer.
type Error struct {
	Malformed bool
	Problems  []Problem
}

// Error lists the problems; it is meant for logs.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString(" ")
		}
		if p.Pointer != "" {
			b.WriteString(p.Pointer + ": ")
		}
		b.WriteString(p.Message)
	}
	return b.String()
}

// Reader reads documents of the type T. It is immutable and safe for concurrent use.
type Reader[T any] struct{ root *shape }

// For returns the reader of a type. The type's JSON tags say which names a document may use.
func For[T any]() *Reader[T] {
	return &Reader[T]{root: shapeOf(reflect.TypeFor[T]())}
}

// Read checks and decodes one document. The error is a *Error.
func (r *Reader[T]) Read(body []byte) (T, error) {
	var value T
	err := r.ReadInto(body, &value)
	return value, err
}

// ReadInto is Read over a value that has defaults: what the document does not name keeps its value. After an error the
// value is of no use.
func (r *Reader[T]) ReadInto(body []byte, value *T) error {
	w := walker{data: body}
	if failure := w.document(r.root, reflect.ValueOf(value).Elem()); failure != nil {
		return failure
	}
	if len(w.problems) > 0 {
		return &Error{Problems: w.problems}
	}
	return nil
}

func malformed(format string, args ...any) *Error {
	return &Error{Malformed: true, Problems: []Problem{{Message: fmt.Sprintf(format, args...)}}}
}
