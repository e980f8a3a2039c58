package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/fault"
	"carillon/internal/ident"
)

// receiptView is what a sender learns of an event that was taken in: it is durable, and so is what it owes.
type receiptView struct {
	Event      ident.ID `json:"event"`
	Run        ident.ID `json:"run,omitzero"`
	Sequence   *int64   `json:"sequence,omitempty"` // of the event in its run
	Duplicate  bool     `json:"duplicate"`          // it was known already; Event is the known one
	Deliveries int      `json:"deliveries"`
}

func viewReceipt(r *dialect.Receipt) receiptView {
	view := receiptView{Event: r.Event, Run: r.Run, Duplicate: r.Duplicate, Deliveries: r.Deliveries}
	if r.Run != 0 {
		view.Sequence = &r.Sequence
	}
	return view
}

// headerKey is the request's Idempotency-Key.
const headerKey = "Idempotency-Key"

// sourceKind is how an event came in that does not say so itself.
const sourceKind = "api"

// postEvents takes in one event (a JSON object), several (an array), or a stream of lines.
func (a *api) postEvents(c *call) error {
	media, err := c.media()
	if err != nil {
		return err
	}
	if media == typeNDJSON {
		return a.streamEvents(c)
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return a.postBatch(c, body)
	}
	e, err := event.Parse(body)
	if err != nil {
		return err
	}
	if err = a.complete(c, &e, ""); err != nil {
		return err
	}
	if err = a.MaySend(c.r.Context(), c.p, &e); err != nil {
		return err
	}
	receipts, err := a.Accept(c.r.Context(), []event.Event{e})
	if err != nil {
		return err
	}
	return c.answer(http.StatusAccepted, viewReceipt(&receipts[0]))
}

// postBatch takes in all events of an array, or none when one of them is faulty or may not be sent.
func (a *api) postBatch(c *call, body []byte) error {
	events, err := event.ParseBatch(body)
	if err != nil {
		return err
	}
	for i := range events {
		if err = a.complete(c, &events[i], strconv.Itoa(i)); err == nil {
			err = a.MaySend(c.r.Context(), c.p, &events[i])
		}
		if err != nil {
			return at(fmt.Sprintf("/%d", i), err)
		}
	}
	receipts, err := a.Accept(c.r.Context(), events)
	if err != nil {
		return err
	}
	answer := struct {
		Receipts []receiptView `json:"receipts"`
	}{make([]receiptView, len(receipts))}
	for i := range receipts {
		answer.Receipts[i] = viewReceipt(&receipts[i])
	}
	return c.answer(http.StatusAccepted, answer)
}

// complete adds what the request says about its events: the key, and where they came from. Events of one request get
// keys of their own, made from the request's and their position.
func (a *api) complete(c *call, e *event.Event, position string) error {
	if key := c.r.Header.Get(headerKey); key != "" {
		if position != "" {
			key += "/" + position
		}
		switch {
		case len(key) > event.MaxName:
			return fault.New(fault.Invalid, "The header %s is longer than %d bytes.", headerKey, event.MaxName-8)
		case e.Key == "":
			e.Key = key
		case position == "" && e.Key != key:
			return fault.At("/key", "Differs from the header %s; give one of the two.", headerKey)
		}
	}
	if e.Source.Kind == "" {
		e.Source.Kind = sourceKind
	}
	if e.Source.UserAgent == "" {
		e.Source.UserAgent = c.r.UserAgent()
	}
	return nil
}

// at puts a pointer before those of a fault.
func at(pointer string, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	moved := *f
	moved.Field = pointer + f.Field
	moved.More = make([]fault.Field, len(f.More))
	for i, field := range f.More {
		moved.More[i] = fault.Field{Pointer: pointer + field.Pointer, Message: field.Message}
	}
	return &moved
}
