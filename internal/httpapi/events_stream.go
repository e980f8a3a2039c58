package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
)

// chunk is how many events of a stream are stored together.
const chunk = 200

// lineView is what became of one line of a stream.
type lineView struct {
	Line    int          `json:"line"`
	Receipt *receiptView `json:"receipt,omitempty"`
	Error   *problem     `json:"error,omitempty"`
}

// stream takes in events line by line. The answer is written when the input has ended: a client that sends everything
// before it reads must not come to a halt against a full buffer.
type stream struct {
	*api
	c       *call
	results []lineView
	waiting []event.Event
	slots   []int // of those that wait, in results
}

// streamEvents answers each line with a line of its own. A line that is refused does not hold up the others; when events
// can not be stored at the moment, the rest is not taken and the last line says so.
func (a *api) streamEvents(c *call) error {
	if c.r.ContentLength > maxStream {
		return tooLarge(maxStream)
	}
	s := &stream{api: a, c: c}
	lines := event.NewLineReader(http.MaxBytesReader(c.w, c.r.Body, maxStream), maxBody)
	for {
		e, line, err := lines.Next()
		_, isFault := errors.AsType[*fault.Error](err)
		switch {
		case errors.Is(err, io.EOF):
			return s.end(0, s.store())
		case err == nil:
			err = s.add(e, line)
		case isFault:
			s.refuse(line, err)
			err = nil
		default:
			err = errors.Join(s.store(), readFault(err, maxStream))
		}
		if err != nil {
			return s.end(line, err)
		}
	}
}

// add lets an event wait for its chunk. The error ends the stream.
func (s *stream) add(e event.Event, line int) error {
	err := s.complete(s.c, &e, strconv.Itoa(line))
	if err == nil {
		err = s.MaySend(s.c.r.Context(), s.c.p, &e)
	}
	switch {
	case err != nil && ours(err):
		return err
	case err != nil:
		s.refuse(line, err)
		return nil
	}
	s.waiting, s.slots = append(s.waiting, e), append(s.slots, len(s.results))
	s.results = append(s.results, lineView{Line: line})
	if len(s.waiting) < chunk {
		return nil
	}
	return s.store()
}

// ours reports whether an error would meet every other event too.
func ours(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.Internal || code == fault.Unavailable
}

func (s *stream) refuse(line int, err error) {
	pr := problemOf(err)
	s.results = append(s.results, lineView{Line: line, Error: &pr})
}

// store stores what waits. The error ends the stream; what is known to be stored has its receipt nevertheless.
func (s *stream) store() error {
	waiting, slots := s.waiting, s.slots
	s.waiting, s.slots = nil, nil
	if len(waiting) == 0 {
		return nil
	}
	receipts, err := s.Accept(s.c.r.Context(), waiting)
	if err == nil || ours(err) {
		s.keep(slots, receipts)
		return err
	}
	// One of them can not be placed, and all were refused for it: store the others without it.
	for n, slot := range slots {
		receipts, err := s.Accept(s.c.r.Context(), waiting[n:n+1])
		switch {
		case err == nil:
			s.keep(slots[n:n+1], receipts)
		case ours(err):
			return err
		default:
			pr := problemOf(err)
			s.results[slot].Error = &pr
		}
	}
	return nil
}

func (s *stream) keep(slots []int, receipts []dialect.Receipt) {
	for n := range receipts {
		if receipts[n].Event != 0 {
			view := viewReceipt(&receipts[n])
			s.results[slots[n]].Receipt = &view
		}
	}
}

// end answers: with every line's result and, when the stream was ended by an error, with a last line that says why the
// lines without a result were not taken. An error before any result is the whole answer.
func (s *stream) end(line int, err error) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	for i := range s.results {
		if r := &s.results[i]; r.Receipt != nil || r.Error != nil {
			_ = encoder.Encode(r) // of strings and numbers: it can not fail
		}
	}
	switch {
	case body.Len() == 0 && err != nil:
		return err
	case body.Len() == 0:
		return fault.New(fault.Invalid, "The stream holds no event.")
	case err != nil:
		if ours(err) {
			s.Services.Log.ErrorContext(s.c.r.Context(), "stream of events ended early", "error", err)
		}
		pr := problemOf(err)
		_ = encoder.Encode(lineView{Line: line, Error: &pr})
	}
	s.c.write(http.StatusAccepted, typeNDJSON, body.Bytes())
	return nil
}
