package event_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"carillon/internal/event"
	"carillon/internal/fault"
)

func TestLineReaderGoesOnBehindFaultyLines(t *testing.T) {
	t.Parallel()
	const good = `{"kind":"test","organization":{"name":"acme"}}`
	input := good + "\n\n" + `{"kind":"tset","organization":{"name":"acme"}}` + "\r\n" + strings.Repeat("x", 300_000) + "\n" + good + "\r\n  \n" + good
	r := event.NewLineReader(iotest.OneByteReader(strings.NewReader(input)), 1000)
	var got []string
	for {
		e, line, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		got = append(got, strings.TrimSpace(strings.Join([]string{string('0' + rune(line)), string(e.Kind), string(fault.CodeOf(err))}, " ")))
	}
	if want := "1 test|3  invalid|4  too_large|5 test|7 test"; strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestLineReaderDoesNotTakeABrokenLineForAWhole(t *testing.T) {
	t.Parallel()
	broken := errors.New("the connection broke")
	const good = `{"kind":"test","organization":{"name":"acme"}}`
	r := event.NewLineReader(io.MultiReader(strings.NewReader(good+"\n"+good), iotest.ErrReader(broken)), 1000)
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, line, err := r.Next(); !errors.Is(err, broken) || line != 2 {
		t.Errorf("got line %d, %v", line, err)
	}
	if _, _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
