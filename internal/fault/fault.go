// Package fault holds the kinds of error that cross package borders.
//
// A *Error says what a caller did wrong or what is missing, in words meant for that caller, with a pointer to the field.
// Everything else that goes wrong is an ordinary error: whoever answers the caller logs it once and answers "internal".
// The package knows no protocol; each API maps a Code to its own status in one place.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Code is a kind of fault.
type Code string

// The kinds of fault.
const (
	Malformed    Code = "malformed"     // the request can not be read at all
	Invalid      Code = "invalid"       // it can be read, a field of it is wrong
	Unauthorized Code = "unauthorized"  // no credentials, or unknown ones
	Forbidden    Code = "forbidden"     // known credentials that do not suffice, where hiding the object makes no sense
	NotFound     Code = "not_found"     // no such object, or one that the caller may not see
	Conflict     Code = "conflict"      // the object exists already, is in use, or changed meanwhile
	TooLarge     Code = "too_large"     // the body exceeds the limit
	RateLimited  Code = "rate_limited"  // too many requests
	Unverified   Code = "unverified"    // a destination did not answer a verification with success
	Unavailable  Code = "unavailable"   // nothing was done; the caller may try again
	Unsupported  Code = "not_supported" // understood, and not offered here
	Internal     Code = "internal"      // ours; never shown in detail
)

// Error is a fault. Message is a full sentence for the caller: what is wrong, where, and how to mend it. It holds no
// secret. Cause, if set, is for the log only.
type Error struct {
	Code    Code
	Message string
	Field   string  // JSON pointer into the caller's document, "" when the whole is meant
	More    []Field // further fields that are wrong
	Cause   error
}

// Field is one more wrong field of the same document.
type Field struct {
	Pointer string
	Message string
}

// Error returns the message and the cause; it is meant for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Cause != nil {
		b.WriteString(": ")
		b.WriteString(e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns a fault without a field.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// At returns an Invalid fault of one field.
func At(pointer, format string, args ...any) *Error {
	return &Error{Code: Invalid, Field: pointer, Message: fmt.Sprintf(format, args...)}
}

// Missing returns the NotFound fault for a kind of object and its name as the caller wrote it.
func Missing(kind, name string) *Error {
	return New(NotFound, "There is no %s %q, or you may not see it.", kind, name)
}

// Fields returns every wrong field of the fault, the first one included.
func (e *Error) Fields() []Field {
	if e.Field == "" && len(e.More) == 0 {
		return nil
	}
	return append([]Field{{Pointer: e.Field, Message: e.Message}}, e.More...)
}

// CodeOf returns the code of the first fault in err's chain, Internal for other errors and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Code
	}
	return Internal
}

// Is reports whether err's chain holds a fault of the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// Collector gathers the faults of several fields, so that a caller learns of all of them at once.
type Collector struct{ fields []Field }

// Add notes one wrong field.
func (c *Collector) Add(pointer, format string, args ...any) {
	c.fields = append(c.fields, Field{Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// Err returns nil, or one Invalid fault with every field that was added.
func (c *Collector) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Error{Code: Invalid, Field: c.fields[0].Pointer, Message: c.fields[0].Message, More: c.fields[1:]}
}
