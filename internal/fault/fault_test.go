package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"carillon/internal/fault"
)

func TestCodeOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err  error
		want fault.Code
	}{
		"nil":     {nil, ""},
		"plain":   {io.EOF, fault.Internal},
		"fault":   {fault.New(fault.Conflict, "x"), fault.Conflict},
		"wrapped": {fmt.Errorf("save: %w", fault.At("/name", "is blank")), fault.Invalid},
	}
	for name, c := range cases {
		if got := fault.CodeOf(c.err); got != c.want {
			t.Errorf("%s: CodeOf = %q, want %q", name, got, c.want)
		}
	}
}

func TestErrorShowsCauseOnlyInTheLogText(t *testing.T) {
	t.Parallel()
	err := &fault.Error{Code: fault.Internal, Message: "Something failed.", Cause: io.ErrUnexpectedEOF}
	if got, want := err.Error(), "internal: Something failed.: unexpected EOF"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause is not unwrapped")
	}
}

func TestCollector(t *testing.T) {
	t.Parallel()
	var c fault.Collector
	if c.Err() != nil {
		t.Fatal("an empty collector reports a fault")
	}
	c.Add("/a", "is %s", "bad")
	c.Add("/b", "is missing")
	f, ok := errors.AsType[*fault.Error](c.Err())
	if !ok || len(f.Fields()) != 2 || f.Fields()[1].Pointer != "/b" || f.Message != "is bad" {
		t.Errorf("Err() = %#v", f)
	}
}
