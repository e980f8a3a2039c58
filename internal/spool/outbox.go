package spool

import (
	"context"
	"errors"
	"log/slog"

	"carillon/internal/event"
)

// outbox is one file's events on their way.
type outbox struct {
	file    *file // nil: the disk could not take them, they are only in memory
	pending []event.Event
	stored  int // how many of pending are in the file, always the first ones
}

// dealt takes the first n events out: they were sent or set aside.
func (b *outbox) dealt(n int, log *slog.Logger) {
	if b.file != nil && b.stored > 0 {
		if err := b.file.settle(min(n, b.stored)); err != nil {
			log.Warn("sent events could not be noted and may be sent again", "error", err)
		}
	}
	b.stored = max(0, b.stored-n)
	b.pending = b.pending[n:]
}

// courier sends the events of outboxes and counts.
type courier struct {
	o       Options
	report  Report
	blocked bool // the server will not take events from this process
}

// step makes one attempt with the first events of a batch. It returns how many were dealt with, and the error of a failed
// attempt. A batch that is refused as a whole is tried event by event, so that one bad event holds up no other.
func (c *courier) step(ctx context.Context, batch []event.Event, aside func(*event.Event, error) error) (int, error) {
	err := c.send(ctx, batch)
	if judge(err) == never && len(batch) > 1 {
		batch = batch[:1]
		err = c.send(ctx, batch)
	}
	switch judge(err) {
	case accepted:
		c.report.Sent += len(batch)
		c.report.Reason = nil
		return len(batch), nil
	case never:
		c.o.Log.Error("the server can not take an event; it was set aside", "event", batch[0].Key, "error", err)
		if failed := aside(&batch[0], err); failed != nil {
			c.o.Log.Error("an event could not be set aside", "event", batch[0].Key, "error", failed)
		}
		c.report.Refused++
		return 1, nil
	case later:
		c.blocked = true
	}
	c.report.Reason = err
	return 0, err
}

func (c *courier) send(ctx context.Context, batch []event.Event) error {
	if c.o.Sender == nil {
		c.blocked = true
		return errors.New("no server is set")
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Attempt)
	defer cancel()
	return c.o.Sender.Send(ctx, batch)
}

// aside sets an event of the outbox aside.
func (b *outbox) aside(e *event.Event, reason error) error {
	if b.file == nil {
		return nil
	}
	return b.file.setAside(e, reason)
}
